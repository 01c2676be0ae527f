//! The ring between the audio callback and the worker: [`CaptureSink`] and [`CaptureSource`].
//!
//! The sink's one hot method converts, mixes down to mono and copies; it never allocates, locks,
//! logs, sends, makes a system call or panics. (Sending each device buffer as a `Vec` over a
//! channel, the usual short cut, allocates in the callback and blocks it when the reader is slow.)
//! A full ring drops the newest samples; the source learns how many, and where.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringbuf::traits::{Consumer, Observer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

use super::downmix::{self, Channel, Downmix};
use super::{ReadOutcome, Source};
use crate::error::Result;

/// Bursts of lost samples that can wait in the ring at a time.
const MAX_GAPS: usize = 64;

/// A kind of number that a capture device delivers.
pub trait DeviceSample: Copy {
    /// The sample on the scale `[-1, 1)`.
    fn to_f32(self) -> f32;
}

/// The callback's side of a capture ring.
///
/// All methods return at once and neither allocate nor lock.
pub struct CaptureSink {
    downmix: Downmix,
    /// The channel that is taken since the mean cancels, counted from 1; 0 before that.
    taken_alone: Arc<AtomicUsize>,
    samples: HeapProd<f32>,
    gaps: HeapProd<Gap>,
    /// Samples pushed since the beginning.
    pushed: u64,
    /// Samples dropped since the last gap was reported.
    lost: u64,
}

/// The worker's side of a capture ring: a [`Source`] that ends once the sink is dropped.
pub struct CaptureSource {
    sample_rate: u32,
    /// What the sink says of channels that cancel, until it is logged.
    taken_alone: Arc<AtomicUsize>,
    samples: HeapCons<f32>,
    gaps: HeapCons<Gap>,
    /// Samples read since the beginning.
    taken: u64,
}

/// A burst of lost samples.
#[derive(Clone, Copy, Debug)]
struct Gap {
    /// How many samples went through the ring before the burst.
    at: u64,
    lost: u64,
}

/// Makes a ring that holds `capacity` mono samples, fed with `channels` interleaved channels.
///
/// `sample_rate` is what the source will report. A `channels` or `capacity` of 0 counts as 1.
#[must_use]
pub fn capture_ring(
    sample_rate: u32,
    channels: u16,
    capacity: usize,
) -> (CaptureSink, CaptureSource) {
    capture_ring_of(sample_rate, channels, capacity, Channel::default())
}

/// As [`capture_ring`], with the channels that are recognized. A device without the channel gives
/// its last one.
#[must_use]
pub fn capture_ring_of(
    sample_rate: u32,
    channels: u16,
    capacity: usize,
    channel: Channel,
) -> (CaptureSink, CaptureSource) {
    let (samples_in, samples_out) = HeapRb::new(capacity.max(1)).split();
    let (gaps_in, gaps_out) = HeapRb::new(MAX_GAPS).split();
    let taken_alone = Arc::new(AtomicUsize::new(0));
    let sink = CaptureSink {
        downmix: Downmix::of_device(usize::from(channels), channel),
        taken_alone: Arc::clone(&taken_alone),
        samples: samples_in,
        gaps: gaps_in,
        pushed: 0,
        lost: 0,
    };
    let (samples, gaps) = (samples_out, gaps_out);
    let source = CaptureSource { sample_rate, taken_alone, samples, gaps, taken: 0 };
    (sink, source)
}

impl CaptureSink {
    /// Pushes one device buffer, mixed down to mono.
    ///
    /// What does not fit is dropped and counted; the burst ends with the next buffer that fits
    /// as a whole. Samples that are not finite become 0. An incomplete last frame is ignored.
    pub fn push_interleaved<T: DeviceSample>(&mut self, data: &[T]) {
        let channels = self.downmix.channels();
        let frames = data.len() / channels;
        if let Some(taken) = self.downmix.observe(data) {
            self.taken_alone.store(taken + 1, Ordering::Relaxed);
        }
        if self.lost > 0 {
            let needed = frames.min(self.samples.capacity().get());
            if self.samples.vacant_len() < needed || !self.push_gap(1) {
                self.lose(frames as u64);
                return;
            }
        }
        let mono = data.chunks_exact(channels).map(|frame| {
            let sample = self.downmix.mix(frame);
            if sample.is_finite() { sample } else { 0.0 }
        });
        let pushed = self.samples.push_iter(mono);
        self.pushed += pushed as u64;
        self.lose((frames - pushed) as u64);
    }

    /// Counts samples that were lost before they reached the sink.
    pub fn lose(&mut self, samples: u64) {
        self.lost = self.lost.saturating_add(samples);
    }

    /// Hands the burst over, if more than `spare` places are free for it.
    fn push_gap(&mut self, spare: usize) -> bool {
        let gap = Gap { at: self.pushed, lost: self.lost };
        let pushed = self.gaps.vacant_len() > spare && self.gaps.try_push(gap).is_ok();
        if pushed {
            self.lost = 0;
        }
        pushed
    }
}

impl Drop for CaptureSink {
    /// Tells a burst that nothing followed; `push_interleaved` keeps one place free for it.
    fn drop(&mut self) {
        if self.lost > 0 {
            self.push_gap(0);
        }
    }
}

impl Source for CaptureSource {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn buffered_samples(&self) -> usize {
        self.samples.occupied_len()
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        if let Some(taken) = self.taken_alone.swap(0, Ordering::Relaxed).checked_sub(1) {
            log::warn!("the device: {}", downmix::cancellation(taken));
        }
        // The order matters. A gap is reported before the samples after it are pushed, and the sink
        // lets go of the ring last of all.
        let open = self.samples.write_is_held();
        let occupied = self.samples.occupied_len();
        let mut wanted = occupied.min(buffer.len());
        if let Some(gap) = self.gaps.try_peek().copied() {
            let before = gap.at - self.taken;
            if before == 0 {
                self.gaps.skip(1);
                return Ok(ReadOutcome::Gap(gap.lost));
            }
            wanted = wanted.min(usize::try_from(before).unwrap_or(usize::MAX));
        }
        if occupied == 0 && !open {
            return Ok(ReadOutcome::End);
        }
        let taken = self.samples.pop_slice(&mut buffer[..wanted]);
        self.taken += taken as u64;
        Ok(ReadOutcome::Samples(taken))
    }
}

macro_rules! signed {
    ($($kind:ty),*) => {$(
        impl DeviceSample for $kind {
            fn to_f32(self) -> f32 {
                (self as f64 / -(<$kind>::MIN as f64)) as f32
            }
        }
    )*};
}

macro_rules! unsigned {
    ($($kind:ty),*) => {$(
        impl DeviceSample for $kind {
            fn to_f32(self) -> f32 {
                let middle = (<$kind>::MAX / 2) as f64 + 1.0;
                (self as f64 / middle - 1.0) as f32
            }
        }
    )*};
}

signed!(i8, i16, i32, i64);
unsigned!(u8, u16, u32, u64);

impl DeviceSample for f32 {
    fn to_f32(self) -> f32 {
        self
    }
}

impl DeviceSample for f64 {
    fn to_f32(self) -> f32 {
        self as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads until the source has nothing more to say at the moment.
    fn drain(source: &mut CaptureSource) -> Vec<(ReadOutcome, Vec<f32>)> {
        let mut reads = Vec::new();
        loop {
            let mut buffer = [0.0; 7];
            match source.read(&mut buffer).unwrap() {
                ReadOutcome::Samples(0) => return reads,
                ReadOutcome::Samples(n) => {
                    reads.push((ReadOutcome::Samples(n), buffer[..n].to_vec()))
                }
                ReadOutcome::End => {
                    reads.push((ReadOutcome::End, Vec::new()));
                    return reads;
                }
                gap => reads.push((gap, Vec::new())),
            }
        }
    }

    fn ramp(range: std::ops::Range<u16>) -> Vec<f32> {
        range.map(|n| f32::from(n) / 1024.0).collect()
    }

    #[test]
    fn every_format_keeps_its_scale() {
        assert_eq!((i8::MIN.to_f32(), 64i8.to_f32()), (-1.0, 0.5));
        assert_eq!((i16::MIN.to_f32(), 0x4000i16.to_f32()), (-1.0, 0.5));
        assert_eq!((i32::MIN.to_f32(), 0x4000_0000i32.to_f32()), (-1.0, 0.5));
        assert_eq!((i64::MIN.to_f32(), (1i64 << 62).to_f32()), (-1.0, 0.5));
        assert_eq!((0u8.to_f32(), 128u8.to_f32(), 192u8.to_f32()), (-1.0, 0.0, 0.5));
        assert_eq!((0u16.to_f32(), 0x8000u16.to_f32()), (-1.0, 0.0));
        assert_eq!((0u32.to_f32(), 0x8000_0000u32.to_f32()), (-1.0, 0.0));
        assert_eq!((0u64.to_f32(), (1u64 << 63).to_f32()), (-1.0, 0.0));
        assert_eq!((0.25f32.to_f32(), 0.25f64.to_f32()), (0.25, 0.25));
        assert_eq!(1i16.to_f32(), 1.0 / 32768.0);
    }

    #[test]
    fn channels_are_averaged_and_the_incomplete_frame_ignored() {
        let (mut sink, mut source) = capture_ring(48_000, 2, 16);
        sink.push_interleaved(&[16384i16, 0, -16384, -16384, 99]);
        assert_eq!(drain(&mut source), [(ReadOutcome::Samples(2), vec![0.25, -0.5])]);
    }

    #[test]
    fn channels_that_cancel_give_the_loudest_of_them() {
        let (mut sink, mut source) = capture_ring(48_000, 2, 16);
        sink.push_interleaved(&[8_192i16, -8_192, -16_384, 16_384]);
        assert_eq!(drain(&mut source), [(ReadOutcome::Samples(2), vec![0.25, -0.5])]);
        let second = Channel::Only(std::num::NonZeroU16::new(2).unwrap());
        let (mut sink, mut source) = capture_ring_of(48_000, 2, 16, second);
        sink.push_interleaved(&[8_192i16, -8_192, 0, 16_384]);
        assert_eq!(drain(&mut source), [(ReadOutcome::Samples(2), vec![-0.25, 0.5])]);
    }

    #[test]
    fn numbers_that_are_not_finite_become_silence() {
        let (mut sink, mut source) = capture_ring(48_000, 1, 16);
        sink.push_interleaved(&[0.5f32, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.5]);
        assert_eq!(drain(&mut source), [(ReadOutcome::Samples(5), vec![0.5, 0.0, 0.0, 0.0, -0.5])]);
    }

    #[test]
    fn a_burst_is_reported_once_where_the_samples_are_missing() {
        let (mut sink, mut source) = capture_ring(48_000, 1, 8);
        sink.push_interleaved(&ramp(0..5));
        sink.push_interleaved(&ramp(5..10)); // two do not fit
        sink.push_interleaved(&ramp(10..15)); // none fits
        let first = drain(&mut source);
        assert_eq!(
            first,
            [(ReadOutcome::Samples(7), ramp(0..7)), (ReadOutcome::Samples(1), ramp(7..8))]
        );
        sink.push_interleaved(&ramp(15..18));
        sink.push_interleaved(&ramp(18..20));
        assert_eq!(
            drain(&mut source),
            [(ReadOutcome::Gap(7), vec![]), (ReadOutcome::Samples(5), ramp(15..20))]
        );
    }

    #[test]
    fn a_burst_that_nothing_follows_is_reported_before_the_end() {
        let (mut sink, mut source) = capture_ring(48_000, 1, 4);
        sink.push_interleaved(&ramp(0..6));
        drop(sink);
        let reads = drain(&mut source);
        let reads_wanted = [
            (ReadOutcome::Samples(4), ramp(0..4)),
            (ReadOutcome::Gap(2), vec![]),
            (ReadOutcome::End, vec![]),
        ];
        assert_eq!(reads, reads_wanted);
        assert_eq!(source.read(&mut [0.0; 4]).unwrap(), ReadOutcome::End);
    }

    #[test]
    fn a_buffer_longer_than_the_ring_does_not_end_the_capture() {
        let (mut sink, mut source) = capture_ring(48_000, 1, 4);
        sink.push_interleaved(&ramp(0..10));
        drain(&mut source);
        sink.push_interleaved(&ramp(10..20));
        assert_eq!(
            drain(&mut source),
            [(ReadOutcome::Gap(6), vec![]), (ReadOutcome::Samples(4), ramp(10..14))]
        );
    }

    #[test]
    fn every_sample_is_delivered_or_counted_across_threads() {
        const BUFFERS: usize = if cfg!(miri) { 30 } else { 20_000 };
        let (mut sink, mut source) = capture_ring(48_000, 1, 256);
        // The reader starts when the ring is full.
        let full = Arc::new(std::sync::Barrier::new(2));
        let writer_full = Arc::clone(&full);
        let writer = std::thread::spawn(move || {
            for n in 0..BUFFERS {
                if n == 6 {
                    writer_full.wait();
                }
                // Each sample says its own position, exactly: below 2^24.
                let buffer: Vec<f32> = (n * 48..(n + 1) * 48).map(|i| i as f32).collect();
                sink.push_interleaved(&buffer);
                if n % 64 == 0 {
                    std::thread::yield_now();
                }
            }
        });
        let (mut position, mut gaps, mut last_was_gap) = (0u64, 0u64, false);
        let mut buffer = [0.0; 100];
        full.wait();
        loop {
            match source.read(&mut buffer).unwrap() {
                ReadOutcome::Samples(0) => std::hint::spin_loop(),
                ReadOutcome::Samples(n) => {
                    for sample in &buffer[..n] {
                        assert_eq!(*sample, position as f32);
                        position += 1;
                    }
                    last_was_gap = false;
                }
                ReadOutcome::Gap(lost) => {
                    assert!(lost > 0 && !last_was_gap);
                    position += lost;
                    gaps += 1;
                    last_was_gap = true;
                }
                ReadOutcome::End => break,
            }
        }
        writer.join().unwrap();
        assert_eq!(position, BUFFERS as u64 * 48);
        assert!(gaps > 0, "the test never filled the ring");
    }
}
