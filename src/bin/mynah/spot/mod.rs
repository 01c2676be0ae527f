//! `mynah spot`: phrases and their times, from files or a microphone, as they are found.

mod hits;
mod phrases;
mod program;

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use mynah::{
    Chunk, Finals, ListenEvent, Recognizer, RecognizerConfig, Session, Step, decode::Decoding,
};

use self::{hits::HitWriter, program::Program};
use crate::{
    args::SpotArgs,
    audio_input, failure,
    live::{self, Live, SourceKind},
};

/// Listens for the phrases, or measures how well they are found.
///
/// # Errors
///
/// The model, a phrase, the device or a measured recording can't be used. Of several files that
/// fail each is reported on standard error and in the exit code.
pub fn run(args: &SpotArgs) -> Result<ExitCode> {
    if args.live.list_devices {
        return live::list_devices();
    }
    let model = args.model.load(Chunk::Streaming, Finals::FirstPass)?;
    let keywords = phrases::collect(&args.keyword, args.keywords.as_deref(), model.tokens())?;
    #[cfg(feature = "measure")]
    if !args.eval.manifests.is_empty() {
        return crate::measure::spot::run(&model, &keywords, &args.eval);
    }
    // Keywords alone are asked for.
    let decoding = Some(Decoding::Greedy);
    let config = RecognizerConfig { keywords, decoding, ..RecognizerConfig::default() };
    let recognizer = Recognizer::with_config(model, config)?;
    let mut program = Program::new(&args.exec);
    let code = if args.files.is_empty() {
        spot_live(&recognizer, args, &mut program)?
    } else {
        spot_files(&recognizer, args, &mut program)?
    };
    Ok(if program.has_always_run() { code } else { ExitCode::FAILURE })
}

fn spot_live(recognizer: &Recognizer, args: &SpotArgs, program: &mut Program) -> Result<ExitCode> {
    let live = Live::open(recognizer, &args.live, &args.audio)?;
    if live.kind == SourceKind::Microphone {
        live::announce();
    }
    let mut writer = HitWriter::new(args.format, args.live.file.as_deref(), false);
    while let Some(event) = live.receive(None) {
        match event {
            ListenEvent::Keyword { hit, .. } => {
                writer.write(&hit)?;
                program.run(&hit);
            }
            ListenEvent::Gap { samples, at } => {
                failure::warn(&live::gap(samples, recognizer.sample_rate(), at));
            }
            ListenEvent::Failed(error) => return Err(error.into()),
            ListenEvent::Ended => return Ok(ExitCode::SUCCESS),
            _ => {}
        }
    }
    anyhow::bail!("listening stopped before its end")
}

fn spot_files(recognizer: &Recognizer, args: &SpotArgs, program: &mut Program) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for file in &args.files {
        let mut writer = HitWriter::new(args.format, Some(file), args.files.len() > 1);
        if let Err(error) = spot_file(recognizer, file, args, &mut writer, program) {
            if failure::is_closed_pipe(&error) {
                return Err(error);
            }
            failure::report(&error);
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn spot_file(
    recognizer: &Recognizer,
    file: &Path,
    args: &SpotArgs,
    writer: &mut HitWriter,
    program: &mut Program,
) -> Result<()> {
    let mut session = Session::new(recognizer, audio_input::open(file, &args.audio)?)?;
    loop {
        let step = session.advance();
        while let Some(hit) = session.next_keyword() {
            writer.write(&hit)?;
            program.run(&hit);
        }
        // Nobody reads the transcript.
        while session.next_event().is_some() {}
        let step =
            step.map_err(|error| audio_input::name_file(error, file, session.audio_position()))?;
        if step == Step::Ended {
            return Ok(());
        }
    }
}
