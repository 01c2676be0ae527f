//! Words that a user adds to the lexicon.

use std::collections::HashSet;

use super::letter_to_sound::letters;
use super::{AFTER_WORD, BEFORE_PHONES, Lexicon};
use crate::error::{Error, Result};
use crate::lexicon::phrase::{Phrase, all_or_reasons};

/// A word in the form in which it is to be written, and its pronunciations.
///
/// ```
/// use mynah::UserWord;
///
/// let list = "Nguyễn = win, new win\nk8s = kubernetes\nKowalczyk = /K OW V AA L CH IH K/\niPhone";
/// let words = UserWord::parse_list(list)?;
/// assert_eq!(words[0].written(), "Nguyễn");
/// assert_eq!(words[1].spelled(), "KS");
/// # Ok::<(), mynah::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserWord {
    written: String,
    spelled: String,
    pronunciations: Vec<Pronunciation>,
}

/// A pronunciation as a user gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pronunciation {
    /// English words that sound so.
    SoundsLike(String),
    /// Names of the model's phones.
    Phones(Vec<String>),
}

impl UserWord {
    /// A word without a pronunciation: the lexicon's, or one by its letter-to-sound rules.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a text with a space, or without one of the letters A to Z, with or without an
    /// accent.
    pub fn new(written: impl Into<String>) -> Result<Self> {
        let written = written.into();
        if written.is_empty() || written.contains(char::is_whitespace) {
            return Err(Error::Config(format!(
                "{written:?} must be one word; write a phrase in a list of hotwords"
            )));
        }
        let letters = letters(&written).into_iter().map(char::from);
        let spelled: String = letters.filter(|c| c.is_ascii_uppercase() || *c == '\'').collect();
        if !spelled.contains(|c: char| c.is_ascii_uppercase()) {
            return Err(Error::Config(format!("{written:?} has no letter from A to Z")));
        }
        Ok(Self { written, spelled, pronunciations: Vec::new() })
    }

    /// The word with one more pronunciation: English words that sound so (`new win`), or phones between
    /// slashes (`/N UW IY EH N/`, names as in the model's `phones.txt`).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a pronunciation without words or phones.
    pub fn with_pronunciation(mut self, pronunciation: &str) -> Result<Self> {
        let text = pronunciation.trim();
        let phones = text.strip_prefix('/').map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let owned = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let parts = owned(phones.unwrap_or(text));
        if parts.is_empty() {
            return Err(Error::Config(format!(
                "{}: an empty pronunciation; write words that sound so, as in `k8s = kubernetes`, or \
                 phones, as in `/K EY T S/`",
                self.written
            )));
        }
        self.pronunciations.push(match phones {
            Some(_) => Pronunciation::Phones(parts),
            None => Pronunciation::SoundsLike(parts.join(" ")),
        });
        Ok(self)
    }

    /// Reads a list: one `WORD` or `WORD = PRONUNCIATION, PRONUNCIATION…` a line. Lines that are empty or
    /// begin with `#` are skipped. A later line for the same letters wins.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with every line that can't be used and what is wrong in it.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        all_or_reasons(Phrase::lines(text), |line| {
            Self::parse(line).map_err(|error| error.to_string())
        })
    }

    fn parse(line: &str) -> Result<Self> {
        let Some((written, pronunciations)) = line.split_once('=') else { return Self::new(line) };
        let word = Self::new(written.trim())?;
        pronunciations.split(',').try_fold(word, Self::with_pronunciation)
    }

    /// The word alone, as of a lexicon that has its pronunciations.
    pub(crate) fn without_pronunciations(&self) -> Self {
        Self { pronunciations: Vec::new(), ..self.clone() }
    }

    /// The word as it is to be written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Its letters as a model's tokens have them: in capitals, without accents, figures and signs.
    pub fn spelled(&self) -> &str {
        &self.spelled
    }
}

impl Lexicon {
    /// The same with more words. A word that the lexicon has keeps its pronunciations beside the given ones.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a word without a known pronunciation and a phone that the model does not have.
    pub fn with_user_words(&self, words: &[UserWord]) -> Result<Self> {
        let mut text = self.0.text.trim_end().to_owned();
        let all: HashSet<&str> = self.iter().map(|(word, _)| word).collect();
        for word in words {
            let added = self.user_pronunciations(word, all.contains(word.spelled()))?;
            if !added.is_empty() {
                text.push('\n');
                text.push_str(&word.spelled);
                text.push(AFTER_WORD);
                text.push_str(&added.join(" "));
            }
        }
        let listed = words.iter().map(|word| word.spelled.clone()).collect();
        Ok(Self::of(self.0.phones.clone(), text.into(), self.0.rules.clone(), listed))
    }

    /// Whether the lexicon has a word, whatever rules say.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.iter().any(|(listed, _)| listed == word)
    }

    /// Refuses a word that [`Lexicon::with_user_words`] would refuse.
    pub(crate) fn check(&self, word: &UserWord) -> Result<()> {
        self.user_pronunciations(word, self.has(word.spelled())).map(|_| ())
    }

    /// The pronunciations that a word adds, as the lexicon's file has them.
    fn user_pronunciations(&self, word: &UserWord, is_known: bool) -> Result<Vec<String>> {
        if word.pronunciations.is_empty() {
            let guessed = if is_known { Vec::new() } else { self.guess(&word.written) };
            if !is_known && guessed.is_empty() {
                return Err(Error::Config(format!(
                    "{}: no rule pronounces it; add words that sound so, as in `k8s = kubernetes`",
                    word.written
                )));
            }
            return Ok(guessed.iter().map(|phones| encode(phones)).collect());
        }
        let each = word.pronunciations.iter().map(|pronunciation| match pronunciation {
            Pronunciation::Phones(names) => self.phone_ids(names),
            Pronunciation::SoundsLike(words) => self.sounds_like(words),
        });
        let each = each.map(|phones| phones.map(|phones| encode(&phones)));
        each.collect::<Result<_, _>>()
            .map_err(|reason| Error::Config(format!("{}: {reason}", word.written)))
    }

    fn phone_ids(&self, names: &[String]) -> Result<Vec<u8>, String> {
        let phones = &self.0.phones;
        let id = |name: &String| {
            // ARPAbet's digits mark stress, which the model does not have.
            let plain = name.trim_end_matches(|c: char| c.is_ascii_digit()).to_uppercase();
            let id = phones.iter().skip(1).position(|phone| *phone == plain);
            id.and_then(|id| u8::try_from(id + 1).ok()).ok_or_else(|| {
                format!("the model has no phone {name}; it has {}", phones[1..].join(" "))
            })
        };
        names.iter().map(id).collect()
    }

    /// The phones of English words, each by the lexicon's first pronunciation or by rule.
    fn sounds_like(&self, words: &str) -> Result<Vec<u8>, String> {
        let mut phones = Vec::new();
        for word in words.split_whitespace() {
            let key = word.replace('’', "'").to_uppercase();
            let listed = self.iter().find(|(known, _)| *known == key);
            match listed
                .map(|(_, said)| said.ids().collect())
                .or_else(|| self.guess(&key).into_iter().next())
            {
                Some(said) => phones.extend::<Vec<u8>>(said),
                None => return Err(format!("no rule pronounces {word:?}; write letters")),
            }
        }
        Ok(phones)
    }
}

fn encode(phones: &[u8]) -> String {
    phones.iter().map(|&id| char::from(id + BEFORE_PHONES)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexicon() -> Lexicon {
        Lexicon::parse("<blank>\nAH\nB\nT", "A\tA\nBUT\tBAC BC\n").unwrap()
    }

    fn added(list: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
        let words = UserWord::parse_list(list).map_err(|error| error.to_string())?;
        let lexicon = lexicon().with_user_words(&words).map_err(|error| error.to_string())?;
        Ok(lexicon
            .iter()
            .skip(3)
            .map(|(word, said)| (word.to_owned(), said.ids().collect()))
            .collect())
    }

    #[test]
    fn a_word_sounds_like_others_or_has_phones() {
        let entry = |word: &str, phones: &[u8]| (word.to_owned(), phones.to_vec());
        let both = vec![entry("TB", &[1, 2, 1, 3]), entry("TB", &[3, 2])];
        assert_eq!(added("# mine\n\nt8b = a but, /T b/"), Ok(both));
        assert_eq!(added("But = /AH1 B/"), Ok(vec![entry("BUT", &[1, 2])]));
        // What the lexicon has needs nothing.
        assert_eq!(added("buT"), Ok(vec![]));
    }

    #[test]
    fn accents_figures_and_signs_are_not_spelled() {
        let spelled = |word| UserWord::new(word).unwrap().spelled().to_owned();
        let words = ["Nguyễn", "k8s", "e-mail", "Łódź", "O’Neil", "Ørsted", "straße"];
        let expected = ["NGUYEN", "KS", "EMAIL", "LODZ", "O'NEIL", "ORSTED", "STRASSE"];
        assert_eq!(words.map(spelled), expected);
    }

    #[test]
    fn what_cannot_be_used_is_named_with_its_line() {
        for (list, reason) in [
            ("a\n42", "line 2: \"42\" has no letter from A to Z"),
            ("a b", "line 1: \"a b\" must be one word; write a phrase in a list of hotwords"),
            ("b =", "line 1: b: an empty pronunciation"),
            ("b = /T/, ", "line 1: b: an empty pronunciation"),
            ("b = /T X/", "b: the model has no phone X; it has AH B T"),
            ("b = tub", "b: no rule pronounces \"tub\""),
            ("tub", "tub: no rule pronounces it; add words that sound so"),
        ] {
            let error = added(list).unwrap_err();
            assert!(error.starts_with(reason), "{list:?}: {error}");
        }
    }
}
