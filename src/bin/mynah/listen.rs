//! `mynah listen`: live captions from a microphone, or from a file played as one.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    slice,
    time::Duration,
};

use anyhow::{Context, Result};
use mynah::{Keyword, KeywordSpotter, Recognizer};

use crate::{
    args::{CaptionFormat, ListenArgs, ViewWhen},
    captions::{Ending, Lines, Monitor, Session, Wake},
    live::{self, INTERRUPTED, Live, SourceKind},
    recognizer_args::Defaults,
    transcript_file::{FileFormat, TranscriptFile},
};

/// The silence after which captions end an utterance, if the model is sure of it. On modern speech fewer
/// seconds cost words: pauses inside sentences end them.
const EARLY_FINAL: Duration = Duration::from_millis(640);

/// Shows captions until the source ends or Ctrl-C is pressed.
///
/// # Errors
///
/// The model, the device or the file can't be opened, or fails later. What was recognized by then
/// has been written.
pub fn run(args: &ListenArgs) -> Result<ExitCode> {
    if args.live.list_devices {
        return live::list_devices();
    }
    args.check();
    let recognizer = recognizer(args)?;
    let live = Live::open(&recognizer, &args.live, &args.audio)?;
    // Opened after the source: without sound nothing is written.
    let file = args.output.as_ref().map(|path| {
        let format = args.output_format.unwrap_or_else(|| FileFormat::of(path));
        TranscriptFile::open(path, format, args.live.file.as_deref())
    });
    let file = file.transpose()?;
    let formatter = args.formatter(&recognizer);
    let monitor = is_drawn(args).then(|| Monitor::open(formatter.is_some())).transpose()?;
    live.watch_interrupts(monitor.is_some());
    if monitor.is_none() && live.kind == SourceKind::Microphone {
        live::announce();
    }
    let is_on_stdout = monitor.is_some() && io::stdout().is_terminal();
    let session = Session {
        recognizer: &recognizer,
        live: &live,
        formatter,
        wake: args.after.clone().map(|keyword| Wake::new(keyword, args.after_silence)),
        lines: (!is_on_stdout).then(|| Lines::new(args)).transpose()?,
        file,
        monitor,
        has_lost_view: false,
    };
    Ok(match session.run()? {
        Ending::Complete => ExitCode::SUCCESS,
        Ending::Incomplete => ExitCode::FAILURE,
        Ending::Interrupted => ExitCode::from(INTERRUPTED),
    })
}

fn recognizer(args: &ListenArgs) -> Result<Recognizer> {
    let early_final = Some(EARLY_FINAL);
    let defaults = Defaults { gated: true, early_final, ..Defaults::default() };
    let (model, mut config) = args.recognizer.load(defaults)?;
    if let Some(keyword) = &args.after {
        check_phrase(keyword, &model).with_context(|| format!("--after {:?}", keyword.phrase))?;
        config.keywords = vec![keyword.clone()];
    }
    Ok(Recognizer::with_config(model, config)?)
}

fn check_phrase(keyword: &Keyword, model: &mynah::Model) -> mynah::Result<()> {
    KeywordSpotter::new(slice::from_ref(keyword), model.tokens()).map(|_| ())
}

fn is_drawn(args: &ListenArgs) -> bool {
    match args.view {
        ViewWhen::Always => true,
        ViewWhen::Never => false,
        ViewWhen::Auto => args.format == CaptionFormat::Text && io::stdout().is_terminal(),
    }
}
