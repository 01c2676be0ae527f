//! A final hypothesis in words and tokens with times, as the formats write it.

use std::time::Duration;

use mynah::{
    FormattedWord, Model, ModelConfig, SpokenWord, TextFormatter,
    decode::{self, GrammarMatch, Hypothesis},
};
use serde::{Serialize, Serializer};

/// What is written in the place of words that are not in the grammar.
pub const SOMETHING_ELSE: &str = "[out of grammar]";

/// One hypothesis, its times in seconds of the audio when serialized.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Utterance {
    /// The text as recognized, in capitals.
    pub text: String,
    /// The text with marks, case and digits, unless it is to be raw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// Where it begins.
    #[serde(serialize_with = "seconds")]
    pub start: Duration,
    /// Where it ends.
    #[serde(serialize_with = "seconds")]
    pub end: Duration,
    /// The words as recognized.
    pub words: Vec<Word>,
    /// The words of `formatted`.
    #[serde(skip)]
    pub formatted_words: Vec<Word>,
    /// The tokens of `text`.
    pub tokens: Vec<TimedToken>,
    /// The best hypotheses, this one included; empty where only one was asked for or found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nbest: Vec<Scored>,
    /// What the grammar makes of it, where there is one.
    #[serde(flatten)]
    pub grammar: Option<Judgement>,
}

/// What a grammar makes of an utterance, and how well its likeliest phrase fits, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// Whether it is one of its phrases.
    pub outcome: Kind,
    /// How well the likeliest one fits.
    #[serde(serialize_with = "thousandths")]
    pub fit: f32,
}

/// Whether an utterance is one of the grammar's phrases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is.
    Phrase,
    /// It is not.
    OutOfGrammar,
}

/// A hypothesis's text and what it was ranked by, in natural logarithm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// The text as recognized.
    pub text: String,
    /// The natural logarithm.
    pub score: f64,
}

/// A word, when it was said, and the probability that it is right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Word {
    /// Its characters.
    pub text: String,
    /// Where it begins.
    #[serde(serialize_with = "seconds")]
    pub start: Duration,
    /// Where it ends.
    #[serde(serialize_with = "seconds")]
    pub end: Duration,
    /// The probability, from 0 to 1.
    #[serde(serialize_with = "thousandths")]
    pub confidence: f32,
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
                let start =
                    hypothesis.start + times(encoder_frame, token.frame.saturating_sub(first));
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
            formatted: None,
            start: hypothesis.start,
            end: hypothesis.end,
            words: hypothesis.words.iter().map(Word::from).collect(),
            formatted_words: Vec::new(),
            tokens,
            nbest: nbest(hypothesis),
            grammar: Judgement::of(hypothesis),
        }
    }

    /// As [`Utterance::new`], of a final, with its formatted text if there is a formatter.
    pub fn of_final(
        hypothesis: &Hypothesis,
        model: &Model,
        formatter: Option<&mut TextFormatter>,
    ) -> Self {
        let mut utterance = Self::new(hypothesis, model);
        if let Some(formatter) = formatter {
            utterance.format(formatter);
        }
        utterance
    }

    /// Adds what a reader is to see.
    pub fn format(&mut self, formatter: &mut TextFormatter) {
        let words = self.words.iter().map(|word| (word.text.as_str(), word.start..word.end));
        let pieces = formatter.words(SpokenWord::timed(words));
        self.formatted = Some(FormattedWord::join(&pieces));
        let words = pieces.iter().filter_map(|piece| Word::shown(piece, &self.words));
        self.formatted_words = words.collect();
    }

    /// The text as it is to be shown, without the line breaks that its own line brings.
    pub fn shown(&self) -> &str {
        if self.is_out_of_grammar() {
            return SOMETHING_ELSE;
        }
        let Some(text) = &self.formatted else { return &self.text };
        let text = text.strip_prefix('\n').unwrap_or(text);
        text.strip_suffix('\n').unwrap_or(text)
    }

    /// The words as they are to be shown.
    pub fn shown_words(&self) -> &[Word] {
        if self.formatted.is_some() { &self.formatted_words } else { &self.words }
    }

    fn is_out_of_grammar(&self) -> bool {
        matches!(self.grammar, Some(Judgement { outcome: Kind::OutOfGrammar, .. }))
    }
}

impl Judgement {
    /// That of a hypothesis, where there is a grammar.
    pub fn of(hypothesis: &Hypothesis) -> Option<Self> {
        match hypothesis.outcome {
            GrammarMatch::Phrase { fit } => Some(Self { outcome: Kind::Phrase, fit }),
            GrammarMatch::OutOfGrammar { fit } => Some(Self { outcome: Kind::OutOfGrammar, fit }),
            _ => None,
        }
    }
}

impl Word {
    /// Formatted text at the time of its words; none for a line break alone.
    fn shown(piece: &FormattedWord, words: &[Self]) -> Option<Self> {
        let spoken = words.get(piece.words.clone())?;
        let (first, last) = (spoken.first()?, spoken.last()?);
        let text = piece.text.trim().to_owned();
        let confidence = spoken.iter().map(|word| word.confidence).fold(1.0, f32::min);
        (!text.is_empty()).then_some(Self { text, start: first.start, end: last.end, confidence })
    }
}

fn nbest(hypothesis: &Hypothesis) -> Vec<Scored> {
    if hypothesis.alternatives.is_empty() {
        return Vec::new();
    }
    let all = std::iter::once(hypothesis).chain(&hypothesis.alternatives);
    all.map(|h| Scored { text: h.text.clone(), score: (h.score * 1e4).round() / 1e4 }).collect()
}

impl From<&decode::Word> for Word {
    fn from(word: &decode::Word) -> Self {
        Self {
            text: word.text.clone(),
            start: word.start,
            end: word.end,
            confidence: word.confidence,
        }
    }
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

/// Writes a number to three places.
fn thousandths<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((f64::from(*value) * 1e3).round() / 1e3)
}

fn times(duration: Duration, count: u64) -> Duration {
    Duration::from_nanos((duration.as_nanos() as u64).saturating_mul(count))
}
