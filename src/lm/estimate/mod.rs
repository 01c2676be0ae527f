//! Word n-grams from text, and the interpolation of two models, without another tool.

mod counts;
mod interpolation;
mod kneser_ney;
mod text;

use std::collections::HashMap;

pub use interpolation::Interpolation;
pub use text::sentences;

use super::arpa::{self, Section};
use super::{NgramModel, Tables};
use crate::error::{Error, Result};

use counts::Counts;

/// An n-gram model on its way to tables: words in ascending order, and per order the n-grams in the order of
/// their words.
pub(super) struct Ngrams {
    pub words: Vec<String>,
    pub levels: Vec<Vec<Ngram>>,
}

/// An n-gram with its natural log-probability and back-off.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ngram {
    pub words: Box<[u32]>,
    pub log_prob: f64,
    pub backoff: f64,
}

/// What a sentence's start gets, as which nothing is predicted.
pub(super) const IMPOSSIBLE: f64 = -99.0 * std::f64::consts::LN_10;

impl NgramModel {
    /// Estimates a model of sentences, each in words separated by white space, with interpolated modified
    /// Kneser-Ney smoothing (Chen and Goodman 1998); all n-grams are kept.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the order is not from 2 to [`NgramModel::MAX_ORDER`], there is no word, or a
    /// word is longer than [`NgramModel::MAX_WORD_BYTES`] or is `<s>`, `</s>` or `<unk>`.
    pub fn estimate<'a>(
        sentences: impl IntoIterator<Item = &'a str>,
        order: usize,
    ) -> Result<Self> {
        if !(2..=Self::MAX_ORDER).contains(&order) {
            let max = Self::MAX_ORDER;
            return Err(Error::Config(format!("n-grams of order {order}; 2 to {max} can be had")));
        }
        let counts = Counts::of(sentences, order).map_err(Error::Config)?;
        kneser_ney::estimate(&counts).into_model()
    }
}

impl Ngrams {
    pub fn into_model(self) -> Result<NgramModel> {
        let ids: HashMap<&str, u32> = self.words.iter().map(String::as_str).zip(0..).collect();
        let sections = self.levels.iter().map(|level| Section {
            words: level.iter().flat_map(|ngram| ngram.words.iter().copied()).collect(),
            log_probs: level.iter().map(|ngram| ngram.log_prob as f32).collect(),
            backoffs: level.iter().map(|ngram| ngram.backoff as f32).collect(),
            lines: (0..level.len() as u32).collect(),
        });
        let tables: std::result::Result<Tables, String> = arpa::assemble(sections.collect(), &ids);
        Ok(NgramModel(tables.map_err(Error::Config)?.into()))
    }
}
