//! `mynah lm`: language models from texts and from ARPA files.

mod build;
mod convert;

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, Result};
use mynah::lm::NgramModel;

use crate::args::LmCommand;

/// Runs the command.
///
/// # Errors
///
/// Those of the command.
pub fn run(command: &LmCommand) -> Result<ExitCode> {
    match command {
        LmCommand::Build(args) => build::run(args),
        LmCommand::Convert(args) => convert::run(args),
    }
}

/// Prints what is in the file that was written.
fn report(model: &NgramModel, output: &Path) -> Result<ExitCode> {
    let bytes = fs::metadata(output).with_context(|| format!("{}", output.display()))?.len();
    let counts: Vec<_> = model.counts().collect();
    let ngrams: usize = counts.iter().sum();
    let mut out = io::stdout().lock();
    for (order, count) in (1..).zip(&counts) {
        writeln!(out, "{order}-grams  {count}")?;
    }
    writeln!(out, "bytes    {bytes} ({:.2} per n-gram)", bytes as f64 / ngrams as f64)?;
    Ok(ExitCode::SUCCESS)
}
