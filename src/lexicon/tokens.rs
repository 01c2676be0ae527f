//! The model's tokens and how they join into text.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::lexicon::UserWord;

/// The position of a token in the model's output and in `tokens.txt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(pub u32);

/// The tokens of a model, by [`TokenId`].
#[derive(Clone, Debug, PartialEq)]
pub struct TokenTable {
    tokens: Vec<String>,
    blank: TokenId,
    forms: Arc<Forms>,
}

/// The forms of user words.
#[derive(Debug, Default, PartialEq)]
struct Forms {
    /// How each is written, by its spelling in tokens.
    written: BTreeMap<String, String>,
    /// The spelling of each, by its written form in lower case.
    spelled: BTreeMap<String, String>,
}

impl TokenTable {
    /// What the CTC blank is called in `tokens.txt`.
    pub const BLANK: &str = "<blank>";

    /// The character that stands for the space between words, in tokens of any length.
    pub const WORD_BOUNDARY: char = '▁';

    /// Reads `tokens.txt`: one token per line, the first line's id being 0.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for an empty line, a token that stands twice, or a `blank` that is not the
    /// line of [`TokenTable::BLANK`].
    pub fn parse(text: &str, blank: TokenId) -> Result<Self> {
        let tokens: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut lines = std::collections::HashMap::new();
        for (line, token) in (1..).zip(&tokens) {
            if token.is_empty() {
                return Err(Error::Config(format!(
                    "line {line} is empty; give one token per line"
                )));
            }
            if let Some(first) = lines.insert(token, line) {
                let reason = format!("token {token:?} stands on line {first} and on line {line}");
                return Err(Error::Config(reason));
            }
        }
        let table = Self { tokens, blank, forms: Arc::default() };
        if table.token(blank) == Self::BLANK {
            return Ok(table);
        }
        let place = match table.tokens.iter().position(|token| token == Self::BLANK) {
            Some(id) => format!("here {} has id {id}", Self::BLANK),
            None => format!("here no line says {}", Self::BLANK),
        };
        Err(Error::Config(format!(
            "the configuration says that the blank has id {}; {place}",
            blank.0
        )))
    }

    /// Joins tokens into text: words separated by single spaces, none at either end.
    ///
    /// Blanks, and ids that the table does not have, add nothing.
    pub fn text(&self, ids: impl IntoIterator<Item = TokenId>) -> String {
        let mut text = String::new();
        let mut at_boundary = false;
        let ids = ids.into_iter().filter(|&id| id != self.blank);
        for character in ids.flat_map(|id| self.token(id).chars()) {
            if character == Self::WORD_BOUNDARY {
                at_boundary = true;
                continue;
            }
            if at_boundary && !text.is_empty() {
                text.push(' ');
            }
            at_boundary = false;
            text.push(character);
        }
        text
    }

    /// The same with user words, which are written in their own form.
    #[must_use]
    pub(crate) fn with_user_words(&self, words: &[UserWord]) -> Self {
        let pair = |word: &UserWord| (word.spelled().to_owned(), word.written().to_owned());
        let lower = |word: &UserWord| (word.written().to_lowercase(), word.spelled().to_owned());
        let forms = Forms {
            written: words.iter().map(pair).collect(),
            spelled: words.iter().map(lower).collect(),
        };
        Self { forms: Arc::new(forms), ..self.clone() }
    }

    /// A text of whole words that tokens spell, with user words in their own form.
    pub(crate) fn written(&self, text: String) -> String {
        if self.forms.written.is_empty() {
            return text;
        }
        let words = text.split(' ').map(|word| self.written_word(word));
        words.collect::<Vec<_>>().join(" ")
    }

    /// A word in the form in which it is written.
    pub(crate) fn written_word<'a>(&'a self, word: &'a str) -> &'a str {
        self.forms.written.get(word).map_or(word, String::as_str)
    }

    /// How tokens spell a user word that is given in its written form, in any case.
    pub(crate) fn spelling(&self, written: &str) -> Option<&str> {
        if self.forms.spelled.is_empty() {
            return None;
        }
        self.forms.spelled.get(&written.to_lowercase()).map(String::as_str)
    }

    /// The token as `tokens.txt` has it; empty if the table has no such id.
    pub fn token(&self, id: TokenId) -> &str {
        self.tokens.get(id.0 as usize).map_or("", String::as_str)
    }

    /// Every token but the blank, with its id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (TokenId, &str)> {
        let tokens = (0..).map(TokenId).zip(self.tokens.iter().map(String::as_str));
        tokens.filter(|&(id, _)| id != self.blank)
    }

    /// The CTC blank's id.
    pub fn blank(&self) -> TokenId {
        self.blank
    }

    /// The number of tokens, the blank included.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are no tokens; never so, since there is always the blank.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tokens: &str, ids: &[u32]) -> String {
        let table = TokenTable::parse(tokens, TokenId(0)).unwrap();
        table.text(ids.iter().copied().map(TokenId))
    }

    #[test]
    fn characters_join_with_single_spaces_between_words() {
        let tokens = "<blank>\n▁\n'\nA\nB\n";
        assert_eq!(text(tokens, &[3, 4, 1, 4]), "AB B");
        assert_eq!(text(tokens, &[1, 1, 3, 1, 1, 4, 1]), "A B");
        assert_eq!(text(tokens, &[3, 2, 4]), "A'B");
        assert_eq!(text(tokens, &[]), "");
        assert_eq!(text(tokens, &[1]), "");
        assert_eq!(text(tokens, &[0, 3, 0, 9]), "A");
    }

    #[test]
    fn pieces_carry_their_word_boundary() {
        assert_eq!(text("<blank>\n▁the\n▁c\nat\n", &[1, 2, 3]), "the cat");
    }

    #[test]
    fn lines_may_end_in_carriage_returns() {
        assert_eq!(text("<blank>\r\nA\r\nB\r\n", &[1, 2]), "AB");
    }

    #[test]
    fn refuses_tables_that_contradict_themselves() {
        let error = |text, blank| TokenTable::parse(text, TokenId(blank)).unwrap_err().to_string();
        assert_eq!(error("<blank>\n\nA", 0), "line 2 is empty; give one token per line");
        assert_eq!(error("<blank>\nA\nB\nA", 0), "token \"A\" stands on line 2 and on line 4");
        let start = "the configuration says that the blank has id";
        assert_eq!(error("A\n<blank>", 0), format!("{start} 0; here <blank> has id 1"));
        assert_eq!(error("A\nB", 5), format!("{start} 5; here no line says <blank>"));
        assert_eq!(error("", 0), format!("{start} 0; here no line says <blank>"));
    }
}
