//! All ways in which frames can say the same tokens, summed up, and the best of them.

use super::arena::{Arena, NodeId};

/// The alignments of one prefix: the log of their summed probabilities, and the best of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathScores {
    pub sum: f64,
    pub best: f64,
    /// Where the best one's last token began.
    pub start: NodeId,
    /// Whether that was in this frame, which `start` does not have yet.
    pub begins: bool,
}

/// Where a token began.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenStart {
    pub frame: u64,
    pub log_prob: f32,
    /// Whether it is the first phone of a word, where words are searched by phones.
    pub begins_word: bool,
}

impl PathScores {
    /// None at all.
    pub const NONE: Self = Self {
        sum: f64::NEG_INFINITY,
        best: f64::NEG_INFINITY,
        start: Arena::<TokenStart>::NONE,
        begins: false,
    };

    /// One frame on.
    pub fn then(self, log_prob: f64) -> Self {
        Self { sum: self.sum + log_prob, best: self.best + log_prob, ..self }
    }

    /// Those of both.
    pub fn or(self, other: Self) -> Self {
        let best = if other.best > self.best { other } else { self };
        Self { sum: log_add(self.sum, other.sum), ..best }
    }

    /// The same with nothing behind them, in scores relative to those of `all`.
    pub fn relative_to(self, all: Self) -> Self {
        Self { sum: self.sum - all.sum, best: self.best - all.best, ..Self::NONE }
    }
}

/// `ln(eᵃ + eᵇ)`.
pub(super) fn log_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    // Beyond this the sum is the greater one to the last bit.
    if high - low < 40.0 { high + (low - high).exp().ln_1p() } else { high }
}
