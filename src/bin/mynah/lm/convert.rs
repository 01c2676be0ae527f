//! `mynah lm convert`: an ARPA language model to its compact form.

use std::process::ExitCode;

use anyhow::Result;
use mynah::lm::NgramModel;

use super::report;
use crate::{args::LmConvertArgs, output};

/// Converts the file and prints what is in it.
///
/// # Errors
///
/// The file can't be read or is no language model, or the output can't be written.
pub fn run(args: &LmConvertArgs) -> Result<ExitCode> {
    output::refuse_read(&args.output, [args.arpa.as_path()])?;
    let model = NgramModel::load(&args.arpa)?;
    model.save(&args.output)?;
    report(&model, &args.output)
}
