//! The `mynah` command: files to transcripts, a microphone to captions, phrases to their times, a manifest to error rates.
//!
//! Standard output carries the transcript and nothing else; all the rest goes to standard error.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod args;
mod audio_input;
mod bench;
mod captions;
mod decoding_args;
mod eval;
mod failure;
mod format;
mod formatting_args;
mod listen;
mod live;
mod lm;
mod logger;
mod output;
mod progress;
mod recognizer_args;
mod spot;
mod transcribe;
mod tune;
mod utterance;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    logger::start(args.verbose);
    match run(&args) {
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
        Command::Spot(args) => spot::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Tune(args) => tune::run(args),
        Command::Lm(args) => lm::run(args),
    }
}
