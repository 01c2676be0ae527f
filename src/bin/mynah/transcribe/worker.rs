//! Recognizes the parts of recordings, each with a session of its own.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Duration,
};

use anyhow::{Result, anyhow};
use crossbeam_channel::Sender;
use mynah::{Event, Session, Step, audio::Source};

use super::Work;
use crate::audio_input;

/// A part of a recording, or all of it, to be recognized.
pub struct Job<'a> {
    pub file: &'a Path,
    pub source: Box<dyn Source>,
    /// Where it begins in the recording.
    pub start: Duration,
    /// Whether the progress bar has its length.
    pub is_measured: bool,
    pub results: Sender<JobResult>,
}

/// What a job sends: its events, then how it ended.
pub enum JobResult {
    Event(Event),
    Ended(Ending),
}

/// How a job ended.
pub struct Ending {
    /// What was recognized: from here to there in the recording.
    pub from: Duration,
    pub to: Duration,
    /// Whether Ctrl-C ended it before its source did.
    pub is_interrupted: bool,
    pub result: Result<()>,
}

impl Job<'_> {
    /// Recognizes the source to its end.
    pub fn run(self, work: &Work) {
        let Self { file, source, start, is_measured, results } = self;
        let mut ending = Ending { from: start, to: start, is_interrupted: false, result: Ok(()) };
        ending.result = contain(file, || {
            let session = Session::new(work.recognizer, source);
            session
                .and_then(|mut session| {
                    recognize(&mut session, work, &results, &mut ending, is_measured)
                })
                .map_err(|error| audio_input::name_file(error, file, ending.to))
        });
        // Without a receiver nobody is interested in the end.
        let _ = results.send(JobResult::Ended(ending));
    }
}

fn recognize(
    session: &mut Session,
    work: &Work,
    results: &Sender<JobResult>,
    ending: &mut Ending,
    is_measured: bool,
) -> mynah::Result<()> {
    loop {
        ending.is_interrupted = work.is_interrupted();
        let step = match ending.is_interrupted {
            true => session.finish().map(|()| Step::Ended),
            false => session.advance(),
        };
        let position = session.audio_position().max(ending.from);
        if is_measured {
            work.progress.advance_audio(position.saturating_sub(ending.to));
        }
        ending.to = position;
        while let Some(event) = session.next_event() {
            if !event.is_final() && !work.args.deltas {
                continue;
            }
            if results.send(JobResult::Event(event)).is_err() {
                return Ok(());
            }
        }
        if step? == Step::Ended || work.is_abandoned() {
            return Ok(());
        }
    }
}

/// Makes an error of a panic, so that it ends one recording and not the others.
pub fn contain<T>(file: &Path, recognize: impl FnOnce() -> Result<T>) -> Result<T> {
    // What the closure leaves half done is dropped with it; the model is immutable.
    let caught = catch_unwind(AssertUnwindSafe(recognize));
    caught.unwrap_or_else(|panic| {
        let what = message(panic.as_ref());
        Err(anyhow!("{}: {what}; this is a bug in mynah: please report it", file.display()))
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let string = || panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(string).unwrap_or("recognition panicked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_its_file() {
        let file = Path::new("a.wav");
        let panicking = || -> Result<()> { panic!("no frame {}", 7) };
        let error = contain(file, panicking).unwrap_err().to_string();
        assert_eq!(error, "a.wav: no frame 7; this is a bug in mynah: please report it");
        let failing = || -> Result<()> { Err(anyhow!("cut")) };
        assert_eq!(contain(file, failing).unwrap_err().to_string(), "cut");
        assert!(contain(file, || Ok(())).is_ok());
    }
}
