//! Which candidates become the next beam.

use std::collections::HashSet;

use super::entry::{Candidate, Entry};
use super::fusion::{Fusion, FusionFuture};
use crate::lm::LexiconNode;
use crate::tokens::TokenId;

/// How many candidates are looked at for each that is kept, where those with the same future are
/// dropped.
const RANKED_PER_KEPT: usize = 4;

/// The places of the candidates that are kept, the best first. Here so that its memory is reused.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    ranked: Vec<(f64, u32)>,
    /// What the candidates kept so far depend on from now on.
    seen: HashSet<(Option<TokenId>, LexiconNode, FusionFuture)>,
}

impl Ranking {
    /// Ranks up to `beam` candidates whose score is less than the best one's by no more than `margin`;
    /// with `fusion`, without those that can't become better than one before them.
    pub fn rank(
        &mut self,
        candidates: &[Candidate],
        beam: usize,
        margin: f64,
        recombination: Option<&Fusion>,
    ) {
        self.ranked.clear();
        let scores = candidates.iter().map(|candidate| candidate.score);
        self.ranked.extend(scores.zip(0..));
        let best = self.ranked.iter().map(|ranked| ranked.0).fold(f64::NEG_INFINITY, f64::max);
        let least = best - margin;
        self.ranked.retain(|ranked| ranked.0 >= least);
        // Of equals the earlier first, so that the result depends on nothing else.
        let order = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        let most =
            if recombination.is_some() { beam.saturating_mul(RANKED_PER_KEPT) } else { beam };
        if self.ranked.len() > most {
            self.ranked.select_nth_unstable_by(most - 1, order);
            self.ranked.truncate(most);
        }
        // The best first, so that in the next frame little is put up in vain.
        self.ranked.sort_unstable_by(order);
        if let Some(fusion) = recombination {
            self.recombine(candidates, fusion);
            self.ranked.truncate(beam);
        }
    }

    /// The places of the candidates that are kept.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.ranked.iter().map(|&(_, place)| place as usize)
    }

    /// Drops the ranked candidates that can't become better than one before them, since the same may
    /// follow both and scores the same.
    fn recombine(&mut self, candidates: &[Candidate], fusion: &Fusion) {
        let Self { seen, ranked } = self;
        seen.clear();
        ranked.retain(|&(_, place)| {
            let Entry { token, text, .. } = &candidates[place as usize].entry;
            seen.insert((*token, text.said, fusion.future(&text.fusion)))
        });
    }
}
