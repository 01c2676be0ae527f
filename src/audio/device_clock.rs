//! The samples that a device owes: real time passed against samples delivered.
//!
//! A sound system that could not deliver for a while, because the process was stopped or the machine
//! suspended, goes on with the samples of now. What lies between is lost, and only the clock shows it.

use std::time::Duration;

use super::boot_instant::BootInstant;

/// A device that is so far behind has lost samples, if it stays behind.
const BEHIND: Duration = Duration::from_millis(400);

/// How long it must stay behind: a sound server may deliver later, and then at once, what it has kept.
const PERSISTENCE: Duration = Duration::from_millis(500);

/// How far a device's clock may drift from the system's, per second: 2 ms are many times what crystals do.
const DRIFT: f64 = 0.002;

/// Compares a device's samples with real time.
pub(super) struct DeviceClock {
    sample_rate: f64,
    /// When the last buffer came; None before the first.
    last: Option<BootInstant>,
    /// Seconds of sound that real time is ahead of the samples.
    deficit: f64,
    /// Since when the device has been behind, and the least deficit since then.
    behind: Option<(BootInstant, f64)>,
}

impl DeviceClock {
    pub(super) fn new(sample_rate: u32) -> Self {
        Self { sample_rate: f64::from(sample_rate.max(1)), last: None, deficit: 0.0, behind: None }
    }

    /// Takes the number of samples per channel that arrive now; gives how many were lost before.
    ///
    /// Neither allocates nor locks.
    pub(super) fn lost(&mut self, now: BootInstant, samples: usize) -> u64 {
        let Some(last) = self.last.replace(now) else { return 0 };
        let passed = now.saturating_duration_since(last).as_secs_f64();
        let delivered = samples as f64 / self.sample_rate;
        // A device that is early delivers what had waited when it was started.
        self.deficit = (self.deficit + passed - delivered).max(0.0);
        if self.deficit < BEHIND.as_secs_f64() {
            self.behind = None;
            self.deficit = (self.deficit - delivered * DRIFT).max(0.0);
            return 0;
        }
        let (since, least) = self.behind.unwrap_or((now, self.deficit));
        let least = least.min(self.deficit);
        self.behind = Some((since, least));
        if now.saturating_duration_since(since) < PERSISTENCE {
            return 0;
        }
        self.behind = None;
        self.deficit -= least;
        (least * self.sample_rate).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `(milliseconds until the buffer, milliseconds of sound in it)`; gives what was lost, in ms.
    fn lost(buffers: impl IntoIterator<Item = (u64, u64)>) -> Vec<u64> {
        let mut clock = DeviceClock::new(16_000);
        let mut now = BootInstant::now();
        clock.lost(now, 640);
        let step = |(after, length): (u64, u64)| {
            now = now.after(Duration::from_millis(after));
            clock.lost(now, length as usize * 16) / 16
        };
        buffers.into_iter().map(step).filter(|&lost| lost > 0).collect()
    }

    #[test]
    fn time_in_which_nothing_was_delivered_is_lost() {
        let steady = || std::iter::repeat_n((40, 40), 50);
        assert_eq!(lost(steady()), [0u64; 0]);
        assert_eq!(lost(steady().chain([(5_040, 40)]).chain(steady())), [5_000]);
    }

    #[test]
    fn what_comes_late_is_not_lost() {
        let steady = || std::iter::repeat_n((40, 40), 50);
        let burst = std::iter::repeat_n((1, 40), 75);
        let late = steady().chain([(3_040, 40)]).chain(burst).chain(steady());
        assert_eq!(lost(late), [0u64; 0]);
        let begins_early = [(1, 2_000), (1, 40)].into_iter().chain(steady());
        assert_eq!(lost(begins_early), [0u64; 0]);
    }

    #[test]
    fn a_clock_that_drifts_loses_nothing() {
        let hour = std::iter::repeat_n((100_050, 100_000), 36);
        assert_eq!(lost(hour), [0u64; 0]);
        let buffers = (0..90_000).map(|n| (if n % 100 == 0 { 41 } else { 40 }, 40));
        assert_eq!(lost(buffers), [0u64; 0]);
    }
}
