//! What a search has found.

use super::{Active, TokenPassing};
use crate::decode::arena::{Arena, NodeId};
use crate::decode::lattice::{FinalState, before_word};
use crate::decode::lexicon_tree::WordEnd;
use crate::decode::path_scores::{TokenStart, log_add};
use crate::decode::prefix_tree::Prefix;
use crate::decode::{GrammarMatch, Path, Token};
use crate::lexicon::tokens::TokenId;

/// As many texts are looked for in a lattice at most: each takes memory at every word.
const MOST_HYPOTHESES: usize = 1000;

impl TokenPassing {
    /// The finished words of the best token.
    pub fn partial(&self) -> Path {
        let (token, score) = self.best();
        self.path_of(token, score, self.common())
    }

    /// Whether the best token so far has no finished word, and nothing outside a grammar was found.
    pub fn is_empty(&self) -> bool {
        self.is_root(self.best().0.history)
            && (!self.graph.is_grammar() || self.rejecter.is_empty())
    }

    /// What may be an utterance that ends here, the best first; never none. No words, which stand for
    /// silence, always may.
    pub fn finals(&self) -> Vec<Path> {
        self.n_best(self.hypotheses())
    }

    /// As [`TokenPassing::finals`], but for no more than `most` hypotheses.
    pub fn n_best(&self, most: usize) -> Vec<Path> {
        let count = most.min(self.hypotheses());
        let none = Arena::<Prefix<WordEnd>>::NONE;
        let common = if self.rescores() { none } else { self.common() };
        let ends = self.ends();
        let mut paths: Vec<Path> = match ends.first() {
            None => {
                // All were cut off within a word.
                let (token, score) = self.best();
                vec![self.path_of(token, score, common)]
            }
            Some(best) if count == 1 => {
                vec![self.path(&self.words(best.prefix, best.start), best.score, common)]
            }
            Some(_) => {
                let (histories, starts) = (&self.histories.arena, &self.starts);
                let routes = self.lattice.best(histories, starts, &ends, count);
                let path = routes.iter().map(|route| self.path(&route.words, route.score, common));
                path.collect()
            }
        };
        if self.rescores() {
            self.fusion.rescore(&mut paths);
            paths.sort_by(|a, b| b.score.total_cmp(&a.score));
        }
        paths
    }

    /// Leaves finals to another search: follows fewer hypotheses from now on.
    pub fn leave_finals(&mut self) {
        self.limits = self.final_limits.of_partials();
    }

    /// Has finals rescored, if there is what does, and follows as many hypotheses as they are worth.
    pub fn rescore_finals(&mut self) {
        self.limits = self.final_limits;
        self.rescores = true;
    }

    /// Whether finals are rescored, so that nothing is stable before: not where old words are settled.
    pub fn rescores(&self) -> bool {
        let has_model = self.fusion.rescoring().is_some();
        let settles = self.limits.max_unstable_frames.is_some();
        self.rescores && has_model && !settles && !self.graph.is_grammar()
    }

    /// How many texts finals are made of.
    pub(super) fn hypotheses(&self) -> usize {
        let rescored = self.fusion.rescoring().filter(|_| self.rescores());
        let asked = rescored.map_or(1, |rescoring| rescoring.hypotheses).max(self.limits.nbest);
        asked.min(MOST_HYPOTHESES)
    }

    /// The finished words of a token, the last first, each with where its last phone began.
    pub(super) fn words_of(&self, token: &Active) -> Vec<(NodeId, NodeId)> {
        let mut start = token.start();
        if token.node != self.graph.root(token.context) {
            start = before_word(&self.starts, start).unwrap_or(Arena::<TokenStart>::NONE);
        }
        self.words(token.history, start)
    }

    fn words(&self, mut history: NodeId, mut start: NodeId) -> Vec<(NodeId, NodeId)> {
        let mut words = Vec::new();
        while !self.is_root(history) {
            words.push((history, start));
            let Some(before) = before_word(&self.starts, start) else { break };
            (history, start) = (self.histories.arena.before(history), before);
        }
        words
    }

    /// The hypotheses that may be the utterance, one for each sequence of words, the best first.
    fn ends(&self) -> Vec<FinalState> {
        let mut ends: Vec<FinalState> = Vec::new();
        for token in &self.active {
            let may_end = token.node == self.graph.root(token.context);
            let score = match self.graph.final_score(token.context) {
                _ if !may_end => continue,
                Some(score) => score,
                None if self.is_root(token.history) => 0.0,
                None => continue,
            };
            let score = self.offset + f64::from(token.any()) + score;
            ends.push(FinalState { prefix: token.history, start: token.start(), score });
        }
        ends.sort_by(|a, b| a.prefix.cmp(&b.prefix).then(b.score.total_cmp(&a.score)));
        // The same words stand at several states if their last phones differ.
        ends.dedup_by(|other, kept| {
            let is_same = other.prefix == kept.prefix;
            if is_same {
                kept.score = log_add(kept.score, other.score);
            }
            is_same
        });
        ends.sort_by(|a, b| b.score.total_cmp(&a.score));
        ends
    }

    /// The words that all tokens begin with.
    fn common(&self) -> NodeId {
        let arena = &self.histories.arena;
        let links = self.active.iter().map(|token| token.history);
        links.reduce(|a, b| arena.common(a, b)).unwrap_or(Arena::<Prefix<WordEnd>>::NONE)
    }

    fn path_of(&self, token: &Active, score: f64, common: NodeId) -> Path {
        self.path(&self.words_of(token), score, common)
    }

    /// A path by its words, the last first; those of `common` are stable.
    fn path(&self, words: &[(NodeId, NodeId)], score: f64, common: NodeId) -> Path {
        let mut tokens = Vec::new();
        let (mut phones, mut stable) = (0, 0);
        let arena = &self.histories.arena;
        for &(history, start) in words.iter().rev() {
            let Some(WordEnd { word, .. }) = arena.get(history).label else { continue };
            let said = self.phones(start);
            phones += said.len();
            tokens.extend(self.graph.lexicon_tree().spell(word, &said));
            if arena.common(history, common) == history {
                stable = tokens.len();
            }
        }
        let outcome = self.outcome(score, phones);
        match outcome {
            GrammarMatch::Unrestricted => {}
            GrammarMatch::Phrase { .. } => stable = 0,
            GrammarMatch::OutOfGrammar { .. } => {
                (tokens, stable) = (self.rejecter.free_tokens(), 0)
            }
        }
        Path { tokens, stable, score, outcome }
    }

    /// The phones of the word whose last one began at `start`.
    fn phones(&self, start: NodeId) -> Vec<Token> {
        let mut phones = Vec::new();
        for start in self.starts.chain(start) {
            let &TokenStart { frame, log_prob, begins_word } = start;
            phones.push(Token { id: TokenId(0), frame, log_prob });
            if begins_word {
                break;
            }
        }
        phones.reverse();
        phones
    }

    /// What a grammar makes of so many phones that score so much.
    fn outcome(&self, score: f64, phones: usize) -> GrammarMatch {
        let Some(grammar) = &self.grammar else { return GrammarMatch::Unrestricted };
        self.rejecter.decide(Some(grammar.threshold), score, phones)
    }
}
