//! Opens what a FILE argument names: a file, or standard input as `-`.

use std::{
    io::{self, IsTerminal},
    path::Path,
    time::Duration,
};

use anyhow::{Error, Result, bail};
use mynah::audio::AudioFile;

use crate::audio_args::AudioArgs;

/// The FILE that stands for standard input.
pub const STDIN: &str = "-";

/// Opens a file for decoding.
///
/// # Errors
///
/// There is no such file, it holds no audio, or standard input is a terminal.
pub fn open(file: &Path, audio: &AudioArgs) -> Result<AudioFile> {
    if file != Path::new(STDIN) {
        return Ok(AudioFile::open_with(file, &audio.options())?);
    }
    if io::stdin().is_terminal() {
        bail!("standard input is a terminal; pipe audio into it, e.g. from `arecord` or `ffmpeg`");
    }
    Ok(AudioFile::stdin(&audio.options())?)
}

/// Adds the file and the place in it to an error that does not name a file itself.
pub fn name_file(error: mynah::Error, file: &Path, position: Duration) -> Error {
    let error = Error::new(error);
    match error.downcast_ref() {
        Some(mynah::Error::Io { .. } | mynah::Error::Audio { .. }) => error,
        _ => error.context(format!("{}: after {:.2} s", file.display(), position.as_secs_f64())),
    }
}
