//! Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1998, TR-10-98).

use std::collections::BTreeMap;

use super::counts::{BEGIN, Counts, UNKNOWN};
use super::{IMPOSSIBLE, Ngram, Ngrams};

type Level = BTreeMap<Vec<u32>, u64>;
/// An n-gram of a level and its count.
type Counted<'a> = (&'a Vec<u32>, &'a u64);

/// What is taken from a count of one, of two, and of three or more.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Discounts([f64; 3]);

/// Where a text is too small to estimate them: those of KenLM's `--discount_fallback`.
const FALLBACK: Discounts = Discounts([0.5, 1.0, 1.5]);

/// Estimates the probabilities and the back-offs.
pub fn estimate(counts: &Counts) -> Ngrams {
    let mut levels: Vec<Vec<Ngram>> = Vec::new();
    let mut below: BTreeMap<Vec<u32>, f64> = BTreeMap::new();
    for (index, level) in counts.levels.iter().enumerate() {
        let discounts = Discounts::of(level);
        let mut probabilities = BTreeMap::new();
        for (history, ngrams) in by_history(level) {
            let total: u64 = ngrams.iter().map(|(_, count)| **count).sum();
            let taken: f64 = ngrams.iter().map(|(_, count)| discounts.of_count(**count)).sum();
            let backoff = taken / total as f64;
            if let Some(ngram) = levels.last_mut().and_then(|level| find(level, history)) {
                ngram.backoff = backoff.ln();
            }
            for (ngram, count) in ngrams {
                let own = (*count as f64 - discounts.of_count(*count)) / total as f64;
                let lower = match index {
                    0 => uniform(counts),
                    _ => below.get(&ngram[1..]).copied().unwrap_or_default(),
                };
                probabilities.insert(ngram.clone(), own + backoff * lower);
            }
            if index == 0 {
                let unknown = vec![counts.id(UNKNOWN)];
                probabilities.insert(unknown, backoff * uniform(counts));
            }
        }
        let mut level: Vec<Ngram> = probabilities.iter().map(Ngram::without_backoff).collect();
        if index == 0 {
            let begin = counts.id(BEGIN);
            let ngram = Ngram { words: [begin].into(), log_prob: IMPOSSIBLE, backoff: 0.0 };
            level.insert(level.partition_point(|n| n.words[0] < begin), ngram);
        }
        levels.push(level);
        below = probabilities;
    }
    Ngrams { words: counts.words.clone(), levels }
}

/// Of all words that may come, the sentence's end and the unknown word among them.
fn uniform(counts: &Counts) -> f64 {
    1.0 / (counts.words.len() - 1) as f64
}

/// The n-grams that share all words but the last, which stand side by side.
fn by_history(level: &Level) -> Vec<(&[u32], Vec<Counted<'_>>)> {
    let mut groups: Vec<(&[u32], Vec<_>)> = Vec::new();
    for (ngram, count) in level {
        let history = &ngram[..ngram.len() - 1];
        match groups.last_mut() {
            Some((last, group)) if *last == history => group.push((ngram, count)),
            _ => groups.push((history, vec![(ngram, count)])),
        }
    }
    groups
}

fn find<'a>(level: &'a mut [Ngram], words: &[u32]) -> Option<&'a mut Ngram> {
    let at = level.binary_search_by(|ngram| (*ngram.words).cmp(words)).ok()?;
    Some(&mut level[at])
}

impl Ngram {
    fn without_backoff((words, probability): (&Vec<u32>, &f64)) -> Self {
        Self { words: words[..].into(), log_prob: probability.ln(), backoff: 0.0 }
    }
}

impl Discounts {
    fn of(level: &Level) -> Self {
        let of_count = |wanted| level.values().filter(|&&count| count == wanted).count() as f64;
        let n = [1, 2, 3, 4].map(of_count);
        if n.contains(&0.0) {
            return FALLBACK;
        }
        let y = n[0] / (n[0] + 2.0 * n[1]);
        let discounts = [1, 2, 3].map(|i| i as f64 - (i + 1) as f64 * y * n[i] / n[i - 1]);
        let fits = |(i, discount): (usize, &f64)| (0.0..=(i + 1) as f64).contains(discount);
        if discounts.iter().enumerate().all(fits) { Self(discounts) } else { FALLBACK }
    }

    fn of_count(self, count: u64) -> f64 {
        self.0[(count.clamp(1, 3) - 1) as usize].min(count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::NgramModel;

    const TEXT: [&str; 6] = [
        "SEND AN EMAIL TO MOM",
        "SEND A MESSAGE TO DAD",
        "READ THE EMAIL",
        "SEND AN EMAIL TO DAD",
        "YES",
        "READ THE MESSAGE TO MOM",
    ];

    /// After any words, the probabilities of all that may come make one.
    #[test]
    fn probabilities_make_one() {
        for order in 2..=5 {
            let model = NgramModel::estimate(TEXT, order).unwrap();
            let words: Vec<String> = model.words().collect();
            for history in ["", "SEND", "SEND AN", "TO MOM", "READ THE EMAIL", "MOM", "ELSE THE"] {
                let mut state = model.begin();
                for word in history.split_whitespace() {
                    let id = model.word_id(word).unwrap_or(model.unknown());
                    state = model.score(&state, id).1;
                }
                let of_word = |word: &String| model.score(&state, model.word_id(word).unwrap()).0;
                let rest = [model.score(&state, model.unknown()).0, model.end(&state)];
                let sum: f32 = words.iter().map(of_word).chain(rest).map(f32::exp).sum();
                assert!((sum - 1.0).abs() < 1e-4, "{order} {history:?}: {sum}");
            }
        }
    }

    #[test]
    fn seen_sentences_are_likelier_than_unseen() {
        let model = NgramModel::estimate(TEXT, 3).unwrap();
        let log_prob = |sentence: &str| {
            let (mut sum, mut state) = (0.0, model.begin());
            for word in sentence.split_whitespace() {
                let (score, next) = model.score(&state, model.word_id(word).unwrap());
                (sum, state) = (sum + score, next);
            }
            sum + model.end(&state)
        };
        assert!(log_prob("SEND AN EMAIL TO DAD") > log_prob("SEND THE EMAIL TO DAD") + 1.0);
        assert!(log_prob("READ THE MESSAGE TO DAD") > log_prob("READ DAD THE TO MESSAGE") + 3.0);
    }

    #[test]
    fn what_can_not_be_estimated_is_refused() {
        let refused =
            |text: &str, order| NgramModel::estimate([text], order).unwrap_err().to_string();
        assert!(refused("", 3).contains("no words"), "{}", refused("", 3));
        assert!(refused("A", 6).contains("order 6"));
        assert!(refused("A <s>", 3).contains("\"<s>\""));
        assert!(refused(&"A".repeat(300), 3).contains("300 bytes"));
    }
}
