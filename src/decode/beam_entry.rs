//! The prefixes of a beam.

use super::arena::NodeId;
use super::fusion::FusionState;
use super::path_scores::{PathScores, log_add};
use crate::grammar::TokenState;
use crate::lexicon::tokens::TokenId;

/// A prefix in the beam.
#[derive(Clone, Copy, Debug)]
pub struct BeamEntry {
    pub prefix: NodeId,
    pub token: Option<TokenId>,
    /// The alignments that end in a blank.
    pub blank: PathScores,
    /// The alignments that end in the last token.
    pub last: PathScores,
    pub text: DecoderState,
}

/// What a prefix has written.
#[derive(Clone, Copy, Debug)]
pub struct DecoderState {
    pub fusion: FusionState,
    pub grammar: TokenState,
}

/// An entry of the next beam, perhaps.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// With the prefix that it goes on from, if it is new.
    pub entry: BeamEntry,
    pub is_new: bool,
    /// Of the entry.
    pub score: f64,
}

impl BeamEntry {
    /// All alignments.
    pub fn total(&self) -> PathScores {
        self.blank.or(self.last)
    }

    /// The score by which entries are compared.
    pub fn score(&self) -> f64 {
        log_add(self.blank.sum, self.last.sum) + self.text.fusion.score()
    }

    /// The alignments in which `token` begins after this prefix; without a blank between, the same
    /// token would only go on.
    pub fn label_extended(&self, token: TokenId, log_prob: f64) -> PathScores {
        let before = if self.token == Some(token) { self.blank } else { self.total() };
        PathScores { begins: true, ..before.then(log_prob) }
    }
}
