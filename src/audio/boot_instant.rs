//! A clock that goes on while the machine is suspended.

use std::time::Duration;

/// An instant of a clock that only goes forward, and counts the time for which the machine is suspended.
///
/// [`std::time::Instant`] leaves that time out on Linux. On other systems this is an `Instant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootInstant(system::Instant);

impl BootInstant {
    /// This moment. Neither allocates nor locks.
    #[must_use]
    pub fn now() -> Self {
        Self(system::now())
    }

    /// The time since an earlier instant; zero since a later one.
    #[must_use]
    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// The time since then.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        Self::now().saturating_duration_since(self)
    }

    /// An instant so much later.
    #[cfg(test)]
    pub(super) fn after(self, time: Duration) -> Self {
        Self(self.0 + time)
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    /// The time since the machine was started.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Instant(Duration);

    pub fn now() -> Instant {
        Instant(clock_gettime(ClockId::Boottime).try_into().unwrap_or_default())
    }

    impl Instant {
        pub fn saturating_duration_since(self, earlier: Self) -> Duration {
            self.0.saturating_sub(earlier.0)
        }
    }

    #[cfg(test)]
    impl std::ops::Add<Duration> for Instant {
        type Output = Self;

        fn add(self, time: Duration) -> Self {
            Self(self.0 + time)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub use std::time::Instant;

    pub fn now() -> Instant {
        Instant::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_with_the_monotonic_clock_while_the_machine_runs() {
        let (boot, monotonic) = (BootInstant::now(), std::time::Instant::now());
        std::thread::sleep(Duration::from_millis(30));
        let (boot, monotonic) = (boot.elapsed(), monotonic.elapsed());
        assert!(boot.abs_diff(monotonic) < Duration::from_millis(20), "{boot:?}, {monotonic:?}");
    }

    #[test]
    fn an_earlier_instant_is_no_time_after_a_later_one() {
        let now = BootInstant::now();
        let later = now.after(Duration::from_secs(3_600));
        assert_eq!(later.saturating_duration_since(now), Duration::from_secs(3_600));
        assert_eq!(now.saturating_duration_since(later), Duration::ZERO);
    }
}
