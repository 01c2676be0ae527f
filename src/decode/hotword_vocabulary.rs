//! The words that hotwords have and users add, which the language model takes for known.

use super::Hotword;
use crate::error::{Error, Result};
use crate::lexicon::speller::Speller;
use crate::lexicon::tokens::TokenTable;
use crate::lm::{PrefixTrie, TrieNode};

/// The words as a tree of their bytes.
#[derive(Clone, Debug)]
pub(super) struct HotwordVocabulary(PrefixTrie);

impl HotwordVocabulary {
    /// # Errors
    ///
    /// [`Error::Config`] for a hotword that the tokens can't spell.
    pub fn new(hotwords: &[Hotword], user_words: &[String], tokens: &TokenTable) -> Result<Self> {
        let speller = Speller::new(tokens);
        let mut words: Vec<_> = user_words.iter().map(|word| word.as_bytes().to_vec()).collect();
        for hotword in hotwords {
            let ids = speller.spell(&hotword.phrase).map_err(Error::Config)?;
            let text = tokens.text(ids);
            words.extend(text.split(' ').map(|word| word.as_bytes().to_vec()));
        }
        words.sort_unstable();
        words.dedup();
        Ok(Self(PrefixTrie::new(&words, |_| 0.0)))
    }

    /// The node of a word's beginning that is one byte longer.
    pub fn extend(&self, node: TrieNode, byte: u8) -> Option<TrieNode> {
        self.0.child(node, byte)
    }

    /// Whether it is one of the words.
    pub fn has(&self, word: &str) -> bool {
        self.0.find(word.as_bytes()).is_some_and(|node| self.has_word_at(node))
    }

    /// The words, as the tokens spell them.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.0.spelled().into_iter().filter_map(|word| String::from_utf8(word).ok())
    }

    /// Whether a word ends at the node.
    pub fn has_word_at(&self, node: TrieNode) -> bool {
        self.0.word(node).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::tokens::TokenId;

    #[test]
    fn only_whole_words_are_listed() {
        let table = TokenTable::parse("<blank>\n▁\nA\nB", TokenId(0)).unwrap();
        let listed =
            HotwordVocabulary::new(&[Hotword::new("ab ba")], &["ABB".to_owned()], &table).unwrap();
        let is_listed = |word: &str| {
            let mut bytes = word.bytes();
            let node = bytes.try_fold(TrieNode::ROOT, |node, byte| listed.extend(node, byte));
            node.is_some_and(|node| listed.has_word_at(node))
        };
        assert_eq!(["AB", "BA", "ABB"].map(is_listed), [true; 3]);
        assert_eq!(["", "A", "B", "BAB", "ABBA"].map(is_listed), [false; 5]);
    }
}
