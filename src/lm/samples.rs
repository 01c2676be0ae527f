//! A small model for tests, and its probabilities by their definition.

use std::collections::HashMap;

use super::{NgramModel, arpa};

/// A trigram model of A, B, AB and BA.
pub(crate) const ARPA: &str = "
\\data\\
ngram 1=7
ngram 2=6
ngram 3=3

\\1-grams:
-99\t<s>\t-0.5
-0.9\t</s>
-1.5\t<unk>\t-0.1
-0.7\tA\t-0.3
-0.8\tB\t-0.2
-1.1\tAB\t-0.4
-1.3\tBA

\\2-grams:
-0.3\t<s> A\t-0.2
-0.6\t<s> B
-0.5\tA B\t0.1
-0.4\tA </s>
-0.2\tB AB\t-0.3
-0.7\tAB BA

\\3-grams:
-0.1\t<s> A B
-0.25\tA B AB
-0.35\tB AB BA

\\end\\
";

/// Looks words up in a table and backs off as the format defines it.
pub(crate) struct Oracle(HashMap<Vec<&'static str>, (f64, f64)>);

/// The sample as it is read.
pub(crate) fn model() -> NgramModel {
    NgramModel(arpa::parse(ARPA.as_bytes()).unwrap().into())
}

impl Oracle {
    pub fn new() -> Self {
        let mut ngrams = HashMap::new();
        for line in ARPA.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            if let [log_prob, words, rest @ ..] = &fields[..] {
                let backoff = rest.first().map_or(0.0, |field| field.parse().unwrap());
                let words: Vec<&str> = words.split(' ').collect();
                ngrams.insert(words, (log_prob.parse().unwrap(), backoff));
            }
        }
        Self(ngrams)
    }

    pub fn knows(&self, word: &str) -> bool {
        self.0.keys().any(|words| words[..] == [word])
    }

    /// The natural log-probability of the last word after those before.
    pub fn log_prob(&self, words: &[&str]) -> f64 {
        self.log10(&words[words.len().saturating_sub(3)..]) * std::f64::consts::LN_10
    }

    fn log10(&self, words: &[&str]) -> f64 {
        match self.0.get(words) {
            Some((log_prob, _)) => *log_prob,
            None => {
                let backoff = self.0.get(&words[..words.len() - 1]).map_or(0.0, |found| found.1);
                backoff + self.log10(&words[1..])
            }
        }
    }
}
