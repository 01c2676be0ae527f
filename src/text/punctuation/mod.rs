//! Punctuation restoration and truecasing: a small recurrent tagger of words.
//!
//! Two bidirectional gated recurrent units read an utterance's words and the pauses between them, and
//! give each word the mark that follows it and its case. `punctuation.py` of the recipe trains it, and
//! `punctuation_file.py` describes the file.

mod pause;
mod tables;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

pub(crate) use pause::Pause;
use tables::{Directed, Layer, OUTPUTS, Tables};

use crate::bounded_file;
use crate::error::{Error, Result};
use crate::lm::gru::Quantized;

/// The most bytes of a file.
const MOST_FILE_BYTES: u64 = 1 << 28;

/// A model of marks and case for [`TextFormatter`](crate::text::itn::TextFormatter). Cheap to clone; shared between
/// threads and streams.
#[derive(Clone)]
pub struct PunctuationModel(Arc<Tables>);

/// A mark that the model gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Punctuation {
    Comma,
    FullStop,
    Question,
}

/// How the letters of a word are written where no sentence begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    /// The first letter, or as the list of forms has it.
    Capital,
    Upper,
}

/// What the model makes of a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tag {
    /// Logits: no mark, comma, full stop, question mark; lower, capital, upper; is a spoken mark.
    outputs: [f32; OUTPUTS],
}

const MARKS: [Option<Punctuation>; 4] =
    [None, Some(Punctuation::Comma), Some(Punctuation::FullStop), Some(Punctuation::Question)];
const CASES: [Case; 3] = [Case::Lower, Case::Capital, Case::Upper];

impl PunctuationModel {
    /// Loads a file as `punctuation.py` of the recipe writes it.
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
        log::info!("punctuation model: {}, {} words", path.display(), tables.words.len());
        Ok(Self(Arc::new(tables)))
    }

    /// Tags words in lower case, each with the pause after it.
    pub(crate) fn tag(&self, words: &[(&str, Pause)]) -> Vec<Tag> {
        let Tables { embedding, layers: [first, second], output, .. } = &*self.0;
        let pauses: Vec<_> = words.iter().map(|&(_, pause)| pause).collect();
        let inputs = words.iter().map(|&(word, _)| embedding.row(self.0.row(word)));
        let states = first.states(&inputs.collect::<Vec<_>>(), &pauses);
        let states = second.states(&states, &pauses);
        states.iter().map(|state| Tag::new(&output.times(state))).collect()
    }

    /// How a word of mixed case is written: `iPhone` for `iphone`.
    pub(crate) fn form(&self, word: &str) -> Option<&str> {
        self.0.form(word)
    }
}

impl Layer {
    /// The states of both directions side by side, a vector for each word.
    fn states(&self, inputs: &[Quantized], pauses: &[Pause]) -> Vec<Quantized> {
        let words = || inputs.iter().zip(pauses.iter().copied());
        let forward = self.forward.states(words());
        let mut backward = self.backward.states(words().rev());
        backward.reverse();
        let both = forward.into_iter().zip(backward);
        both.map(|(forward, backward)| Quantized::new(&[forward, backward].concat())).collect()
    }
}

impl Directed {
    /// The state after each of the words.
    fn states<'a>(&self, words: impl Iterator<Item = (&'a Quantized, Pause)>) -> Vec<Box<[f32]>> {
        let mut state: Box<[f32]> = vec![0.0; self.gru.size()].into();
        let step = |(input, pause): (&Quantized, Pause)| {
            let mut gates = self.gru.gates(input);
            if let Some(pauses) = &self.pauses {
                let added = &pauses[pause as usize * gates.len()..];
                gates.iter_mut().zip(added).for_each(|(gate, added)| *gate += added);
            }
            state = self.gru.step(&gates, &state);
            state.clone()
        };
        words.map(step).collect()
    }
}

impl Tag {
    fn new(outputs: &[f32]) -> Self {
        let mut tag = Self { outputs: [0.0; OUTPUTS] };
        tag.outputs.copy_from_slice(outputs);
        tag
    }

    /// The likeliest mark after the word.
    pub fn mark(&self) -> Option<Punctuation> {
        MARKS[likeliest(&self.outputs[..MARKS.len()])]
    }

    /// The likeliest case of the word.
    pub fn case(&self) -> Case {
        CASES[likeliest(self.cases())]
    }

    /// How probable that case is.
    pub fn case_probability(&self) -> f32 {
        let cases = self.cases();
        let best = cases[likeliest(cases)];
        1.0 / cases.iter().map(|case| (case - best).exp()).sum::<f32>()
    }

    /// Whether the word is a mark that was spoken rather than a noun, if it can be either.
    pub fn is_spoken_mark(&self) -> bool {
        self.outputs[OUTPUTS - 1] > 0.0
    }

    fn cases(&self) -> &[f32] {
        &self.outputs[MARKS.len()..][..CASES.len()]
    }
}

fn likeliest(logits: &[f32]) -> usize {
    let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(index, _)| index)
}

impl PartialEq for PunctuationModel {
    /// Whether both are clones of one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for PunctuationModel {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let words = self.0.words.len();
        f.debug_struct("PunctuationModel").field("words", &words).finish_non_exhaustive()
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<PunctuationModel>();
};

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        words: String,
        gaps: Vec<usize>,
        outputs: Vec<[f32; OUTPUTS]>,
    }

    const PAUSES: [Pause; Pause::COUNT] =
        [Pause::Unknown, Pause::None, Pause::Short, Pause::Long, Pause::End];

    fn data(file: &str) -> std::path::PathBuf {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")).join(file)
    }

    #[test]
    fn outputs_are_those_of_pytorch() {
        let cases = std::fs::read_to_string(data("punctuation.json")).unwrap();
        let model = PunctuationModel::load(data("punctuation.bin")).unwrap();
        for Case { words, gaps, outputs } in serde_json::from_str::<Vec<Case>>(&cases).unwrap() {
            let pauses = gaps.iter().map(|&gap| PAUSES[gap]);
            let tags = model.tag(&words.split(' ').zip(pauses).collect::<Vec<_>>());
            assert_eq!(tags.len(), outputs.len());
            for (tag, expected) in tags.iter().zip(outputs) {
                for (output, expected) in tag.outputs.iter().zip(expected) {
                    // States are rounded to 8 bits, the expected ones are not.
                    assert!((output - expected).abs() < 0.1, "{words}: {output} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_word_of_mixed_case_has_its_form() {
        let model = PunctuationModel::load(data("punctuation.bin")).unwrap();
        let forms = ["iphone", "mcgee", "cat", ""].map(|word| model.form(word));
        assert_eq!(forms, [Some("iPhone"), Some("McGee"), None, None]);
    }

    #[test]
    fn any_words_have_tags() {
        let model = PunctuationModel::load(data("punctuation.bin")).unwrap();
        assert_eq!(model.tag(&[]), []);
        assert_eq!(model.tag(&[("", Pause::End), ("é\u{301}", Pause::Long)]).len(), 2);
    }
}
