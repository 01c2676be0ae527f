//! A final hypothesis in words and tokens with times, as the formats write it.

use std::time::Duration;

use mynah::{Model, ModelConfig, ctc::Hypothesis};
use serde::{Serialize, Serializer};

/// What a token starts with, or is, where a word begins.
const WORD_BOUNDARY: char = '▁';

/// One hypothesis, its times in seconds of the audio when serialized.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Utterance {
    pub text: String,
    #[serde(serialize_with = "seconds")]
    pub start: Duration,
    #[serde(serialize_with = "seconds")]
    pub end: Duration,
    pub words: Vec<Word>,
    pub tokens: Vec<TimedToken>,
    /// The best hypotheses, this one included; empty where only one was asked for or found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nbest: Vec<Scored>,
}

/// A hypothesis's text and what it was ranked by, in natural logarithm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    pub text: String,
    pub score: f64,
}

/// A word and when it was said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Word {
    pub text: String,
    #[serde(serialize_with = "seconds")]
    pub start: Duration,
    #[serde(serialize_with = "seconds")]
    pub end: Duration,
}

/// A token, the time of its encoder frame, and its log-probability there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimedToken {
    pub text: String,
    #[serde(serialize_with = "seconds")]
    pub start: Duration,
    #[serde(serialize_with = "seconds")]
    pub end: Duration,
    pub log_prob: f32,
}

impl Utterance {
    /// Gives each token of a hypothesis its text and time.
    pub fn new(hypothesis: &Hypothesis, model: &Model) -> Self {
        let encoder_frame = encoder_frame(model.config());
        let first = hypothesis.tokens.first().map_or(0, |token| token.frame);
        let tokens: Vec<_> = hypothesis
            .tokens
            .iter()
            .map(|token| {
                let start = hypothesis.start + times(encoder_frame, token.frame - first);
                TimedToken {
                    text: model.tokens().token(token.id).to_owned(),
                    start,
                    end: start + encoder_frame,
                    log_prob: token.log_prob,
                }
            })
            .collect();
        Self {
            text: hypothesis.text.clone(),
            start: hypothesis.start,
            end: hypothesis.end,
            words: words(&tokens),
            tokens,
            nbest: nbest(hypothesis),
        }
    }
}

fn nbest(hypothesis: &Hypothesis) -> Vec<Scored> {
    if hypothesis.alternatives.is_empty() {
        return Vec::new();
    }
    let all = std::iter::once(hypothesis).chain(&hypothesis.alternatives);
    all.map(|h| Scored { text: h.text.clone(), score: (h.score * 1e4).round() / 1e4 }).collect()
}

/// The length of one encoder frame.
fn encoder_frame(config: &ModelConfig) -> Duration {
    let samples = config.encoder_frame_samples();
    Duration::from_secs_f64(samples as f64 / f64::from(config.features.sample_rate))
}

/// Writes a duration as seconds, to the millisecond.
pub fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e3).round() / 1e3)
}

fn times(duration: Duration, count: u64) -> Duration {
    Duration::from_nanos((duration.as_nanos() as u64).saturating_mul(count))
}

/// Joins tokens into words; the boundary itself belongs to no word.
fn words(tokens: &[TimedToken]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut begins = true;
    for token in tokens {
        begins |= token.text.starts_with(WORD_BOUNDARY);
        let text = token.text.trim_start_matches(WORD_BOUNDARY);
        if text.is_empty() {
            continue;
        }
        match words.last_mut() {
            Some(word) if !begins => {
                word.text.push_str(text);
                word.end = token.end;
            }
            _ => words.push(Word { text: text.to_owned(), start: token.start, end: token.end }),
        }
        begins = false;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(40);

    fn token(text: &str, frame: u32) -> TimedToken {
        TimedToken {
            text: text.to_owned(),
            start: FRAME * frame,
            end: FRAME * (frame + 1),
            log_prob: -0.5,
        }
    }

    fn spans(tokens: &[TimedToken]) -> Vec<(String, u128, u128)> {
        let span = |w: Word| (w.text, w.start.as_millis(), w.end.as_millis());
        words(tokens).into_iter().map(span).collect()
    }

    #[test]
    fn a_boundary_token_separates_words_and_belongs_to_none() {
        let tokens = [
            token("▁", 0),
            token("H", 5),
            token("I", 6),
            token("▁", 9),
            token("A", 20),
            token("▁", 21),
        ];
        assert_eq!(spans(&tokens), [("HI".into(), 200, 280), ("A".into(), 800, 840)]);
    }

    #[test]
    fn a_token_with_a_boundary_in_front_begins_a_word() {
        let tokens = [token("▁the", 1), token("re", 2), token("▁is", 4)];
        assert_eq!(spans(&tokens), [("there".into(), 40, 120), ("is".into(), 160, 200)]);
    }

    #[test]
    fn words_keep_a_first_token_without_boundary() {
        assert_eq!(spans(&[token("A", 0)]), [("A".into(), 0, 40)]);
        assert_eq!(spans(&[]), []);
    }
}
