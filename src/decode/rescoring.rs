//! Hypotheses ranked anew by a language model that looks further back.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::lm::{NgramModel, RecurrentModel, RecurrentState, RecurrentWord};

/// A recurrent language model that ranks the hypotheses of finals anew.
///
/// Words that it has then score as the mean of both models' probabilities, others as in the search.
#[derive(Clone, Debug, PartialEq)]
pub struct Rescoring {
    /// The model.
    pub recurrent: RecurrentModel,
    /// How much of the mean is the recurrent model's, 0 to 1; the rest is the n-gram model's.
    pub share: f32,
    /// How many hypotheses are ranked, 1,000 at most.
    pub hypotheses: usize,
}

/// What the two models think of sentences; what these share is computed once.
pub(super) struct Rescorer<'a> {
    rescoring: &'a Rescoring,
    ngrams: &'a NgramModel,
    states: Vec<RecurrentState>,
    /// The states a word on, by the state's place and the word.
    next: HashMap<(usize, RecurrentWord), usize>,
}

impl Rescoring {
    pub(super) fn check(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.share) && self.hypotheses > 0 {
            return Ok(());
        }
        Err(Error::Config(format!(
            "{} hypotheses ranked anew with a share of {}; there must be at least one, and a share from 0 to 1",
            self.hypotheses, self.share
        )))
    }

    pub(super) fn rescorer<'a>(&'a self, ngrams: &'a NgramModel) -> Rescorer<'a> {
        Rescorer {
            rescoring: self,
            ngrams,
            states: vec![self.recurrent.begin()],
            next: HashMap::new(),
        }
    }
}

impl Rescorer<'_> {
    /// How much more the natural log-probability of a sentence is than the n-gram model's.
    pub fn gain(&mut self, words: &[String]) -> f64 {
        let Rescoring { recurrent, .. } = self.rescoring;
        let (mut state, mut history) = (0, self.ngrams.begin());
        let mut gain = 0.0;
        for word in words {
            let id = self.ngrams.word_id(word).unwrap_or(self.ngrams.unknown());
            let (ngram, longer) = self.ngrams.score(&history, id);
            let known = recurrent.word(word);
            gain += known.map_or(0.0, |known| self.word_gain(state, known, ngram));
            history = longer;
            state = self.advance(state, known.unwrap_or(RecurrentWord::UNKNOWN));
        }
        gain + self.word_gain(state, RecurrentWord::END, self.ngrams.end(&history))
    }

    fn word_gain(&self, state: usize, word: RecurrentWord, ngram: f32) -> f64 {
        let Rescoring { recurrent, share, .. } = self.rescoring;
        let ratio = f64::from(recurrent.score(&self.states[state], word) - ngram).exp();
        let share = f64::from(*share);
        (1.0 - share + share * ratio).ln()
    }

    fn advance(&mut self, state: usize, word: RecurrentWord) -> usize {
        let states = &mut self.states;
        *self.next.entry((state, word)).or_insert_with(|| {
            states.push(self.rescoring.recurrent.advance(&states[state], word));
            states.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lm::samples;

    fn rescoring(share: f32) -> Rescoring {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words.rnn");
        Rescoring { recurrent: RecurrentModel::load(file).unwrap(), share, hypotheses: 10 }
    }

    fn gain(rescoring: &Rescoring, text: &str) -> f64 {
        let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        rescoring.rescorer(&samples::model()).gain(&words)
    }

    #[test]
    fn words_score_as_the_mean_of_both_models() {
        let ngrams = samples::model();
        let Rescoring { recurrent, .. } = rescoring(0.0);
        let (begin, a) = (recurrent.begin(), recurrent.word("A").unwrap());
        let (a_of_ngrams, history) = ngrams.score(&ngrams.begin(), ngrams.word_id("A").unwrap());
        let after = recurrent.advance(&begin, a);
        let pairs = [
            (recurrent.score(&begin, a), a_of_ngrams),
            (recurrent.score(&after, RecurrentWord::END), ngrams.end(&history)),
        ];
        for share in [0.0, 0.3, 1.0] {
            let mean = |(recurrent, ngram): (f32, f32)| {
                f64::from(share * recurrent.exp() + (1.0 - share) * ngram.exp()).ln()
                    - f64::from(ngram)
            };
            let expected: f64 = pairs.into_iter().map(mean).sum();
            let gain = gain(&rescoring(share), "A");
            assert!((gain - expected).abs() < 1e-4, "{share}: {gain} {expected}");
        }
    }

    #[test]
    fn a_word_that_the_recurrent_model_lacks_gains_nothing() {
        let rescoring = rescoring(0.5);
        let ngrams = samples::model();
        let mut rescorer = rescoring.rescorer(&ngrams);
        let state = rescorer.advance(0, RecurrentWord::UNKNOWN);
        let after = rescorer
            .ngrams
            .score(&rescorer.ngrams.begin(), rescorer.ngrams.word_id("B").unwrap())
            .1;
        let end = rescorer.word_gain(state, RecurrentWord::END, ngrams.end(&after));
        assert_eq!(rescorer.gain(&["B".to_owned()]), end);
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let fits = |share, hypotheses| Rescoring { hypotheses, ..rescoring(share) }.check().is_ok();
        assert!(fits(0.0, 1) && fits(1.0, 9));
        assert!(!fits(-0.1, 1) && !fits(1.1, 1) && !fits(f32::NAN, 1) && !fits(0.5, 0));
    }
}
