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
    /// The rank of the best candidate of each future.
    seen: HashMap<Future, usize, BuildHasherDefault<FutureHasher>>,
    dropped: Vec<Dropped>,
}

/// A candidate that was dropped for another one of the same future: their places.
#[derive(Clone, Copy, Debug)]
pub struct Dropped {
    pub place: usize,
    pub kept: usize,
}

/// Which candidates are dropped since the same may follow better ones and scores the same.
#[derive(Clone, Copy, Debug)]
pub struct Recombination<'a> {
    /// What tells the futures.
    pub fusion: &'a Fusion,
    /// How much less than the other's the score of a candidate between words may be that is noted, if any is.
    pub noted: Option<f64>,
}

/// Multiplies and rotates, like that of Firefox: the keys are small numbers that nobody chooses, and there are
/// thousands in every frame.
#[derive(Clone, Debug, Default)]
struct FutureHasher(u64);

impl Ranking {
    /// Ranks up to `beam` candidates whose score is less than the best one's by no more than `margin`.
    pub fn rank(
        &mut self,
        candidates: &[Candidate],
        beam: usize,
        margin: f64,
        recombination: Option<Recombination>,
    ) {
        self.ranked.clear();
        self.dropped.clear();
        let scores = candidates.iter().map(|candidate| candidate.score);
        self.ranked.extend(scores.zip(0..));
        let best = self.ranked.iter().map(|ranked| ranked.0).fold(f64::NEG_INFINITY, f64::max);
        self.ranked.retain(|ranked| {
            // Never so for the best, whatever numbers these are.
            let is_far = best - ranked.0 > margin;
            !is_far
        });
        if let Some(recombination) = recombination {
            keep_best(&mut self.ranked, beam.saturating_mul(RANKED_PER_KEPT));
            self.recombine(candidates, recombination);
        }
        keep_best(&mut self.ranked, beam);
        // The best first, so that in the next frame little is put up in vain.
        self.ranked.sort_unstable_by(better);
    }

    /// The places of the candidates that are kept.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.ranked.iter().map(|&(_, place)| place as usize)
    }

    /// The candidates that were dropped for others, as far as they are noted; of those some may not be kept either.
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// Keeps the best of the ranked candidates of each future.
    fn recombine(&mut self, candidates: &[Candidate], by: Recombination) {
        let Self { seen, ranked, dropped } = self;
        seen.clear();
        let mut kept = 0;
        for rank in 0..ranked.len() {
            let candidate = ranked[rank];
            let Entry { token, text, .. } = &candidates[candidate.1 as usize].entry;
            let future = (*token, text.said, by.fusion.future(&text.fusion));
            let best = *seen.entry(future).or_insert(kept);
            if best == kept {
                ranked[kept] = candidate;
                kept += 1;
                continue;
            }
            let mut worse = candidate;
            if better(&candidate, &ranked[best]).is_lt() {
                worse = std::mem::replace(&mut ranked[best], candidate);
            }
            if by.noted.is_some() && text.said == LexiconNode::ROOT {
                dropped.push(Dropped { place: worse.1 as usize, kept: best });
            }
        }
        if let Some(noted) = by.noted {
            let behind = |place: usize, best: usize| ranked[best].0 - candidates[place].score;
            dropped.retain(|dropped| behind(dropped.place, dropped.kept) <= noted);
        }
        dropped.iter_mut().for_each(|dropped| dropped.kept = ranked[dropped.kept].1 as usize);
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
