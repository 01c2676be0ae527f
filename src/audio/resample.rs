//! From a device's rate to the model's: rubato's FFT resampler behind pieces of any length.

use std::fmt;
use std::ops::RangeInclusive;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

use crate::error::{Error, Result};

/// The rates served, in Hz.
const RATES: RangeInclusive<u32> = 4_000..=384_000;

/// The least length of one FFT block, in samples at the lower of the two rates.
///
/// Longer blocks cut off closer to the Nyquist frequency and answer later: these lag 60 ms at
/// 16 kHz, keep 7.8 kHz whole, take 2 dB off 7.9 kHz, and stop 8 kHz and above by 90 dB.
const BLOCK_SAMPLES: usize = 640;

/// Changes the rate of a stream of mono samples.
///
/// Takes pieces of any length; splitting the input differently gives the same output, bit for
/// bit. The filter's delay is taken off, so that what was said at second t comes out at second t.
/// Equal rates pass through untouched.
///
/// A block is a multiple of the two rates' ratio in lowest terms (44100 to 16000 is 441 to 160),
/// so an odd pair such as 44099 to 16000 is answered only about once a second.
#[derive(Debug)]
pub struct Resampler {
    /// None for equal rates.
    blocks: Option<Blocks>,
}

/// The FFT resampler with its remainder of input, and the counts that keep the time true.
struct Blocks {
    from: u32,
    to: u32,
    fft: Fft<f32>,
    /// One block of input, the first `filled` samples of it waiting.
    input: Vec<f32>,
    filled: usize,
    output: Vec<f32>,
    /// Output samples still to be dropped: the filter's delay.
    delay_left: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// Makes a resampler for a pair of rates in Hz.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a rate below 4 kHz or above 384 kHz.
    pub fn new(from: u32, to: u32) -> Result<Self> {
        if let Some(rate) = [from, to].into_iter().find(|rate| !RATES.contains(rate)) {
            return Err(Error::Config(format!(
                "a sample rate of {rate} Hz can't be used; convert the audio to one from {} to {} Hz",
                RATES.start(),
                RATES.end()
            )));
        }
        let blocks = if from == to { None } else { Some(Blocks::new(from, to)?) };
        Ok(Self { blocks })
    }

    /// Takes a piece of input and appends what is ready to `out`.
    pub fn process(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        match &mut self.blocks {
            Some(blocks) => blocks.process(samples, out),
            None => out.extend_from_slice(samples),
        }
    }

    /// Appends the tail to `out`, as long in time as the input was in all, and starts anew.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        if let Some(blocks) = &mut self.blocks {
            blocks.finish(out);
            blocks.reset();
        }
    }

    /// Forgets the input so far, as if new.
    pub fn reset(&mut self) {
        if let Some(blocks) = &mut self.blocks {
            blocks.reset();
        }
    }

    /// By how many output samples `process` lags behind its input, at most.
    ///
    /// The output itself is not delayed: these samples come later, at their own time.
    #[must_use]
    pub fn output_delay(&self) -> usize {
        self.blocks.as_ref().map_or(0, |blocks| blocks.fft.output_delay() + blocks.output.len())
    }
}

impl Blocks {
    fn new(from: u32, to: u32) -> Result<Self> {
        let (rate_in, rate_out) = (from as usize, to as usize);
        let block_in = BLOCK_SAMPLES * rate_in / rate_in.min(rate_out);
        let window = WindowFunction::Blackman;
        let fft = Fft::new_custom(rate_in, rate_out, block_in, 1, 1, window, FixedSync::Both)
            .map_err(|e| Error::Config(format!("{from} Hz can't be changed to {to} Hz: {e}")))?;
        Ok(Self {
            from,
            to,
            input: vec![0.0; fft.input_frames_next()],
            filled: 0,
            output: vec![0.0; fft.output_frames_next()],
            delay_left: fft.output_delay(),
            fft,
            taken: 0,
            given: 0,
        })
    }

    fn process(&mut self, mut samples: &[f32], out: &mut Vec<f32>) {
        self.taken += samples.len() as u64;
        while !samples.is_empty() {
            let n = samples.len().min(self.input.len() - self.filled);
            let (now, later) = samples.split_at(n);
            self.input[self.filled..][..n].copy_from_slice(now);
            self.filled += n;
            samples = later;
            if self.filled == self.input.len() {
                self.run_block(out);
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<f32>) {
        // Rounded to the nearest sample.
        let from = u128::from(self.from);
        let due = ((u128::from(self.taken) * u128::from(self.to) + from / 2) / from) as u64;
        while self.given < due {
            self.input[self.filled..].fill(0.0);
            self.run_block(out);
        }
        let surplus = (self.given - due) as usize;
        out.truncate(out.len() - surplus.min(out.len()));
    }

    /// Resamples the whole input block and empties it.
    fn run_block(&mut self, out: &mut Vec<f32>) {
        const FITS: &str = "both blocks have the lengths that the resampler asked for";
        let (frames_in, frames_out) = (self.input.len(), self.output.len());
        let input = InterleavedSlice::new(&self.input, 1, frames_in).expect(FITS);
        let mut output = InterleavedSlice::new_mut(&mut self.output, 1, frames_out).expect(FITS);
        self.fft.process_into_buffer(&input, &mut output, None).expect(FITS);
        self.filled = 0;

        let dropped = self.delay_left.min(frames_out);
        self.delay_left -= dropped;
        self.given += (frames_out - dropped) as u64;
        out.extend_from_slice(&self.output[dropped..]);
    }

    fn reset(&mut self) {
        self.fft.reset();
        self.filled = 0;
        self.delay_left = self.fft.output_delay();
        self.taken = 0;
        self.given = 0;
    }
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blocks({} -> {} Hz, {} taken)", self.from, self.to, self.taken)
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    const COMMON_RATES: [u32; 12] = [
        8_000, 11_025, 12_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000,
        384_000,
    ];

    fn resample(from: u32, to: u32, input: &[f32]) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut out = Vec::new();
        resampler.process(input, &mut out);
        resampler.finish(&mut out);
        out
    }

    fn sine(rate: u32, hz: f32, seconds: f32) -> Vec<f32> {
        let n = (rate as f32 * seconds) as usize;
        let turns = |i: usize| i as f64 * f64::from(hz) / f64::from(rate);
        (0..n).map(|i| 0.5 * (turns(i).fract() as f32 * TAU).sin()).collect()
    }

    /// The level of the middle half against a sine of amplitude 0.5, in dB.
    fn level_db(samples: &[f32]) -> f32 {
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        let power = middle.iter().map(|s| s * s).sum::<f32>() / middle.len() as f32;
        10.0 * (power / 0.125).max(1e-20).log10()
    }

    #[test]
    fn equal_rates_pass_through_bit_for_bit() {
        let input = [0.1, -0.0, f32::MIN_POSITIVE, 1.0];
        assert_eq!(resample(16_000, 16_000, &input).map_bits(), input.to_vec().map_bits());
        assert_eq!(Resampler::new(16_000, 16_000).unwrap().output_delay(), 0);
    }

    trait MapBits {
        fn map_bits(&self) -> Vec<u32>;
    }

    impl MapBits for Vec<f32> {
        fn map_bits(&self) -> Vec<u32> {
            self.iter().map(|s| s.to_bits()).collect()
        }
    }

    #[test]
    fn the_output_lasts_as_long_as_the_input() {
        for from in COMMON_RATES.into_iter().chain([4_000, 44_099, 37_800]) {
            for n in [0, 1, 159, 5_000, 2 * from as usize] {
                let due = (n as f64 * 16_000.0 / f64::from(from)).round() as usize;
                assert_eq!(resample(from, 16_000, &vec![0.1; n]).len(), due, "{n} at {from} Hz");
            }
        }
    }

    #[test]
    fn an_impulse_keeps_its_time() {
        for from in COMMON_RATES.into_iter().chain([4_000, 44_099]) {
            for to in [8_000, 16_000, 48_000] {
                let mut input = vec![0.0; from as usize * 2];
                input[from as usize * 5 / 4] = 1.0;
                let out = resample(from, to, &input);
                let peak = (0..out.len()).max_by(|&a, &b| out[a].total_cmp(&out[b])).unwrap();
                let off = peak as f64 / f64::from(to) - (from * 5 / 4) as f64 / f64::from(from);
                assert!(off.abs() < 1e-3, "{from} to {to}: {off} s off");
            }
        }
    }

    #[test]
    fn a_sine_comes_out_as_the_same_sine() {
        for from in [8_000, 22_050, 44_100, 48_000, 96_000] {
            let out = resample(from, 16_000, &sine(from, 440.0, 1.0));
            let wanted = sine(16_000, 440.0, 1.0);
            let worst = (2_000..14_000).map(|i| (out[i] - wanted[i]).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-3, "{from} Hz: off by {worst}");
        }
    }

    #[test]
    fn a_ramp_comes_out_as_the_same_ramp() {
        let input: Vec<f32> = (0..48_000).map(|i| i as f32 / 48_000.0).collect();
        let out = resample(48_000, 16_000, &input);
        for (i, value) in out.iter().enumerate().take(15_000).skip(1_000) {
            assert!((value - i as f32 / 16_000.0).abs() < 1e-3, "{i}: {value}");
        }
    }

    #[test]
    fn the_band_is_kept_and_what_lies_above_it_is_not() {
        for from in [44_100, 48_000, 96_000] {
            for hz in [50.0, 1_000.0, 4_000.0, 7_000.0, 7_800.0] {
                let level = level_db(&resample(from, 16_000, &sine(from, hz, 1.0)));
                assert!(level.abs() < 0.1, "{hz} Hz at {from} Hz: {level} dB");
            }
            let level = level_db(&resample(from, 16_000, &sine(from, 7_900.0, 1.0)));
            assert!(level > -3.0, "7.9 kHz at {from} Hz: {level} dB");
            for hz in [8_050.0, 9_000.0, 12_000.0, 16_000.0, 20_000.0] {
                let level = level_db(&resample(from, 16_000, &sine(from, hz, 1.0)));
                assert!(level < -80.0, "{hz} Hz at {from} Hz: {level} dB");
            }
        }
    }

    #[test]
    fn splitting_the_input_differently_changes_nothing() {
        let input = sine(44_100, 997.0, 0.5);
        for (from, to) in [(44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (16_000, 16_000)] {
            let whole = resample(from, to, &input).map_bits();
            for step in [1, 7, 441, 480, 1_000, 4_096] {
                let mut resampler = Resampler::new(from, to).unwrap();
                let mut out = Vec::new();
                input.chunks(step).for_each(|piece| resampler.process(piece, &mut out));
                resampler.finish(&mut out);
                assert_eq!(out.map_bits(), whole, "{from} to {to} by {step}");
            }
        }
    }

    #[test]
    fn reset_and_finish_start_anew() {
        let input = sine(44_100, 997.0, 0.3);
        let mut resampler = Resampler::new(44_100, 16_000).unwrap();
        let mut runs = Vec::new();
        for _ in 0..2 {
            resampler.process(&sine(44_100, 313.0, 0.123), &mut Vec::new());
            resampler.reset();
            let mut out = Vec::new();
            resampler.process(&input, &mut out);
            resampler.finish(&mut out);
            runs.push(out.map_bits());
        }
        assert_eq!(runs[0], resample(44_100, 16_000, &input).map_bits());
        assert_eq!(runs[0], runs[1]);
    }

    #[test]
    fn the_lag_stays_within_the_delay_that_is_reported() {
        let mut resampler = Resampler::new(48_000, 16_000).unwrap();
        assert!(resampler.output_delay() <= 16_000 / 16, "{}", resampler.output_delay());
        let mut out = Vec::new();
        for n in 1..=300 {
            resampler.process(&[0.0; 160], &mut out);
            assert!(n * 160 / 3 <= out.len() + resampler.output_delay());
        }
    }

    #[test]
    fn absurd_rates_are_refused_with_the_range() {
        for (from, to) in [(0, 16_000), (3_999, 16_000), (384_001, 16_000), (16_000, 0)] {
            let error = Resampler::new(from, to).unwrap_err().to_string();
            assert!(error.contains("4000 to 384000 Hz"), "{error}");
        }
    }
}
