//! The best path through the log-probabilities, one encoder frame at a time.

use super::{GrammarMatch, Path, Token};
use crate::lexicon::tokens::TokenId;

/// Follows the likeliest token of each encoder frame.
///
/// Repeats collapse into one token, also where a chunk or an utterance ends between them; a blank
/// between two of the same token keeps both.
#[derive(Clone, Debug)]
pub(crate) struct Greedy {
    blank: TokenId,
    previous: TokenId,
    tokens: Vec<Token>,
    /// The log-probability of the utterance's path.
    score: f64,
}

impl Greedy {
    pub(crate) fn new(blank: TokenId) -> Self {
        Self { blank, previous: blank, tokens: Vec::new(), score: 0.0 }
    }

    /// Takes the log-probabilities of one encoder frame, `[tokens]`. Returns whether its likeliest
    /// token is the blank. Of equals the first wins.
    pub(crate) fn accept(&mut self, frame: u64, log_probs: &[f32]) -> bool {
        let (mut best, mut log_prob) = (0, f32::NEG_INFINITY);
        for (id, &value) in (0..).zip(log_probs) {
            if value > log_prob {
                (best, log_prob) = (id, value);
            }
        }
        let id = TokenId(best);
        if id != self.blank && id != self.previous {
            self.tokens.push(Token { id, frame, log_prob });
        }
        self.previous = id;
        self.score += f64::from(log_prob);
        id == self.blank
    }

    /// The utterance so far.
    pub(crate) fn path(&self) -> Path {
        Path {
            tokens: self.tokens.clone(),
            stable: self.tokens.len(),
            score: self.score,
            outcome: GrammarMatch::Unrestricted,
        }
    }

    /// The log-probability of the path.
    pub(super) fn score(&self) -> f64 {
        self.score
    }

    /// Whether no token was found in the utterance so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Begins the next utterance of the same audio: a token that goes on is not given again.
    pub(crate) fn start_utterance(&mut self) {
        self.tokens.clear();
        self.score = 0.0;
    }

    /// Begins an utterance of other audio.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.blank);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLANK: u32 = 0;

    /// Log-probabilities in which `id` is the likeliest of four.
    fn row(id: u32) -> [f32; 4] {
        std::array::from_fn(|i| if i as u32 == id { -0.1 } else { -3.0 })
    }

    fn found(search: &Greedy) -> Vec<(u32, u64)> {
        search.path().tokens.iter().map(|token| (token.id.0, token.frame)).collect()
    }

    fn run(path: &[u32]) -> Vec<(u32, u64)> {
        let mut search = Greedy::new(TokenId(BLANK));
        for (frame, &id) in (0..).zip(path) {
            assert_eq!(search.accept(frame, &row(id)), id == BLANK);
        }
        found(&search)
    }

    #[test]
    fn repeats_collapse_and_blanks_vanish() {
        assert_eq!(run(&[0, 0, 0]), []);
        assert_eq!(run(&[1, 1, 1]), [(1, 0)]);
        assert_eq!(run(&[0, 1, 1, 2, 0, 3]), [(1, 1), (2, 3), (3, 5)]);
        assert_eq!(run(&[1, 0, 1]), [(1, 0), (1, 2)]);
        assert_eq!(run(&[1, 2, 1]), [(1, 0), (2, 1), (1, 2)]);
    }

    #[test]
    fn a_token_that_goes_on_into_the_next_utterance_is_not_repeated() {
        let mut search = Greedy::new(TokenId(BLANK));
        search.accept(0, &row(2));
        search.start_utterance();
        search.accept(1, &row(2));
        search.accept(2, &row(3));
        assert_eq!(found(&search), [(3, 2)]);
    }

    #[test]
    fn keeps_the_log_probability_of_the_first_frame_and_the_first_of_equals() {
        let mut search = Greedy::new(TokenId(3));
        search.accept(7, &[-2.0, -0.5, -0.5, -4.0]);
        search.accept(8, &[-2.0, -0.25, -0.5, -4.0]);
        let path = search.path();
        assert_eq!(path.tokens, [Token { id: TokenId(1), frame: 7, log_prob: -0.5 }]);
        assert_eq!(path.score, -0.75);
    }
}
