//! Opens what a FILE argument names: a file, or standard input as `-`.

use std::{
    io::{self, IsTerminal},
    path::Path,
    time::Duration,
};

use anyhow::{Error, Result, bail};
use mynah::audio::{AudioFile, Read, Resampler, Source};

use crate::args::RawArgs;

/// The FILE that stands for standard input.
pub const STDIN: &str = "-";

/// Opens a file for decoding.
///
/// # Errors
///
/// There is no such file, it holds no audio, or standard input is a terminal.
pub fn open(file: &Path, raw: &RawArgs) -> Result<AudioFile> {
    if file != Path::new(STDIN) {
        return Ok(AudioFile::open(file)?);
    }
    if io::stdin().is_terminal() {
        bail!("standard input is a terminal; pipe audio into it, e.g. from `arecord` or `ffmpeg`");
    }
    Ok(AudioFile::from_stream(io::stdin(), raw.format())?)
}

/// Reads a whole file at another rate. What can't be decoded is left out.
///
/// # Errors
///
/// The file can't be opened or read.
pub fn read_whole(file: &Path, sample_rate: u32) -> Result<Vec<f32>> {
    let mut source = AudioFile::open(file)?;
    let mut resampler = Resampler::new(source.sample_rate(), sample_rate)?;
    let (mut block, mut samples) = (vec![0.0; 4096], Vec::new());
    loop {
        let position = Duration::from_secs_f64(samples.len() as f64 / f64::from(sample_rate));
        let read = source.read(&mut block);
        match read.map_err(|error| name_file(error, file, position))? {
            Read::Samples(count) => resampler.process(&block[..count], &mut samples),
            Read::Gap(_) => {}
            Read::End => break,
        }
    }
    resampler.finish(&mut samples);
    Ok(samples)
}

/// Adds the file and the place in it to an error that does not name a file itself.
pub fn name_file(error: mynah::Error, file: &Path, position: Duration) -> Error {
    let error = Error::new(error);
    match error.downcast_ref() {
        Some(mynah::Error::Io { .. } | mynah::Error::Audio { .. }) => error,
        _ => error.context(format!("{}: after {:.2} s", file.display(), position.as_secs_f64())),
    }
}
