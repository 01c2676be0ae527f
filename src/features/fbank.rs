//! Log-mel frames from samples that arrive in pieces.
//!
//! Frame `t` covers the samples from `t · frame_shift` to `t · frame_shift + frame_length`, without
//! padding: a periodic Hann window, the power spectrum, mel energies, and their natural logarithm.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use serde::Deserialize;

use super::mel::MelFilters;
use super::window::periodic_hann;
use crate::error::{Error, Result};

/// What defines the frames; part of a model's `config.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FbankConfig {
    /// Samples per second.
    pub sample_rate: u32,
    /// The length of a frame, which is the length of its Fourier transform too.
    pub frame_length_samples: usize,
    /// From one frame's start to the next's (the hop); at most the frame's length.
    pub frame_shift_samples: usize,
    /// The number of filters, which is the number of values per frame.
    pub mel_bins: usize,
    /// The lowest filter's lower edge.
    pub low_hz: f64,
    /// The highest filter's upper edge; at most half the sample rate.
    pub high_hz: f64,
    /// The least mel energy, for samples in `[-1, 1]`; digital silence gives its logarithm.
    pub energy_floor: f32,
}

/// Computes log-mel frames from a stream of samples.
///
/// Takes mono samples in `[-1, 1]` (not on the scale of 16-bit integers), in pieces of any length,
/// and appends `[frames, mel]` values. Splitting the input differently gives the same frames, bit
/// for bit.
#[derive(Clone)]
pub struct Fbank {
    frame_shift: usize,
    energy_floor: f32,
    window: Vec<f32>,
    fft: Arc<dyn RealToComplex<f32>>,
    filters: MelFilters,
    /// The samples of the frame being filled; at most one frame's length.
    pending: Vec<f32>,
    windowed: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    power: Vec<f32>,
    mel_bins: usize,
}

impl FbankConfig {
    /// The longest frame taken, in samples; a second at 192 kHz.
    const MAX_FRAME_LENGTH: usize = 192_000;
    const MAX_MEL_BINS: usize = 1024;

    /// Checks that every value is in its range.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the value and what bounds it.
    pub fn check(&self) -> Result<()> {
        let Self { sample_rate, frame_length_samples: length, frame_shift_samples: shift, .. } =
            *self;
        let Self { mel_bins, low_hz, high_hz, energy_floor, .. } = *self;
        let nyquist = f64::from(sample_rate) / 2.0;
        let reason = if sample_rate == 0 {
            "sample_rate is 0; it must be at least 1".to_owned()
        } else if !(2..=Self::MAX_FRAME_LENGTH).contains(&length) {
            let max = Self::MAX_FRAME_LENGTH;
            format!("frame_length_samples is {length}; it must be from 2 to {max}")
        } else if !(1..=length).contains(&shift) {
            format!("frame_shift_samples is {shift}; it must be from 1 to the length of {length}")
        } else if !(1..=Self::MAX_MEL_BINS).contains(&mel_bins) {
            format!("mel_bins is {mel_bins}; it must be from 1 to {}", Self::MAX_MEL_BINS)
        } else if !(low_hz >= 0.0 && low_hz < high_hz) {
            format!("low_hz is {low_hz}; it must be from 0 to below high_hz, which is {high_hz}")
        } else if high_hz > nyquist {
            format!("high_hz is {high_hz}; it must be at most half the sample rate, {nyquist}")
        } else if !(energy_floor.is_normal() && energy_floor > 0.0) {
            format!("energy_floor is {energy_floor}; it must be above 0 and finite")
        } else {
            return Ok(());
        };
        Err(Error::Config(reason))
    }
}

impl Fbank {
    /// Prepares window, filters and Fourier transform.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if a value is out of its range.
    pub fn new(config: &FbankConfig) -> Result<Self> {
        config.check()?;
        let length = config.frame_length_samples;
        let fft = RealFftPlanner::new().plan_fft_forward(length);
        Ok(Self {
            frame_shift: config.frame_shift_samples,
            energy_floor: config.energy_floor,
            window: periodic_hann(length),
            filters: MelFilters::new(config),
            pending: Vec::with_capacity(length),
            windowed: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            power: vec![0.0; length / 2 + 1],
            mel_bins: config.mel_bins,
            fft,
        })
    }

    /// Takes samples and appends the frames they complete to `frames`, `[frames, mel]`.
    ///
    /// Allocates only if `frames` has to grow.
    pub fn accept(&mut self, mut samples: &[f32], frames: &mut Vec<f32>) {
        let length = self.window.len();
        while !samples.is_empty() {
            let wanted = length - self.pending.len();
            let (taken, rest) = samples.split_at(wanted.min(samples.len()));
            self.pending.extend_from_slice(taken);
            samples = rest;
            if self.pending.len() == length {
                self.append_frame(frames);
                self.pending.copy_within(self.frame_shift.., 0);
                self.pending.truncate(length - self.frame_shift);
            }
        }
    }

    /// The number of values in a frame.
    pub fn dim(&self) -> usize {
        self.mel_bins
    }

    /// Forgets the samples of frames not yet complete.
    pub fn reset(&mut self) {
        self.pending.clear();
    }

    fn append_frame(&mut self, frames: &mut Vec<f32>) {
        for ((out, sample), weight) in self.windowed.iter_mut().zip(&self.pending).zip(&self.window)
        {
            *out = sample * weight;
        }
        self.fft
            .process_with_scratch(&mut self.windowed, &mut self.spectrum, &mut self.scratch)
            .expect("the buffers were made by this transform");
        for (power, value) in self.power.iter_mut().zip(&self.spectrum) {
            *power = value.norm_sqr();
        }
        let start = frames.len();
        self.filters.apply(&self.power, frames);
        for value in &mut frames[start..] {
            // The power of an absurdly loud sample overflows; infinity would stay in the caches.
            *value = value.clamp(self.energy_floor, f32::MAX).ln();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> FbankConfig {
        FbankConfig {
            sample_rate: 1600,
            frame_length_samples: 40,
            frame_shift_samples: 16,
            mel_bins: 6,
            low_hz: 0.0,
            high_hz: 800.0,
            energy_floor: 1e-7,
        }
    }

    fn signal(length: usize) -> Vec<f32> {
        (0..length).map(|n| (n as f32 * 0.37).sin() * 0.5 + (n as f32 * 1.1).cos() * 0.2).collect()
    }

    #[test]
    fn power_equals_a_naive_fourier_transform() {
        for length in [2, 15, 40, 400] {
            let config = FbankConfig {
                frame_length_samples: length,
                frame_shift_samples: length,
                ..config()
            };
            let mut fbank = Fbank::new(&config).unwrap();
            let samples = signal(length);
            fbank.accept(&samples, &mut Vec::new());
            let window = periodic_hann(length);
            for (bin, &power) in fbank.power.iter().enumerate() {
                let (mut re, mut im) = (0.0f64, 0.0f64);
                for n in 0..length {
                    let value = f64::from(samples[n] * window[n]);
                    let angle = std::f64::consts::TAU * (bin * n) as f64 / length as f64;
                    re += value * angle.cos();
                    im -= value * angle.sin();
                }
                let expected = re * re + im * im;
                let error = (f64::from(power) - expected).abs();
                assert!(error < 1e-5 * (1.0 + expected), "{length}, {bin}: {power}, {expected}");
            }
        }
    }

    #[test]
    fn frames_start_every_shift_and_need_a_whole_length() {
        let mut fbank = Fbank::new(&config()).unwrap();
        for (samples, expected) in [(0, 0), (39, 0), (40, 1), (55, 1), (56, 2), (400, 23)] {
            let mut frames = Vec::new();
            fbank.reset();
            fbank.accept(&signal(samples), &mut frames);
            assert_eq!(frames.len(), expected * fbank.dim(), "{samples} samples");
        }
    }

    #[test]
    fn silence_gives_the_logarithm_of_the_floor() {
        let mut frames = Vec::new();
        Fbank::new(&config()).unwrap().accept(&[0.0; 40], &mut frames);
        assert_eq!(frames, [1e-7f32.ln(); 6]);
    }

    #[test]
    fn refuses_values_out_of_range_with_both_numbers() {
        type Edit = fn(&mut FbankConfig);
        let cases: [(Edit, &str); 7] = [
            (|c| c.sample_rate = 0, "sample_rate is 0; it must be at least 1"),
            (
                |c| c.frame_length_samples = 1,
                "frame_length_samples is 1; it must be from 2 to 192000",
            ),
            (
                |c| c.frame_shift_samples = 41,
                "frame_shift_samples is 41; it must be from 1 to the length of 40",
            ),
            (|c| c.mel_bins = 0, "mel_bins is 0; it must be from 1 to 1024"),
            (
                |c| c.low_hz = 900.0,
                "low_hz is 900; it must be from 0 to below high_hz, which is 800",
            ),
            (|c| c.high_hz = 900.0, "high_hz is 900; it must be at most half the sample rate, 800"),
            (|c| c.energy_floor = 0.0, "energy_floor is 0; it must be above 0 and finite"),
        ];
        for (edit, expected) in cases {
            let mut config = config();
            edit(&mut config);
            assert_eq!(Fbank::new(&config).err().unwrap().to_string(), expected);
        }
    }
}
