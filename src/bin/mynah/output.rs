//! Where transcripts go: standard output or a file, line by line.

use std::{
    fs::File,
    io::{self, LineWriter, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};

use crate::file_identity;

/// Opens the transcript's destination: the file, or standard output without one.
///
/// # Errors
///
/// Those of [`open_file`].
pub fn open(path: Option<&Path>, inputs: &[impl AsRef<Path>]) -> Result<Box<dyn Write>> {
    let Some(path) = path else { return Ok(Box::new(io::stdout().lock())) };
    let file = open_file(path, inputs)?;
    empty(&file).with_context(|| path.display().to_string())?;
    Ok(Box::new(LineWriter::new(file)))
}

/// Opens a file for writing and leaves in it what is there.
///
/// # Errors
///
/// The file can't be written, or is one of the `inputs`, which would be lost.
pub fn open_file(path: &Path, inputs: &[impl AsRef<Path>]) -> Result<File> {
    let opened = File::options().write(true).create(true).truncate(false).open(path);
    let file = opened.with_context(|| path.display().to_string())?;
    if file_identity::is_any_of(&file, inputs) {
        bail!("{}: is also read; write to another file", path.display());
    }
    Ok(file)
}

/// Removes what is in a file; a pipe or a device has nothing to remove.
///
/// # Errors
///
/// The system refuses.
pub fn empty(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() { file.set_len(0) } else { Ok(()) }
}
