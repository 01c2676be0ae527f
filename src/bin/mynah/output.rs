//! Where transcripts go: standard output or a file, line by line.

use std::{
    fs::File,
    io::{self, LineWriter, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};

/// Opens the transcript's destination: the file, or standard output without one.
///
/// # Errors
///
/// The file can't be written, or is one of the `inputs`, which would be lost.
pub fn open(path: Option<&Path>, inputs: &[impl AsRef<Path>]) -> Result<Box<dyn Write>> {
    let Some(path) = path else { return Ok(Box::new(io::stdout().lock())) };
    let is_input = |input: &Path| match (input.canonicalize(), path.canonicalize()) {
        (Ok(input), Ok(output)) => input == output,
        _ => false,
    };
    if inputs.iter().any(|input| is_input(input.as_ref())) {
        bail!("{}: is also read; write to another file", path.display());
    }
    let file = File::create(path).with_context(|| format!("{}", path.display()))?;
    Ok(Box::new(LineWriter::new(file)))
}
