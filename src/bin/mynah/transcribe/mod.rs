//! `mynah transcribe`: recordings to transcripts, on all cores, written in the order given.
//!
//! ```text
//! files → Reader → Cutter → Part ─ bounded queue → workers: a Session each → events
//!            └── in order: which parts ────────────────────────┴→ this thread: text formatting → Destination
//! ```

mod cutter;
mod part;
mod pause;
mod reader;
mod worker;
mod writer;

pub use self::{cutter::Cutter, part::Part};

use std::{
    process::{self, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, available_parallelism},
};

use anyhow::{Context, Result};
use crossbeam_channel::{bounded, unbounded};
use mynah::{Chunk, EndpointConfig, Recognizer};

use crate::{
    args::TranscribeArgs,
    audio_input::STDIN,
    destination::Destination,
    progress::Progress,
    recognizer_args::Defaults,
    transcribe::{reader::Reader, worker::Job, writer::Writer},
};

/// What a shell reports of a program ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// What the recognition of every file shares.
struct Work<'a> {
    recognizer: &'a Recognizer,
    endpoint: EndpointConfig,
    args: &'a TranscribeArgs,
    progress: Progress,
    /// Set when nothing can be written any more.
    abandoned: AtomicBool,
    /// Set by Ctrl-C: what is being recognized ends there.
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
    let endpoint = args.recognizer.endpoint(defaults.early_final);
    let recognizer = args.recognizer.recognizer(defaults)?;
    let work = Work {
        recognizer: &recognizer,
        endpoint,
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

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }
}

/// The first Ctrl-C ends with what was recognized by then; the second ends the program at once.
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

/// Reads the files on one thread, recognizes their parts on several, writes on this one, and returns how many files
/// failed.
fn transcribe(work: &Work, destination: &mut Destination) -> Result<usize> {
    let workers = workers(work.args);
    // A part is read in advance; each may take a hundred megabytes.
    let (jobs, waiting) = bounded::<Job>(1);
    let (readings, read) = unbounded();
    thread::scope(|scope| {
        for _ in 0..workers {
            let waiting = waiting.clone();
            scope.spawn(move || waiting.into_iter().for_each(|job| job.run(work)));
        }
        drop(waiting);
        scope.spawn(|| Reader { work, jobs, readings }.run());
        let failed = Writer::new(work, destination).write(read);
        work.abandoned.store(true, Ordering::Relaxed);
        failed
    })
}

fn workers(args: &TranscribeArgs) -> usize {
    const MOST: usize = 1024;
    let wanted =
        args.jobs.map_or_else(|| available_parallelism().map_or(1, usize::from), usize::from);
    wanted.min(MOST)
}
