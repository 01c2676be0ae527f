//! Raw PCM from any reader, such as standard input: samples without a header.

use std::io::{self, Read};

use super::downmix::{self, Channel, Downmix};
use super::{Input, Piece};

/// The most that is read at a time, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// Samples of noise louder than this part of full scale are no sound but compressed data.
const LOUD: f64 = 0.25;

/// What raw PCM looks like; it has no header that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawFormat {
    /// Samples per second and channel.
    pub sample_rate: u32,
    /// Interleaved channels.
    pub channels: u16,
    /// How one sample is written.
    pub format: SampleFormat,
}

/// How one sample of raw PCM is written; all little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SampleFormat {
    /// Unsigned 8 bit, the middle at 128.
    U8,
    /// Signed 16 bit.
    I16,
    /// Signed 24 bit in three bytes.
    I24,
    /// Signed 32 bit.
    I32,
    /// 32-bit float in `[-1, 1]`.
    F32,
}

/// A reader's bytes.
pub(super) struct RawPcm<R> {
    reader: R,
    format: RawFormat,
    downmix: Downmix,
    /// Bytes of a frame whose rest has not come yet.
    incomplete: Vec<u8>,
    interleaved: Vec<f32>,
}

impl Default for RawFormat {
    /// One channel of 16-bit samples at 16 kHz.
    fn default() -> Self {
        Self { sample_rate: 16_000, channels: 1, format: SampleFormat::I16 }
    }
}

impl RawFormat {
    /// Whether samples of 16 bits may be sound: neighbours are alike, or they are not loud.
    pub(super) fn is_plausible(bytes: &[u8]) -> bool {
        let sample = |pair: &[u8]| f64::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0;
        let samples: Vec<f64> = bytes.chunks_exact(2).map(sample).collect();
        let power = samples.iter().map(|s| s * s).sum::<f64>() / samples.len().max(1) as f64;
        let steps = samples.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum::<f64>();
        let step = steps / samples.len().saturating_sub(1).max(1) as f64;
        // Noise steps by twice its power, and sound by less.
        power < LOUD * LOUD || step < power
    }
}

impl SampleFormat {
    /// The bytes that one sample takes.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::I16 => 2,
            Self::I24 => 3,
            Self::I32 | Self::F32 => 4,
        }
    }

    /// Reads one sample from as many bytes as it takes.
    fn decode(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::U8, &[a]) => (f32::from(a) - 128.0) / 128.0,
            (Self::I16, &[a, b]) => f32::from(i16::from_le_bytes([a, b])) / 32_768.0,
            (Self::I24, &[a, b, c]) => i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0,
            (Self::I32, &[a, b, c, d]) => i32::from_le_bytes([a, b, c, d]) as f32 / 2_147_483_648.0,
            (Self::F32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            _ => 0.0,
        }
    }
}

impl<R: Read + Send> RawPcm<R> {
    /// Starts to read; the error says what is wrong with the format.
    pub(super) fn new(reader: R, format: RawFormat, channel: Channel) -> Result<Self, String> {
        if format.sample_rate == 0 || format.channels == 0 {
            return Err(format!(
                "raw audio of {} Hz and {} channels can't be; give the rate and the channels that \
                 it was recorded with",
                format.sample_rate, format.channels
            ));
        }
        let downmix = Downmix::new(usize::from(format.channels), channel)?;
        Ok(Self { reader, format, downmix, incomplete: Vec::new(), interleaved: Vec::new() })
    }

    fn decode(&mut self, bytes: &[u8], mono: &mut Vec<f32>) {
        self.incomplete.extend_from_slice(bytes);
        let RawFormat { channels, format, .. } = self.format;
        let width = format.bytes();
        let whole =
            self.incomplete.len() / (width * usize::from(channels)) * width * usize::from(channels);
        self.interleaved.clear();
        let samples = self.incomplete[..whole].chunks_exact(width);
        self.interleaved.extend(samples.map(|sample| format.decode(sample)));
        self.incomplete.drain(..whole);
        if let Some(taken) = self.downmix.append(&self.interleaved, mono) {
            log::warn!("raw audio: {}", downmix::cancellation(taken));
        }
    }
}

impl<R: Read + Send> Input for RawPcm<R> {
    fn sample_rate(&self) -> u32 {
        self.format.sample_rate
    }

    fn len_samples(&self) -> Option<u64> {
        None
    }

    fn next(&mut self, mono: &mut Vec<f32>) -> Result<Piece, String> {
        let mut bytes = [0; READ_BYTES];
        match self.reader.read(&mut bytes) {
            Ok(0) => {
                if !self.incomplete.is_empty() {
                    log::warn!(
                        "the last {} bytes of raw audio are no whole sample; left out",
                        self.incomplete.len()
                    );
                }
                Ok(Piece::End)
            }
            Ok(count) => {
                self.decode(&bytes[..count], mono);
                Ok(Piece::Samples)
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(Piece::Samples),
            Err(e) => Err(format!("can't be read: {e}")),
        }
    }
}
