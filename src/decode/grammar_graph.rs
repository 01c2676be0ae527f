//! A grammar as phones: at each state the words that may follow as a tree of their pronunciations.

use std::collections::HashSet;
use std::sync::Arc;

use super::lexicon_tree::{Letters, LexiconTree, LexiconWord};
use crate::error::{Error, Result};
use crate::grammar::Grammar;
use crate::grammar::{GrammarWord, WordGraph, WordState};
use crate::lexicon::Lexicon;
use crate::lexicon::speller::Speller;
use crate::lexicon::tokens::TokenTable;
use crate::lm::TrieNode;

/// The nodes that the trees may have in all: some 100 MB.
const MOST_NODES: usize = 4_000_000;

/// States, the trees of phones of the words that may follow each, and where these lead to.
#[derive(Debug)]
pub(super) struct GrammarGraph {
    lexicon_tree: Arc<LexiconTree>,
    states: Vec<State>,
}

#[derive(Debug)]
struct State {
    root: TrieNode,
    is_final: bool,
    /// By word.
    arcs: Vec<(LexiconWord, u32)>,
}

impl GrammarGraph {
    /// # Errors
    ///
    /// [`Error::Config`] with the place of a word that the tokens can't spell or that nothing pronounces, and
    /// for a grammar that gets too large.
    pub fn new(grammar: &Grammar, lexicon: &Lexicon, tokens: &TokenTable) -> Result<Self> {
        let WordGraph { words, states } = grammar.word_graph()?;
        let speller = Speller::new(tokens);
        let letters = Letters::new(tokens);
        let mut lexicon_tree = LexiconTree::empty(tokens)?;
        let mut entries = Vec::with_capacity(words.len());
        for word in &words {
            let said = pronounce(word, &speller, lexicon, tokens)?;
            entries.push((lexicon_tree.add_word(&said.spelling, &letters), said.phones));
        }
        let mut graph = Vec::with_capacity(states.len());
        for WordState { is_final, arcs } in states {
            let words = arcs.iter().flat_map(|&(word, _)| {
                let (word, phones) = &entries[word as usize];
                phones.iter().map(|phones| (phones.as_slice(), *word))
            });
            let root = lexicon_tree.add_tree(words.collect());
            if lexicon_tree.nodes() > MOST_NODES {
                return Err(Error::Config(format!(
                    "the grammar takes more than {MOST_NODES} states of phones; make it smaller, or use several \
                     for different situations"
                )));
            }
            let mut arcs: Vec<_> =
                arcs.iter().map(|&(word, to)| (entries[word as usize].0, to)).collect();
            arcs.sort_unstable();
            graph.push(State { root, is_final, arcs });
        }
        Ok(Self { lexicon_tree: Arc::new(lexicon_tree), states: graph })
    }

    /// The trees, and how words are spelled.
    pub fn lexicon_tree(&self) -> &Arc<LexiconTree> {
        &self.lexicon_tree
    }

    /// The root of the tree of the words that may follow a state.
    pub fn root(&self, state: u32) -> TrieNode {
        self.states[state as usize].root
    }

    /// Whether a phrase may end at a state.
    pub fn is_final(&self, state: u32) -> bool {
        self.states[state as usize].is_final
    }

    /// The state a word on.
    pub fn follow(&self, state: u32, word: LexiconWord) -> Option<u32> {
        let arcs = &self.states[state as usize].arcs;
        let place = arcs.binary_search_by_key(&word, |&(word, _)| word).ok()?;
        Some(arcs[place].1)
    }
}

/// How a word is written and said.
struct Said {
    spelling: String,
    phones: Vec<Vec<u8>>,
}

fn pronounce(
    word: &GrammarWord,
    speller: &Speller,
    lexicon: &Lexicon,
    tokens: &TokenTable,
) -> Result<Said> {
    let GrammarWord { text, place } = word;
    let failed = |reason: &str| Error::Config(format!("{place}: word {text:?}: {reason}"));
    let ids = speller.spell(text).map_err(|reason| failed(&reason))?;
    let spelling = tokens.text(ids);
    let mut seen = HashSet::new();
    let mut phones = lexicon.of_word(&spelling);
    phones.retain(|phones| !phones.is_empty() && seen.insert(phones.clone()));
    if phones.is_empty() {
        return Err(failed(
            "the lexicon lacks it and no rule pronounces it; add it to the user's words",
        ));
    }
    Ok(Said { spelling, phones })
}
