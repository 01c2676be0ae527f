//! Which candidates become the next beam.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::entry::{Candidate, Entry};
use super::fusion::{Fusion, FusionFuture};
use crate::lm::LexiconNode;
use crate::tokens::TokenId;

/// How many candidates are looked at for each that is kept, where those with the same future are
/// dropped.
const RANKED_PER_KEPT: usize = 4;

/// A score and the candidate's place.
type Ranked = (f64, u32);

/// What scores depend on from now on.
type Future = (Option<TokenId>, LexiconNode, FusionFuture);

/// The places of the candidates that are kept, the best first. Here so that its memory is reused.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    ranked: Vec<Ranked>,
    seen: HashMap<Future, Kept, BuildHasherDefault<FutureHasher>>,
}

/// The candidates of one future that are kept.
#[derive(Clone, Copy, Debug)]
struct Kept {
    /// The rank of the first.
    first: usize,
    count: usize,
}

/// Which candidates are dropped since the same may follow better ones and scores the same.
#[derive(Clone, Copy, Debug)]
pub struct Recombination<'a> {
    /// What tells the futures.
    pub fusion: &'a Fusion,
    /// How many are kept of each.
    pub kept: usize,
}

/// Multiplies and rotates, like that of Firefox: the keys are small numbers that nobody chooses, and there are
/// thousands in every frame.
#[derive(Clone, Debug, Default)]
struct FutureHasher(u64);

impl Ranking {
    /// Ranks candidates whose score is less than the best one's by no more than `margin`: up to `beam`, or with
    /// a recombination up to so many for each that is kept of a future.
    pub fn rank(
        &mut self,
        candidates: &[Candidate],
        beam: usize,
        margin: f64,
        recombination: Option<Recombination>,
    ) {
        self.ranked.clear();
        let scores = candidates.iter().map(|candidate| candidate.score);
        self.ranked.extend(scores.zip(0..));
        let best = self.ranked.iter().map(|ranked| ranked.0).fold(f64::NEG_INFINITY, f64::max);
        let least = best - margin;
        self.ranked.retain(|ranked| ranked.0 >= least);
        let mut most = beam;
        if let Some(recombination) = recombination {
            most = beam.saturating_mul(recombination.kept);
            keep_best(&mut self.ranked, most.saturating_mul(RANKED_PER_KEPT));
            self.recombine(candidates, recombination);
        }
        keep_best(&mut self.ranked, most);
        // The best first, so that in the next frame little is put up in vain.
        self.ranked.sort_unstable_by(better);
    }

    /// The places of the candidates that are kept.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.ranked.iter().map(|&(_, place)| place as usize)
    }

    /// Keeps the best of the ranked candidates of each future.
    fn recombine(&mut self, candidates: &[Candidate], by: Recombination) {
        let Self { seen, ranked } = self;
        if by.kept > 1 {
            ranked.sort_unstable_by(better);
        }
        seen.clear();
        let mut kept = 0;
        for rank in 0..ranked.len() {
            let candidate = ranked[rank];
            let Entry { token, text, .. } = &candidates[candidate.1 as usize].entry;
            let future = (*token, text.said, by.fusion.future(&text.fusion));
            let others = seen.entry(future).or_insert(Kept { first: kept, count: 0 });
            if others.count < by.kept {
                others.count += 1;
                ranked[kept] = candidate;
                kept += 1;
            } else if better(&candidate, &ranked[others.first]).is_lt() {
                // Unsorted, hence the only one.
                ranked[others.first] = candidate;
            }
        }
        ranked.truncate(kept);
    }
}

impl Hasher for FutureHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The better first, and of equals the earlier, so that the result depends on nothing else.
fn better(a: &Ranked, b: &Ranked) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

fn keep_best(ranked: &mut Vec<Ranked>, most: usize) {
    if ranked.len() > most {
        ranked.select_nth_unstable_by(most - 1, better);
        ranked.truncate(most);
    }
}
