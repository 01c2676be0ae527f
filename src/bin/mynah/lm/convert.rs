//! `mynah lm convert`: an ARPA language model to its compact form.

use std::process::ExitCode;

use anyhow::{Result, bail};
use mynah::lm::NgramModel;

use super::report;
use crate::args::LmConvertArgs;

/// Converts the file and prints what is in it.
///
/// # Errors
///
/// The file can't be read or is no language model, or the output can't be written.
pub fn run(args: &LmConvertArgs) -> Result<ExitCode> {
    let model = NgramModel::load(&args.arpa)?;
    if let (Ok(input), Ok(output)) = (args.arpa.canonicalize(), args.output.canonicalize())
        && input == output
    {
        bail!("{}: is also read; write to another file", args.output.display());
    }
    model.save(&args.output)?;
    report(&model, &args.output)
}
