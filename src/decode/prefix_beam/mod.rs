//! The likeliest token sequences, each with all its alignments, one encoder frame at a time.
//!
//! Prefix beam search as in Hannun et al., "First-Pass Large Vocabulary Continuous Speech
//! Recognition using Bi-Directional Recurrent DNNs" (2014, arXiv 1408.2873): alignments that end in
//! a blank and those that end in the last token are summed apart. The times of the tokens are those
//! of the best alignment.

mod extension;
mod outcome;
mod settling;

use std::sync::Arc;

use crate::decode::arena::Arena;
use crate::decode::beam_entry::{BeamEntry, Candidate, DecoderState};
use crate::decode::fusion::Fusion;
use crate::decode::given_text::GivenText;
use crate::decode::grammar_constraint::{ConstraintGraph, Rejecter};
use crate::decode::path_scores::{PathScores, TokenStart};
use crate::decode::prefix_beam_config::{Limits, PrefixBeamConfig};
use crate::decode::prefix_tree::{Prefix, PrefixTree};
use crate::decode::ranking::Ranking;
use crate::decode::{GrammarConstraint, Hotword};
use crate::error::Result;
use crate::grammar::TokenState;
use crate::lexicon::tokens::{TokenId, TokenTable};

/// [`PrefixBeamConfig::score_margin`] at least, with a grammar: what was said is often unlikely beside
/// letters that the grammar does not have.
const RESTRICTED_MARGIN: f64 = 40.0;

/// As many texts are looked for in a lattice at most: each takes memory at every word.
const MOST_HYPOTHESES: usize = 1000;

/// Follows the likeliest prefixes.
#[derive(Clone, Debug)]
pub(crate) struct PrefixBeam {
    blank: TokenId,
    limits: Limits,
    fusion: Arc<Fusion>,
    /// What counts from the next utterance on.
    next_fusion: Option<Arc<Fusion>>,
    constraint_graph: ConstraintGraph,
    /// Those from the next utterance on.
    next_constraint: Option<ConstraintGraph>,
    rejecter: Rejecter,
    /// The number of tokens; a row's values behind them are of phones.
    tokens: usize,
    prefixes: PrefixTree<TokenId>,
    starts: Arena<TokenStart>,
    beam: Vec<BeamEntry>,
    /// What the next beam is chosen from; here so that its memory is reused, as the lists below.
    candidates: Vec<Candidate>,
    ranking: Ranking,
    /// Whether finals are ranked anew.
    rescores: bool,
    likely: Vec<(TokenId, f32)>,
    /// The prefixes of the beam that are another one and a token: that one's place, and the token.
    extended: Vec<(u32, TokenId)>,
}

impl PrefixBeam {
    /// # Errors
    ///
    /// [`Error::Config`] for a value out of its range.
    pub fn new(config: &PrefixBeamConfig, tokens: &TokenTable) -> Result<Self> {
        let limits = Limits::new(config)?;
        let language_model = config.language_model.clone();
        let fusion = Fusion::new(language_model, &config.hotwords, Arc::default(), tokens)?;
        let mut search = Self {
            blank: tokens.blank(),
            limits,
            fusion: Arc::new(fusion),
            next_fusion: None,
            constraint_graph: ConstraintGraph::new(config.constraint.as_ref(), tokens)?,
            next_constraint: None,
            rejecter: Rejecter::new(tokens.blank()),
            tokens: tokens.len(),
            prefixes: PrefixTree::new(),
            starts: Arena::new(),
            beam: Vec::new(),
            candidates: Vec::new(),
            ranking: Ranking::default(),
            rescores: false,
            likely: Vec::new(),
            extended: Vec::new(),
        };
        search.reset();
        Ok(search)
    }

    /// Takes the log-probabilities of one encoder frame, `[tokens]` and others behind them. Returns whether
    /// the likeliest of them is the blank.
    pub fn accept(&mut self, frame: u64, log_probs: &[f32]) -> bool {
        let log_probs = &log_probs[..self.tokens.min(log_probs.len())];
        self.rejecter.accept(frame, log_probs);
        let likeliest = self.find_likely(log_probs);
        self.candidates.clear();
        self.stay(log_probs);
        self.extend();
        self.ranking.rank(&self.candidates, self.limits.beam, self.score_margin());
        self.settle(frame, log_probs);
        self.commit(frame);
        self.forget_unused();
        likeliest == self.blank
    }

    /// Whether the best prefix so far has nothing to write, and nothing outside a grammar was found.
    pub fn is_empty(&self) -> bool {
        self.is_root(self.best_now().0)
            && (!self.constraint_graph.exist() || self.rejecter.is_empty())
    }

    /// Begins the next utterance of the same audio: a token that goes on is not given again.
    pub fn start_utterance(&mut self) {
        let scored = self.beam.iter().map(|entry| (entry, self.final_score(entry)));
        let BeamEntry { token, blank, last, .. } = *best(scored).0;
        let all = blank.or(last);
        if all.sum == f64::NEG_INFINITY {
            return self.reset();
        }
        self.rejecter.start_utterance();
        self.begin(token, blank.relative_to(all), last.relative_to(all));
    }

    /// Has finals ranked anew, if there is what does.
    pub fn rescore_finals(&mut self) {
        self.rescores = true;
    }

    /// Whether finals are ranked anew, so that nothing is stable before: not where old tokens are settled.
    pub fn rescores(&self) -> bool {
        let has_model = self.fusion.rescoring().is_some();
        let settles = self.limits.max_unstable_frames.is_some();
        self.rescores && has_model && !settles && !self.constraint_graph.exist()
    }

    /// Whether hotwords or a grammar wait for the next utterance.
    pub fn has_pending(&self) -> bool {
        self.next_fusion.is_some() || self.next_constraint.is_some()
    }

    /// Begins an utterance of other audio.
    pub fn reset(&mut self) {
        self.rejecter.reset();
        self.begin(None, PathScores { sum: 0.0, best: 0.0, ..PathScores::NONE }, PathScores::NONE);
    }

    /// Takes other hotwords from the next utterance on, which is this one if none has begun.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for one that can't be used; those before stay then.
    pub fn set_hotwords(&mut self, hotwords: &[Hotword], tokens: &TokenTable) -> Result<()> {
        let fusion = self.fusion.with_hotwords(hotwords, tokens)?;
        self.next_fusion = Some(Arc::new(fusion));
        self.begin_anew();
        Ok(())
    }

    /// What scores a given text as this search would.
    pub(in crate::decode) fn given_text<'a>(&'a self, tokens: &'a TokenTable) -> GivenText<'a> {
        GivenText { fusion: &self.fusion, lexicon: None, tokens, rescores: self.rescores() }
    }

    /// Whether a grammar says what may be found.
    pub fn is_restricted(&self) -> bool {
        self.constraint_graph.exist()
    }

    /// Takes another grammar, or none, from the next utterance on, which is this one if none has
    /// begun.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for one that can't be used; that before stays then.
    pub fn set_grammar(
        &mut self,
        constraint: Option<&GrammarConstraint>,
        tokens: &TokenTable,
    ) -> Result<()> {
        self.next_constraint = Some(ConstraintGraph::new(constraint, tokens)?);
        self.begin_anew();
        Ok(())
    }

    /// The prefixes and starts held in memory.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.prefixes.arena.len() + self.starts.len()
    }

    /// Takes what counts from the next utterance on, if nothing has been found in this one.
    fn begin_anew(&mut self) {
        let is_root = |entry: &BeamEntry| self.is_root(entry);
        // The letters of a grammar are followed also in silence.
        let is_new =
            self.beam.iter().all(is_root) || (self.constraint_graph.exist() && self.is_empty());
        if let Some(&BeamEntry { token, blank, last, .. }) =
            self.beam.iter().find(|entry| is_new && self.is_root(entry))
        {
            self.begin(token, blank, last);
        }
    }

    /// How many texts finals are made of.
    fn hypotheses(&self) -> usize {
        let rescored = self.fusion.rescoring().filter(|_| self.rescores());
        let asked = rescored.map_or(1, |rescoring| rescoring.hypotheses).max(self.limits.nbest);
        asked.min(MOST_HYPOTHESES)
    }

    fn is_root(&self, entry: &BeamEntry) -> bool {
        self.prefixes.arena.before(entry.prefix) == Arena::<Prefix<TokenId>>::NONE
    }

    fn begin(&mut self, token: Option<TokenId>, blank: PathScores, last: PathScores) {
        if let Some(fusion) = self.next_fusion.take() {
            self.fusion = fusion;
        }
        if let Some(constraint_graph) = self.next_constraint.take() {
            self.constraint_graph = constraint_graph;
        }
        self.starts.clear();
        let prefix = self.prefixes.begin(token);
        self.beam.clear();
        let (fusion, grammar) = (self.fusion.begin(), TokenState::START);
        let text = DecoderState { fusion, grammar };
        self.beam.push(BeamEntry { prefix, token, blank, last, text });
    }

    fn score_margin(&self) -> f64 {
        match self.constraint_graph.exist() {
            true => f64::from(self.limits.score_margin).max(RESTRICTED_MARGIN),
            false => self.limits.score_margin.into(),
        }
    }

    fn best_now(&self) -> (&BeamEntry, f64) {
        best(self.beam.iter().map(|entry| (entry, entry.score())))
    }
}

/// The item of the greatest score, of equals the first.
///
/// The beam is never empty: the best candidate is always kept.
fn best<'a>(scored: impl Iterator<Item = (&'a BeamEntry, f64)>) -> (&'a BeamEntry, f64) {
    scored
        .reduce(|best, other| if other.1 > best.1 { other } else { best })
        .expect("a beam holds at least its best prefix")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of A, then B, then an unlikely C.
    fn text(hotwords: &[&str]) -> String {
        let table = TokenTable::parse("<blank>\n▁\nA\nB\nC", TokenId(0)).unwrap();
        let hotword = |&phrase: &&str| Hotword { boost: 3.0, ..Hotword::new(phrase) };
        let hotwords = hotwords.iter().map(hotword).collect();
        let config = PrefixBeamConfig { hotwords, ..PrefixBeamConfig::default() };
        let mut search = PrefixBeam::new(&config, &table).unwrap();
        for (frame, likely) in (0..).zip([2, 3, 0]) {
            let mut row = [-9.0; 5];
            row[likely] = -0.01;
            if likely == 0 {
                row[4] = -7.0;
            }
            search.accept(frame, &row);
        }
        table.text(search.finals()[0].tokens.iter().map(|token| token.id))
    }

    #[test]
    fn an_unlikely_letter_is_tried_where_it_goes_on_with_a_hotword() {
        assert_eq!(text(&[]), "AB");
        assert_eq!(text(&["abc"]), "ABC");
        assert_eq!(text(&["bc", "ac"]), "AB");
    }
}
