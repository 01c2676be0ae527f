//! How candidates become the beam, and what is kept of those that don't.

use super::PrefixBeam;
use crate::ctc::alignments::Start;
use crate::ctc::arena::{Arena, Link};
use crate::ctc::entry::{Candidate, Entry};
use crate::ctc::lattice::{Lattice, Merge};
use crate::ctc::prefix_tree::{Prefix, Step};
use crate::ctc::ranking::Dropped;

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
    fn adopt(&mut self, place: usize, frame: u64, log_probs: &[f32]) -> Entry {
        let Candidate { mut entry, is_new, .. } = self.candidates[place];
        let Some(token) = entry.token else { return entry };
        if is_new {
            let step = Step { token, word: entry.word };
            entry.prefix = self.prefixes.child(entry.prefix, step);
        }
        if entry.last.begins {
            let start = Start { frame, log_prob: log_probs[token.0 as usize] };
            entry.last.start = self.starts.push(entry.last.start, start);
            entry.last.begins = false;
        }
        entry
    }

    /// Puts what was dropped for prefixes of the beam into the lattice.
    pub(super) fn note_dropped(&mut self, frame: u64, log_probs: &[f32]) {
        if self.ranking.dropped().is_empty() {
            return;
        }
        self.links.clear();
        self.links.resize(self.candidates.len(), Arena::<Prefix>::NONE);
        for (place, entry) in self.ranking.places().zip(&self.beam) {
            self.links[place] = entry.prefix;
        }
        let ranking = std::mem::take(&mut self.ranking);
        for &Dropped { place, kept } in ranking.dropped() {
            let into = self.links[kept];
            // The text before the first word has no other.
            if into == Arena::<Prefix>::NONE || self.prefixes.arena.get(into).word.is_none() {
                continue;
            }
            let behind = self.candidates[kept].score - self.candidates[place].score;
            let Entry { prefix: from, blank, last, .. } = self.adopt(place, frame, log_probs);
            let start = blank.or(last).start;
            self.lattice.note(Merge { into, from, start, behind });
        }
        self.ranking = ranking;
    }

    /// Drops the prefixes that differ from the best one in tokens too old to change.
    pub(super) fn commit(&mut self, frame: u64) {
        let Some(oldest) = self.limits.max_unstable_frames.map(|age| frame.saturating_sub(age))
        else {
            return;
        };
        if self.bounds.exist() {
            return;
        }
        let best = *self.best_now().0;
        let young = self.starts.chain(best.any().start).take_while(|s| s.frame >= oldest).count();
        let mut committed = best.prefix;
        for _ in 0..young {
            committed = self.prefixes.arena.before(committed);
        }
        let arena = &self.prefixes.arena;
        // A word whose last phones are young is not settled by its first.
        let is_within_word =
            |link| arena.before(link) != Arena::<Prefix>::NONE && arena.get(link).word.is_none();
        while self.hears_phones && is_within_word(committed) {
            committed = arena.before(committed);
        }
        self.beam.retain(|entry| arena.common(entry.prefix, committed) == committed);
    }

    pub(super) fn forget_unused(&mut self) {
        if self.starts.is_crowded() {
            let Self { starts, beam, lattice, .. } = self;
            starts.unmark();
            links_of_starts(beam, lattice).for_each(|link| starts.mark(*link));
            let moved = starts.sweep();
            links_of_starts(beam, lattice)
                .filter(|link| **link != Arena::<Start>::NONE)
                .for_each(|link| *link = moved[*link as usize]);
        }
        if self.prefixes.arena.is_crowded() {
            let arena = &mut self.prefixes.arena;
            arena.unmark();
            self.beam.iter().for_each(|entry| arena.mark(entry.prefix));
            self.lattice.mark(arena);
            let moved = self.prefixes.sweep();
            self.beam.iter_mut().for_each(|entry| entry.prefix = moved[entry.prefix as usize]);
            self.lattice.move_prefixes(moved);
        }
    }
}

/// All links to starts.
fn links_of_starts<'a>(
    beam: &'a mut [Entry],
    lattice: &'a mut Lattice,
) -> impl Iterator<Item = &'a mut Link> {
    let own = |entry: &'a mut Entry| [&mut entry.blank.start, &mut entry.last.start];
    beam.iter_mut().flat_map(own).chain(lattice.starts())
}
