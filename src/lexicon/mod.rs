//! Words, their spelling in tokens and their pronunciations in phones.

mod letter_to_sound;
pub(crate) mod phrase;
pub(crate) mod speller;
pub(crate) mod tokens;
mod user_word;

use std::any::Any;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use letter_to_sound::LetterToSound;
pub use user_word::UserWord;

use crate::error::{Error, Result};
use crate::lexicon::tokens::TokenTable;

/// Words and their phones. Cheap to clone.
///
/// A word may have several pronunciations, and a pronunciation several words.
#[derive(Clone, PartialEq)]
pub struct Lexicon(Arc<Parts>);

struct Parts {
    /// By id; the first is the CTC blank.
    phones: Vec<String>,
    text: Cow<'static, str>,
    /// The bytes of the lines that come in ascending order of their words.
    sorted_bytes: usize,
    rules: Option<Arc<LetterToSound>>,
    /// The spellings of words that a user has added, in any order.
    user_words: Vec<String>,
    /// What the first search derived from them.
    derived: OnceLock<Arc<dyn Any + Send + Sync>>,
}

/// A pronunciation, as the file has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a>(&'a str);

/// What separates a word from its pronunciations.
const AFTER_WORD: char = '\t';
/// The byte before that which stands for phone 1.
const BEFORE_PHONES: u8 = b'@';
/// As many as there are printable characters from `A` on.
const MOST_PHONES: usize = 62;

impl Lexicon {
    /// Reads `phones.txt`, a phone a line with the blank first, and `pronunciations.txt`: lines of a
    /// word, a tab and one or more pronunciations with a space between, whose characters stand for
    /// phones, `A` for the one after the blank, `B` for the next.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the line that is not so.
    pub fn parse(phones: &str, pronunciations: impl Into<Cow<'static, str>>) -> Result<Self> {
        let phones: Vec<_> = phones.lines().map(str::to_owned).collect();
        if phones.first().is_none_or(|first| first != TokenTable::BLANK) {
            let reason = format!("the phones must begin with {}", TokenTable::BLANK);
            return Err(Error::Config(reason));
        }
        if !(2..=MOST_PHONES + 1).contains(&phones.len()) {
            return Err(Error::Config(format!(
                "{} phones beside the blank; there must be 1 to {MOST_PHONES}",
                phones.len() - 1
            )));
        }
        let text = pronunciations.into();
        for (number, line) in (1..).zip(text.lines()) {
            check(line, phones.len()).map_err(|reason| {
                Error::Config(format!("pronunciations: line {number} {reason}"))
            })?;
        }
        Ok(Self::of(phones, text, None, Vec::new()))
    }

    /// The same with rules by which other words are said, as `letter_to_sound.py` of the recipe writes
    /// them.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the line that is no rule.
    pub fn with_letter_to_sound(self, rules: &str) -> Result<Self> {
        let Parts { phones, text, user_words, .. } = &*self.0;
        let rules = LetterToSound::parse(rules, phones)
            .map_err(|reason| Error::Config(format!("letter to sound: {reason}")))?;
        Ok(Self::of(phones.clone(), text.clone(), Some(Arc::new(rules)), user_words.clone()))
    }

    fn of(
        phones: Vec<String>,
        text: Cow<'static, str>,
        rules: Option<Arc<LetterToSound>>,
        user_words: Vec<String>,
    ) -> Self {
        let (sorted_bytes, derived) = (sorted_bytes(&text), OnceLock::new());
        Self(Arc::new(Parts { phones, text, sorted_bytes, rules, user_words, derived }))
    }

    /// The number of phones, the blank included.
    pub fn phone_count(&self) -> usize {
        self.0.phones.len()
    }

    /// The number of words.
    pub fn len(&self) -> usize {
        self.0.text.lines().count()
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.0.text.is_empty()
    }

    /// The spellings of the words that a user has added.
    pub(crate) fn user_words(&self) -> &[String] {
        &self.0.user_words
    }

    /// What the first search derived from them, if it is a `T`.
    pub(crate) fn derived<T: Any>(&self) -> Option<&T> {
        self.0.derived.get()?.downcast_ref()
    }

    /// Keeps for later searches what takes long to derive. The first value stays.
    pub(crate) fn keep_derived(&self, value: impl Any + Send + Sync) {
        self.0.derived.get_or_init(|| Arc::new(value));
    }

    /// How a word that the lexicon lacks may be said, the likeliest first; nothing without rules.
    pub(crate) fn guess(&self, word: &str) -> Vec<Vec<u8>> {
        self.0.rules.as_ref().map_or_else(Vec::new, |rules| rules.pronounce(word))
    }

    /// How a word is said, by the lexicon or by rule; nothing if neither has it.
    pub(crate) fn of_word(&self, word: &str) -> Vec<Vec<u8>> {
        let (sorted, rest) = self.0.text.split_at(self.0.sorted_bytes);
        let lines = find_line(sorted, word).into_iter().chain(rest.lines());
        let entries = lines.filter_map(|line| line.split_once(AFTER_WORD));
        let said = entries.filter(|(key, _)| *key == word).flat_map(|(_, said)| said.split(' '));
        let found: Vec<Vec<u8>> = said.map(|said| Said(said).ids().collect()).collect();
        if found.is_empty() { self.guess(word) } else { found }
    }

    /// Each pronunciation with its word, in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Said<'_>)> {
        let entries = self.0.text.lines().filter_map(|line| line.split_once(AFTER_WORD));
        entries.flat_map(|(word, said)| said.split(' ').map(move |said| (word, Said(said))))
    }
}

impl PartialEq for Parts {
    fn eq(&self, other: &Self) -> bool {
        (&self.phones, &self.text, &self.rules, &self.user_words)
            == (&other.phones, &other.text, &other.rules, &other.user_words)
    }
}

impl Said<'_> {
    /// The ids of the phones.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|byte| byte - BEFORE_PHONES)
    }
}

impl std::fmt::Debug for Lexicon {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Lexicon").field("phones", &self.phone_count()).finish_non_exhaustive()
    }
}

/// The bytes of the first lines whose words are in ascending order.
fn sorted_bytes(text: &str) -> usize {
    let mut last = "";
    let mut bytes = 0;
    for line in text.split_inclusive('\n') {
        let word = line.split_once(AFTER_WORD).map_or("", |(word, _)| word);
        if word < last {
            break;
        }
        last = word;
        bytes += line.len();
    }
    bytes
}

/// The line of a word, of lines in ascending order of their words.
fn find_line<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (mut low, mut high) = (0, text.len());
    while low < high {
        let middle = low + (high - low) / 2;
        // A line may begin at `middle` or before; bytes, since the middle may be within a character.
        let start =
            text.as_bytes()[..middle].iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let line = text[start..].lines().next()?;
        let key = line.split_once(AFTER_WORD).map_or("", |(key, _)| key);
        match key.cmp(word) {
            std::cmp::Ordering::Equal => return Some(line),
            std::cmp::Ordering::Less => low = start + line.len() + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}

fn check(line: &str, phones: usize) -> Result<(), String> {
    let Some((word, said)) = line.split_once(AFTER_WORD) else {
        return Err("has no tab after the word".to_owned());
    };
    if word.is_empty() {
        return Err("has no word".to_owned());
    }
    let is_phone = |byte: u8| byte > BEFORE_PHONES && usize::from(byte - BEFORE_PHONES) < phones;
    match said.split(' ').find(|said| said.is_empty() || !said.bytes().all(is_phone)) {
        Some(said) => Err(format!("has {said:?} for {word}, which is no row of phones")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONES: &str = "<blank>\nAH\nB\nT";

    #[test]
    fn a_word_has_one_or_more_pronunciations() {
        let lexicon = Lexicon::parse(PHONES, "A\tA\nBUT\tBAC BC").unwrap();
        let entries: Vec<_> =
            lexicon.iter().map(|(word, said)| (word, said.ids().collect())).collect();
        assert_eq!(entries, [("A", vec![1]), ("BUT", vec![2, 1, 3]), ("BUT", vec![2, 3])]);
        assert_eq!((lexicon.phone_count(), lexicon.len()), (4, 2));
    }

    #[test]
    fn a_words_pronunciations_are_found_wherever_it_stands() {
        let words = ["A", "ÄB", "BUT", "BUTT", "C", "D", "E"];
        let lines = |words: &[&str]| -> String {
            let line = |(at, word): (usize, &&str)| {
                format!("{word}\t{}\n", char::from(b'A' + at as u8 % 3))
            };
            words.iter().enumerate().map(line).collect()
        };
        let mut sorted = words;
        sorted.sort_unstable();
        for words in [sorted, words] {
            let lexicon = Lexicon::parse(PHONES, lines(&words)).unwrap();
            for (at, word) in words.iter().enumerate() {
                assert_eq!(lexicon.of_word(word), [vec![1 + at as u8 % 3]], "{word}");
            }
            assert_eq!(lexicon.of_word("BU"), [[0; 0]; 0]);
        }
        let twice = Lexicon::parse(PHONES, "B\tAB\nA\tA\nB\tC BB").unwrap();
        assert_eq!(twice.of_word("B"), [vec![1, 2], vec![3], vec![2, 2]]);
    }

    #[test]
    fn a_broken_line_is_named() {
        let reason = |text: &str| Lexicon::parse(PHONES, text.to_owned()).unwrap_err().to_string();
        assert!(reason("A\tA\nBUT").contains("line 2 has no tab"), "{}", reason("A\tA\nBUT"));
        assert!(reason("A\tD").contains("line 1 has \"D\" for A"));
        assert!(reason("A\tA  B").contains("line 1 has \"\" for A"));
        assert!(reason("\tA").contains("line 1 has no word"));
        assert!(Lexicon::parse("AH\nB", "").is_err());
        assert!(Lexicon::parse("<blank>", "").is_err());
    }
}
