//! Audio time: where in the input, lost samples included, the encoder's frames lie.

use std::collections::VecDeque;
use std::time::Duration;

/// Counts samples and places encoder frames among them.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    sample_rate: u32,
    encoder_frame_samples: u64,
    /// Samples given to the encoder since it began.
    accepted: u64,
    /// What lies before the encoder's beginning, and gaps that encoder frames have passed.
    offset: u64,
    /// Gaps ahead of the encoder frames placed so far, in order.
    gaps: VecDeque<Gap>,
}

#[derive(Clone, Debug)]
struct Gap {
    /// The samples accepted before it.
    at: u64,
    samples: u64,
}

impl Clock {
    pub(crate) fn new(sample_rate: u32, encoder_frame_samples: usize) -> Self {
        let encoder_frame_samples = encoder_frame_samples as u64;
        Self { sample_rate, encoder_frame_samples, accepted: 0, offset: 0, gaps: VecDeque::new() }
    }

    pub(crate) fn accept(&mut self, samples: usize) {
        self.accepted += samples as u64;
    }

    pub(crate) fn skip(&mut self, samples: u64) {
        match self.gaps.back_mut().filter(|gap| gap.at == self.accepted) {
            Some(gap) => gap.samples = gap.samples.saturating_add(samples),
            None => self.gaps.push_back(Gap { at: self.accepted, samples }),
        }
    }

    /// Whether the encoder was given samples since it began.
    pub(crate) fn is_running(&self) -> bool {
        self.accepted > 0
    }

    /// All samples, lost ones included.
    pub(crate) fn now(&self) -> u64 {
        let ahead =
            self.gaps.iter().fold(self.accepted, |sum, gap| sum.saturating_add(gap.samples));
        self.offset.saturating_add(ahead)
    }

    /// Places the `index`th encoder frame since the encoder began; to be called with rising indices.
    ///
    /// Gives its place among all encoder frames since the stream's start, to the nearest.
    pub(crate) fn place(&mut self, index: u64) -> u64 {
        let start = index * self.encoder_frame_samples;
        while let Some(gap) = self.gaps.front().filter(|gap| gap.at <= start) {
            self.offset = self.offset.saturating_add(gap.samples);
            self.gaps.pop_front();
        }
        let half = self.encoder_frame_samples / 2;
        start.saturating_add(self.offset).saturating_add(half) / self.encoder_frame_samples
    }

    /// The audio time at which a placed encoder frame begins.
    pub(crate) fn time_of(&self, frame: u64) -> Duration {
        let samples = frame.saturating_mul(self.encoder_frame_samples);
        let rate = u64::from(self.sample_rate);
        let nanos = samples % rate * 1_000_000_000 / rate;
        Duration::from_secs(samples / rate) + Duration::from_nanos(nanos)
    }

    /// The encoder begins anew with the next sample.
    pub(crate) fn restart(&mut self) {
        self.offset = self.now();
        self.accepted = 0;
        self.gaps.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(clock: &mut Clock, indices: std::ops::Range<u64>) -> Vec<u64> {
        indices.map(|index| clock.place(index)).collect()
    }

    #[test]
    fn frames_after_a_gap_shift_by_it() {
        let mut clock = Clock::new(16_000, 640);
        clock.accept(1280);
        clock.skip(640 * 10);
        clock.accept(1280);
        assert_eq!(clock.now(), 640 * 14);
        assert_eq!(places(&mut clock, 0..4), [0, 1, 12, 13]);
        assert_eq!(clock.now(), 640 * 14);
    }

    #[test]
    fn a_frame_that_began_before_the_gap_stays() {
        let mut clock = Clock::new(16_000, 640);
        clock.accept(700);
        clock.skip(6400);
        assert_eq!(places(&mut clock, 0..3), [0, 1, 12]);
    }

    #[test]
    fn small_gaps_add_up_without_rounding_away() {
        let mut clock = Clock::new(16_000, 640);
        for _ in 0..64 {
            clock.skip(10);
            clock.accept(640);
        }
        assert_eq!(places(&mut clock, 0..64)[63], 64);
    }

    #[test]
    fn restart_counts_on_from_what_was_accepted() {
        let mut clock = Clock::new(16_000, 640);
        clock.accept(6400);
        clock.skip(640);
        clock.restart();
        assert!(!clock.is_running());
        assert_eq!(clock.now(), 7040);
        assert_eq!(clock.place(0), 11);
        assert_eq!(clock.time_of(11), Duration::from_millis(440));
    }

    #[test]
    fn gaps_without_samples_between_are_one() {
        let mut clock = Clock::new(16_000, 640);
        clock.accept(640);
        (0..1_000).for_each(|_| clock.skip(16));
        assert_eq!((clock.gaps.len(), clock.now()), (1, 16_640));
    }

    #[test]
    fn absurd_gaps_saturate() {
        let mut clock = Clock::new(16_000, 640);
        clock.skip(u64::MAX);
        clock.skip(u64::MAX);
        assert_eq!(clock.now(), u64::MAX);
        let frame = clock.place(0);
        assert!(clock.time_of(frame) > Duration::from_secs(1 << 40));
    }
}
