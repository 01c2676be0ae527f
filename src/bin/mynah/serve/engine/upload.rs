//! A file that has arrived as a whole.

use std::{path::PathBuf, sync::Arc, time::Duration};

use mynah::{Event, Session, Step, TextFormatter, audio::AudioFile};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    Admission, Class, Failure,
    pool::{Handle, Progress, Task},
};
use crate::utterance::Utterance;

/// Blocks of 10 ms that are recognized in a slice.
const SLICE_BLOCKS: usize = 50;

/// What is reported of a file.
#[derive(Debug)]
pub enum UploadOutput {
    /// The next utterance.
    Final(Box<Utterance>),
    /// All of the file, this much audio, has been recognized.
    Ended(Duration),
    /// The file ends here; what was recognized before has been reported.
    Failed(Failure),
}

/// The connection's side of a file. Dropping it ends the recognition.
pub struct Upload {
    handle: Handle,
    outputs: UnboundedReceiver<UploadOutput>,
}

/// The workers' side.
pub(super) struct UploadTask {
    stage: Stage,
    formatter: Option<TextFormatter>,
    outputs: UnboundedSender<UploadOutput>,
    admission: Admission,
}

enum Stage {
    Arrived { bytes: Vec<u8>, name: PathBuf },
    Opened(Box<Session<AudioFile>>),
    Ended,
}

impl Upload {
    /// Gives the next output; `None` after [`UploadOutput::Ended`] and [`UploadOutput::Failed`].
    pub async fn next(&mut self) -> Option<UploadOutput> {
        self.outputs.recv().await
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.outputs.close();
        self.handle.wake();
    }
}

impl UploadTask {
    pub fn start(admission: Admission, bytes: Vec<u8>, name: String, formatted: bool) -> Upload {
        let (sender, outputs) = unbounded_channel();
        let engine = Arc::clone(&admission.engine);
        let task = Self {
            stage: Stage::Arrived { bytes, name: name.into() },
            formatter: engine.formatter(formatted),
            outputs: sender,
            admission,
        };
        let handle = engine.pool.add(Class::Bulk, Box::new(task));
        handle.wake();
        Upload { handle, outputs }
    }

    fn step(&mut self) -> Result<Progress, Failure> {
        match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Arrived { bytes, name } => {
                let file = AudioFile::from_bytes(bytes, name)?;
                let session = Session::new(&self.admission.engine.files, file)?;
                self.stage = Stage::Opened(Box::new(session));
                Ok(Progress::Ready)
            }
            Stage::Opened(session) => self.recognize(session),
            Stage::Ended => Ok(Progress::Ended),
        }
    }

    /// Recognizes a slice.
    fn recognize(&mut self, mut session: Box<Session<AudioFile>>) -> Result<Progress, Failure> {
        let (position, computed) = (session.audio_position(), session.compute_time());
        let mut outcome = session.advance();
        for _ in 1..SLICE_BLOCKS {
            if matches!(outcome, Err(_) | Ok(Step::Ended)) {
                break;
            }
            outcome = session.advance();
        }
        let engine = Arc::clone(&self.admission.engine);
        let audio = session.audio_position();
        engine.metrics.compute(session.compute_time() - computed, audio - position);
        self.report_finals(&mut session);
        if outcome? == Step::Ended {
            self.report(UploadOutput::Ended(audio));
            return Ok(Progress::Ended);
        }
        if audio > engine.limits.audio {
            let seconds = engine.limits.audio.as_secs_f64();
            return Err(Failure::limit(format!("the file has more than {seconds} s of audio")));
        }
        self.stage = Stage::Opened(session);
        Ok(Progress::Ready)
    }

    fn report_finals(&mut self, session: &mut Session<AudioFile>) {
        while let Some(event) = session.next_event() {
            if let Event::Final { hypothesis, .. } = event {
                let model = self.admission.engine.files.model();
                let utterance = Utterance::of_final(&hypothesis, model, self.formatter.as_mut());
                self.report(UploadOutput::Final(Box::new(utterance)));
            }
        }
    }

    fn fail(&self, failure: Failure) {
        self.admission.fail();
        self.report(UploadOutput::Failed(failure));
    }

    fn report(&self, output: UploadOutput) {
        // A client that has left needs no results; the next slice ends the recognition.
        let _ = self.outputs.send(output);
    }
}

impl Task for UploadTask {
    fn run(&mut self) -> Progress {
        if self.outputs.is_closed() {
            return Progress::Ended;
        }
        self.step().unwrap_or_else(|failure| {
            self.fail(failure);
            Progress::Ended
        })
    }

    fn panicked(&mut self) {
        self.fail(Failure::panicked());
    }
}
