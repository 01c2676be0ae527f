//! A list of hotwords as people write them, and the words that it adds to a model.

use super::Model;
use crate::decode::Hotword;
use crate::error::Result;
use crate::lexicon::phrase::{Phrase, all_or_reasons};
use crate::lexicon::speller::Speller;
use crate::lexicon::{Lexicon, UserWord};
use crate::lm::sentences;

/// A phrase of the list on its way to the words that are said.
struct Reading<'a> {
    model: &'a Model,
    lexicon: Option<&'a Lexicon>,
    user_words: Vec<UserWord>,
}

impl Model {
    /// Reads a list of hotwords as [`Hotword::parse_list`] does, in the form in which people write them:
    /// `José`, `e-mail`, `AT&T`, `iPhone 15` and `Mr. Smith` too.
    ///
    /// Numbers and titles become the words that are said. What has a sign, an accent or a capital within
    /// becomes a user word of the model that is given back, and is written as in the list; a model
    /// without a lexicon spells its letters. Streams of this model itself are not changed.
    ///
    /// # Errors
    ///
    /// [`crate::error::Error::Config`] with every line that can't be used and what is wrong in it.
    pub fn with_hotword_list(&self, text: &str) -> Result<(Self, Vec<Hotword>)> {
        let lexicon = self.0.lexicon.as_ref();
        let mut reading = Reading { model: self, lexicon, user_words: Vec::new() };
        let hotwords = all_or_reasons(Phrase::lines(text), |line| {
            let phrase = Phrase::parse(line)?;
            let boost = phrase.number.unwrap_or(Hotword::DEFAULT_BOOST);
            let hotword = Hotword { phrase: reading.phrase(&phrase.text)?, boost };
            hotword.check(&Speller::new(self.tokens())).map(|()| hotword)
        })?;
        if reading.user_words.is_empty() {
            return Ok((self.clone(), hotwords));
        }
        // What the model has is in its lexicon already.
        let had = self.user_words().iter().map(UserWord::without_pronunciations);
        let words: Vec<UserWord> = had.chain(reading.user_words).collect();
        Ok((self.with_user_words(&words)?, hotwords))
    }
}

impl Reading<'_> {
    /// The words of a phrase as the model spells them.
    fn phrase(&mut self, phrase: &str) -> Result<String, String> {
        let words = phrase.split(' ').map(|word| self.word(word));
        Ok(words.collect::<Result<Vec<_>, _>>()?.join(" "))
    }

    fn word(&mut self, word: &str) -> Result<String, String> {
        if let Some(spelled) = self.model.tokens().spelling(word) {
            return Ok(spelled.to_owned());
        }
        let bare = word.trim_matches(|c: char| ",;!?\"“”()".contains(c));
        if is_plain(bare) {
            return Ok(bare.to_owned());
        }
        let said = said(bare);
        // Of U.S. the letters are another word.
        if !bare.contains(char::is_alphabetic) || bare.contains('.') {
            return if said.is_empty() { Err(unreadable(word)) } else { Ok(said) };
        }
        let user_word = UserWord::new(bare).map_err(|_| unreadable(word))?;
        let (Some(lexicon), true) = (self.lexicon, user_word.spelled().len() > 1) else {
            // A single letter would be written so everywhere.
            return if said.is_empty() { Err(unreadable(word)) } else { Ok(said) };
        };
        let user_word = with_sound(user_word, &said, lexicon)?;
        let spelled = user_word.spelled().to_owned();
        if !self.user_words.contains(&user_word) {
            self.user_words.push(user_word);
        }
        Ok(spelled)
    }
}

/// The word with a pronunciation unless the lexicon or its rules have one for its letters.
fn with_sound(word: UserWord, said: &str, lexicon: &Lexicon) -> Result<UserWord, String> {
    let has_more = word.written().contains(|c: char| "&@+%=".contains(c) || c.is_ascii_digit());
    let is_letters = said.split(' ').any(|part| part.len() == 1);
    let is_listed = lexicon.has(word.spelled());
    let spoken = || {
        let parts = said.split(' ').map(|part| if part == "A" && is_letters { "AY" } else { part });
        parts.collect::<Vec<_>>().join(" ")
    };
    let word = if has_more || (is_letters && !is_listed) {
        word.with_pronunciation(&spoken()).map_err(|error| error.to_string())?
    } else {
        word
    };
    lexicon.check(&word).map_err(|error| error.to_string())?;
    Ok(word)
}

/// How a word of letters, figures and signs is said, in capitals.
fn said(word: &str) -> String {
    let is_initialism =
        word.contains('&') && word.chars().all(|c| c.is_ascii_uppercase() || c == '&');
    if is_initialism {
        let letters = word.chars().map(|c| if c == '&' { "AND".to_owned() } else { c.to_string() });
        return letters.collect::<Vec<_>>().join(" ");
    }
    sentences(word, |_| false).join(" ")
}

/// Whether the letters say everything: no sign, no figure, no capital within.
fn is_plain(word: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '\'' || c == '’';
    let rest = word.get(1..).unwrap_or_default();
    let is_even = !rest.contains(|c: char| c.is_ascii_uppercase())
        || !word.contains(|c: char| c.is_ascii_lowercase());
    !word.is_empty() && word.chars().all(is_letter) && is_even
}

fn unreadable(word: &str) -> String {
    format!("{word:?} can't be pronounced; write it as it is said, in letters from A to Z")
}

#[cfg(all(test, feature = "builtin-model"))]
mod tests {
    use super::*;

    #[test]
    fn hotwords_are_said_and_written_as_people_do() {
        let model = Model::builtin().unwrap();
        let list = "José\ne-mail\nAT&T: 2\niPhone 15\nMr. Smith\nhappy\nNASA\nk8s\nR&B\nC++\n";
        let (model, hotwords) = model.with_hotword_list(list).unwrap();
        let phrases: Vec<_> = hotwords.iter().map(|hotword| hotword.phrase.as_str()).collect();
        let expected = [
            "JOSE",
            "EMAIL",
            "ATT",
            "IPHONE FIFTEEN",
            "MISTER Smith",
            "happy",
            "NASA",
            "KS",
            "RB",
            "C PLUS",
        ];
        assert_eq!(phrases, expected);
        assert_eq!(hotwords[2].boost, 2.0);
        let written: Vec<_> = model.user_words().iter().map(UserWord::written).collect();
        assert_eq!(written, ["José", "e-mail", "AT&T", "iPhone", "k8s", "R&B"]);
        let lexicon = model.0.lexicon.as_ref().unwrap();
        let said = |words: &[&str]| -> Vec<u8> {
            words.iter().flat_map(|word| lexicon.of_word(word).swap_remove(0)).collect()
        };
        assert!(lexicon.of_word("ATT").contains(&said(&["AY", "T", "AND", "T"])));
        assert!(lexicon.of_word("KS").contains(&said(&["K", "EIGHT", "S"])));
    }

    #[test]
    fn all_bad_lines_are_named_at_once() {
        let model = Model::builtin().unwrap();
        let error =
            model.with_hotword_list("good\n北京\n# no\nbad:x\n???").err().unwrap().to_string();
        for line in ["line 2: ", "line 4: ", "line 5: "] {
            assert!(error.contains(line), "{error}");
        }
        assert!(!error.contains("line 1:") && !error.contains('\n'), "{error}");
    }
}
