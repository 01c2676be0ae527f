//! What the beam's prefixes may become in a frame.

use super::PrefixBeam;
use crate::decode::arena::Arena;
use crate::decode::beam_entry::{BeamEntry, Candidate, DecoderState};
use crate::decode::path_scores::PathScores;
use crate::decode::prefix_tree::Prefix;
use crate::lexicon::tokens::TokenId;

/// How much less than [`PrefixBeamConfig::token_threshold`] a letter of a hotword may have to be
/// begun. A rare word has letters that the encoder does not expect; tuned with `en-small`.
const HOTWORD_SLACK: f32 = 3.0;

impl PrefixBeam {
    /// Notes the tokens that are worth a try, and returns the likeliest; of equals the first.
    pub(super) fn find_likely(&mut self, log_probs: &[f32]) -> TokenId {
        self.likely.clear();
        let slack = if self.fusion.has_hotwords() { HOTWORD_SLACK } else { 0.0 };
        let least = self.token_threshold() - slack;
        let blank = self.blank;
        let mut likeliest = (TokenId(0), f32::NEG_INFINITY);
        for (id, &log_prob) in (0..).map(TokenId).zip(log_probs) {
            if log_prob > likeliest.1 {
                likeliest = (id, log_prob);
            }
            if log_prob >= least && id != blank {
                self.likely.push((id, log_prob));
            }
        }
        likeliest.0
    }

    /// The least log-probability that a token is begun with.
    fn token_threshold(&self) -> f32 {
        if self.constraint_graph.exist() { f32::NEG_INFINITY } else { self.limits.token_threshold }
    }

    /// Puts up the beam's prefixes as they are, by a blank, by their last token going on, or by that
    /// token beginning after the prefix one shorter.
    pub(super) fn stay(&mut self, log_probs: &[f32]) {
        for (place, entry) in (0..).zip(&self.beam) {
            self.prefixes.arena.get_mut(entry.prefix).place = place;
        }
        self.extended.clear();
        let blank = log_prob(log_probs, self.blank);
        for entry in &self.beam {
            let mut last = PathScores::NONE;
            if let Some(token) = entry.token {
                let log_prob = log_prob(log_probs, token);
                last = entry.last.then(log_prob);
                if let Some(place) = self.place_before(entry) {
                    last = last.or(self.beam[place as usize].label_extended(token, log_prob));
                    self.extended.push((place, token));
                }
            }
            let entry = BeamEntry { blank: entry.total().then(blank), last, ..*entry };
            self.candidates.push(Candidate { entry, is_new: false, score: entry.score() });
        }
        self.extended.sort_unstable();
    }

    /// Where the prefix without its last token stands in the beam.
    fn place_before(&self, entry: &BeamEntry) -> Option<u32> {
        let before = self.prefixes.arena.before(entry.prefix);
        if before == Arena::<Prefix<TokenId>>::NONE {
            return None;
        }
        let place = self.prefixes.arena.get(before).place;
        let found = self.beam.get(place as usize)?;
        (found.prefix == before).then_some(place)
    }

    /// Puts up each prefix of the beam with each likely token more.
    pub(super) fn extend(&mut self) {
        let margin = self.score_margin();
        let scores = self.candidates.iter().map(|candidate| candidate.score);
        let mut best = scores.fold(f64::NEG_INFINITY, f64::max);
        for (place, entry) in (0..).zip(&self.beam) {
            let bound = self.fusion.bound(&entry.text.fusion);
            for &(token, log_prob) in &self.likely {
                let last = entry.label_extended(token, log_prob.into());
                let least = best - margin;
                if last.sum == f64::NEG_INFINITY || last.sum + bound < least {
                    continue;
                }
                let Some(text) = self.successor(&entry.text, token, log_prob) else { continue };
                if self.extended.binary_search(&(place, token)).is_ok() {
                    continue;
                }
                let score = last.sum + text.fusion.score();
                if score < best - margin {
                    continue;
                }
                best = best.max(score);
                let (prefix, token) = (entry.prefix, Some(token));
                let entry = BeamEntry { prefix, token, blank: PathScores::NONE, last, text };
                self.candidates.push(Candidate { entry, is_new: true, score });
            }
        }
    }

    /// What a text becomes with one token more, if it may follow.
    fn successor(
        &self,
        text: &DecoderState,
        token: TokenId,
        log_prob: f32,
    ) -> Option<DecoderState> {
        let grammar = self.constraint_graph.next(text.grammar, token)?;
        let is_likely = log_prob >= self.token_threshold();
        (is_likely || self.fusion.spells_hotword(&text.fusion, token))
            .then(|| DecoderState { fusion: self.fusion.advance(&text.fusion, token), grammar })
    }
}

/// The token's log-probability; none for what is not a number.
fn log_prob(log_probs: &[f32], token: TokenId) -> f64 {
    f64::from(log_probs[token.0 as usize].max(f32::NEG_INFINITY))
}
