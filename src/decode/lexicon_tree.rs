//! The words that phones may be the beginning of, as a tree of their pronunciations.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::Token;
use super::fusion::Fusion;
use crate::error::{Error, Result};
use crate::lexicon::Lexicon;
use crate::lexicon::tokens::{TokenId, TokenTable};
use crate::lm::{NgramModel, PrefixTrie, TrieNode, WordId};

/// A lexicon as a tree of phones, and how the model's tokens spell their words.
#[derive(Clone, Debug)]
pub(super) struct LexiconTree {
    tree: PrefixTrie,
    /// Per pronunciation, in the tree's order, where its words begin in `words`; and at the end their
    /// number.
    first_words: Vec<u32>,
    words: Vec<LexiconWord>,
    /// Per word where its tokens begin in `letters`; and at the end their number.
    first_letters: Vec<u32>,
    /// Ids of tokens.
    letters: Vec<u16>,
    /// Per word its place in the language model, or [`NOT_IN_MODEL`].
    model_words: Vec<u32>,
    boundary: TokenId,
}

/// A [`LexiconTree`] and what it was made for: made anew by every search, a
/// tree of 100,000 words would take 50 ms, and again whenever hotwords change.
struct CachedLexiconTree {
    ngrams: Option<NgramModel>,
    tokens: TokenTable,
    lexicon_tree: Arc<LexiconTree>,
}

/// A word of a [`LexiconTree`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct LexiconWord(u32);

/// A word by one of its pronunciations: the node of the tree of phones that it ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct WordEnd {
    pub word: LexiconWord,
    pub node: TrieNode,
}

impl LexiconWord {
    #[cfg(test)]
    pub(super) fn of(number: u32) -> Self {
        Self(number)
    }

    pub(super) fn number(self) -> u32 {
        self.0
    }
}

/// Of a hotword's, and of every word where there is no language model.
const NOT_IN_MODEL: u32 = u32::MAX;

/// The tokens that are one character each, by it; those beyond 65,535 are none.
pub(super) struct Letters(Vec<(char, u16)>);

/// A word that counts, and its unigram log-probability.
#[derive(Clone, Copy)]
struct ScoredWord {
    word: LexiconWord,
    score: f32,
}

/// Pronunciations while they are gathered: tens of thousands, so not each in memory of its own.
#[derive(Default)]
struct Entries {
    phones: Vec<u8>,
    spans: Vec<Span>,
}

/// One of [`Entries`]: its phones' place, and its word.
struct Span {
    first: u32,
    end: u32,
    known: ScoredWord,
}

/// A word's letters, which share its phones' time and log-probability.
pub(super) fn spell_word(
    letters: impl ExactSizeIterator<Item = TokenId>,
    phones: &[Token],
) -> impl Iterator<Item = Token> {
    let count = letters.len();
    let log_prob: f32 = phones.iter().map(|phone| phone.log_prob).sum();
    letters.enumerate().map(move |(index, id)| {
        // The first letter with the first phone, the last with the last.
        let phone = index * phones.len().saturating_sub(1) / (count - 1).max(1);
        let frame = phones.get(phone).map_or(0, |phone| phone.frame);
        Token { id, frame, log_prob: log_prob / count as f32 }
    })
}

impl LexiconTree {
    /// Gives the one that the first search has made of these, if that is what this search needs.
    ///
    /// # Errors
    ///
    /// Those of [`LexiconTree::new`].
    pub fn shared(lexicon: &Lexicon, fusion: &Fusion, tokens: &TokenTable) -> Result<Arc<Self>> {
        let new = || Ok(Arc::new(Self::new(lexicon, fusion, tokens)?));
        if fusion.lists_unknown_words() {
            return new();
        }
        let kept = lexicon.derived::<CachedLexiconTree>();
        if let Some(kept) = kept.filter(|kept| kept.fits(fusion, tokens)) {
            return Ok(kept.lexicon_tree.clone());
        }
        let lexicon_tree = new()?;
        let (ngrams, tokens) = (fusion.ngrams().cloned(), tokens.clone());
        let kept = CachedLexiconTree { ngrams, tokens, lexicon_tree: lexicon_tree.clone() };
        lexicon.keep_derived(kept);
        Ok(lexicon_tree)
    }

    /// Takes the words that the tokens can spell and that `fusion` has a score for; those that have no
    /// pronunciation are said by rule, if there are rules.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if these are none, or if no token is the word boundary alone.
    pub fn new(lexicon: &Lexicon, fusion: &Fusion, tokens: &TokenTable) -> Result<Self> {
        let letters = Letters::new(tokens);
        let mut lexicon_tree = Self::empty(tokens)?;
        lexicon_tree.first_words.clear();
        let mut entries = Entries::default();
        // A word's pronunciations follow one another.
        let mut last: Option<(&str, Option<ScoredWord>)> = None;
        let mut pronounced_words = 0;
        for (word, said) in lexicon.iter() {
            let known = match last {
                Some((before, known)) if before == word => known,
                _ => {
                    let known = lexicon_tree.add_known_word(word, fusion, &letters);
                    pronounced_words += usize::from(known.is_some());
                    known
                }
            };
            last = Some((word, known));
            known.into_iter().for_each(|known| entries.push(said.ids(), known));
        }
        if pronounced_words < fusion.known_word_count() {
            for word in without_pronunciation(lexicon, fusion) {
                let known = lexicon_tree.add_known_word(&word, fusion, &letters);
                for phones in lexicon.guess(&word) {
                    known.into_iter().for_each(|known| entries.push(phones.iter().copied(), known));
                }
            }
        }
        if entries.spans.is_empty() {
            return Err(Error::Config(
                "the language model has none of the words that the model has lexicon for"
                    .to_owned(),
            ));
        }
        lexicon_tree.build(entries);
        lexicon_tree.first_letters.shrink_to_fit();
        lexicon_tree.letters.shrink_to_fit();
        lexicon_tree.model_words.shrink_to_fit();
        Ok(lexicon_tree)
    }

    /// One without words, for [`LexiconTree::add_word`] and [`LexiconTree::add_tree`].
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if no token is the word boundary alone.
    pub fn empty(tokens: &TokenTable) -> Result<Self> {
        let letters = Letters::new(tokens);
        let Some(boundary) = letters.id(TokenTable::WORD_BOUNDARY).map(token) else {
            return Err(Error::Config(
                "a lexicon of phones needs the word boundary as a token of its own".to_owned(),
            ));
        };
        Ok(Self {
            tree: PrefixTrie::empty(),
            first_words: vec![0],
            words: Vec::new(),
            first_letters: vec![0],
            letters: Vec::new(),
            model_words: Vec::new(),
            boundary,
        })
    }

    /// Adds a word that is in no tree yet, written by tokens of a letter each; others are left out.
    pub fn add_word(&mut self, word: &str, letters: &Letters) -> LexiconWord {
        self.letters.extend(word.chars().filter_map(|letter| letters.id(letter)));
        self.first_letters.push(self.letters.len() as u32);
        self.model_words.push(NOT_IN_MODEL);
        LexiconWord(self.first_letters.len() as u32 - 2)
    }

    /// Adds a tree of pronunciations and their words; gives its root.
    pub fn add_tree(&mut self, mut entries: Vec<(&[u8], LexiconWord)>) -> TrieNode {
        entries.sort_unstable();
        entries.dedup();
        let first = WordId(self.first_words.len() as u32 - 1);
        let mut said: Vec<&[u8]> = Vec::new();
        for alike in entries.chunk_by(|a, b| a.0 == b.0) {
            said.push(alike[0].0);
            self.words.extend(alike.iter().map(|&(_, word)| word));
            self.first_words.push(self.words.len() as u32);
        }
        self.tree.add_tree(&said, first)
    }

    /// The number of nodes of all trees.
    pub fn nodes(&self) -> usize {
        self.tree.len()
    }

    /// The phones that a word goes on with after the node, and the nodes that they lead to.
    pub fn branches(&self, node: TrieNode) -> impl Iterator<Item = (u8, TrieNode)> {
        self.tree.branches(node)
    }

    /// Whether a word goes on after the node.
    pub fn has_branches(&self, node: TrieNode) -> bool {
        self.tree.has_children(node)
    }

    /// The words that end at the node.
    pub fn words(&self, node: TrieNode) -> &[LexiconWord] {
        let Some(pronunciation) = self.tree.word(node) else { return &[] };
        let place = pronunciation.0 as usize;
        &self.words[self.first_words[place] as usize..self.first_words[place + 1] as usize]
    }

    /// The greatest unigram log-probability of the words that begin with the node.
    pub fn best_below(&self, node: TrieNode) -> f32 {
        self.tree.best(node)
    }

    /// The tokens that spell a word, without a boundary.
    pub fn letters(&self, word: LexiconWord) -> impl ExactSizeIterator<Item = TokenId> {
        let place = word.0 as usize;
        let span = self.first_letters[place] as usize..self.first_letters[place + 1] as usize;
        self.letters[span].iter().copied().map(token)
    }

    /// Which word of the language model it is, if it is one.
    pub fn model_word(&self, word: LexiconWord) -> Option<WordId> {
        let id = self.model_words[word.0 as usize];
        (id != NOT_IN_MODEL).then_some(WordId(id))
    }

    /// The token that stands between words.
    pub fn boundary(&self) -> TokenId {
        self.boundary
    }

    /// The letters of a word whose phones are at hand, and a boundary.
    pub fn spell(&self, word: LexiconWord, phones: &[Token]) -> impl Iterator<Item = Token> {
        let frame = phones.last().map_or(0, |phone| phone.frame);
        let boundary = Token { id: self.boundary(), frame, log_prob: 0.0 };
        spell_word(self.letters(word), phones).chain([boundary])
    }

    /// Adds a word that `fusion` has a score for and the tokens can spell.
    fn add_known_word(
        &mut self,
        word: &str,
        fusion: &Fusion,
        letters: &Letters,
    ) -> Option<ScoredWord> {
        let (score, id) = fusion.unigram(word)?;
        let begin = self.letters.len();
        for character in word.chars() {
            let Some(id) = letters.id(character) else {
                self.letters.truncate(begin);
                return None;
            };
            self.letters.push(id);
        }
        self.first_letters.push(self.letters.len() as u32);
        self.model_words.push(id.map_or(NOT_IN_MODEL, |id| id.0));
        Some(ScoredWord { word: LexiconWord(self.first_letters.len() as u32 - 2), score })
    }

    fn build(&mut self, entries: Entries) {
        let Entries { phones, mut spans } = entries;
        let phones = |span: &Span| &phones[span.first as usize..span.end as usize];
        spans.sort_unstable_by_key(|span| (phones(span), span.known.word));
        spans.dedup_by_key(|span| (phones(span), span.known.word));
        let (mut said, mut best) = (Vec::<&[u8]>::new(), Vec::<f32>::new());
        for span in &spans {
            let ScoredWord { word, score } = span.known;
            match best.last_mut() {
                Some(best) if said.last() == Some(&phones(span)) => *best = best.max(score),
                _ => {
                    said.push(phones(span));
                    best.push(score);
                    self.first_words.push(self.words.len() as u32);
                }
            }
            self.words.push(word);
        }
        self.first_words.push(self.words.len() as u32);
        self.first_words.shrink_to_fit();
        self.words.shrink_to_fit();
        self.tree = PrefixTrie::new(&said, |id| best[id.0 as usize]);
    }
}

impl CachedLexiconTree {
    fn fits(&self, fusion: &Fusion, tokens: &TokenTable) -> bool {
        self.ngrams.as_ref() == fusion.ngrams() && self.tokens == *tokens
    }
}

impl Entries {
    fn push(&mut self, phones: impl Iterator<Item = u8>, known: ScoredWord) {
        let first = self.phones.len() as u32;
        self.phones.extend(phones);
        self.spans.push(Span { first, end: self.phones.len() as u32, known });
    }
}

fn token(id: u16) -> TokenId {
    TokenId(u32::from(id))
}

/// The words that `fusion` has a score for and the lexicon no pronunciation, in order.
fn without_pronunciation(lexicon: &Lexicon, fusion: &Fusion) -> BTreeSet<String> {
    let said: HashSet<&str> = lexicon.iter().map(|(word, _)| word).collect();
    fusion.known_words().filter(|word| !said.contains(word.as_str())).collect()
}

impl Letters {
    pub(super) fn new(tokens: &TokenTable) -> Self {
        let single = |(id, token): (TokenId, &str)| {
            let mut characters = token.chars();
            let letter = characters.next().filter(|_| characters.next().is_none())?;
            Some((letter, u16::try_from(id.0).ok()?))
        };
        let mut letters: Vec<_> = tokens.iter().filter_map(single).collect();
        letters.sort_unstable();
        Self(letters)
    }

    fn id(&self, letter: char) -> Option<u16> {
        let place = self.0.binary_search_by_key(&letter, |&(letter, _)| letter).ok()?;
        Some(self.0[place].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Hotword;

    #[test]
    fn homophones_end_at_one_node() {
        let table = TokenTable::parse("<blank>\n▁\nA\nB\nE", TokenId(0)).unwrap();
        let text = "AB\tAB\nB\tB\nBE\tBC B\nBEE\tBC\nZ\tC";
        let lexicon = Lexicon::parse("<blank>\nAH\nB\nIY", text).unwrap();
        let fusion = Fusion::new(None, &[], Arc::default(), &table).unwrap();
        let lexicon_tree = LexiconTree::new(&lexicon, &fusion, &table).unwrap();
        let spelled = |phones: &[u32]| -> Vec<String> {
            let next = |node, &phone: &u32| {
                let mut branches = lexicon_tree.branches(node);
                branches.find(|&(label, _)| u32::from(label) == phone).map(|(_, node)| node)
            };
            let Some(node) = phones.iter().try_fold(TrieNode::ROOT, next) else {
                return vec!["nothing".to_owned()];
            };
            let text = |&word: &LexiconWord| table.text(lexicon_tree.letters(word));
            lexicon_tree.words(node).iter().map(text).collect()
        };
        assert_eq!(spelled(&[2]), ["B", "BE"]);
        assert_eq!(spelled(&[2, 3]), ["BE", "BEE"]);
        assert_eq!(spelled(&[1]), Vec::<String>::new());
        assert_eq!(spelled(&[1, 2]), ["AB"]);
        // The tokens have no Z.
        assert_eq!(spelled(&[3]), ["nothing"]);
    }
    #[test]
    fn searches_for_the_same_words_share_one() {
        let table = TokenTable::parse("<blank>\n▁\nA\nB\nE", TokenId(0)).unwrap();
        let fewer = TokenTable::parse("<blank>\n▁\nA\nB", TokenId(0)).unwrap();
        let lexicon = Lexicon::parse("<blank>\nAH\nB\nIY", "AB\tAB\nBE\tBC").unwrap();
        let shared = |hotwords: &[Hotword], tokens| {
            let fusion = Fusion::new(None, hotwords, Arc::default(), tokens).unwrap();
            LexiconTree::shared(&lexicon, &fusion, tokens).unwrap()
        };
        let first = shared(&[], &table);
        assert!(Arc::ptr_eq(&first, &shared(&[], &table)));
        let other = shared(&[], &fewer);
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!((first.words.len(), other.words.len()), (2, 1));
        // Words that only hotwords have are theirs alone.
        assert!(!Arc::ptr_eq(&first, &shared(&[Hotword::new("abba")], &table)));
        assert!(Arc::ptr_eq(&first, &shared(&[], &table)));
    }
}
