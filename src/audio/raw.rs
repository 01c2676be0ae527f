//! Raw PCM from any reader, such as standard input: samples without a header.

use std::io::{self, Read};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{Input, Piece};

/// The most that is read at a time, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// Reads that wait at most, so that a fast reader does not fill the memory.
const READS_WAITING: usize = 8;

/// How long `next` waits for bytes.
const PATIENCE: Duration = Duration::from_millis(10);

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

/// A reader's bytes, fetched by a thread of their own because a read may block for ever.
pub(super) struct RawPcm {
    format: RawFormat,
    reads: Receiver<io::Result<Vec<u8>>>,
    /// Bytes of a frame whose rest has not come yet.
    incomplete: Vec<u8>,
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

impl RawPcm {
    /// Starts to read; the error says what is wrong with the format.
    pub(super) fn new(
        reader: impl Read + Send + 'static,
        format: RawFormat,
    ) -> Result<Self, String> {
        if format.sample_rate == 0 || format.channels == 0 {
            return Err(format!(
                "raw audio of {} Hz and {} channels can't be; give the rate and the channels that \
                 it was recorded with",
                format.sample_rate, format.channels
            ));
        }
        let (sender, reads) = bounded(READS_WAITING);
        thread::Builder::new()
            .name("mynah-read".to_owned())
            .spawn(move || fetch(reader, &sender))
            .map_err(|e| format!("no thread to read with: {e}"))?;
        Ok(Self { format, reads, incomplete: Vec::new() })
    }

    fn decode(&mut self, bytes: &[u8], mono: &mut Vec<f32>) {
        self.incomplete.extend_from_slice(bytes);
        let RawFormat { channels, format, .. } = self.format;
        let width = format.bytes();
        let gain = 1.0 / f32::from(channels);
        let frames = self.incomplete.chunks_exact(width * usize::from(channels));
        let rest = frames.remainder().len();
        mono.extend(frames.map(|frame| {
            frame.chunks_exact(width).map(|sample| format.decode(sample)).sum::<f32>() * gain
        }));
        self.incomplete.drain(..self.incomplete.len() - rest);
    }
}

impl Input for RawPcm {
    fn sample_rate(&self) -> u32 {
        self.format.sample_rate
    }

    fn len_samples(&self) -> Option<u64> {
        None
    }

    fn next(&mut self, mono: &mut Vec<f32>) -> Result<Piece, String> {
        match self.reads.recv_timeout(PATIENCE) {
            Ok(Ok(bytes)) => {
                self.decode(&bytes, mono);
                Ok(Piece::Samples)
            }
            Ok(Err(e)) => Err(format!("can't be read: {e}")),
            Err(RecvTimeoutError::Timeout) => Ok(Piece::Samples),
            Err(RecvTimeoutError::Disconnected) => {
                if !self.incomplete.is_empty() {
                    log::warn!(
                        "the last {} bytes of raw audio are no whole sample; left out",
                        self.incomplete.len()
                    );
                }
                Ok(Piece::End)
            }
        }
    }
}

/// Reads to the end, or until nobody wants the bytes any more.
fn fetch(mut reader: impl Read, sender: &Sender<io::Result<Vec<u8>>>) {
    loop {
        let mut bytes = vec![0; READ_BYTES];
        let read = match reader.read(&mut bytes) {
            Ok(0) => return,
            Ok(n) => {
                bytes.truncate(n);
                Ok(bytes)
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => Err(e),
        };
        let failed = read.is_err();
        if sender.send(read).is_err() || failed {
            return;
        }
    }
}
