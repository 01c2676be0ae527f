//! Tokens joined into words with times and confidence.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use serde::Deserialize;

use super::Token;
use crate::lexicon::tokens::TokenTable;

/// A word, when it was said, and how sure that is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Word {
    /// Its characters.
    pub text: String,
    /// The audio time at which it begins.
    pub start: Duration,
    /// The audio time at which it ends; not after the next word's start.
    pub end: Duration,
    /// The probability that the word is right, 0 to 1, as far as the model's calibration goes.
    pub confidence: f32,
}

impl Word {
    /// A word from `start` to `end`, with a confidence from 0 to 1.
    pub fn new(text: impl Into<String>, start: Duration, end: Duration, confidence: f32) -> Self {
        Self { text: text.into(), start, end, confidence }
    }
}

/// A shift of more milliseconds than this is taken for a mistake.
const MOST_SHIFT_MS: f64 = 10_000.0;

/// What makes of a model's tokens true times and probabilities of words; part of `config.json`.
///
/// A CTC model emits a token once it has enough evidence, not where the token begins. By default
/// neither times nor probabilities are corrected.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WordCalibration {
    /// Added to the time at which the first token's encoder frame begins, in milliseconds.
    pub start_shift_ms: f64,
    /// Added to the time at which the last token's encoder frame ends, in milliseconds.
    pub end_shift_ms: f64,
    /// The factor on the log-odds of the product of the tokens' probabilities (Platt 1999).
    pub confidence_slope: f64,
    /// What is added to them then.
    pub confidence_offset: f64,
}

impl Default for WordCalibration {
    fn default() -> Self {
        Self {
            start_shift_ms: 0.0,
            end_shift_ms: 0.0,
            confidence_slope: 1.0,
            confidence_offset: 0.0,
        }
    }
}

impl WordCalibration {
    /// Refuses what is not a finite number, and times that no calibration has.
    pub(crate) fn check(&self) -> Result<(), String> {
        let values = [
            ("start_shift_ms", self.start_shift_ms),
            ("end_shift_ms", self.end_shift_ms),
            ("confidence_slope", self.confidence_slope),
            ("confidence_offset", self.confidence_offset),
        ];
        match values.iter().find(|(_, value)| !value.is_finite()) {
            Some((name, value)) => Err(format!("{name} is {value}; it must be a finite number")),
            None => match values[..2].iter().find(|(_, ms)| ms.abs() > MOST_SHIFT_MS) {
                Some((name, ms)) => Err(format!(
                    "{name} is {ms}; it must be from -{MOST_SHIFT_MS} to {MOST_SHIFT_MS}"
                )),
                None => Ok(()),
            },
        }
    }

    fn confidence(&self, log_probs: &[f32]) -> f32 {
        let sum: f64 = log_probs.iter().map(|&p| f64::from(p)).sum();
        // Not beyond what single precision can distinguish from certainty.
        let probability = sum.exp().clamp(1e-6, 1.0 - 1e-6);
        let odds = (probability / (1.0 - probability)).ln();
        let odds = self.confidence_slope * odds + self.confidence_offset;
        (1.0 / (1.0 + (-odds).exp())) as f32
    }
}

/// The tokens of a word, as it is put together.
struct Span {
    text: String,
    first_frame: u64,
    last_frame: u64,
    log_probs: Vec<f32>,
}

/// Joins tokens into words; a token that is only the boundary belongs to none.
///
/// `time_of` gives the audio time at which an encoder frame begins.
pub(super) fn words(
    tokens: &[Token],
    table: &TokenTable,
    calibration: &WordCalibration,
    time_of: impl Fn(u64) -> Duration,
) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for span in spans(tokens, table) {
        let start = shifted(time_of(span.first_frame), calibration.start_shift_ms);
        if let Some(before) = words.last_mut() {
            // Words that overlap meet in the middle.
            if before.end > start {
                before.end = (before.end + start) / 2;
            }
        }
        let start = words.last().map_or(start, |before| start.max(before.end));
        let end = shifted(time_of(span.last_frame + 1), calibration.end_shift_ms).max(start);
        let confidence = calibration.confidence(&span.log_probs);
        let text = table.written_word(&span.text).to_owned();
        words.push(Word { text, start, end, confidence });
    }
    words
}

/// The bytes of the tokens' text that are words followed by a boundary.
pub(super) fn finished(tokens: &[Token], table: &TokenTable) -> usize {
    let begins = |token: &Token| table.token(token.id).starts_with(TokenTable::WORD_BOUNDARY);
    let last = tokens.iter().rposition(begins).unwrap_or(0);
    table.written(table.text(tokens[..last].iter().map(|token| token.id))).len()
}

/// The tokens of each word, boundaries behind it included, and the frames of its letters.
pub(super) fn ranges<'a>(
    tokens: &'a [Token],
    table: &'a TokenTable,
) -> impl Iterator<Item = (Range<usize>, RangeInclusive<u64>)> + 'a {
    let is_boundary = |token: &Token| {
        table.token(token.id).chars().all(|character| character == TokenTable::WORD_BOUNDARY)
    };
    let begins = move |index: usize| {
        let begins_word = table.token(tokens[index].id).starts_with(TokenTable::WORD_BOUNDARY);
        !is_boundary(&tokens[index])
            && (begins_word
                || index.checked_sub(1).is_none_or(|before| is_boundary(&tokens[before])))
    };
    let starts: Vec<usize> = (0..tokens.len()).filter(|&index| begins(index)).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([tokens.len()]).collect();
    starts.into_iter().zip(ends).map(move |(start, end)| {
        let last = tokens[start..end].iter().rposition(|token| !is_boundary(token)).unwrap_or(0);
        (start..end, tokens[start].frame..=tokens[start + last].frame)
    })
}

fn spans(tokens: &[Token], table: &TokenTable) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut begins = true;
    for token in tokens {
        let piece = table.token(token.id);
        let text = piece.trim_start_matches(TokenTable::WORD_BOUNDARY);
        begins |= text.len() < piece.len();
        if text.is_empty() {
            continue;
        }
        match spans.last_mut() {
            Some(span) if !begins => {
                span.text.push_str(text);
                span.last_frame = token.frame;
                span.log_probs.push(token.log_prob);
            }
            _ => spans.push(Span {
                text: text.to_owned(),
                first_frame: token.frame,
                last_frame: token.frame,
                log_probs: vec![token.log_prob],
            }),
        }
        begins = false;
    }
    spans
}

fn shifted(time: Duration, milliseconds: f64) -> Duration {
    let shift = Duration::try_from_secs_f64(milliseconds.abs() / 1e3).unwrap_or(Duration::MAX);
    if milliseconds < 0.0 { time.saturating_sub(shift) } else { time.saturating_add(shift) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::tokens::TokenId;

    const FRAME: Duration = Duration::from_millis(40);

    /// `said`: token, frame. Gives word, start and end in milliseconds.
    fn found(
        table: &str,
        calibration: &WordCalibration,
        said: &[(u32, u64)],
    ) -> Vec<(String, u128, u128)> {
        let table = TokenTable::parse(table, TokenId(0)).unwrap();
        let token = |&(id, frame)| Token { id: TokenId(id), frame, log_prob: -0.5 };
        let tokens: Vec<Token> = said.iter().map(token).collect();
        let found = words(&tokens, &table, calibration, |frame| FRAME * frame as u32);
        found.into_iter().map(|w| (w.text, w.start.as_millis(), w.end.as_millis())).collect()
    }

    const CHARACTERS: &str = "<blank>\n▁\nH\nI\nA";

    #[test]
    fn a_boundary_token_separates_words_and_belongs_to_none() {
        let said = [(1, 0), (2, 5), (3, 6), (1, 9), (4, 20), (1, 21)];
        let found = found(CHARACTERS, &WordCalibration::default(), &said);
        assert_eq!(found, [("HI".into(), 200, 280), ("A".into(), 800, 840)]);
    }

    #[test]
    fn a_token_with_a_boundary_in_front_begins_a_word() {
        let table = "<blank>\n▁the\nre\n▁is";
        let found = found(table, &WordCalibration::default(), &[(1, 1), (2, 2), (3, 4)]);
        assert_eq!(found, [("there".into(), 40, 120), ("is".into(), 160, 200)]);
    }

    #[test]
    fn times_are_shifted_and_words_that_overlap_meet_in_the_middle() {
        let calibration = WordCalibration {
            start_shift_ms: -60.0,
            end_shift_ms: 20.0,
            ..WordCalibration::default()
        };
        let said = [(4, 0), (1, 1), (2, 2), (1, 9), (4, 10)];
        let found = found(CHARACTERS, &calibration, &said);
        let expected = [("A", 0, 40), ("H", 40, 140), ("A", 340, 460)];
        assert_eq!(found, expected.map(|(word, start, end)| (word.to_owned(), start, end)));
    }

    #[test]
    fn confidence_is_the_probability_of_all_tokens_until_it_is_calibrated() {
        let mut calibration = WordCalibration::default();
        let near = |a: f32, b: f32| (a - b).abs() < 1e-5;
        assert!(near(calibration.confidence(&[-0.5, -1.0]), (-1.5f32).exp()));
        assert!(near(calibration.confidence(&[0.0]), 1.0));
        assert!(near(calibration.confidence(&[f32::NEG_INFINITY]), 0.0));
        calibration.confidence_slope = 0.0;
        calibration.confidence_offset = 0.4;
        assert!(near(calibration.confidence(&[-3.0]), 0.598_687_6));
    }

    #[test]
    fn a_word_is_finished_when_a_boundary_follows() {
        let table = TokenTable::parse(CHARACTERS, TokenId(0)).unwrap();
        let finished = |ids: &[u32]| {
            let token = |&id| Token { id: TokenId(id), frame: 0, log_prob: 0.0 };
            finished(&ids.iter().map(token).collect::<Vec<_>>(), &table)
        };
        assert_eq!(finished(&[]), 0);
        assert_eq!(finished(&[2, 3]), 0);
        assert_eq!(finished(&[1, 2, 3]), 0);
        assert_eq!(finished(&[2, 3, 1]), 2);
        assert_eq!(finished(&[2, 3, 1, 4]), 2);
        assert_eq!(finished(&[2, 3, 1, 4, 1]), 4);
    }

    #[test]
    fn no_tokens_are_no_words() {
        assert_eq!(found(CHARACTERS, &WordCalibration::default(), &[]), []);
        assert_eq!(found(CHARACTERS, &WordCalibration::default(), &[(1, 3)]), []);
    }

    #[test]
    fn a_calibration_that_is_no_number_is_refused() {
        let calibration = WordCalibration { end_shift_ms: f64::NAN, ..WordCalibration::default() };
        let reason = "end_shift_ms is NaN; it must be a finite number";
        assert_eq!(calibration.check().unwrap_err(), reason);
        let calibration = WordCalibration { end_shift_ms: 1e308, ..WordCalibration::default() };
        assert!(calibration.check().unwrap_err().ends_with("must be from -10000 to 10000"));
    }
}
