//! Where an utterance begins and ends, and what changes between two.

use std::sync::Arc;

use super::word_graph::WordGraph;
use super::{Active, Grammar, TokenPassing};
use crate::decode::given_text::GivenText;
use crate::decode::grammar_graph::GrammarGraph;
use crate::decode::lexicon_tree::LexiconTree;
use crate::decode::{GrammarConstraint, Hotword};
use crate::error::Result;
use crate::lexicon::Lexicon;
use crate::lexicon::tokens::TokenTable;

impl TokenPassing {
    /// Begins the next utterance of the same audio: a phone that goes on is not found again.
    pub fn start_utterance(&mut self) {
        let best = *self.best().0;
        self.rejecter.start_utterance();
        self.begin(&best);
    }

    /// Begins an utterance of other audio.
    pub fn reset(&mut self) {
        self.rejecter.reset();
        self.begin(&Active::first());
    }

    /// Prefers other hotwords from the next utterance on, which is this one if none has begun.
    ///
    /// # Errors
    ///
    /// [`crate::error::Error::Config`] for one that can't be used; those before stay then.
    pub fn set_hotwords(&mut self, hotwords: &[Hotword], tokens: &TokenTable) -> Result<()> {
        let fusion = Arc::new(self.fusion.with_hotwords(hotwords, tokens)?);
        let lexicon_tree = LexiconTree::shared(&self.lexicon, &fusion, tokens)?;
        self.next.words = Some((lexicon_tree, fusion));
        self.begin_anew();
        Ok(())
    }

    /// Restricts the search to another grammar, or to none, from the next utterance on, which is this one if
    /// none has begun.
    ///
    /// # Errors
    ///
    /// [`crate::error::Error::Config`] for one that can't be used; that before stays then.
    pub fn set_grammar(
        &mut self,
        constraint: Option<&GrammarConstraint>,
        tokens: &TokenTable,
    ) -> Result<()> {
        self.next.grammar = Some(Grammar::new(constraint, &self.lexicon, tokens)?);
        self.begin_anew();
        Ok(())
    }

    /// Whether a grammar says what may be found.
    pub fn is_restricted(&self) -> bool {
        self.graph.is_grammar()
    }

    /// What scores a given text as this search would.
    pub(in crate::decode) fn given_text<'a>(&'a self, tokens: &'a TokenTable) -> GivenText<'a> {
        let (fusion, lexicon) = (&self.fusion, Some(&self.lexicon));
        GivenText { fusion, lexicon, tokens, rescores: self.rescores() }
    }

    /// Whether hotwords or a grammar wait for the next utterance.
    pub fn has_pending(&self) -> bool {
        self.next.words.is_some() || self.next.grammar.is_some()
    }

    /// Takes what counts from the next utterance on, if nothing has been found in this one.
    fn begin_anew(&mut self) {
        let best = *self.best().0;
        let has_begun = !self.is_root(best.history) || best.node != self.graph.root(best.context);
        if !has_begun {
            self.begin(&best);
        }
    }

    /// Begins with the phone of a token that ended what came before.
    fn begin(&mut self, before: &Active) {
        let next = std::mem::take(&mut self.next);
        let changes = next.words.is_some() || next.grammar.is_some();
        if let Some(words) = next.words {
            (self.lexicon_tree, self.fusion) = words;
        }
        if let Some(grammar) = next.grammar {
            self.grammar = grammar;
        }
        if changes {
            self.graph = match &self.grammar {
                Some(grammar) => WordGraph::Grammar(grammar.graph.clone()),
                None => WordGraph::of_ngrams(self.lexicon_tree.clone(), self.fusion.clone()),
            };
        }
        self.graph.clear();
        self.starts.clear();
        if self.hypotheses() > 1 {
            // A lattice makes of a long utterance megabytes.
            self.starts.shrink();
            self.histories.shrink();
            self.lattice.clear();
        }
        let (context, history) = (WordGraph::START, self.histories.begin(None));
        let score = before.any();
        self.active.clear();
        self.active.push(Active {
            context,
            node: self.graph.root(context),
            phone: before.phone,
            history,
            blank: before.blank - score,
            last: before.last - score,
            ..Active::first()
        });
        self.offset = self.graph.start_score();
    }
}

impl Grammar {
    /// # Errors
    ///
    /// [`crate::error::Error::Config`] for a threshold out of its range, and for a grammar that the tokens can't
    /// spell, that nothing pronounces, or that gets too large.
    pub(super) fn new(
        constraint: Option<&GrammarConstraint>,
        lexicon: &Lexicon,
        tokens: &TokenTable,
    ) -> Result<Option<Self>> {
        let Some(constraint) = constraint else { return Ok(None) };
        constraint.check()?;
        let graph = GrammarGraph::new(&constraint.grammar, lexicon, tokens)?;
        Ok(Some(Self { graph: Arc::new(graph), threshold: constraint.threshold }))
    }
}
