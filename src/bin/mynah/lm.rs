//! `mynah lm`: an ARPA language model to its compact form.

use std::{
    fs,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use mynah::lm::NgramModel;

use crate::args::LmArgs;

/// Converts the file and prints what is in it.
///
/// # Errors
///
/// The file can't be read or is no language model, or the output can't be written.
pub fn run(args: &LmArgs) -> Result<ExitCode> {
    let model = NgramModel::load(&args.arpa)?;
    if let (Ok(input), Ok(output)) = (args.arpa.canonicalize(), args.output.canonicalize())
        && input == output
    {
        bail!("{}: is also read; write to another file", args.output.display());
    }
    model.save(&args.output)?;
    let output = args.output.display();
    let bytes = fs::metadata(&args.output).with_context(|| format!("{output}"))?.len();
    let counts: Vec<_> = model.counts().collect();
    let ngrams: usize = counts.iter().sum();
    let mut out = io::stdout().lock();
    for (order, count) in (1..).zip(&counts) {
        writeln!(out, "{order}-grams  {count}")?;
    }
    writeln!(out, "bytes    {bytes} ({:.2} per n-gram)", bytes as f64 / ngrams as f64)?;
    Ok(ExitCode::SUCCESS)
}
