//! What a search is made of.

use std::sync::Arc;

use super::{GrammarConstraint, Hotword, LmFusion};
use crate::error::{Error, Result};
use crate::lexicon::Lexicon;

/// How wide a search is, and what else than the encoder counts: token passing through the phones of words
/// where there are pronunciations, else prefix beam search through the model's tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct PrefixBeamConfig {
    /// The hypotheses that are kept from one encoder frame to the next; at least 1.
    pub beam: usize,
    /// Tokens, or phones, whose natural log-probability in a frame is less are not begun there. Tokens that
    /// spell a hotword may have up to 3 less. Without effect where there is a grammar.
    pub token_threshold: f32,
    /// Hypotheses whose score is less than the best one's by more than this are dropped; at least 0.
    /// Not below 40 where there is a grammar.
    pub score_margin: f32,
    /// The hypotheses of a final, the best included. Of a search through phones no more than 1,000, those
    /// whose score is less than the best one's by no more than 8.
    pub nbest: usize,
    /// Tokens that began more encoder frames ago than this change no more: hypotheses that have others
    /// there than the best one are dropped. The less, the sooner text is stable and the less what
    /// is said later can correct it. Without it nothing is dropped for its age. Without effect where
    /// there is a grammar: an utterance may still turn out to be out of it.
    pub max_unstable_frames: Option<u64>,
    /// What words score; without it the encoder alone decides.
    pub language_model: Option<LmFusion>,
    /// Phrases that are likely to be said.
    pub hotwords: Arc<[Hotword]>,
    /// What alone may be said; without it everything.
    pub constraint: Option<GrammarConstraint>,
    /// How words are said, for a model whose encoder gives phones beside its tokens. The search then goes
    /// through the phones of words that the lexicon and the language model have, or of a grammar's words.
    pub lexicon: Option<Lexicon>,
}

impl Default for PrefixBeamConfig {
    fn default() -> Self {
        Self {
            beam: 64,
            token_threshold: -5.0,
            score_margin: 12.0,
            nbest: 1,
            max_unstable_frames: None,
            language_model: None,
            hotwords: Arc::default(),
            constraint: None,
            lexicon: None,
        }
    }
}

/// What bounds a search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub beam: usize,
    pub token_threshold: f32,
    pub score_margin: f32,
    pub max_unstable_frames: Option<u64>,
    pub nbest: usize,
}

/// The widest beam of a search whose finals another one finds: what is left to it is partial results.
/// Tuned with `en-small`.
const PARTIAL_BEAM: usize = 1000;
const PARTIAL_MARGIN: f32 = 12.0;
const PARTIAL_THRESHOLD: f32 = -7.0;

impl Limits {
    /// Those of a search for partial results alone.
    pub fn of_partials(self) -> Self {
        Self {
            beam: self.beam.min(PARTIAL_BEAM),
            token_threshold: self.token_threshold.max(PARTIAL_THRESHOLD),
            score_margin: self.score_margin.min(PARTIAL_MARGIN),
            nbest: 1,
            ..self
        }
    }

    /// # Errors
    ///
    /// [`Error::Config`] for a value out of its range.
    pub fn new(config: &PrefixBeamConfig) -> Result<Self> {
        let &PrefixBeamConfig { beam, token_threshold, score_margin, nbest, .. } = config;
        if beam == 0 {
            return Err(Error::Config("a beam of 0 prefixes; it must be at least 1".to_owned()));
        }
        if token_threshold.is_nan() {
            return Err(Error::Config("a token threshold that is not a number".to_owned()));
        }
        if score_margin.is_nan() || score_margin < 0.0 {
            return Err(Error::Config(format!(
                "a score margin of {score_margin}; it must be at least 0"
            )));
        }
        let max_unstable_frames = config.max_unstable_frames;
        Ok(Self { beam, token_threshold, score_margin, max_unstable_frames, nbest })
    }
}
