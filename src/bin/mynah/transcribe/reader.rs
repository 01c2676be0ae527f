//! Reads the recordings one after the other, and cuts them into jobs.

use std::{fs, path::Path, time::Duration};

use anyhow::Result;
use crossbeam_channel::{Receiver, Sender, unbounded};
use mynah::audio::{AudioFile, Source};

use super::{
    Work,
    cutter::Cutter,
    worker::{Job, JobResult, contain},
};
use crate::audio_input::{self, STDIN};

/// What the reader sends of a recording: that it is audio, its jobs in order, then how reading ended.
pub enum Reading {
    Opened,
    Job(Receiver<JobResult>),
    Ended {
        /// Whether Ctrl-C ended it before the recording did.
        is_interrupted: bool,
        result: Result<()>,
    },
}

/// How reading a recording ended.
enum Completion {
    /// The workers have all of it.
    Handed,
    /// Ctrl-C, or a writer that has ended, came before its end.
    Interrupted,
}

/// Where the reader's results go.
pub struct Reader<'a, 'b> {
    pub work: &'b Work<'a>,
    pub jobs: Sender<Job<'a>>,
    pub readings: Sender<(&'a Path, Reading)>,
}

impl<'a> Reader<'a, '_> {
    /// Reads all recordings. Waits while the workers have enough to do.
    pub fn run(self) {
        for file in &self.work.args.files {
            let read = contain(file, || self.read(file));
            let is_interrupted = matches!(read, Ok(Completion::Interrupted));
            let result = read.map(|_| ());
            if self.send(file, Reading::Ended { is_interrupted, result }).is_none() {
                return;
            }
        }
    }

    fn read(&self, file: &'a Path) -> Result<Completion> {
        if self.is_stopped() {
            return Ok(Completion::Interrupted);
        }
        let source = audio_input::open(file, &self.work.args.audio)?;
        let length = length(&source);
        self.work.progress.add_audio(length.unwrap_or_default());
        self.send(file, Reading::Opened);
        let is_measured = length.is_some();
        if self.work.args.deltas || is_stream(file) {
            self.start(file, Box::new(source), Duration::ZERO, is_measured);
            return Ok(Completion::Handed);
        }
        match Cutter::new(source, &self.work.endpoint) {
            Ok(cutter) => self.cut(file, cutter, is_measured),
            Err(source) => {
                self.start(file, Box::new(source), Duration::ZERO, is_measured);
                Ok(Completion::Handed)
            }
        }
    }

    fn cut(
        &self,
        file: &'a Path,
        mut cutter: Cutter<AudioFile>,
        is_measured: bool,
    ) -> Result<Completion> {
        loop {
            let part = cutter.next_part(|| self.is_stopped());
            let (part, result) = match part {
                Ok(part) => (part, Ok(())),
                // What was read before it is recognized.
                Err(error) => {
                    let error = audio_input::name_file(error, file, cutter.position());
                    (cutter.rest(), Err(error))
                }
            };
            let is_last = part.is_none();
            if let Some(part) = part {
                let start = part.start();
                self.start(file, Box::new(part), start, is_measured);
            }
            result?;
            if is_last {
                let is_complete = cutter.is_at_end();
                return Ok(if is_complete { Completion::Handed } else { Completion::Interrupted });
            }
        }
    }

    /// Hands a job to the workers.
    fn start(&self, file: &'a Path, source: Box<dyn Source>, start: Duration, is_measured: bool) {
        let (results, receiver) = unbounded();
        if self.send(file, Reading::Job(receiver)).is_some() {
            // Without workers the writer has ended too.
            let _ = self.jobs.send(Job { file, source, start, is_measured, results });
        }
    }

    /// `None` if nothing can be written any more.
    fn send(&self, file: &'a Path, reading: Reading) -> Option<()> {
        self.readings.send((file, reading)).ok()
    }

    fn is_stopped(&self) -> bool {
        self.work.is_interrupted() || self.work.is_abandoned()
    }
}

/// Whether audio may arrive as it is being recorded.
fn is_stream(file: &Path) -> bool {
    file.as_os_str() == STDIN || !fs::metadata(file).is_ok_and(|metadata| metadata.is_file())
}

fn length(source: &AudioFile) -> Option<Duration> {
    let rate = f64::from(source.sample_rate());
    source.len_samples().map(|samples| Duration::from_secs_f64(samples as f64 / rate))
}
