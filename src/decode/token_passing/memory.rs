//! What a search may forget.

use super::TokenPassing;
use crate::decode::arena::{Arena, NodeId};
use crate::decode::path_scores::TokenStart;

impl TokenPassing {
    /// Drops the tokens that differ from the best one in words too old to change.
    pub(super) fn commit(&mut self, frame: u64) {
        let Some(age) = self.limits.max_unstable_frames.filter(|_| !self.graph.is_grammar()) else {
            return;
        };
        let oldest = frame.saturating_sub(age);
        let best = self.best().0;
        let words = self.words_of(best);
        // A word whose last phones are young is not settled by its first.
        let is_old = |&&(_, start): &&(NodeId, NodeId)| self.starts.get(start).frame < oldest;
        let Some(&(committed, _)) = words.iter().find(is_old) else { return };
        let arena = &self.histories.arena;
        self.active.retain(|token| arena.common(token.history, committed) == committed);
    }

    pub(super) fn forget_unused(&mut self) {
        let Self { active, lattice, starts, histories, graph, .. } = self;
        graph.forget_unused(active.iter_mut().map(|token| &mut token.context));
        if starts.needs_gc() {
            let links = |token: &super::Active| [token.blank_start, token.last_start];
            starts.unmark();
            active.iter().flat_map(links).for_each(|link| starts.mark(link));
            lattice.starts().for_each(|link| starts.mark(*link));
            let moved = starts.sweep();
            let kept = |link: &mut NodeId| {
                if *link != Arena::<TokenStart>::NONE {
                    *link = moved[*link as usize];
                }
            };
            for token in active.iter_mut() {
                kept(&mut token.blank_start);
                kept(&mut token.last_start);
            }
            lattice.starts().for_each(kept);
        }
        if histories.arena.needs_gc() {
            let arena = &mut histories.arena;
            arena.unmark();
            active.iter().for_each(|token| arena.mark(token.history));
            lattice.mark(arena);
            let moved = histories.sweep();
            active.iter_mut().for_each(|token| token.history = moved[token.history as usize]);
            lattice.move_prefixes(moved);
        }
    }

    /// The same search, but that each sequence of words is followed apart from others.
    #[cfg(test)]
    pub fn without_recombination(mut self) -> Self {
        self.graph.follow_all();
        self
    }

    /// The histories and starts held in memory, and what was dropped for them.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.histories.arena.len() + self.starts.len() + self.lattice.len()
    }
}
