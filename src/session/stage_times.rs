//! What the stages of a stream have taken.

use std::time::Duration;

/// How long each stage of a [`Stream`](crate::session::stream::Stream) has computed, in wall-clock time of its thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageTimes {
    /// Log-mel frames, and the gate.
    pub features: Duration,
    /// The first pass's encoder.
    pub encoder: Duration,
    /// The first pass's search, with endpoints and keywords.
    pub search: Duration,
    /// The second pass: encoder, search and rescoring. Without what a thread of its own computes.
    pub finals: Duration,
}

impl StageTimes {
    /// All stages together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.features + self.encoder + self.search + self.finals
    }
}

impl std::ops::AddAssign for StageTimes {
    fn add_assign(&mut self, other: Self) {
        self.features += other.features;
        self.encoder += other.encoder;
        self.search += other.search;
        self.finals += other.finals;
    }
}
