//! The prefixes of a beam.

use super::alignments::{Alignments, log_add};
use super::arena::Link;
use super::fusion::FusionState;
use crate::grammar::TokenState;
use crate::lexicon::tokens::TokenId;

/// A prefix in the beam.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub prefix: Link,
    pub token: Option<TokenId>,
    /// Alignments that end in a blank.
    pub blank: Alignments,
    /// Alignments that end in the last token.
    pub last: Alignments,
    pub text: Text,
}

/// What a prefix has written.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    pub fusion: FusionState,
    pub grammar: TokenState,
}

/// An entry of the next beam, perhaps.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// With the prefix that it goes on from, if it is new.
    pub entry: Entry,
    pub is_new: bool,
    /// Of the entry.
    pub score: f64,
}

impl Entry {
    /// All alignments.
    pub fn any(&self) -> Alignments {
        self.blank.or(self.last)
    }

    /// The score by which entries are compared.
    pub fn score(&self) -> f64 {
        log_add(self.blank.sum, self.last.sum) + self.text.fusion.score()
    }

    /// The alignments in which `token` begins after this prefix; without a blank between, the same
    /// token would only go on.
    pub fn extended(&self, token: TokenId, log_prob: f64) -> Alignments {
        let before = if self.token == Some(token) { self.blank } else { self.any() };
        Alignments { begins: true, ..before.then(log_prob) }
    }
}
