//! Audio files to transcripts, as the command makes them: cut at long pauses, a session for each part.

use std::path::PathBuf;
use std::time::Duration;

use mynah::audio::{AudioFile, Source};
use mynah::{Session, Step, TextFormatter};
use mynah_command::Cutter;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::{Failure, detached};
use crate::event::Event;
use crate::recognizer::Recognizer;
use crate::transcript::Transcript;

/// So many blocks of 10 ms are recognized before Python's signals are looked at.
const BLOCKS: usize = 100;
/// What the messages call a file that was given as its bytes.
const BYTES: &str = "<bytes>";

/// A file that is being recognized.
pub struct FileTranscription {
    recognizer: mynah::Recognizer,
    formatter: Option<TextFormatter>,
    parts: Parts,
    session: Option<Session>,
    utterances: Vec<Event>,
    lines: Vec<String>,
    position: Duration,
    /// Why reading has ended early.
    failure: Option<Failure>,
}

/// What of the file is still to be recognized.
enum Parts {
    Cut(Box<Cutter<AudioFile>>),
    Whole(Option<AudioFile>),
}

impl FileTranscription {
    /// Opens the file.
    ///
    /// # Errors
    ///
    /// It can't be read, or holds no audio; `TypeError` for what is neither a path nor bytes.
    pub fn of(recognizer: &Recognizer, audio: &Bound<'_, PyAny>) -> PyResult<Self> {
        let file = open(audio)?;
        let parts = match Cutter::new(file, &recognizer.endpoint) {
            Ok(cutter) => Parts::Cut(Box::new(cutter)),
            Err(file) => Parts::Whole(Some(file)),
        };
        Ok(Self {
            recognizer: recognizer.recognizer.clone(),
            formatter: recognizer.formatter.clone(),
            parts,
            session: None,
            utterances: Vec::new(),
            lines: Vec::new(),
            position: Duration::ZERO,
            failure: None,
        })
    }

    /// Recognizes the file to its end.
    ///
    /// # Errors
    ///
    /// The file breaks off, or the encoder fails: the exception's `transcript` has what was recognized before.
    /// `KeyboardInterrupt` after Ctrl-C.
    pub fn transcript(mut self, py: Python<'_>) -> PyResult<Transcript> {
        loop {
            let (going, back) = detached(py, move || {
                let going = self.advance();
                Ok((going, self))
            })?;
            self = back;
            match going {
                Ok(true) => py.check_signals()?,
                Ok(false) => break,
                Err(failure) => {
                    self.failure.get_or_insert(failure);
                    break;
                }
            }
        }
        let transcript = Transcript {
            utterances: self.utterances,
            text: self.lines.join("\n"),
            duration: self.position.as_secs_f64(),
        };
        let Some(failure) = self.failure else { return Ok(transcript) };
        let exception = failure.exception(py);
        exception.value(py).setattr("transcript", Py::new(py, transcript)?)?;
        Err(exception)
    }

    /// Recognizes a second of audio, and returns whether more is to come.
    fn advance(&mut self) -> Result<bool, Failure> {
        let Some(session) = &mut self.session else { return self.next_part() };
        for _ in 0..BLOCKS {
            let step = session.advance();
            self.position = self.position.max(session.audio_position());
            while let Some(event) = session.next_event() {
                if !event.is_final() {
                    continue;
                }
                let model = self.recognizer.model();
                let mut event = Event::new(&event, model, self.formatter.as_mut());
                // The session of each part numbers its utterances from 0 on.
                event.utterance = Some(self.utterances.len() as u64);
                self.lines.push(event.line().to_owned());
                self.utterances.push(event);
            }
            if step? == Step::Ended {
                self.session = None;
                break;
            }
        }
        Ok(true)
    }

    /// Begins the next part, and returns whether there is one.
    fn next_part(&mut self) -> Result<bool, Failure> {
        let source: Option<Box<dyn Source>> = match &mut self.parts {
            Parts::Whole(file) => file.take().map(|file| Box::new(file) as _),
            Parts::Cut(_) if self.failure.is_some() => None,
            Parts::Cut(cutter) => {
                let part = cutter.next_part(|| false).unwrap_or_else(|error| {
                    // What was read before it is recognized.
                    self.failure = Some(error.into());
                    cutter.rest()
                });
                part.map(|part| Box::new(part) as _)
            }
        };
        let Some(source) = source else { return Ok(false) };
        self.session = Some(Session::new(&self.recognizer, source)?);
        Ok(true)
    }
}

fn open(audio: &Bound<'_, PyAny>) -> PyResult<AudioFile> {
    let py = audio.py();
    if let Ok(bytes) = audio.cast::<PyBytes>() {
        let bytes = bytes.as_bytes().to_vec();
        return detached(py, || Ok(AudioFile::from_bytes(bytes, BYTES)?));
    }
    let Ok(path) = audio.extract::<PathBuf>() else {
        let name = audio.get_type().fully_qualified_name()?;
        return Err(PyTypeError::new_err(format!(
            "the audio must be a path or the bytes of a file, not {name}; samples go through a stream"
        )));
    };
    detached(py, || Ok(AudioFile::open(path)?))
}
