//! The `mynah` command: files to transcripts, a microphone to captions or typed text, phrases to their times, a manifest to error rates.
//!
//! Standard output carries the transcript and nothing else; all the rest goes to standard error.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod args;
mod audio_args;
mod audio_input;
mod captions;
mod config;
mod decoding_args;
mod destination;
#[cfg(unix)]
mod dictate;
#[cfg(feature = "measure")]
mod doctor;
mod failure;
mod file_identity;
mod format;
mod formatting_args;
mod licenses;
mod listen;
mod live;
mod lm;
mod logger;
#[cfg(feature = "measure")]
mod measure;
mod meter;
mod output;
mod progress;
#[cfg(feature = "mic")]
mod quiet;
mod recognizer_args;
#[cfg(feature = "mic")]
mod reconnect;
#[cfg(feature = "serve")]
mod serve;
mod shell;
mod spot;
mod transcribe;
mod transcript_file;
mod utterance;

use std::{env, ffi::OsString, process::ExitCode};

use crate::args::{Args, Command};
// For programs that have the command inside.
pub use crate::{
    transcribe::{Cutter, Part},
    utterance::{Judgement, Kind, SOMETHING_ELSE, Scored, Utterance, Word},
};

/// Executes the command line of this process.
pub fn main() -> ExitCode {
    execute(env::args_os().collect())
}

/// Executes a command line, whose first word is the program's name. Wrong usage and `--help` end the process.
pub fn execute(argv: Vec<OsString>) -> ExitCode {
    let args = match config::parse_args(argv) {
        Ok(args) => args,
        Err(problems) => {
            config::report(&problems);
            return ExitCode::FAILURE;
        }
    };
    let result = match args {
        Some(args) => {
            logger::start(args.verbose);
            run(&args)
        }
        None => licenses::print(),
    };
    match result {
        Ok(code) => code,
        // The reader has seen enough, as in `mynah transcribe … | head -1`.
        Err(error) if failure::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            failure::report(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Transcribe(args) => transcribe::run(args),
        Command::Listen(args) => listen::run(args),
        #[cfg(unix)]
        Command::Dictate(args) => dictate::run(args),
        Command::Spot(args) => spot::run(args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(args),
        Command::Lm(args) => lm::run(args),
        Command::Config(config) => config::run(config, &args.location),
        #[cfg(feature = "measure")]
        Command::Doctor(doctor) => doctor::run(doctor, &args.location),
        #[cfg(feature = "measure")]
        Command::Eval(args) => measure::eval::run(args),
        #[cfg(feature = "measure")]
        Command::Bench(args) => measure::bench::run(args),
        #[cfg(feature = "measure")]
        Command::Tune(args) => measure::tune::run(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
    }
}
