//! How probable a word is after those before it: n-grams with back-off, and a small recurrent model.

mod arpa;
mod binary;
mod blocks;
pub(crate) mod compact;
mod estimate;
pub(crate) mod gru;
mod gzip;
mod packed;
mod prefix_trie;
mod recurrent;
#[cfg(test)]
pub(crate) mod samples;
mod values;
pub(crate) mod word_list;

use std::fs;
use std::path::Path;
use std::sync::Arc;

pub use estimate::{Interpolation, sentences};
pub use recurrent::RecurrentModel;

pub(crate) use prefix_trie::{PrefixTrie, TrieNode};
pub(crate) use recurrent::{RecurrentState, RecurrentWord};

use packed::{PackedInts, SelectVector};
use values::Values;

use crate::bounded_file;
use crate::error::{Error, Result};

/// The most bytes of a file.
const MOST_FILE_BYTES: u64 = 1 << 32;

/// A word of an [`NgramModel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct WordId(pub(crate) u32);

/// The words before the next one, as far as an [`NgramModel`] looks back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LmState {
    /// At `k` the last `k + 1` words' place among the n-grams of that length, or [`NO_NGRAM`].
    ngrams: [u32; NgramModel::MAX_ORDER - 1],
}

/// Where the n-grams stand that go on from an [`LmState`], and what it costs to leave them, by length.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Continuations([Option<(u32, u32, f32)>; NgramModel::MAX_ORDER - 1]);

/// An n-gram language model of words. Cheap to clone; shared between threads and streams.
///
/// ```no_run
/// let model = mynah::lm::NgramModel::load("en.arpa")?;
/// assert!(model.contains("GOOD"));
/// model.save("en.lm")?; // the compact form
/// # Ok::<(), mynah::Error>(())
/// ```
#[derive(Clone)]
pub struct NgramModel(Arc<Tables>);

const NO_NGRAM: u32 = u32::MAX;
/// Those of [`Markup`].
const MARKUP_WORDS: usize = 3;

impl LmState {
    /// No words at all, not even a sentence's start.
    pub(crate) const NONE: Self = Self { ngrams: [NO_NGRAM; NgramModel::MAX_ORDER - 1] };
}

/// The n-grams as a tree: below each are those that go on with one word more.
#[derive(Debug, PartialEq)]
struct Tables {
    lexicon: PrefixTrie,
    markup: Markup,
    /// The n-grams by length, from 1.
    levels: Vec<Level>,
}

/// The words that nobody says.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Markup {
    begin: WordId,
    end: WordId,
    unknown: WordId,
}

/// All n-grams of one length, in the order of their words.
#[derive(Debug, PartialEq)]
struct Level {
    /// The last word of each; empty for unigrams, whose place is their word.
    words: PackedInts,
    log_probs: Values,
    /// Empty at the last level.
    backoffs: Values,
    /// The places in the next level; none at the last.
    children: SelectVector,
}

impl NgramModel {
    /// The most words that an n-gram may have.
    pub const MAX_ORDER: usize = 5;
    /// The most bytes that a word may have.
    pub const MAX_WORD_BYTES: usize = 255;

    /// Reads an ARPA file, or the compact form of it that [`NgramModel::save`] writes; either may be
    /// packed by gzip.
    ///
    /// An ARPA file without `<unk>`, of a closed vocabulary, gets it with the probability of its
    /// rarest word. A probability of `-inf` counts as 1e-99.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file can't be read; [`Error::Model`] with the line and what is wrong in
    /// it for ARPA text, and with what does not fit for the compact form.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::parse(&bounded_file::read(path, MOST_FILE_BYTES)?, path)
    }

    /// Takes the compact form from where it stays, which is not copied; `path` is for errors.
    #[cfg(builtin_model)]
    pub(crate) fn in_place(bytes: &'static [u8], path: &Path) -> Result<Self> {
        Self::new(binary::parse_in_place(bytes), bytes.len(), path)
    }

    /// Reads what a file has; `path` is for errors.
    fn parse(bytes: &[u8], path: &Path) -> Result<Self> {
        if gzip::is_gzip(bytes) {
            let unpacked = gzip::unpack(bytes).map_err(|reason| Error::model(path, reason))?;
            return Self::parse_unpacked(&unpacked, path);
        }
        Self::parse_unpacked(bytes, path)
    }

    fn parse_unpacked(bytes: &[u8], path: &Path) -> Result<Self> {
        let tables =
            if binary::is_binary(bytes) { binary::parse(bytes) } else { arpa::parse(bytes) };
        Self::new(tables, bytes.len(), path)
    }

    fn new(tables: Result<Tables, String>, bytes: usize, path: &Path) -> Result<Self> {
        let model = Self(Arc::new(tables.map_err(|reason| Error::model(path, reason))?));
        let counts: Vec<_> = model.counts().collect();
        log::info!("language model: {}, {bytes} bytes, n-grams {counts:?}", path.display());
        Ok(model)
    }

    /// Writes the compact form: log-probabilities and back-offs in 8 bits.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        fs::write(path, binary::bytes(&self.0)).map_err(|e| Error::io(path, e))
    }

    /// Whether the vocabulary has the word.
    pub fn contains(&self, word: &str) -> bool {
        self.word_id(word).is_some()
    }

    /// The id of a word, spelled as in the file; `None` if the model does not have it, and for
    /// `<s>`, `</s>` and `<unk>`.
    pub(crate) fn word_id(&self, word: &str) -> Option<WordId> {
        let lexicon = &self.0.lexicon;
        self.word_at(lexicon.find(word.as_bytes())?)
    }

    /// What stands for every word that the model does not have, `<unk>`.
    pub(crate) fn unknown(&self) -> WordId {
        self.0.markup.unknown
    }

    /// The state at the start of a sentence.
    pub(crate) fn begin(&self) -> LmState {
        let mut state = LmState::NONE;
        state.ngrams[0] = self.0.markup.begin.0;
        state
    }

    /// The natural log-probability of a word, and the state after it.
    pub(crate) fn score(&self, state: &LmState, word: WordId) -> (f32, LmState) {
        self.score_after(&self.continuations(state), word)
    }

    /// What may follow a state, for [`NgramModel::score_after`].
    pub(crate) fn continuations(&self, state: &LmState) -> Continuations {
        let levels = &self.0.levels;
        let mut found = Continuations::default();
        let levels = &levels[..levels.len() - 1];
        for (level, (span, &ngram)) in levels.iter().zip(found.0.iter_mut().zip(&state.ngrams)) {
            if ngram != NO_NGRAM {
                let (start, end) = level.children.get(ngram as usize);
                let backoff = level.backoffs.get(ngram as usize);
                *span = Some((start as u32, end as u32, backoff));
            }
        }
        found
    }

    /// As [`NgramModel::score`], for the state whose continuations these are.
    pub(crate) fn score_after(&self, found: &Continuations, word: WordId) -> (f32, LmState) {
        let levels = &self.0.levels;
        let mut log_prob = levels[0].log_probs.get(word.0 as usize);
        let mut next = LmState::NONE;
        next.ngrams[0] = word.0;
        for (k, (longer, span)) in levels[1..].iter().zip(&found.0).enumerate() {
            let &Some((start, end, backoff)) = span else { continue };
            match longer.words.find(start as usize, end as usize, word.0) {
                Some(place) => {
                    log_prob = longer.log_probs.get(place);
                    // Nothing follows the longest: without them in it, more histories share a state.
                    if let Some(ngram) = next.ngrams.get_mut(k + 1).filter(|_| k + 2 < levels.len())
                    {
                        *ngram = place as u32;
                    }
                }
                None => log_prob += backoff,
            }
        }
        (log_prob, next)
    }

    /// The natural log-probability of the sentence's end.
    pub(crate) fn end(&self, state: &LmState) -> f32 {
        self.score(state, self.0.markup.end).0
    }

    /// How many words are spelled with `known` bytes, and how many words there are.
    pub(crate) fn count_spelled(&self, known: &[bool; 256]) -> (usize, usize) {
        let words = self.0.lexicon.spelled();
        let is_spelled = |word: &&Vec<u8>| word.iter().all(|&byte| known[usize::from(byte)]);
        (words.iter().filter(is_spelled).count(), words.len().saturating_sub(MARKUP_WORDS))
    }

    /// The number of words, without `<s>`, `</s>` and `<unk>`.
    pub(crate) fn word_count(&self) -> usize {
        self.0.levels[0].log_probs.len().saturating_sub(MARKUP_WORDS)
    }

    /// The words, without `<s>`, `</s>` and `<unk>`.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> {
        let words = (0..).map(WordId).zip(self.0.lexicon.spelled());
        let spoken = words.filter(|(id, _)| !self.0.markup.contains(*id));
        spoken.filter_map(|(_, word)| String::from_utf8(word).ok())
    }

    /// The number of n-grams of each length, from 1.
    pub fn counts(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.levels.iter().map(|level| level.log_probs.len())
    }

    /// The node of a word's beginning that is one byte longer.
    pub(crate) fn extend(&self, node: TrieNode, byte: u8) -> Option<TrieNode> {
        self.0.lexicon.child(node, byte)
    }

    /// The word that ends at the node.
    pub(crate) fn word_at(&self, node: TrieNode) -> Option<WordId> {
        self.0.lexicon.word(node).filter(|&word| !self.0.markup.contains(word))
    }

    /// The greatest unigram log-probability of the words that begin with the node.
    pub(crate) fn best_below(&self, node: TrieNode) -> f32 {
        self.0.lexicon.best(node)
    }

    /// The unigram log-probability of `<unk>`.
    pub(crate) fn unknown_unigram(&self) -> f32 {
        self.0.levels[0].log_probs.get(self.unknown().0 as usize)
    }
}

impl Tables {
    /// The words of all n-grams of a length, in their order.
    fn ngrams(&self, length: usize) -> Vec<Vec<u32>> {
        let Some(longer) = self.levels.get(1..length) else { return Vec::new() };
        let mut ngrams: Vec<_> =
            (0..self.levels[0].log_probs.len() as u32).map(|w| vec![w]).collect();
        for (level, longer) in self.levels.iter().zip(longer) {
            let grown = ngrams.iter().enumerate().flat_map(|(place, words)| {
                let (start, end) = level.children.get(place);
                (start..end).map(|place| [words.as_slice(), &[longer.words.get(place)]].concat())
            });
            ngrams = grown.collect();
        }
        ngrams
    }
}

impl Markup {
    fn contains(self, word: WordId) -> bool {
        [self.begin, self.end, self.unknown].contains(&word)
    }
}

impl PartialEq for NgramModel {
    /// Whether both are clones of one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for NgramModel {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let counts: Vec<_> = self.counts().collect();
        f.debug_struct("NgramModel").field("counts", &counts).finish_non_exhaustive()
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<NgramModel>();
};

#[cfg(test)]
mod tests {
    use super::samples::{self, Oracle};

    #[test]
    fn scores_are_those_of_the_definition() {
        let (model, oracle) = (samples::model(), Oracle::new());
        let words = ["A", "B", "AB", "BA", "<unk>"];
        for number in 0..5usize.pow(4) {
            let mut state = model.begin();
            let mut history = vec!["<s>"];
            for position in 0..4 {
                let word = words[number / 5usize.pow(position) % 5];
                history.push(word);
                let id = model.word_id(word).unwrap_or(model.unknown());
                let (log_prob, next) = model.score(&state, id);
                let expected = oracle.log_prob(&history);
                assert!((f64::from(log_prob) - expected).abs() < 1e-5, "{history:?}");
                state = next;
            }
            history.push("</s>");
            assert!((f64::from(model.end(&state)) - oracle.log_prob(&history)).abs() < 1e-5);
        }
        assert_eq!(model.counts().collect::<Vec<_>>(), [7, 6, 3]);
    }

    #[test]
    fn markup_is_no_word() {
        let model = samples::model();
        for word in ["<s>", "</s>", "<unk>", "", "C", "ABA"] {
            assert_eq!(model.word_id(word), None, "{word}");
        }
    }
}
