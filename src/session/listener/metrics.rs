//! Figures of a running listener.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Figures of a running [`Listener`](crate::session::listener::Listener), as of the block that it read last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ListenerMetrics {
    /// The audio time that has been read, lost samples included.
    pub audio_position: Duration,
    /// Captured audio that waits to be read: how far recognition lags behind a live source.
    pub lag: Duration,
    /// What the listener's thread has computed. Finals are computed on a thread of their own.
    pub compute_time: Duration,
    /// Samples that were lost, at the model's rate.
    pub samples_lost: u64,
    /// Utterances that have ended and lack their final.
    pub finals_pending: usize,
}

impl ListenerMetrics {
    /// Computing per audio time; `None` before any audio was read.
    #[must_use]
    pub fn real_time_factor(&self) -> Option<f64> {
        let audio = self.audio_position.as_secs_f64();
        (audio > 0.0).then(|| self.compute_time.as_secs_f64() / audio)
    }
}

/// Where the worker writes them.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    pub audio_position: Gauge,
    pub lag: Gauge,
    pub compute_time: Gauge,
    pub samples_lost: Gauge,
    pub finals_pending: Gauge,
}

#[derive(Debug, Default)]
pub(super) struct Gauge(AtomicU64);

impl Gauge {
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub fn add(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    /// In nanoseconds.
    pub fn set_time(&self, time: Duration) {
        self.set(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn time(&self) -> Duration {
        Duration::from_nanos(self.get())
    }
}

impl Gauges {
    pub fn read(&self) -> ListenerMetrics {
        ListenerMetrics {
            audio_position: self.audio_position.time(),
            lag: self.lag.time(),
            compute_time: self.compute_time.time(),
            samples_lost: self.samples_lost.get(),
            finals_pending: usize::try_from(self.finals_pending.get()).unwrap_or(usize::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_time_factor_is_computing_per_audio() {
        let gauges = Gauges::default();
        assert_eq!(gauges.read().real_time_factor(), None);
        gauges.audio_position.set_time(Duration::from_secs(4));
        gauges.compute_time.set_time(Duration::from_secs(1));
        assert_eq!(gauges.read().real_time_factor(), Some(0.25));
    }
}
