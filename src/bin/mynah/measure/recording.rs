//! A recording as samples.

use std::{path::Path, time::Duration};

use anyhow::Result;
use mynah::audio::{AudioFile, ReadOutcome, Resampler, Source};

use crate::audio_input::name_file;

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
            ReadOutcome::Samples(count) => resampler.process(&block[..count], &mut samples),
            ReadOutcome::Gap(_) => {}
            ReadOutcome::End => break,
        }
    }
    resampler.finish(&mut samples);
    Ok(samples)
}
