//! Two passes' hypotheses of one utterance as one: the later pass's words, and behind them the earlier one's.

use std::ops::{Range, RangeInclusive};

use super::{GrammarMatch, Path, Token, word};
use crate::lexicon::tokens::TokenTable;

impl Path {
    /// The tokens of each word, boundaries behind it included, and the frames that its letters begin in.
    pub(crate) fn words(&self, table: &TokenTable) -> Vec<(Range<usize>, RangeInclusive<u64>)> {
        word::ranges(&self.tokens, table).collect()
    }

    /// The paths that begin with what is stable in this one; where none does, the best one with that beginning.
    /// A grammar's phrases stay as they are.
    pub(crate) fn keep_committed(&self, mut paths: Vec<Self>, table: &TokenTable) -> Vec<Self> {
        let is_free = |path: &Self| path.outcome == GrammarMatch::Unrestricted;
        if self.stable == 0 || !is_free(self) || !paths.iter().all(is_free) {
            return paths;
        }
        let committed = &self.tokens[..self.stable];
        let best = paths.first().cloned();
        paths.retain(|path| path.begins_with(committed));
        if paths.is_empty() {
            paths.extend(best.map(|best| {
                let beginning = Self { tokens: committed.to_vec(), ..best.clone() };
                beginning.followed_by(&best, table)
            }));
        }
        paths.iter_mut().for_each(|path| path.stable = self.stable);
        paths
    }

    /// Whether its tokens begin with others, whenever these were found.
    pub(crate) fn begins_with(&self, beginning: &[Token]) -> bool {
        let same = self.tokens.iter().zip(beginning).take_while(|(own, other)| own.id == other.id);
        same.count() == beginning.len()
    }

    /// This path followed by the words of another one whose middle lies behind its end.
    ///
    /// A grammar's phrases are not put together: then it is the other one.
    pub(crate) fn followed_by(&self, tail: &Self, table: &TokenTable) -> Self {
        let is_free = |path: &Self| path.outcome == GrammarMatch::Unrestricted;
        let Some(end) = self.tokens.last().filter(|_| is_free(self) && is_free(tail)) else {
            return tail.clone();
        };
        let behind = word::ranges(&tail.tokens, table)
            .find(|(_, frames)| (frames.start() + frames.end()).div_ceil(2) > end.frame);
        let first = behind.map_or(tail.tokens.len(), |(range, _)| range.start);
        // Words of two passes may overlap; tokens are in the order of their frames.
        let behind = tail.tokens[first..].iter();
        let behind = behind.map(|token| Token { frame: token.frame.max(end.frame), ..*token });
        let tokens = self.tokens.iter().copied().chain(behind).collect();
        Self { tokens, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::tokens::TokenId;

    fn table() -> TokenTable {
        TokenTable::parse("<blank>\n▁\nA\nB\nC\n", TokenId(0)).unwrap()
    }

    /// Each letter is a frame later than the one before, spaces included.
    fn path(text: &str, first_frame: u64) -> Path {
        let ids = text.chars().map(|character| " ABC".find(character).unwrap() as u32 + 1);
        let tokens = ids.zip(first_frame..).map(|(id, frame)| Token {
            id: TokenId(id),
            frame,
            log_prob: -1.0,
        });
        Path {
            tokens: tokens.collect(),
            stable: 1,
            score: -2.0,
            outcome: GrammarMatch::Unrestricted,
        }
    }

    fn text(path: &Path) -> String {
        table().text(path.tokens.iter().map(|token| token.id))
    }

    #[test]
    fn words_behind_the_end_follow() {
        let spliced = path("AA BB ", 0).followed_by(&path("A B CA B ", 1), &table());
        // CA begins in the frame in which BB has ended.
        assert_eq!(text(&spliced), "AA BB CA B");
        assert_eq!((spliced.stable, spliced.score), (1, -2.0));
    }

    #[test]
    fn words_before_the_end_are_replaced() {
        let spliced = path("AA BB CC ", 0).followed_by(&path("A B ", 1), &table());
        assert_eq!(text(&spliced), "AA BB CC");
    }

    #[test]
    fn nothing_is_followed_by_all() {
        assert_eq!(text(&path("", 0).followed_by(&path("A B ", 1), &table())), "A B");
    }

    #[test]
    fn phrases_of_a_grammar_stay() {
        let phrase = Path { outcome: GrammarMatch::Phrase { fit: 1.0 }, ..path("A ", 0) };
        assert_eq!(text(&path("B ", 0).followed_by(&phrase, &table())), "A");
    }
}
