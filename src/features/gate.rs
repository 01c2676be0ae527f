//! Silence before the encoder: chunks in which nothing rises over the background are not encoded.

use std::collections::VecDeque;

use crate::error::{Error, Result};

/// The mel bins are summed in so many groups, since speech that drowns in one stands out in another.
const GROUPS: usize = 8;

/// Frames over which a group's energy is averaged; 50 ms of the usual 10 ms frames.
const SMOOTHED_FRAMES: usize = 5;

/// A history of more chunks than this is taken for a mistake.
const LONGEST_HISTORY: usize = 1000;

/// How chunks without speech are detected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateConfig {
    /// By how many decibels a part of the spectrum must rise over the background to be encoded.
    ///
    /// White noise, averaged as here, stays within 6 dB of its own minimum. A finite number.
    pub margin_db: f32,
    /// The background is the least energy of this many past chunks, the current one included.
    ///
    /// Until so many have passed, all are encoded. A new noise that goes on is encoded for as long. From 1 to
    /// 1,000.
    pub history_chunks: usize,
}

/// Tells whether chunks rise over the background. One per stream.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    config: GateConfig,
    mel_bins: usize,
    /// Each past chunk's least energy per group, natural logarithms.
    floors: VecDeque<[f32; GROUPS]>,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self { margin_db: 9.0, history_chunks: 12 }
    }
}

impl Gate {
    /// `chunk_frames`: those of a chunk.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a value out of its range, and for chunks too short to be averaged.
    pub(crate) fn new(config: GateConfig, mel_bins: usize, chunk_frames: usize) -> Result<Self> {
        let GateConfig { margin_db, history_chunks } = config;
        let reason = if !margin_db.is_finite() {
            format!("the gate's margin is {margin_db} dB; it must be a finite number")
        } else if !(1..=LONGEST_HISTORY).contains(&history_chunks) {
            format!(
                "the gate's history has {history_chunks} chunks; it must have 1 to {LONGEST_HISTORY}"
            )
        } else if chunk_frames < SMOOTHED_FRAMES {
            format!("chunks of {chunk_frames} frames; a gate needs {SMOOTHED_FRAMES} or more")
        } else {
            let floors = VecDeque::with_capacity(history_chunks + 1);
            return Ok(Self { config, mel_bins, floors });
        };
        Err(Error::Config(reason))
    }

    /// Takes the frames of a chunk, `[frames, mel]` in natural logarithms; returns whether it is but
    /// background.
    pub(crate) fn is_quiet(&mut self, frames: &[f32]) -> bool {
        let (mut least, mut most) = ([f32::INFINITY; GROUPS], [f32::NEG_INFINITY; GROUPS]);
        let window = SMOOTHED_FRAMES * self.mel_bins;
        for frames in frames.windows(window).step_by(self.mel_bins) {
            for (group, energy) in self.energies(frames).into_iter().enumerate() {
                least[group] = least[group].min(energy);
                most[group] = most[group].max(energy);
            }
        }
        self.floors.push_back(least);
        if self.floors.len() > self.config.history_chunks {
            self.floors.pop_front();
        }
        let margin = self.config.margin_db * std::f32::consts::LN_10 / 10.0;
        let rises = |group: usize| {
            let floor = self.floors.iter().map(|floor| floor[group]).fold(f32::INFINITY, f32::min);
            most[group] > floor + margin
        };
        self.floors.len() == self.config.history_chunks && !(0..GROUPS).any(rises)
    }

    /// The logarithms of the groups' mean energies in some frames.
    fn energies(&self, frames: &[f32]) -> [f32; GROUPS] {
        let mut sums = [0.0f32; GROUPS];
        for frame in frames.chunks_exact(self.mel_bins) {
            for (bin, log_energy) in frame.iter().enumerate() {
                sums[bin * GROUPS / self.mel_bins] += log_energy.exp();
            }
        }
        sums.map(|sum| (sum * GROUPS as f32 / frames.len() as f32).ln())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::{Fbank, FbankConfig};

    const CHUNK_SAMPLES: usize = 64 * 160;

    /// Uniform noise between −1 and 1, always the same.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        }
    }

    struct Ear {
        fbank: Fbank,
        gate: Gate,
        noise: Noise,
        level: f32,
    }

    impl Ear {
        fn new(level: f32) -> Self {
            let config = FbankConfig {
                sample_rate: 16_000,
                frame_length_samples: 400,
                frame_shift_samples: 160,
                mel_bins: 80,
                low_hz: 0.0,
                high_hz: 8_000.0,
                energy_floor: 1e-7,
            };
            let gate = Gate::new(GateConfig::default(), config.mel_bins, 64).unwrap();
            Self { fbank: Fbank::new(&config).unwrap(), gate, noise: Noise(7), level }
        }

        /// A chunk of noise and of `sound` over the sample's index.
        fn is_quiet(&mut self, sound: impl Fn(usize) -> f32) -> bool {
            let sample = |i| sound(i) + self.level * self.noise.next();
            let samples: Vec<f32> = (0..CHUNK_SAMPLES).map(sample).collect();
            let mut frames = Vec::new();
            self.fbank.accept(&samples, &mut frames);
            self.gate.is_quiet(&frames)
        }

        fn settle(&mut self) {
            for _ in 0..GateConfig::default().history_chunks {
                self.is_quiet(|_| 0.0);
            }
        }
    }

    #[test]
    fn everything_is_encoded_until_the_background_is_known() {
        let mut ear = Ear::new(1e-3);
        let quiet: Vec<bool> = (0..20).map(|_| ear.is_quiet(|_| 0.0)).collect();
        let known = GateConfig::default().history_chunks - 1;
        assert!(quiet[..known].iter().all(|quiet| !quiet), "{quiet:?}");
        assert!(quiet[known..].iter().all(|quiet| *quiet), "{quiet:?}");
    }

    #[test]
    fn steady_noise_of_any_level_and_digital_silence_are_quiet() {
        for level in [0.0, 1e-5, 1e-3, 0.1] {
            let mut ear = Ear::new(level);
            ear.settle();
            assert!((0..200).all(|_| ear.is_quiet(|_| 0.0)), "level {level}");
        }
    }

    /// A vowel's two formants, 60 ms of them, 3 dB under the noise as a whole.
    #[test]
    fn a_short_sound_under_the_noise_is_speech() {
        let mut ear = Ear::new(0.01);
        ear.settle();
        let noise_rms = 0.01 / 3f32.sqrt();
        let tone = |i: usize, hz: f32| (i as f32 * hz * std::f32::consts::TAU / 16_000.0).sin();
        for at in (0..CHUNK_SAMPLES - 960).step_by(1_000) {
            let sound = |i: usize| {
                let on = (at..at + 960).contains(&i);
                if on { noise_rms * 0.7 * (tone(i, 620.0) + tone(i, 1_200.0)) } else { 0.0 }
            };
            assert!(!ear.is_quiet(sound), "at sample {at}");
            ear.is_quiet(|_| 0.0);
        }
    }

    #[test]
    fn a_new_steady_noise_is_encoded_until_it_is_the_background() {
        let mut ear = Ear::new(1e-3);
        ear.settle();
        ear.level = 1e-2;
        let quiet: Vec<bool> = (0..20).map(|_| ear.is_quiet(|_| 0.0)).collect();
        let first = quiet.iter().position(|quiet| *quiet);
        assert!(matches!(first, Some(11..=12)), "{quiet:?}");
    }
}
