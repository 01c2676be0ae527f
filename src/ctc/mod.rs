//! From log-probabilities to tokens and text (connectionist temporal classification, Graves 2006).

mod greedy;
mod word;

pub(crate) use greedy::Greedy;
pub use word::{Word, WordCalibration};

use std::time::Duration;

use crate::tokens::{TokenId, TokenTable};

/// How the best token sequence is searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decoding {
    /// The best path: the likeliest token of each encoder frame, repeats collapsed, blanks dropped.
    #[default]
    Greedy,
}

/// A token and where it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    /// Which token.
    pub id: TokenId,
    /// The encoder frame that it began in, counted from the stream's start; lost audio counts.
    pub frame: u64,
    /// Its natural log-probability in that frame.
    pub log_prob: f32,
}

/// What is recognized of an utterance.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// The tokens as text.
    pub text: String,
    /// The tokens, in time order; never empty in an event.
    pub tokens: Vec<Token>,
    /// The words that the tokens spell.
    pub words: Vec<Word>,
    /// The audio time at which the first token's encoder frame begins.
    pub start: Duration,
    /// The audio time at which the last token's encoder frame ends.
    pub end: Duration,
}

impl Hypothesis {
    /// `time_of` gives the audio time at which an encoder frame begins.
    pub(crate) fn new(
        tokens: &[Token],
        table: &TokenTable,
        calibration: &WordCalibration,
        time_of: impl Fn(u64) -> Duration,
    ) -> Self {
        Self {
            text: table.text(tokens.iter().map(|token| token.id)),
            tokens: tokens.to_vec(),
            words: word::words(tokens, table, calibration, &time_of),
            start: tokens.first().map_or(Duration::ZERO, |token| time_of(token.frame)),
            end: tokens.last().map_or(Duration::ZERO, |token| time_of(token.frame + 1)),
        }
    }
}
