//! `mynah transcribe`: files to transcripts, several at a time, written in the order given.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::{self, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::available_parallelism,
    time::Duration,
};

use anyhow::{Context, Error, Result, anyhow};
use crossbeam_channel::{Receiver, Sender, unbounded};
use mynah::{Chunk, Event, Recognizer, Session, Step, TextDeltas, audio::Source};
use rayon::ThreadPoolBuilder;

use crate::{
    args::TranscribeArgs,
    audio_input::{self, STDIN},
    destination::Destination,
    failure,
    format::Change,
    progress::Progress,
    recognizer_args::Defaults,
    utterance::Utterance,
};

/// What a shell reports of a program ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// What the recognition of one file sends: that it is audio, its utterances, then how it ended.
enum Message {
    Opened,
    Change(Change),
    Utterance(Utterance),
    Ended { audio: Duration, result: Result<()> },
}

/// What the recognition of every file shares.
struct Work<'a> {
    recognizer: &'a Recognizer,
    args: &'a TranscribeArgs,
    progress: Progress,
    /// Set when nothing can be written any more.
    abandoned: AtomicBool,
    /// Set by Ctrl-C: what was read is recognized to its end, and no more.
    interrupted: Arc<AtomicBool>,
}

/// Transcribes the files.
///
/// # Errors
///
/// The model can't be loaded, or the transcript can't be written. A file that fails is reported
/// on standard error and in the exit code.
pub fn run(args: &TranscribeArgs) -> Result<ExitCode> {
    args.check();
    let (nbest, chunk) = (args.nbest, chunk(args));
    let defaults = Defaults { nbest, chunk, ..Defaults::default() };
    let mut destination = Destination::new(args)?;
    let recognizer = args.recognizer.recognizer(defaults)?;
    let work = Work {
        recognizer: &recognizer,
        args,
        progress: Progress::over_audio(),
        abandoned: AtomicBool::new(false),
        interrupted: Arc::default(),
    };
    stop_on_ctrl_c(Arc::clone(&work.interrupted))?;
    let failed = transcribe(&work, &mut destination)?;
    work.progress.finish();
    let is_interrupted = work.is_interrupted();
    destination.finish(is_interrupted)?;
    Ok(match failed {
        _ if is_interrupted => ExitCode::from(INTERRUPTED),
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

impl Work<'_> {
    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// The first Ctrl-C ends with what was read by then; the second ends the program at once.
fn stop_on_ctrl_c(interrupted: Arc<AtomicBool>) -> Result<()> {
    let handler = move || {
        if interrupted.swap(true, Ordering::Relaxed) {
            process::exit(i32::from(INTERRUPTED));
        }
    };
    ctrlc::set_handler(handler).context("Ctrl-C can't be handled")
}

/// Chunks as of a stream, where audio or text may be one.
fn chunk(args: &TranscribeArgs) -> Chunk {
    let is_stream = args.deltas || args.files.iter().any(|file| file.as_os_str() == STDIN);
    if is_stream { Chunk::Streaming } else { Chunk::Offline }
}

/// Recognizes the files in a pool, writes them on this thread, and returns how many failed.
fn transcribe<'a>(work: &Work<'a>, destination: &mut Destination) -> Result<usize> {
    let pool = ThreadPoolBuilder::new().num_threads(jobs(work.args)).build()?;
    pool.in_place_scope_fifo(|scope| {
        let start = |file: &'a PathBuf| {
            let file = file.as_path();
            let (sender, messages) = unbounded();
            scope.spawn_fifo(move |_| recognize_file(work, file, &sender));
            (file, messages)
        };
        let started: Vec<_> = work.args.files.iter().map(start).collect();
        let write = |(file, messages)| write_file(work, destination, file, &messages);
        let failed = started.into_iter().map(write).sum();
        work.abandoned.store(true, Ordering::Relaxed);
        failed
    })
}

/// Recognizes one file and sends what comes of it.
fn recognize_file(work: &Work, file: &Path, messages: &Sender<Message>) {
    let mut audio = Duration::ZERO;
    let result = contain(file, || send_utterances(work, file, messages, &mut audio));
    // Without a receiver nobody is interested in the end.
    let _ = messages.send(Message::Ended { audio, result });
}

/// Makes an error of a panic, so that it ends one file and not the others.
fn contain(file: &Path, recognize: impl FnOnce() -> Result<()>) -> Result<()> {
    // What the closure leaves half done is dropped with it; the model is immutable.
    let caught = catch_unwind(AssertUnwindSafe(recognize));
    caught.unwrap_or_else(|panic| {
        let what = said(panic.as_ref());
        Err(anyhow!("{}: {what}; this is a bug in mynah: please report it", file.display()))
    })
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let string = || panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(string).unwrap_or("recognition panicked")
}

fn send_utterances(
    work: &Work,
    file: &Path,
    messages: &Sender<Message>,
    audio: &mut Duration,
) -> Result<()> {
    if work.is_interrupted() {
        return Err(interruption(file, *audio));
    }
    let source = audio_input::open(file, &work.args.audio)?;
    messages.send(Message::Opened)?;
    let rate = f64::from(source.sample_rate());
    let length = source.len_samples().map(|samples| Duration::from_secs_f64(samples as f64 / rate));
    work.progress.add_audio(length.unwrap_or_default());
    let mut session = Session::new(work.recognizer, source)?;
    let mut formatter = work.args.formatter(work.recognizer);
    let mut deltas = work.args.deltas.then(TextDeltas::new);
    loop {
        let is_interrupted = work.is_interrupted();
        let progress = match is_interrupted {
            true => session.finish().map(|()| Step::Ended),
            false => session.advance(),
        };
        if length.is_some() {
            work.progress.advance_audio(session.audio_position().saturating_sub(*audio));
        }
        *audio = session.audio_position();
        while let Some(event) = session.next_event() {
            if let Some(deltas) = &mut deltas {
                messages.send(Message::Change(Change::new(&event, deltas)))?;
            } else if let Event::Final { hypothesis, .. } = event {
                let model = work.recognizer.model();
                let utterance = Utterance::of_final(&hypothesis, model, formatter.as_mut());
                messages.send(Message::Utterance(utterance))?;
            }
        }
        match progress.map_err(|error| audio_input::name_file(error, file, *audio))? {
            Step::Ended if is_interrupted => return Err(interruption(file, *audio)),
            Step::Ended => return Ok(()),
            _ if work.abandoned.load(Ordering::Relaxed) => return Ok(()),
            _ => {}
        }
    }
}

fn interruption(file: &Path, audio: Duration) -> Error {
    anyhow!("{}: interrupted after {:.2} s", file.display(), audio.as_secs_f64())
}

/// Writes one file's messages as they come; returns 1 if the file failed, else 0.
fn write_file(
    work: &Work,
    destination: &mut Destination,
    file: &Path,
    messages: &Receiver<Message>,
) -> Result<usize> {
    for message in messages {
        match message {
            Message::Opened => destination.begin_file(file)?,
            Message::Change(change) => {
                work.progress.suspend(|| destination.change(file, &change))?;
            }
            Message::Utterance(utterance) => {
                work.progress.suspend(|| destination.utterance(file, &utterance))?;
            }
            Message::Ended { audio, result } => {
                let error = result.err();
                let reason = error.as_ref().map(failure::one_line);
                work.progress.suspend(|| destination.end_file(file, audio, reason.as_deref()))?;
                destination.close_file(work.is_interrupted())?;
                error.iter().for_each(|error| work.progress.suspend(|| failure::report(error)));
                return Ok(usize::from(error.is_some()));
            }
        }
    }
    Err(stopped(file))
}

fn stopped(file: &Path) -> Error {
    anyhow!("{}: its recognition stopped before the end", file.display())
}

fn jobs(args: &TranscribeArgs) -> usize {
    let cores = || available_parallelism().map_or(1, usize::from);
    args.jobs.map_or_else(cores, usize::from).min(args.files.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_its_file() {
        let file = Path::new("a.wav");
        let error = contain(file, || panic!("no frame {}", 7)).unwrap_err().to_string();
        assert_eq!(error, "a.wav: no frame 7; this is a bug in mynah: please report it");
        assert_eq!(contain(file, || Err(anyhow!("cut"))).unwrap_err().to_string(), "cut");
        assert!(contain(file, || Ok(())).is_ok());
    }
}
