//! The callback's side of the capture ring allocates nothing, whatever comes.
//!
//! `assert_no_alloc` ends the process at the first allocation, here also in release builds.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use mynah::audio::{DeviceSample, ReadOutcome, Resampler, Source, capture_ring};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// Pushes two seconds of stereo in 10 ms buffers into a ring that holds one and a half.
fn overflow<T: DeviceSample + Send>(middle: T, half: T) {
    let (mut sink, mut source) = capture_ring(8_000, 2, 12_000);
    let device_buffer: Vec<T> = [half, middle].repeat(80);
    assert_no_alloc(|| {
        for _ in 0..200 {
            sink.push_interleaved(&device_buffer);
        }
    });
    let mut buffer = vec![0.0; 16_000];
    assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::Samples(12_000));
    assert!(buffer[..12_000].iter().all(|sample| (sample - 0.25).abs() < 1e-6));
    // The ring is empty again: the burst ends with the next buffer and is told once.
    assert_no_alloc(|| sink.push_interleaved(&device_buffer));
    assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::Gap(4_000));
    assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::Samples(80));
    assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::Samples(0));
    drop(sink);
    assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::End);
}

#[test]
fn no_format_allocates_in_the_callback_even_when_the_ring_overflows() {
    overflow(0i8, 64);
    overflow(0i16, 1 << 14);
    overflow(0i32, 1 << 30);
    overflow(0i64, 1 << 62);
    overflow(128u8, 192);
    overflow(1u16 << 15, 3 << 14);
    overflow(1u32 << 31, 3 << 30);
    overflow(1u64 << 63, 3 << 62);
    overflow(0.0f32, 0.5);
    overflow(0.0f64, 0.5);
}

#[test]
fn what_a_device_should_not_deliver_allocates_nothing_either() {
    let (mut sink, mut source) = capture_ring(8_000, 2, 100);
    assert_no_alloc(|| {
        sink.push_interleaved::<f32>(&[]);
        sink.push_interleaved(&[1.0f32]);
        sink.push_interleaved(&[f32::NAN, 0.5, f32::INFINITY, 0.5, 0.5, 0.5]);
    });
    let mut buffer = [9.0; 100];
    assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::Samples(3));
    assert_eq!(buffer[..3], [0.0, 0.0, 0.5]);
}

/// Counts samples through ring and resampler while the reader is now and then too slow.
#[test]
fn audio_time_stays_true_through_overflow_and_resampling() {
    let (mut sink, mut source) = capture_ring(44_100, 1, 4_410);
    let mut resampler = Resampler::new(44_100, 16_000).unwrap();
    let (mut heard, mut lost, mut bursts) = (Vec::new(), 0, 0);
    let mut buffer = [0.0; 1_000];
    for n in 0..300 {
        sink.push_interleaved(&[0.25f32; 441]);
        if n % 50 < 30 {
            loop {
                match source.read(&mut buffer).unwrap() {
                    ReadOutcome::Samples(0) => break,
                    ReadOutcome::Samples(n) => resampler.process(&buffer[..n], &mut heard),
                    ReadOutcome::Gap(samples) => {
                        lost += samples;
                        bursts += 1;
                    }
                    ReadOutcome::End => unreachable!("the sink is alive"),
                }
            }
        }
    }
    drop(sink);
    loop {
        match source.read(&mut buffer).unwrap() {
            ReadOutcome::Samples(n) => resampler.process(&buffer[..n], &mut heard),
            ReadOutcome::Gap(samples) => {
                lost += samples;
                bursts += 1;
            }
            ReadOutcome::End => break,
        }
    }
    resampler.finish(&mut heard);
    assert_eq!(bursts, 6);
    assert_eq!(heard.len() as u64 + lost * 160 / 441, 3 * 16_000);
}
