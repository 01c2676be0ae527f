//! What a search has found.

use super::PrefixBeam;
use crate::decode::arena::{Arena, NodeId};
use crate::decode::beam_entry::BeamEntry;
use crate::decode::path_scores::TokenStart;
use crate::decode::prefix_tree::Prefix;
use crate::decode::{GrammarMatch, Path, Token};
use crate::lexicon::tokens::TokenId;

impl PrefixBeam {
    /// The best prefix so far, its last word perhaps unfinished.
    pub fn partial(&self) -> Path {
        let (entry, score) = self.best_now();
        self.path(entry, score, &self.common())
    }

    /// What may be an utterance that ends here, the best first; never none: the prefixes of the beam. The
    /// empty prefix, which stands for silence, always may.
    pub fn finals(&self) -> Vec<Path> {
        let common = if self.rescores() { Vec::new() } else { self.common() };
        let ends = self.beam.iter().filter(|entry| self.may_end(entry));
        let scored = ends.map(|entry| (entry, self.final_score(entry)));
        let mut paths: Vec<_> =
            scored.map(|(entry, score)| self.path(entry, score, &common)).collect();
        if self.rescores() {
            paths.sort_by(|a, b| b.score.total_cmp(&a.score));
            paths.truncate(self.hypotheses());
            self.fusion.rescore(&mut paths);
        }
        paths.sort_by(|a, b| b.score.total_cmp(&a.score));
        if paths.is_empty() {
            let outcome = GrammarMatch::OutOfGrammar { fit: 0.0 };
            paths.push(Path {
                tokens: self.rejecter.free_tokens(),
                stable: 0,
                score: 0.0,
                outcome,
            });
        }
        paths
    }

    /// Whether the prefix may stand for an utterance that ends here.
    fn may_end(&self, entry: &BeamEntry) -> bool {
        self.is_root(entry) || self.constraint_graph.end(entry.text.grammar)
    }

    /// The steps that all prefixes of the beam begin with, the last first.
    fn common(&self) -> Vec<NodeId> {
        let arena = &self.prefixes.arena;
        let links = self.beam.iter().map(|entry| entry.prefix);
        let common =
            links.reduce(|a, b| arena.common(a, b)).unwrap_or(Arena::<Prefix<TokenId>>::NONE);
        let mut common: Vec<_> = arena.links(common).collect();
        // The empty prefix is a link too.
        common.pop();
        common
    }

    pub(super) fn final_score(&self, entry: &BeamEntry) -> f64 {
        entry.total().sum + self.fusion.finish(&entry.text.fusion)
    }

    /// A path; what it has in common with `common` is stable.
    fn path(&self, entry: &BeamEntry, score: f64, common: &[NodeId]) -> Path {
        let prefixes: Vec<NodeId> = self.prefixes.arena.links(entry.prefix).collect();
        let starts = self.starts.chain(entry.total().start);
        // The empty prefix's token belongs to the utterance before, and has no start in this one.
        let token = |(&prefix, start): (&NodeId, &TokenStart)| {
            let id = self.prefixes.arena.get(prefix).label?;
            Some(Token { id, frame: start.frame, log_prob: start.log_prob })
        };
        let mut tokens: Vec<Token> = prefixes.iter().zip(starts).filter_map(token).collect();
        tokens.reverse();
        let pairs = prefixes[..tokens.len()].iter().rev().zip(common.iter().rev());
        let stable = pairs.take_while(|(prefix, common)| prefix == common).count();
        let outcome = self.rejecter.decide(
            self.constraint_graph.threshold(),
            entry.total().best,
            tokens.len(),
        );
        let (tokens, stable) = match outcome {
            GrammarMatch::Unrestricted => (tokens, stable),
            GrammarMatch::Phrase { .. } => (tokens, 0),
            GrammarMatch::OutOfGrammar { .. } => (self.rejecter.free_tokens(), 0),
        };
        Path { tokens, stable, score, outcome }
    }
}
