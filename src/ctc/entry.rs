//! The prefixes of a beam.

use super::alignments::{Alignments, log_add};
use super::arena::Link;
use super::fusion::FusionState;
use super::pronouncer::SpelledWord;
use crate::grammar::TokenState;
use crate::lm::LexiconNode;
use crate::tokens::TokenId;

/// A prefix in the beam.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub prefix: Link,
    pub token: Option<TokenId>,
    /// Alignments that end in a blank.
    pub blank: Alignments,
    /// Alignments that end in the last token.
    pub last: Alignments,
    pub word: Option<SpelledWord>,
    pub text: Text,
}

/// What a prefix has written.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    pub fusion: FusionState,
    pub grammar: TokenState,
    /// The unfinished word's phones.
    pub said: LexiconNode,
    /// What the unfinished word is taken to score beside what `fusion` takes it to.
    pub lookahead: f64,
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

impl Text {
    /// The score by which texts that may go on are compared.
    pub fn score(&self) -> f64 {
        self.fusion.score() + self.lookahead
    }
}

impl Entry {
    /// All alignments.
    pub fn any(&self) -> Alignments {
        self.blank.or(self.last)
    }

    /// The score by which entries are compared.
    pub fn score(&self) -> f64 {
        log_add(self.blank.sum, self.last.sum) + self.text.score()
    }

    /// The alignments in which `token` begins after this prefix; without a blank between, the same
    /// token would only go on.
    pub fn extended(&self, token: TokenId, log_prob: f64) -> Alignments {
        let before = if self.token == Some(token) { self.blank } else { self.any() };
        Alignments { begins: true, ..before.then(log_prob) }
    }
}
