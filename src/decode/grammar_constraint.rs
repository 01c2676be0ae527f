//! Decoding that a grammar constrains, and the rejection of utterances that are out of it.

use std::sync::Arc;

use super::{Greedy, Token};
use crate::error::{Error, Result};
use crate::grammar::Grammar;
use crate::grammar::{TokenGraph, TokenState};
use crate::lexicon::tokens::{TokenId, TokenTable};

/// A grammar that constrains the text, and how well an utterance must fit it.
#[derive(Clone, Debug, PartialEq)]
pub struct GrammarConstraint {
    /// The phrases: each utterance is one of them.
    pub grammar: Grammar,
    /// The least [`GrammarMatch::Phrase::fit`], from 0 to 1. What fits less is out of the grammar; at 0
    /// every utterance becomes the likeliest phrase.
    pub threshold: f32,
}

/// How an utterance matches a grammar.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum GrammarMatch {
    /// No grammar restricts the text.
    #[default]
    Unrestricted,
    /// The text is a phrase of the grammar; in a partial, the beginning of one.
    Phrase {
        /// How likely it is beside the likeliest tokens, or phones, without the grammar, per token or phone, from
        /// 0 to 1.
        /// Not a probability of being right.
        fit: f32,
    },
    /// Something was said that is not in the grammar. There is no text.
    OutOfGrammar {
        /// That of the likeliest phrase.
        fit: f32,
    },
}

/// A [`GrammarConstraint`] in the model's tokens; the default restricts nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct ConstraintGraph(Option<Arc<(TokenGraph, f32)>>);

/// The best path without a grammar, which decides whether an utterance is out of it.
#[derive(Clone, Debug)]
pub(super) struct Rejecter {
    free: Greedy,
}

impl GrammarConstraint {
    /// The threshold that none was given for. With `en-small` a grammar of four words and one of ten take none
    /// of 1,000 recordings of other words for a phrase.
    pub const DEFAULT_THRESHOLD: f32 = 0.2;

    /// A grammar with the default threshold.
    pub fn new(grammar: Grammar) -> Self {
        Self { grammar, threshold: Self::DEFAULT_THRESHOLD }
    }

    /// # Errors
    ///
    /// [`Error::Config`] for a threshold out of its range.
    pub(super) fn check(&self) -> Result<()> {
        let Self { threshold, .. } = self;
        if (0.0..=1.0).contains(threshold) {
            return Ok(());
        }
        Err(Error::Config(format!("a grammar threshold of {threshold}; it must be from 0 to 1")))
    }
}

impl ConstraintGraph {
    /// # Errors
    ///
    /// [`Error::Config`] for a threshold out of its range, and for a grammar that the tokens can't
    /// spell or that gets too large.
    pub fn new(constraint: Option<&GrammarConstraint>, tokens: &TokenTable) -> Result<Self> {
        let Some(constraint) = constraint else { return Ok(Self::default()) };
        constraint.check()?;
        let GrammarConstraint { grammar, threshold } = constraint;
        Ok(Self(Some(Arc::new((grammar.token_graph(tokens)?, *threshold)))))
    }

    /// Whether there is a grammar.
    pub fn exist(&self) -> bool {
        self.0.is_some()
    }

    /// Where a token leads to, if it may follow.
    pub fn next(&self, state: TokenState, token: TokenId) -> Option<TokenState> {
        match self.0.as_deref() {
            None => Some(state),
            Some((graph, _)) => graph.next(state, token),
        }
    }

    /// Whether an utterance may end here.
    pub fn end(&self, state: TokenState) -> bool {
        self.0.as_deref().is_none_or(|(graph, _)| graph.ends(state))
    }

    /// The least fit of a phrase.
    pub fn threshold(&self) -> Option<f32> {
        self.0.as_deref().map(|(_, threshold)| *threshold)
    }
}

impl Rejecter {
    pub fn new(blank: TokenId) -> Self {
        Self { free: Greedy::new(blank) }
    }

    /// Takes the log-probabilities of one encoder frame, `[tokens]`.
    pub fn accept(&mut self, frame: u64, log_probs: &[f32]) {
        self.free.accept(frame, log_probs);
    }

    /// The likeliest tokens without a grammar.
    pub fn free_tokens(&self) -> Vec<Token> {
        self.free.path().tokens
    }

    /// Whether these are none.
    pub fn is_empty(&self) -> bool {
        self.free.is_empty()
    }

    /// What a grammar whose phrases must fit by `threshold` makes of so many tokens whose alignment has this
    /// log-probability.
    pub fn decide(&self, threshold: Option<f32>, alignment: f64, tokens: usize) -> GrammarMatch {
        let Some(threshold) = threshold else { return GrammarMatch::Unrestricted };
        let fit = self.fit(alignment, tokens);
        if fit >= threshold {
            GrammarMatch::Phrase { fit }
        } else {
            GrammarMatch::OutOfGrammar { fit }
        }
    }

    /// Begins the next utterance of the same audio.
    pub fn start_utterance(&mut self) {
        self.free.start_utterance();
    }

    /// Begins an utterance of other audio.
    pub fn reset(&mut self) {
        self.free.reset();
    }

    /// The ratio of the alignment's probability to the best path's, per token of the alignment: words
    /// that were said besides count in full.
    fn fit(&self, alignment: f64, tokens: usize) -> f32 {
        let ratio = (alignment - self.free.score()).min(0.0);
        (ratio / tokens.max(1) as f64).exp() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::super::prefix_beam::PrefixBeam;
    use super::super::{Path, PrefixBeamConfig};
    use super::*;

    const LIKELY: f32 = -0.1;
    const UNLIKELY: f32 = -5.0;

    fn table() -> TokenTable {
        TokenTable::parse("<blank>\n▁\nA\nB\nC", TokenId(0)).unwrap()
    }

    fn constraint(list: &str, threshold: f32) -> GrammarConstraint {
        GrammarConstraint { grammar: Grammar::parse(list).unwrap(), threshold }
    }

    fn search(list: &str, threshold: f32) -> PrefixBeam {
        let constraint = Some(constraint(list, threshold));
        let config = PrefixBeamConfig { constraint, ..PrefixBeamConfig::default() };
        PrefixBeam::new(&config, &table()).unwrap()
    }

    /// Takes a frame per token, in which it is the likeliest; gives the best final.
    fn say(search: &mut PrefixBeam, tokens: &[u32]) -> Path {
        for (frame, &token) in (0..).zip(tokens) {
            let row: [f32; 5] =
                std::array::from_fn(|id| if id as u32 == token { LIKELY } else { UNLIKELY });
            search.accept(frame, &row);
        }
        search.finals().remove(0)
    }

    fn text(path: &Path) -> String {
        table().text(path.tokens.iter().map(|token| token.id))
    }

    #[test]
    fn what_fits_is_a_phrase() {
        let mut search = search("ab c\nbb", 0.9);
        let path = say(&mut search, &[0, 2, 3, 1, 0, 4, 0]);
        assert_eq!(text(&path), "AB C");
        assert_eq!(path.outcome, GrammarMatch::Phrase { fit: 1.0 });
        // One letter of four, the boundary included, is another.
        search.reset();
        let path = say(&mut search, &[0, 2, 2, 0, 1, 4, 0]);
        let GrammarMatch::OutOfGrammar { fit } = path.outcome else { panic!("{path:?}") };
        assert!((fit - ((UNLIKELY - LIKELY) / 4.0).exp()).abs() < 1e-5, "{fit}");
    }

    #[test]
    fn what_does_not_fit_is_out_of_grammar_with_the_times_of_what_was_found() {
        let path = say(&mut search("ab", 0.1), &[0, 3, 0, 4, 0]);
        assert!(
            matches!(path.outcome, GrammarMatch::OutOfGrammar { fit } if fit < 0.1),
            "{path:?}"
        );
        let found = path.tokens.iter().map(|token| (token.id.0, token.frame));
        assert_eq!(found.collect::<Vec<_>>(), [(3, 1), (4, 3)]);
        // Nor is the beginning of a phrase one.
        let path = say(&mut search("abcabc", 0.1), &[0, 2, 0]);
        assert!(matches!(path.outcome, GrammarMatch::OutOfGrammar { .. }), "{path:?}");
    }

    #[test]
    fn silence_is_neither() {
        for list in ["ab", "#JSGF V1.0; grammar g; public <g> = [a];"] {
            let mut search = search(list, 0.5);
            let path = say(&mut search, &[0, 0, 0]);
            assert!(path.tokens.is_empty() && search.is_empty());
            assert_eq!(path.outcome, GrammarMatch::Phrase { fit: 1.0 });
        }
    }

    /// However many alignments the utterance before had.
    #[test]
    fn silence_after_a_phrase_is_neither_too() {
        let mut search = search("abcabcabcabc", 0.9);
        for _ in 0..12 {
            // Two letters that are equally likely, so that no alignment is much of the sum.
            for token in 2..5 {
                let row: [f32; 5] =
                    std::array::from_fn(|id| if id == token || id == 0 { -0.7 } else { UNLIKELY });
                (0..4).for_each(|_| _ = search.accept(0, &row));
            }
        }
        search.start_utterance();
        let path = say(&mut search, &[0, 0, 0]);
        assert!(path.tokens.is_empty());
        assert_eq!(path.outcome, GrammarMatch::Phrase { fit: 1.0 });
    }

    #[test]
    fn speech_outside_the_grammar_is_not_idleness() {
        let mut search = search("abcabc", 0.1);
        say(&mut search, &[4, 4]);
        assert!(!search.is_empty());
    }

    #[test]
    fn partials_show_beginnings_of_phrases_and_nothing_is_stable() {
        let mut search = search("ab c\nabc a", 0.1);
        say(&mut search, &[0, 2, 3, 0]);
        let partial = search.partial();
        assert_eq!((text(&partial).as_str(), partial.stable), ("AB", 0));
        say(&mut search, &[3, 3, 3]);
        assert!(matches!(search.partial().outcome, GrammarMatch::OutOfGrammar { .. }));
    }

    #[test]
    fn another_grammar_counts_from_the_next_utterance_on() {
        let mut search = search("ab", 0.1);
        let set = |search: &mut PrefixBeam, list| {
            search.set_grammar(Some(&constraint(list, 0.1)), &table())
        };
        // In silence it counts at once.
        say(&mut search, &[0, 0]);
        set(&mut search, "bc").unwrap();
        assert_eq!(text(&say(&mut search, &[3, 0])), "B");
        set(&mut search, "ca").unwrap();
        assert_eq!(text(&say(&mut search, &[4, 0])), "BC");
        search.start_utterance();
        assert_eq!(text(&say(&mut search, &[0, 4, 2, 0])), "CA");
        // One that can't be used changes nothing.
        assert!(set(&mut search, "xyz").is_err());
        search.start_utterance();
        assert_eq!(text(&say(&mut search, &[0, 4, 2, 0])), "CA");
        search.set_grammar(None, &table()).unwrap();
        search.start_utterance();
        let path = say(&mut search, &[0, 3, 0]);
        assert_eq!((text(&path).as_str(), path.outcome), ("B", GrammarMatch::Unrestricted));
    }

    #[test]
    fn a_threshold_out_of_range_is_refused() {
        for threshold in [-0.1, 1.1, f32::NAN] {
            let error =
                ConstraintGraph::new(Some(&constraint("a", threshold)), &table()).unwrap_err();
            let reason = format!("a grammar threshold of {threshold}; it must be from 0 to 1");
            assert_eq!(error.to_string(), reason);
        }
    }
}
