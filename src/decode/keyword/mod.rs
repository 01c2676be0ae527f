//! Keyword spotting from text alone, on the log-probabilities that recognition uses.
//!
//! A phrase becomes a left-to-right CTC graph of letters, or of phones where the model has them, one for each
//! pronunciation. Its best path is compared, frame by frame, with the
//! best path without any constraint: their log-likelihood ratio per token is the confidence.

mod graph;
mod picker;
mod spotter;

pub use spotter::{FrameHit, KeywordSpotter};

use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::lexicon::phrase::Phrase;

/// A phrase to listen for.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyword {
    /// Words that the model's tokens can spell, in any case, separated by spaces.
    pub phrase: String,
    /// The least confidence that is reported, above 0 and at most 1.
    pub threshold: f32,
}

/// A keyword that was spotted.
#[derive(Clone, Debug, PartialEq)]
pub struct KeywordHit {
    /// The position of the keyword in the list that the spotter was made from.
    pub index: usize,
    /// The keyword's phrase.
    pub phrase: String,
    /// The audio time at which the first token's encoder frame begins.
    pub start: Duration,
    /// The audio time at which the last token's encoder frame ends.
    pub end: Duration,
    /// How likely the phrase is beside the likeliest tokens, per token, from 0 to 1. Not a
    /// probability of being right.
    pub confidence: f32,
}

impl Keyword {
    /// The threshold of a keyword that none was given for.
    pub const DEFAULT_THRESHOLD: f32 = 0.2;

    /// A phrase with the default threshold.
    pub fn new(phrase: impl Into<String>) -> Self {
        Self { phrase: phrase.into(), threshold: Self::DEFAULT_THRESHOLD }
    }

    /// Reads a list: one keyword a line, as [`Keyword::from_str`] takes it. Lines that are empty or
    /// begin with `#` are skipped. Gives each keyword with its line, counted from 1.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the line and what is wrong in it.
    pub fn parse_list(text: &str) -> Result<Vec<(usize, Self)>> {
        Phrase::parse_list(text)?
            .into_iter()
            .map(|(line, phrase)| match Self::from_phrase(phrase) {
                Ok(keyword) => Ok((line, keyword)),
                Err(reason) => Err(Error::Config(format!("line {line}: {reason}"))),
            })
            .collect()
    }

    fn from_phrase(phrase: Phrase) -> Result<Self, String> {
        let threshold = phrase.number.unwrap_or(Self::DEFAULT_THRESHOLD);
        check_threshold(threshold)?;
        Ok(Self { phrase: phrase.text, threshold })
    }
}

/// Reads `PHRASE` or `PHRASE:THRESHOLD`. What follows the last colon is always the threshold, so
/// that a phrase can't contain one.
impl FromStr for Keyword {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Phrase::parse(text).and_then(Self::from_phrase).map_err(Error::Config)
    }
}

fn check_threshold(threshold: f32) -> Result<(), String> {
    if threshold > 0.0 && threshold <= 1.0 {
        return Ok(());
    }
    Err(format!("the threshold is {threshold}; it must be above 0 and at most 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_may_follow_the_phrase() {
        assert_eq!("hey mynah".parse::<Keyword>().unwrap(), Keyword::new("hey mynah"));
        let keyword = Keyword { phrase: "lights off".to_owned(), threshold: 0.4 };
        assert_eq!("lights off:0.4".parse::<Keyword>().unwrap(), keyword);
        for wrong in ["a:0", "a:-0.5", "a:1.01"] {
            let error = wrong.parse::<Keyword>().unwrap_err().to_string();
            assert!(error.ends_with("it must be above 0 and at most 1"), "{error}");
        }
    }

    #[test]
    fn errors_in_lists_name_the_line() {
        let list = Keyword::parse_list("# rooms\nkitchen\nhall:1\n").unwrap();
        assert_eq!(list.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
        let error = Keyword::parse_list("kitchen\nhall:2").unwrap_err().to_string();
        assert_eq!(error, "line 2: the threshold is 2; it must be above 0 and at most 1");
    }
}
