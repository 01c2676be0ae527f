//! `mynah doctor`: what this machine has of what recognition needs, and what to do about the rest.

mod finding;
mod level;
mod microphone;
mod model;
mod processor;
mod sha256;
mod terminal;
mod typing;

use std::{io, process::ExitCode};

use anyhow::Result;

use self::finding::{Finding, Status};
use crate::{
    config::{self, LocationArgs},
    recognizer_args::ModelArgs,
};

/// Check what this machine has of what recognition needs
///
/// Records two seconds from the microphone, and recognizes a few seconds of speech that are inside this program.
/// Each line is `ok`, a `warning` or a `problem`, and says what to do about it. The exit status is 1 if there
/// is a problem.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Check the input device with this id or name instead of the default one
    #[arg(long, value_name = "NAME", conflicts_with = "no_microphone")]
    pub device: Option<String>,

    /// Leave the microphone out, as on a server
    #[arg(long)]
    pub no_microphone: bool,

    /// Write one JSON object
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub model: ModelArgs,
}

/// Runs all checks and prints what they find.
///
/// # Errors
///
/// Standard output can't be written.
pub fn run(args: &DoctorArgs, location: &LocationArgs) -> Result<ExitCode> {
    let mut findings = vec![configuration(location), processor::features()];
    findings.extend(model::check(&args.model));
    if !args.no_microphone {
        findings.extend(microphone::check(args.device.as_deref()));
        findings.extend(typing::check(&typing::Session::this()));
    }
    findings.push(terminal::check(&terminal::Terminal::this()));
    let mut out = io::stdout().lock();
    if args.json {
        finding::write_json(&findings, &mut out)?;
    } else {
        finding::write_lines(&findings, &mut out)?;
    }
    let is_sound = findings.iter().all(|finding| finding.status != Status::Problem);
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn configuration(location: &LocationArgs) -> Finding {
    match config::check(location) {
        Ok(Some(path)) => Finding::ok("configuration", path.display()),
        Ok(None) => Finding::ok("configuration", "no file: the defaults hold"),
        Err(problems) => Finding::problem("configuration", problems.join("; "))
            .advice("mend the file; `mynah config --example` prints one that is right"),
    }
}
