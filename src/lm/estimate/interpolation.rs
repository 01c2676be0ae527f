//! Two n-gram models as one (static linear interpolation, as SRILM's `ngram -mix-lm`).

use std::collections::{BTreeMap, BTreeSet};

use super::super::{LmState, NgramModel, WordId};
use super::counts::{BEGIN, END, UNKNOWN};
use super::{IMPOSSIBLE, Ngram, Ngrams};
use crate::error::{Error, Result};

/// Rounds of expectation maximization; a weight moves by less than a hundredth after five.
const ROUNDS: usize = 20;
/// The least mass that a history leaves to words that it has not been seen with.
const LEAST_MASS: f64 = 1e-7;

/// A mixture: a model, and another that is mixed in with a weight.
#[derive(Clone, Copy, Debug)]
pub struct Interpolation<'a> {
    base: &'a NgramModel,
    added: &'a NgramModel,
    /// The share of `added`, from 0 to 1.
    weight: f64,
}

/// One of the models, with what it makes of words that it lacks.
struct Side<'a> {
    model: &'a NgramModel,
    share: f64,
    /// Of each word of the mixture.
    ids: Vec<Option<WordId>>,
    /// Words of the mixture that it lacks, and one for those that both lack: they divide its unknown word's
    /// probability.
    unknown_words: f64,
    /// The mixture's unknown word.
    unknown: u32,
}

impl<'a> Interpolation<'a> {
    /// With this weight of `added`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the weight is not from 0 to 1.
    pub fn new(base: &'a NgramModel, added: &'a NgramModel, weight: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&weight) {
            let reason = format!("an interpolation weight of {weight}; 0 to 1 can be had");
            return Err(Error::Config(reason));
        }
        Ok(Self { base, added, weight })
    }

    /// With the weight under which held-out sentences are likeliest, found by expectation maximization.
    pub fn fitted<'s>(
        base: &'a NgramModel,
        added: &'a NgramModel,
        held_out: impl IntoIterator<Item = &'s str>,
    ) -> Self {
        let pairs: Vec<[f64; 2]> = held_out
            .into_iter()
            .flat_map(|sentence| probabilities([base, added], sentence))
            .collect();
        let mut weight = 0.5;
        for _ in 0..ROUNDS {
            let share = |[base, added]: &[f64; 2]| {
                let added = weight * added;
                added / (added + (1.0 - weight) * base).max(f64::MIN_POSITIVE)
            };
            if !pairs.is_empty() {
                weight = pairs.iter().map(share).sum::<f64>() / pairs.len() as f64;
            }
        }
        Self { base, added, weight }
    }

    /// The share of the model that is mixed in.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// One model with the n-grams of both.
    ///
    /// A history's back-off is what makes its probabilities one, where the models have the suffixes of their
    /// n-grams, as estimated ones have.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if a model is not usable.
    pub fn model(&self) -> Result<NgramModel> {
        let spoken: BTreeSet<String> = self.base.words().chain(self.added.words()).collect();
        let markup = [BEGIN, END, UNKNOWN].map(str::to_owned);
        let words: Vec<String> =
            spoken.into_iter().chain(markup).collect::<BTreeSet<_>>().into_iter().collect();
        let sides = [
            Side::new(self.base, 1.0 - self.weight, &words),
            Side::new(self.added, self.weight, &words),
        ];
        let mut levels: Vec<Vec<Ngram>> = Vec::new();
        let order = sides.iter().map(|side| side.model.counts().count()).max().unwrap_or(0);
        for length in 1..=order {
            let ngrams: BTreeSet<Box<[u32]>> =
                sides.iter().flat_map(|side| side.ngrams(length)).collect();
            let level: Vec<Ngram> = ngrams.into_iter().map(|words| mix(&sides, words)).collect();
            if let Some(below) = levels.last_mut() {
                set_backoffs(&sides, below, &level);
            }
            levels.push(level);
        }
        Ngrams { words, levels }.into_model()
    }
}

/// What both models make of each word of a sentence and of its end, where one of them has the word.
fn probabilities(models: [&NgramModel; 2], sentence: &str) -> Vec<[f64; 2]> {
    let mut states = models.map(NgramModel::begin);
    let mut pairs = Vec::new();
    for word in sentence.split_whitespace() {
        let ids = models.map(|model| model.word_id(word));
        let mut pair = [0.0; 2];
        for (((model, state), id), probability) in
            models.iter().zip(&mut states).zip(ids).zip(&mut pair)
        {
            let (score, next) = model.score(state, id.unwrap_or(model.unknown()));
            *probability = if id.is_some() { f64::from(score).exp() } else { 0.0 };
            *state = next;
        }
        if ids.iter().any(Option::is_some) {
            pairs.push(pair);
        }
    }
    let ends = models.iter().zip(&states).map(|(model, state)| f64::from(model.end(state)).exp());
    if let [base, added] = ends.collect::<Vec<_>>()[..] {
        pairs.push([base, added]);
    }
    pairs
}

/// The mixture's probability of an n-gram, without its back-off.
fn mix(sides: &[Side; 2], words: Box<[u32]>) -> Ngram {
    let probability: f64 = sides.iter().map(|side| side.share * side.probability(&words)).sum();
    let log_prob = if probability > 0.0 { probability.ln() } else { IMPOSSIBLE };
    Ngram { words, log_prob, backoff: 0.0 }
}

/// Gives each history the back-off under which its probabilities make one: `level` are the n-grams that are one
/// word longer than those `below`.
fn set_backoffs(sides: &[Side; 2], below: &mut [Ngram], level: &[Ngram]) {
    let mut masses: BTreeMap<&[u32], [f64; 2]> = BTreeMap::new();
    for ngram in level {
        let (history, shorter) = (&ngram.words[..ngram.words.len() - 1], &ngram.words[1..]);
        let lower: f64 = sides.iter().map(|side| side.share * side.probability(shorter)).sum();
        let [seen, lower_seen] = masses.entry(history).or_insert([0.0; 2]);
        *seen += ngram.log_prob.exp();
        *lower_seen += lower;
    }
    for ngram in below {
        if let Some([seen, lower]) = masses.get(&*ngram.words) {
            ngram.backoff = ((1.0 - seen).max(LEAST_MASS) / (1.0 - lower).max(LEAST_MASS)).ln();
        }
    }
}

impl<'a> Side<'a> {
    fn new(model: &'a NgramModel, share: f64, words: &[String]) -> Self {
        let id = |word: &String| match word.as_str() {
            BEGIN => Some(model.0.markup.begin),
            END => Some(model.0.markup.end),
            UNKNOWN => None,
            word => model.word_id(word),
        };
        let ids: Vec<_> = words.iter().map(id).collect();
        let unknown_words = ids.iter().filter(|id| id.is_none()).count() as f64;
        let unknown = words.iter().position(|word| word == UNKNOWN).unwrap_or_default() as u32;
        Self { model, share, ids, unknown_words, unknown }
    }

    /// The probability of the last word after the others.
    fn probability(&self, words: &[u32]) -> f64 {
        let mut state = LmState::NONE;
        let mut probability = 0.0;
        for &word in words {
            let id = self.ids[word as usize];
            let (log_prob, next) = self.model.score(&state, id.unwrap_or(self.model.unknown()));
            probability = f64::from(log_prob).exp() / id.map_or(self.unknown_words, |_| 1.0);
            state = next;
        }
        probability
    }

    /// The model's n-grams of a length, in the mixture's words.
    fn ngrams(&self, length: usize) -> Vec<Box<[u32]>> {
        let mut mixed = vec![self.unknown; self.model.0.levels[0].log_probs.len()];
        for (word, id) in (0..).zip(&self.ids) {
            if let Some(id) = id {
                mixed[id.0 as usize] = word;
            }
        }
        // A file in the compact form may name words that it does not have.
        let word = |word: &u32| mixed.get(*word as usize).copied().unwrap_or(self.unknown);
        let ngrams = self.model.0.ngrams(length).into_iter();
        ngrams.map(|ngram| ngram.iter().map(word).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWS: [&str; 3] = ["THE PRESIDENT SPOKE", "THE PRESIDENT LEFT", "HE SPOKE TO THE PRESS"];
    const WORK: [&str; 3] = ["MERGE THE BRANCH", "THE BRANCH IS GREEN", "HE PUSHED THE BRANCH"];

    fn model(text: [&str; 3]) -> NgramModel {
        NgramModel::estimate(text, 3).unwrap()
    }

    /// The natural log-probabilities of a sentence's words and its end.
    fn scores(model: &NgramModel, sentence: &str) -> Vec<f32> {
        let mut state = model.begin();
        let mut scores = Vec::new();
        for word in sentence.split_whitespace() {
            let id = model.word_id(word).unwrap_or(model.unknown());
            let (score, next) = model.score(&state, id);
            scores.push(score);
            state = next;
        }
        scores.push(model.end(&state));
        scores
    }

    #[test]
    fn ngrams_of_both_have_the_mean_of_the_probabilities() {
        let (news, work) = (model(NEWS), model(WORK));
        let mixed = Interpolation::new(&news, &work, 0.25).unwrap().model().unwrap();
        // Both models have all words of it.
        let sentence = "HE";
        let of = |model| scores(model, sentence)[0].exp();
        let expected = 0.75 * of(&news) + 0.25 * of(&work);
        assert!((of(&mixed) - expected).abs() < 1e-6, "{} {expected}", of(&mixed));
    }

    /// Also of a file whose checksum was made to fit.
    #[test]
    fn no_model_in_the_compact_form_makes_it_panic() {
        use crate::lm::{binary, samples};

        let (sample, work) = (samples::model(), model(WORK));
        let file = binary::bytes(&sample.0);
        let mut mixed = 0;
        for place in 24..file.len() {
            let mut file = file.clone();
            file[place] ^= 0xFF;
            let checksum = crc32fast::hash(&file[24..]).to_le_bytes();
            file[20..24].copy_from_slice(&checksum);
            let Ok(tables) = binary::parse(&file) else { continue };
            let damaged = NgramModel(tables.into());
            mixed += usize::from(Interpolation::new(&damaged, &work, 0.5).unwrap().model().is_ok());
        }
        assert!(mixed > 0);
    }

    #[test]
    fn probabilities_make_one() {
        let (news, work) = (model(NEWS), model(WORK));
        let mixed = Interpolation::new(&news, &work, 0.4).unwrap().model().unwrap();
        let words: Vec<String> = mixed.words().collect();
        for history in ["", "THE", "THE PRESIDENT", "PUSHED THE", "NOBODY"] {
            let mut state = mixed.begin();
            for word in history.split_whitespace() {
                state = mixed.score(&state, mixed.word_id(word).unwrap_or(mixed.unknown())).1;
            }
            let of_word = |word: &String| mixed.score(&state, mixed.word_id(word).unwrap()).0;
            let rest = [mixed.score(&state, mixed.unknown()).0, mixed.end(&state)];
            let sum: f32 = words.iter().map(of_word).chain(rest).map(f32::exp).sum();
            assert!((sum - 1.0).abs() < 1e-3, "{history:?}: {sum}");
        }
    }

    #[test]
    fn the_weight_follows_the_held_out_text() {
        let (news, work) = (model(NEWS), model(WORK));
        let weight = |text| Interpolation::fitted(&news, &work, [text]).weight();
        assert!(weight("MERGE THE BRANCH") > 0.9, "{}", weight("MERGE THE BRANCH"));
        assert!(weight("THE PRESIDENT SPOKE") < 0.2, "{}", weight("THE PRESIDENT SPOKE"));
        assert!(Interpolation::new(&news, &work, 1.1).is_err());
    }

    #[test]
    fn all_of_one_model_is_that_model() {
        let (news, work) = (model(NEWS), model(WORK));
        let mixed = Interpolation::new(&news, &work, 0.0).unwrap().model().unwrap();
        for sentence in NEWS {
            for (found, expected) in scores(&mixed, sentence).iter().zip(scores(&news, sentence)) {
                assert!((found - expected).abs() < 1e-3, "{sentence}: {found} {expected}");
            }
        }
    }
}
