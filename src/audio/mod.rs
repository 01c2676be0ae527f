//! Where samples come from: microphones, files and rings, each a [`Source`] at its own rate.

#[cfg(feature = "files")]
mod appended;
#[cfg(feature = "files")]
mod background;
#[cfg(feature = "mic")]
mod boot_instant;
#[cfg(feature = "files")]
mod byte_source;
mod check;
#[cfg(feature = "files")]
mod container;
#[cfg(feature = "mic")]
mod device_clock;
mod downmix;
#[cfg(feature = "files")]
mod ebml;
mod feed;
#[cfg(feature = "files")]
mod file;
#[cfg(feature = "files")]
mod kind;
#[cfg(feature = "mic")]
mod mic;
#[cfg(feature = "files")]
mod mp4;
#[cfg(feature = "files")]
mod mpeg_frame;
#[cfg(feature = "opus")]
mod opus;
#[cfg(feature = "files")]
mod raw;
mod realtime;
mod resample;
#[cfg(feature = "files")]
mod riff;
mod ring;
#[cfg(feature = "files")]
mod tags;

#[cfg(feature = "mic")]
pub use boot_instant::BootInstant;
pub use check::check_samples;
pub use downmix::Channel;
pub use feed::Feed;
#[cfg(feature = "files")]
pub use file::{AudioFile, FileOptions};
#[cfg(feature = "mic")]
pub use mic::{DeviceInfo, Microphone, list_devices};
#[cfg(feature = "files")]
pub use raw::{RawFormat, SampleFormat};
pub use realtime::RealtimeSource;
pub use resample::Resampler;
pub use ring::{CaptureSink, CaptureSource, DeviceSample, capture_ring, capture_ring_of};

use crate::error::Result;

/// What one [`Source::read`] brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// So many samples stand at the buffer's start. Zero: none have arrived yet.
    Samples(usize),
    /// So many samples are missing before the next ones: the reader was too slow for a device, or
    /// a part of a file is damaged.
    Gap(u64),
    /// No more samples will come.
    End,
}

/// A stream of mono samples in `[-1, 1]` at a rate of its own. Never blocks for long.
///
/// [`ReadOutcome::End`] and errors are final: every later read ends too.
pub trait Source: Send {
    /// Samples per second.
    fn sample_rate(&self) -> u32;

    /// The number of samples in all, where it is known beforehand.
    fn len_samples(&self) -> Option<u64> {
        None
    }

    /// How many samples have arrived and wait to be read; 0 of a source that captures nothing.
    fn buffered_samples(&self) -> usize {
        0
    }

    /// Whether samples are lost that nobody reads in time, as a device's are. A [`Listener`](crate::session::listener::Listener)
    /// never lets a live source wait for a final; one that is not live waits when finals fall behind.
    fn is_live(&self) -> bool {
        true
    }

    /// Fills the start of `buffer` with the next samples.
    ///
    /// # Errors
    ///
    /// What became of the device or the file. Samples read before stay valid.
    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome>;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn sample_rate(&self) -> u32 {
        (**self).sample_rate()
    }

    fn len_samples(&self) -> Option<u64> {
        (**self).len_samples()
    }

    fn buffered_samples(&self) -> usize {
        (**self).buffered_samples()
    }

    fn is_live(&self) -> bool {
        (**self).is_live()
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        (**self).read(buffer)
    }
}

/// What an [`AudioFile`] is decoded from; errors are reasons, to which it adds the path.
#[cfg(feature = "files")]
trait Input: Send {
    fn sample_rate(&self) -> u32;

    fn len_samples(&self) -> Option<u64>;

    /// Appends the next samples to `mono`.
    fn next(&mut self, mono: &mut Vec<f32>) -> Result<Piece, String>;
}

/// What one [`Input::next`] brought.
#[cfg(feature = "files")]
enum Piece {
    /// What was appended; nothing if nothing has arrived yet.
    Samples,
    /// So many samples that can't be decoded.
    Lost(u64),
    End,
}
