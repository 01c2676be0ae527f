//! Which candidates become the next beam.

use std::cmp::Ordering;

use super::beam_entry::Candidate;

/// A score and the candidate's place.
type Ranked = (f64, u32);

/// The places of the candidates that are kept, the best first. Here so that its memory is reused.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    ranked: Vec<Ranked>,
}

impl Ranking {
    /// Ranks up to `beam` candidates whose score is less than the best one's by no more than `margin`.
    pub fn rank(&mut self, candidates: &[Candidate], beam: usize, margin: f64) {
        self.ranked.clear();
        let scores = candidates.iter().map(|candidate| candidate.score);
        self.ranked.extend(scores.zip(0..));
        let best = self.ranked.iter().map(|ranked| ranked.0).fold(f64::NEG_INFINITY, f64::max);
        self.ranked.retain(|ranked| {
            // Never so for the best, whatever numbers these are.
            let is_far = best - ranked.0 > margin;
            !is_far
        });
        if self.ranked.len() > beam {
            self.ranked.select_nth_unstable_by(beam - 1, better);
            self.ranked.truncate(beam);
        }
        // The best first, so that in the next frame little is put up in vain.
        self.ranked.sort_unstable_by(better);
    }

    /// The places of the candidates that are kept.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.ranked.iter().map(|&(_, place)| place as usize)
    }
}

/// The better first, and of equals the earlier, so that the result depends on nothing else.
fn better(a: &Ranked, b: &Ranked) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}
