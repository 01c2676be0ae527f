//! The graph that tokens pass through: words as arcs between contexts, each a path of phones.
//!
//! A state is a context and a node of a tree of phones. An arc of the tree consumes a phone; where a
//! pronunciation ends, an arc with the word's score leads to the root of the next context's tree.

use std::sync::Arc as Shared;

use super::contexts::NgramContexts;
use crate::decode::fusion::Fusion;
use crate::decode::grammar_graph::GrammarGraph;
use crate::decode::lexicon_tree::{LexiconTree, WordEnd};
use crate::lm::TrieNode;

/// What the words before decide: which words may follow, and how they score.
pub(super) type Context = u32;

/// A word's arc.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arc {
    pub to: Context,
    pub score: f32,
}

/// Contexts, trees of phones and arcs of words.
#[derive(Clone, Debug)]
pub(super) enum WordGraph {
    /// All words of the lexicon in every context, scored by an n-gram model and hotwords.
    Ngrams {
        lexicon_tree: Shared<LexiconTree>,
        fusion: Shared<Fusion>,
        contexts: Box<NgramContexts>,
    },
    /// The words of a grammar.
    Grammar(Shared<GrammarGraph>),
}

impl WordGraph {
    /// The context of the first word.
    pub const START: Context = 0;

    pub fn of_ngrams(lexicon_tree: Shared<LexiconTree>, fusion: Shared<Fusion>) -> Self {
        let contexts = Box::new(NgramContexts::new(fusion.clone()));
        Self::Ngrams { lexicon_tree, fusion, contexts }
    }

    /// Trees, words and their spelling.
    pub fn lexicon_tree(&self) -> &LexiconTree {
        match self {
            Self::Ngrams { lexicon_tree, .. } => lexicon_tree,
            Self::Grammar(graph) => graph.lexicon_tree(),
        }
    }

    /// The same, shared.
    pub fn shared_pronouncer(&self) -> Shared<LexiconTree> {
        match self {
            Self::Ngrams { lexicon_tree, .. } => lexicon_tree.clone(),
            Self::Grammar(graph) => graph.lexicon_tree().clone(),
        }
    }

    pub fn is_grammar(&self) -> bool {
        matches!(self, Self::Grammar(_))
    }

    /// The root of a context's tree.
    pub fn root(&self, context: Context) -> TrieNode {
        match self {
            Self::Ngrams { .. } => TrieNode::ROOT,
            Self::Grammar(graph) => graph.root(context),
        }
    }

    /// The score that the next word is assumed to add before it begins.
    pub fn root_lookahead(&self) -> f32 {
        match self {
            Self::Ngrams { fusion, .. } => fusion.root_lookahead(),
            Self::Grammar(_) => 0.0,
        }
    }

    /// The score that a word is assumed to add before its end is reached, at a node below a root.
    pub fn lookahead(&self, node: TrieNode) -> f32 {
        match self {
            Self::Ngrams { lexicon_tree, fusion, .. } => {
                fusion.lookahead(lexicon_tree.best_below(node))
            }
            Self::Grammar(_) => 0.0,
        }
    }

    /// The arc of a word that ends in the context's tree.
    pub fn follow(&mut self, context: Context, said: WordEnd) -> Option<Arc> {
        match self {
            Self::Ngrams { lexicon_tree, contexts, .. } => {
                Some(contexts.follow(context, said, lexicon_tree))
            }
            Self::Grammar(graph) => {
                graph.follow(context, said.word).map(|to| Arc { to, score: 0.0 })
            }
        }
    }

    /// What a hypothesis scores more that ends in the context, if it may end there.
    pub fn final_score(&self, context: Context) -> Option<f64> {
        match self {
            Self::Ngrams { contexts, .. } => Some(contexts.final_score(context)),
            Self::Grammar(graph) => graph.is_final(context).then_some(0.0),
        }
    }

    /// What a hypothesis without words scores while it may go on.
    pub fn start_score(&self) -> f64 {
        match self {
            Self::Ngrams { contexts, .. } => contexts.start_score(),
            Self::Grammar(_) => 0.0,
        }
    }

    /// Forgets the contexts of an utterance.
    pub fn clear(&mut self) {
        if let Self::Ngrams { contexts, .. } = self {
            contexts.clear();
        }
    }

    /// Forgets contexts that are not used, if there are many, and renumbers those that are.
    pub fn forget_unused<'a>(&mut self, used: impl Iterator<Item = &'a mut Context>) {
        if let Self::Ngrams { contexts, .. } = self
            && contexts.len() > NgramContexts::LEAST_GC_THRESHOLD
        {
            contexts.keep(used);
        }
    }

    #[cfg(test)]
    pub fn follow_all(&mut self) {
        if let Self::Ngrams { contexts, .. } = self {
            contexts.follow_all();
        }
    }
}
