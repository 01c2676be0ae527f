//! How often a text has each n-gram.

use std::collections::{BTreeMap, BTreeSet};

use super::super::NgramModel;

pub const BEGIN: &str = "<s>";
pub const END: &str = "</s>";
pub const UNKNOWN: &str = "<unk>";

/// The counts that Kneser-Ney smoothing asks for: of the highest order how often each n-gram is there; of the
/// lower ones after how many different words, but for those that begin a sentence.
pub struct Counts {
    /// In ascending order, markup among them.
    pub words: Vec<String>,
    /// Per order, by the n-gram's words.
    pub levels: Vec<BTreeMap<Vec<u32>, u64>>,
}

impl Counts {
    pub fn of<'a>(
        sentences: impl IntoIterator<Item = &'a str>,
        order: usize,
    ) -> Result<Self, String> {
        let sentences: Vec<Vec<&str>> =
            sentences.into_iter().map(|s| s.split_whitespace().collect()).collect();
        let spoken: BTreeSet<&str> = sentences.iter().flatten().copied().collect();
        if spoken.is_empty() {
            return Err("the text has no words".to_owned());
        }
        for word in &spoken {
            if [BEGIN, END, UNKNOWN].contains(word) {
                return Err(format!("{word:?} is among the words; it is a language model's own"));
            }
            if word.len() > NgramModel::MAX_WORD_BYTES {
                let max = NgramModel::MAX_WORD_BYTES;
                return Err(format!("a word of {} bytes; at most {max} are taken", word.len()));
            }
        }
        let words: BTreeSet<&str> = spoken.into_iter().chain([BEGIN, END, UNKNOWN]).collect();
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        let id = |word: &str| words.partition_point(|w| w.as_str() < word) as u32;
        let begin = id(BEGIN);
        let mut highest = BTreeMap::new();
        // Of lower orders those n-grams that begin a sentence, which no word stands before.
        let mut at_start = vec![BTreeMap::new(); order - 1];
        for sentence in sentences.iter().filter(|sentence| !sentence.is_empty()) {
            let words = [BEGIN].iter().chain(sentence).chain(&[END]);
            let ids: Vec<u32> = words.map(|word| id(word)).collect();
            for ngram in ids.windows(order) {
                *highest.entry(ngram.to_vec()).or_insert(0) += 1;
            }
            for (length, level) in (1..).zip(&mut at_start) {
                if let Some(ngram) = ids.get(..length) {
                    *level.entry(ngram.to_vec()).or_insert(0) += 1;
                }
            }
        }
        let mut levels = vec![highest];
        for mut level in at_start.into_iter().rev() {
            // A sentence shorter than the order has no n-gram above that would count its end.
            let above = levels.last().into_iter().flat_map(BTreeMap::keys);
            for ngram in above.map(|ngram| &ngram[1..]) {
                *level.entry(ngram.to_vec()).or_insert(0) += 1;
            }
            levels.push(level);
        }
        levels.reverse();
        // Nothing predicts a sentence's start.
        levels[0].remove(&vec![begin]);
        Ok(Self { words, levels })
    }

    pub fn id(&self, word: &str) -> u32 {
        self.words.partition_point(|w| w.as_str() < word) as u32
    }
}
