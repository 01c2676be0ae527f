//! Recordings of every container and raw samples, from memory and as streams, to their ends.
//!
//! Input: a byte of options, a byte of the form of raw samples, and the recording.

use std::io::Cursor;
use std::num::NonZeroU16;

use crate::containers::mutate_recording;
use crate::input::Input;
use libfuzzer_sys::fuzzer_mutate;
use mynah::audio::{
    AudioFile, Channel, FileOptions, RawFormat, ReadOutcome, Resampler, SampleFormat, Source,
};

/// The bytes before the recording.
const OPTIONS: usize = 2;
/// More samples than this are left undecoded: silence packs well.
const MOST_SAMPLES: usize = 1 << 21;
/// Reads that bring nothing, of a recording that is in memory.
const MOST_EMPTY_READS: usize = 1_000;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (options, form) = (input.byte(), input.byte());
    let recording = input.rest().to_vec();
    if options & 1 == 0 {
        if let Ok(file) = AudioFile::from_bytes(recording, "input") {
            decode(file, false, options & 2 != 0);
        }
        return;
    }
    let channel = match options >> 2 & 3 {
        0 => Channel::Auto,
        1 => Channel::Mix,
        number => Channel::Only(NonZeroU16::new(u16::from(number - 1)).expect("1 or 2")),
    };
    let raw = (options & 16 != 0).then(|| raw_format(form));
    let options = FileOptions { channel, raw };
    if let Ok(file) = AudioFile::from_stream_with(Cursor::new(recording), &options) {
        decode(file, true, false);
    }
}

/// Changes a container's parts now and then, and else as libFuzzer does.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if seed.is_multiple_of(3)
        && size > OPTIONS
        && let Some(size) = mutate_recording(&mut data[..max_size], size, OPTIONS, seed / 3)
    {
        return size;
    }
    fuzzer_mutate(data, size, max_size)
}

fn raw_format(form: u8) -> RawFormat {
    let format = [
        SampleFormat::U8,
        SampleFormat::I16,
        SampleFormat::I24,
        SampleFormat::I32,
        SampleFormat::F32,
    ][usize::from(form) % 5];
    let sample_rate = [0, 1, 8_000, 16_000, 44_100, u32::MAX][usize::from(form >> 3) % 6];
    let channels = [0, 1, 2, 6, u16::MAX][usize::from(form >> 5) % 5];
    RawFormat { sample_rate, channels, format }
}

/// Reads to the end, or to the first error, after which nothing may follow.
fn decode(mut file: AudioFile, waits: bool, resamples: bool) {
    let rate = file.sample_rate();
    let mut resampler = resamples.then(|| Resampler::new(rate, 16_000).ok()).flatten();
    let (mut buffer, mut out) = ([0.0; 4096], Vec::new());
    let (mut samples, mut empty) = (0, 0);
    let _ = file.len_samples();
    while samples < MOST_SAMPLES {
        match file.read(&mut buffer) {
            Ok(ReadOutcome::Samples(0)) => {
                empty += usize::from(!waits);
                assert!(empty < MOST_EMPTY_READS, "the recording never ends");
            }
            Ok(ReadOutcome::Samples(count)) => {
                samples += count;
                assert!(buffer[..count].iter().all(|sample| sample.is_finite()));
                if let Some(resampler) = &mut resampler {
                    out.clear();
                    resampler.process(&buffer[..count], &mut out);
                }
            }
            Ok(ReadOutcome::Gap(_)) => samples += 1,
            Ok(ReadOutcome::End) | Err(_) => {
                assert!(matches!(file.read(&mut buffer), Ok(ReadOutcome::End)), "errors are final");
                break;
            }
        }
    }
}
