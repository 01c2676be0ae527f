//! Percentiles of latencies.

use std::time::Duration;

use serde::Serialize;

use crate::utterance::seconds;

/// How many latencies there were, and their nearest-rank percentiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    pub count: usize,
    #[serde(serialize_with = "seconds")]
    pub p50: Duration,
    #[serde(serialize_with = "seconds")]
    pub p95: Duration,
    #[serde(serialize_with = "seconds")]
    pub p99: Duration,
}

impl Percentiles {
    /// Sorts the latencies; `None` where there are none.
    pub fn of(mut latencies: Vec<Duration>) -> Option<Self> {
        latencies.sort_unstable();
        let count = latencies.len();
        let at = |percent: usize| latencies[(count * percent).div_ceil(100) - 1];
        (count > 0).then(|| Self { count, p50: at(50), p95: at(95), p99: at(99) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: impl IntoIterator<Item = u64>) -> Option<[u128; 3]> {
        let latencies = milliseconds.into_iter().map(Duration::from_millis).collect();
        Percentiles::of(latencies).map(|p| [p.p50, p.p95, p.p99].map(|d| d.as_millis()))
    }

    #[test]
    fn a_percentile_is_the_least_value_that_so_many_do_not_exceed() {
        assert_eq!(of((1..=100).rev()), Some([50, 95, 99]));
        assert_eq!(of([10, 20, 30]), Some([20, 30, 30]));
        assert_eq!(of([7]), Some([7, 7, 7]));
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(of([]), None);
    }
}
