//! Text to tokens, for phrases that are searched for.

use std::collections::HashMap;

use crate::lexicon::tokens::{TokenId, TokenTable};

const WORD_BOUNDARY: char = TokenTable::WORD_BOUNDARY;

/// Spells phrases with a model's tokens.
pub(crate) struct Speller<'a> {
    ids: HashMap<&'a str, TokenId>,
    longest_bytes: usize,
    tokens: &'a TokenTable,
}

impl<'a> Speller<'a> {
    pub(crate) fn new(tokens: &'a TokenTable) -> Self {
        let ids: HashMap<_, _> = tokens.iter().map(|(id, token)| (token, id)).collect();
        let longest_bytes = ids.keys().map(|token| token.len()).max().unwrap_or(0);
        Self { ids, longest_bytes, tokens }
    }

    /// The token that is nothing but a word boundary, where the model has one.
    pub(crate) fn boundary(&self) -> Option<TokenId> {
        self.ids.get(WORD_BOUNDARY.encode_utf8(&mut [0; 4]) as &str).copied()
    }

    /// Spells words with the fewest tokens, in the case that the tokens have; `’` is `'`. A user word
    /// may be given in its written form.
    ///
    /// Between words stands what the model writes there: a boundary token, or a token that begins
    /// with one. A boundary token before the first word is left out.
    ///
    /// # Errors
    ///
    /// The reason: no words, or the character that no token spells.
    pub(crate) fn spell(&self, phrase: &str) -> Result<Vec<TokenId>, String> {
        let words: Vec<_> = phrase.split_whitespace().collect();
        if words.is_empty() {
            return Err("it is empty; write words, as in `lights off`".to_owned());
        }
        if phrase.contains(WORD_BOUNDARY) {
            return Err(format!("{WORD_BOUNDARY:?} stands for a space; write a space"));
        }
        let spelled = |word: &str| match self.tokens.spelling(word) {
            Some(spelled) => spelled.to_owned(),
            None => word.replace('’', "'"),
        };
        let text = words.iter().flat_map(|word| [WORD_BOUNDARY.into(), spelled(word)]);
        let text: String = text.collect();
        let mut stuck = Stuck { at: 0, text: String::new() };
        for text in [text.to_uppercase(), text.to_lowercase(), text] {
            match self.fewest(&text) {
                Ok(mut ids) => {
                    if ids.len() > 1 && self.boundary() == Some(ids[0]) {
                        ids.remove(0);
                    }
                    return Ok(ids);
                }
                Err(at) if stuck.text.is_empty() || at > stuck.at => stuck = Stuck { at, text },
                Err(_) => {}
            }
        }
        Err(stuck.reason())
    }

    /// The fewest tokens that make up the text, or the furthest byte that tokens lead to.
    fn fewest(&self, text: &str) -> Result<Vec<TokenId>, usize> {
        /// The fewest tokens up to a byte, the last of them, and the byte that it begins with.
        type Reached = Option<(usize, TokenId, usize)>;
        let mut reached: Vec<Reached> = vec![None; text.len() + 1];
        let mut furthest = 0;
        for start in 0..text.len() {
            let Some(count) = (if start == 0 { Some(0) } else { reached[start].map(|r| r.0) })
            else {
                continue;
            };
            furthest = start;
            let longest = self.longest_bytes.min(text.len() - start);
            for length in 1..=longest {
                let Some(piece) = text.get(start..start + length) else { continue };
                let Some(&id) = self.ids.get(piece) else { continue };
                let reached = &mut reached[start + length];
                if reached.is_none_or(|(fewest, ..)| count + 1 < fewest) {
                    *reached = Some((count + 1, id, start));
                }
            }
        }
        let mut ids = Vec::new();
        let mut end = text.len();
        while end > 0 {
            let (_, id, start) = reached[end].ok_or(furthest)?;
            ids.push(id);
            end = start;
        }
        ids.reverse();
        Ok(ids)
    }
}

/// Where spelling went no further.
struct Stuck {
    at: usize,
    text: String,
}

impl Stuck {
    fn reason(&self) -> String {
        let rest = self.text[self.at..].trim_start_matches(WORD_BOUNDARY);
        let character = rest.chars().next().unwrap_or(WORD_BOUNDARY);
        format!("the model has no token for {character:?}; write words in its letters")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(tokens: &str, phrase: &str) -> Result<Vec<u32>, String> {
        let table = TokenTable::parse(tokens, TokenId(0)).unwrap();
        Speller::new(&table).spell(phrase).map(|ids| ids.iter().map(|id| id.0).collect())
    }

    const LETTERS: &str = "<blank>\n▁\n'\nA\nB\n";

    #[test]
    fn letters_of_any_case_have_a_boundary_between_words() {
        assert_eq!(spell(LETTERS, "ab").unwrap(), [3, 4]);
        assert_eq!(spell(LETTERS, " aB  b’a ").unwrap(), [3, 4, 1, 4, 2, 3]);
        assert_eq!(spell("<blank>\n▁\na\nb\n", "AB").unwrap(), [2, 3]);
    }

    #[test]
    fn pieces_are_as_few_as_can_be() {
        let pieces = "<blank>\n▁\n▁a\nb\nab\n▁ab\nbab\n";
        assert_eq!(spell(pieces, "abab").unwrap(), [2, 6]);
        assert_eq!(spell(pieces, "bab a").unwrap(), [6, 2]);
        assert_eq!(spell(pieces, "ab ab").unwrap(), [5, 5]);
    }

    #[test]
    fn names_the_character_that_no_token_spells() {
        let no = |c| format!("the model has no token for {c:?}; write words in its letters");
        assert_eq!(spell(LETTERS, "ab 7a").unwrap_err(), no('7'));
        assert_eq!(spell(LETTERS, "abé").unwrap_err(), no('É'));
        assert_eq!(spell(LETTERS, "<blank>").unwrap_err(), no('<'));
        assert!(spell(LETTERS, " \t").unwrap_err().starts_with("it is empty"));
        assert_eq!(spell("<blank>\n▁a\n", "b").unwrap_err(), no('B'));
    }
}
