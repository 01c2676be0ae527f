//! A small recurrent language model over words, in a compact form.
//!
//! ```text
//! header (`compact.rs`)
//! body: words, width D, hidden H; length and text of the words, sorted, without </s> and <unk>
//!       embedding: 4-bit codes by row, row scales and output biases as bf16
//!       input 3H·D, recurrent 3H·H, projection D·H: 8-bit codes, then row scales and biases as f32
//! ```
//!
//! A gated recurrent unit (Cho et al. 2014, as PyTorch has it) over embeddings that the output shares. It was
//! trained to give normalized scores, so that a word's probability takes one product and not one a word.

mod tables;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use tables::Tables;

use crate::bounded_file;
use crate::error::{Error, Result};
use crate::lm::gru::Quantized;

/// The most bytes of a file.
const MOST_FILE_BYTES: u64 = 1 << 28;

/// A recurrent language model. Cheap to clone.
#[derive(Clone)]
pub struct RecurrentModel(Arc<Tables>);

/// What the words before make of the next.
#[derive(Clone, Debug)]
pub(crate) struct RecurrentState {
    /// Between -1 and 1.
    hidden: Box<[f32]>,
    /// What the next word's embedding is multiplied by.
    query: Box<[f32]>,
}

/// A word of a [`RecurrentModel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RecurrentWord(u32);

impl RecurrentWord {
    /// The sentence's end.
    pub const END: Self = Self(0);
    /// What stands for every word that the model does not have.
    pub const UNKNOWN: Self = Self(1);
}

impl RecurrentModel {
    /// Loads a file as `recurrent_lm.py` of the recipe writes it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file can't be read, [`Error::Model`] with what does not fit.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = bounded_file::read(path, MOST_FILE_BYTES)?;
        Self::new(Tables::read(&bytes, |bytes| Cow::Owned(bytes.to_vec())), path)
    }

    /// Takes a file from where it stays, which is not copied; `path` is for errors.
    #[cfg(builtin_model)]
    pub(crate) fn in_place(bytes: &'static [u8], path: &Path) -> Result<Self> {
        Self::new(Tables::read(bytes, Cow::Borrowed), path)
    }

    fn new(tables: Result<Tables, String>, path: &Path) -> Result<Self> {
        let tables = tables.map_err(|reason| Error::model(path, reason))?;
        log::info!("recurrent language model: {}, {} words", path.display(), tables.words());
        Ok(Self(Arc::new(tables)))
    }

    /// A word, spelled as in the file; `None` if the model does not have it.
    pub(crate) fn word(&self, word: &str) -> Option<RecurrentWord> {
        self.0.find(word)
    }

    /// The state at the start of a sentence.
    pub(crate) fn begin(&self) -> RecurrentState {
        let hidden = vec![0.0; self.0.gru.size()].into();
        self.advance(&RecurrentState { hidden, query: Box::default() }, RecurrentWord::END)
    }

    /// The natural log-probability of a word, near enough to normalized.
    pub(crate) fn score(&self, state: &RecurrentState, word: RecurrentWord) -> f32 {
        self.0.embedding.score(word, &state.query)
    }

    /// The state after a word.
    pub(crate) fn advance(&self, state: &RecurrentState, word: RecurrentWord) -> RecurrentState {
        let Tables { embedding, gru, projection, .. } = &*self.0;
        let hidden = gru.step(&gru.gates(&embedding.row(word)), &state.hidden);
        let query = projection.times(&Quantized::new(&hidden)).into();
        RecurrentState { hidden, query }
    }
}

impl PartialEq for RecurrentModel {
    /// Whether both are clones of one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for RecurrentModel {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("RecurrentModel").field("words", &self.0.words()).finish_non_exhaustive()
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<RecurrentModel>();
};

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        words: String,
        scores: Vec<f32>,
    }

    fn model() -> RecurrentModel {
        RecurrentModel::load(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words.rnn")).unwrap()
    }

    #[test]
    fn scores_are_those_of_pytorch() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words-rnn.json");
        let cases = serde_json::from_str::<Vec<Case>>(&std::fs::read_to_string(file).unwrap());
        let model = model();
        for Case { words, scores } in cases.unwrap() {
            let words = words
                .split_whitespace()
                .map(|word| model.word(word).unwrap_or(RecurrentWord::UNKNOWN));
            let mut state = model.begin();
            for (word, expected) in words.chain([RecurrentWord::END]).zip(scores) {
                let score = model.score(&state, word);
                // States are rounded to 8 bits, the expected ones are not.
                assert!((score - expected).abs() < 0.1, "{word:?}: {score} {expected}");
                state = model.advance(&state, word);
            }
        }
    }

    #[test]
    fn markup_is_no_word() {
        let model = model();
        let known = |word| model.word(word).is_some();
        assert!(["A", "AND", "CAT", "CAT'S", "WHO"].into_iter().all(known));
        assert!(!["</s>", "<unk>", "", "a", "CA", "CATS", "ZEBRA"].into_iter().any(known));
    }
}
