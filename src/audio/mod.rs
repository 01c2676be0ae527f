//! Where samples come from: microphones, files and rings, each a [`Source`] at its own rate.

mod file;
#[cfg(feature = "mic")]
mod mic;
mod paced;
mod resample;
mod ring;

pub use file::{AudioFile, RawFormat, SampleFormat};
#[cfg(feature = "mic")]
pub use mic::{DeviceInfo, Microphone, list_devices};
pub use paced::PacedSource;
pub use resample::Resampler;
pub use ring::{CaptureSink, CaptureSource, capture_ring};

use crate::Result;

/// What one [`Source::read`] brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many samples stand at the buffer's start. Zero: none have arrived yet.
    Samples(usize),
    /// So many samples were lost before the next ones, because the reader was too slow.
    Gap(u64),
    /// No more samples will come.
    End,
}

/// A stream of mono samples in `[-1, 1]` at a rate of its own. Never blocks for long.
pub trait Source: Send {
    /// Samples per second.
    fn sample_rate(&self) -> u32;

    /// The number of samples in all, where it is known beforehand.
    fn len_samples(&self) -> Option<u64> {
        None
    }

    /// Fills the start of `buffer` with the next samples.
    ///
    /// # Errors
    ///
    /// What became of the device or the file. Samples read before stay valid.
    fn read(&mut self, buffer: &mut [f32]) -> Result<Read>;
}
