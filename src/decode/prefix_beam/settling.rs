//! How candidates become the beam, and what may be forgotten.

use super::PrefixBeam;
use crate::decode::arena::{Arena, NodeId};
use crate::decode::beam_entry::{BeamEntry, Candidate};
use crate::decode::path_scores::TokenStart;

impl PrefixBeam {
    /// Makes the kept candidates the beam.
    pub(super) fn settle(&mut self, frame: u64, log_probs: &[f32]) {
        self.beam.clear();
        let mut ranking = std::mem::take(&mut self.ranking);
        for place in ranking.places() {
            let entry = self.adopt(place, frame, log_probs);
            self.beam.push(entry);
        }
        std::mem::swap(&mut self.ranking, &mut ranking);
    }

    /// The entry of a candidate, its prefix and start in memory.
    fn adopt(&mut self, place: usize, frame: u64, log_probs: &[f32]) -> BeamEntry {
        let Candidate { mut entry, is_new, .. } = self.candidates[place];
        let Some(token) = entry.token else { return entry };
        if is_new {
            entry.prefix = self.prefixes.child(entry.prefix, token);
        }
        if entry.last.begins {
            let start =
                TokenStart { frame, log_prob: log_probs[token.0 as usize], begins_word: false };
            entry.last.start = self.starts.push(entry.last.start, start);
            entry.last.begins = false;
        }
        entry
    }

    /// Drops the prefixes that differ from the best one in tokens too old to change.
    pub(super) fn commit(&mut self, frame: u64) {
        let Some(oldest) = self.limits.max_unstable_frames.map(|age| frame.saturating_sub(age))
        else {
            return;
        };
        if self.constraint_graph.exist() {
            return;
        }
        let best = *self.best_now().0;
        let young = self.starts.chain(best.total().start).take_while(|s| s.frame >= oldest).count();
        let mut committed = best.prefix;
        for _ in 0..young {
            committed = self.prefixes.arena.before(committed);
        }
        let arena = &self.prefixes.arena;
        self.beam.retain(|entry| arena.common(entry.prefix, committed) == committed);
    }

    pub(super) fn forget_unused(&mut self) {
        let Self { starts, prefixes, beam, .. } = self;
        if starts.needs_gc() {
            starts.unmark();
            links_of_starts(beam).for_each(|link| starts.mark(*link));
            let moved = starts.sweep();
            links_of_starts(beam)
                .filter(|link| **link != Arena::<TokenStart>::NONE)
                .for_each(|link| *link = moved[*link as usize]);
        }
        if prefixes.arena.needs_gc() {
            prefixes.arena.unmark();
            beam.iter().for_each(|entry| prefixes.arena.mark(entry.prefix));
            let moved = prefixes.sweep();
            beam.iter_mut().for_each(|entry| entry.prefix = moved[entry.prefix as usize]);
        }
    }
}

/// All links to starts.
fn links_of_starts(beam: &mut [BeamEntry]) -> impl Iterator<Item = &mut NodeId> {
    beam.iter_mut().flat_map(|entry| [&mut entry.blank.start, &mut entry.last.start])
}
