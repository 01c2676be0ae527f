//! `mynah transcribe`: files to transcripts, several at a time, written in the order given.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread::available_parallelism,
    time::Duration,
};

use anyhow::{Error, Result, anyhow};
use crossbeam_channel::{Receiver, Sender, unbounded};
use mynah::{Event, Recognizer, audio::Source};
use rayon::ThreadPoolBuilder;

use crate::{
    args::{Defaults, RawArgs, TranscribeArgs},
    audio_input, failure,
    format::{FileNames, TranscriptWriter},
    output,
    pipeline::{Pipeline, Step},
    progress::Progress,
    utterance::Utterance,
};

/// What the recognition of one file sends: its utterances, then how it ended.
enum Message {
    Utterance(Utterance),
    Ended { audio: Duration, result: Result<()> },
}

/// What the recognition of every file shares.
struct Work<'a> {
    recognizer: &'a Recognizer,
    raw: &'a RawArgs,
    readable: bool,
    progress: Progress,
    /// Set when nothing can be written any more.
    abandoned: AtomicBool,
}

/// Transcribes the files.
///
/// # Errors
///
/// The model can't be loaded, or the transcript can't be written. A file that fails is reported
/// on standard error and in the exit code.
pub fn run(args: &TranscribeArgs) -> Result<ExitCode> {
    args.check();
    let defaults = Defaults { nbest: args.nbest, ..Defaults::default() };
    let recognizer = args.recognizer.recognizer(defaults)?;
    let out = output::open(args.output.as_deref(), &args.files)?;
    let mut writer = args.format.writer(out, file_names(args));
    let work = Work {
        recognizer: &recognizer,
        raw: &args.raw,
        readable: args.readable,
        progress: Progress::over_audio(),
        abandoned: AtomicBool::new(false),
    };
    let failed = transcribe(&work, args, writer.as_mut())?;
    work.progress.finish();
    writer.finish()?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Recognizes the files in a pool, writes them on this thread, and returns how many failed.
fn transcribe<'a>(
    work: &Work,
    args: &'a TranscribeArgs,
    writer: &mut dyn TranscriptWriter,
) -> Result<usize> {
    let pool = ThreadPoolBuilder::new().num_threads(jobs(args)).build()?;
    pool.in_place_scope_fifo(|scope| {
        let start = |file: &'a PathBuf| {
            let file = file.as_path();
            let (sender, messages) = unbounded();
            scope.spawn_fifo(move |_| recognize_file(work, file, &sender));
            (file, messages)
        };
        let started: Vec<_> = args.files.iter().map(start).collect();
        let write = |(file, messages)| write_file(work, writer, file, &messages);
        let failed = started.into_iter().map(write).sum();
        work.abandoned.store(true, Ordering::Relaxed);
        failed
    })
}

/// Recognizes one file and sends what comes of it.
fn recognize_file(work: &Work, file: &Path, messages: &Sender<Message>) {
    let mut audio = Duration::ZERO;
    let result = send_utterances(work, file, messages, &mut audio);
    // Without a receiver nobody is interested in the end.
    let _ = messages.send(Message::Ended { audio, result });
}

fn send_utterances(
    work: &Work,
    file: &Path,
    messages: &Sender<Message>,
    audio: &mut Duration,
) -> Result<()> {
    let source = audio_input::open(file, work.raw)?;
    let rate = f64::from(source.sample_rate());
    let length = source.len_samples().map(|samples| Duration::from_secs_f64(samples as f64 / rate));
    work.progress.add_audio(length.unwrap_or_default());
    let mut pipeline = Pipeline::new(work.recognizer, source)?;
    loop {
        let step = pipeline.step();
        if length.is_some() {
            work.progress.advance_audio(pipeline.heard().saturating_sub(*audio));
        }
        *audio = pipeline.heard();
        while let Some(event) = pipeline.next_event() {
            if let Event::Final(hypothesis) = event {
                let model = work.recognizer.model();
                let utterance = Utterance::of_final(&hypothesis, model, work.readable);
                messages.send(Message::Utterance(utterance))?;
            }
        }
        match step.map_err(|error| audio_input::name_file(error, file, *audio))? {
            Step::Fed if work.abandoned.load(Ordering::Relaxed) => return Ok(()),
            Step::Fed => {}
            Step::Ended => return Ok(()),
        }
    }
}

/// Writes one file's messages as they come; returns 1 if the file failed, else 0.
fn write_file(
    work: &Work,
    writer: &mut dyn TranscriptWriter,
    file: &Path,
    messages: &Receiver<Message>,
) -> Result<usize> {
    for message in messages {
        match message {
            Message::Utterance(utterance) => {
                work.progress.suspend(|| writer.utterance(file, &utterance))?;
            }
            Message::Ended { audio, result } => {
                let error = result.err();
                let reason = error.as_ref().map(failure::one_line);
                work.progress.suspend(|| writer.end_file(file, audio, reason.as_deref()))?;
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

fn file_names(args: &TranscribeArgs) -> FileNames {
    match (args.with_filename, args.no_filename) {
        (true, _) => FileNames::Shown,
        (_, true) => FileNames::Hidden,
        _ if args.files.len() > 1 => FileNames::Shown,
        _ => FileNames::Hidden,
    }
}
