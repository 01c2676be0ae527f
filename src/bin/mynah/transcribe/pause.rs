//! Pauses in a recording, by loudness.

/// Frames of 20 ms.
const FRAMES_PER_SECOND: usize = 50;
/// How far above the background a frame of a pause may be, in dB.
const MARGIN_DB: f32 = 6.0;
/// The loudness of so many of the frames is at most the background's.
const BACKGROUND_SHARE: f32 = 0.1;
/// Below this, in dB of full scale, everything is a pause.
const SILENCE_DB: f32 = -70.0;
/// The background is estimated anew so often, in frames.
const ESTIMATE_FRAMES: usize = FRAMES_PER_SECOND;

/// Follows the loudness of a part of a recording.
pub struct PauseDetector {
    frame_samples: usize,
    /// Of the frame that is not complete.
    samples: usize,
    energy: f32,
    /// The complete frames' loudness, in dB of full scale.
    levels: Vec<f32>,
    /// At most as loud are the frames of a pause.
    threshold: f32,
    /// The last frames in succession that are that quiet.
    quiet_frames: usize,
}

/// A pause is noise without speech: its loudest frame is above its quietest tenth by so much at most, in dB.
const MOST_SPREAD_DB: f32 = 12.0;

impl PauseDetector {
    pub fn new(sample_rate: u32) -> Self {
        Self {
            frame_samples: (sample_rate as usize / FRAMES_PER_SECOND).max(1),
            samples: 0,
            energy: 0.0,
            levels: Vec::new(),
            threshold: SILENCE_DB,
            quiet_frames: 0,
        }
    }

    pub fn accept(&mut self, samples: &[f32]) {
        for sample in samples {
            self.energy += sample * sample;
            self.samples += 1;
            if self.samples == self.frame_samples {
                self.end_frame();
            }
        }
    }

    /// How long the pause at the end lasts, in seconds; 0 where there is none.
    pub fn pause_seconds(&self) -> f64 {
        self.quiet_frames as f64 / FRAMES_PER_SECOND as f64
    }

    /// Whether the last `seconds` are steady. Speech that is much quieter than what came before it is not.
    pub fn is_steady(&self, seconds: f64) -> bool {
        let frames = (seconds * FRAMES_PER_SECOND as f64) as usize;
        let first = self.levels.len().saturating_sub(frames);
        let mut levels = self.levels[first..].to_vec();
        levels.sort_unstable_by(f32::total_cmp);
        let place = (levels.len() as f32 * BACKGROUND_SHARE) as usize;
        let (low, high) = (levels.get(place), levels.last());
        low.zip(high).is_some_and(|(low, high)| high - low.max(SILENCE_DB) <= MOST_SPREAD_DB)
    }

    /// How many samples ago the quietest moment of the last `seconds` was, 100 ms around it.
    pub fn quietest(&self, seconds: usize) -> usize {
        const AROUND: usize = 5;
        let first = self.levels.len().saturating_sub(seconds * FRAMES_PER_SECOND);
        let windows = self.levels[first..].windows(AROUND);
        let loudness = windows.map(|levels| levels.iter().sum::<f32>());
        let quietest = loudness.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        let frame = quietest.map_or(self.levels.len(), |(place, _)| first + place + AROUND / 2);
        (self.levels.len() - frame) * self.frame_samples + self.samples
    }

    fn end_frame(&mut self) {
        // Samples that are not numbers count as silence; recognition refuses them.
        let level = 10.0 * (self.energy / self.frame_samples as f32).max(1e-10).log10();
        self.levels.push(level);
        (self.samples, self.energy) = (0, 0.0);
        if self.levels.len().is_multiple_of(ESTIMATE_FRAMES) {
            self.threshold = self.estimate().max(SILENCE_DB);
        }
        self.quiet_frames = if level <= self.threshold { self.quiet_frames + 1 } else { 0 };
    }

    fn estimate(&self) -> f32 {
        let mut levels = self.levels.clone();
        let place = (levels.len() as f32 * BACKGROUND_SHARE) as usize;
        let (_, background, _) = levels.select_nth_unstable_by(place, f32::total_cmp);
        *background + MARGIN_DB
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::PI;

    use super::*;

    /// Four syllables a second of a loudness, each with its seconds, over a hum of -50 dB.
    fn detector(parts: &[(f32, f64)]) -> PauseDetector {
        let mut detector = PauseDetector::new(16_000);
        for &(amplitude, seconds) in parts {
            let count = (seconds * 16_000.0) as usize;
            let sample = |i: usize| {
                let i = i as f32;
                let syllable = (PI * 4.0 * i / 16_000.0).sin();
                0.0045 * (0.02 * i).sin() + amplitude * syllable * (0.3 * i).sin()
            };
            let samples: Vec<f32> = (0..count).map(sample).collect();
            samples.chunks(157).for_each(|block| detector.accept(block));
        }
        detector
    }

    #[test]
    fn a_pause_lasts_from_the_last_loud_frame_on() {
        let speech = [(0.2, 8.0), (0.0, 1.5), (0.1, 4.0)];
        assert!(detector(&speech).pause_seconds() < 0.1);
        let paused = [&speech[..], &[(0.0, 1.2)]].concat();
        let seconds = detector(&paused).pause_seconds();
        assert!((1.1..=1.2).contains(&seconds), "{seconds}");
        assert!(detector(&paused).is_steady(1.0));
        assert!(detector(&[(0.2, 3.0)]).pause_seconds() < 0.1);
    }

    #[test]
    fn quiet_speech_is_no_steady_pause() {
        let mut detector = PauseDetector::new(16_000);
        // Without dips, the background is as loud as the speech.
        let loud: Vec<f32> = (0..16_000 * 20).map(|i| 0.3 * (0.3 * i as f32).sin()).collect();
        let syllable = |i: usize| (PI * 4.0 * i as f32 / 16_000.0).sin();
        let quiet = (0..16_000 * 4).map(|i| 0.03 * syllable(i) * (0.3 * i as f32).sin());
        detector.accept(&loud);
        detector.accept(&quiet.collect::<Vec<_>>());
        assert!(detector.pause_seconds() > 3.0 && !detector.is_steady(3.0));
    }

    #[test]
    fn the_quietest_moment_is_found() {
        let ago = detector(&[(0.2, 8.0), (0.001, 0.3), (0.2, 2.0)]).quietest(5);
        assert!((2.0..2.3).contains(&(ago as f64 / 16_000.0)), "{ago}");
        assert_eq!(PauseDetector::new(16_000).quietest(5), 0);
    }
}
