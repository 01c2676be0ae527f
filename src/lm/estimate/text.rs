//! Text as it is written to sentences as they are spoken, for a language model.

mod numbers;

use numbers::{cardinal, digit_by_digit, ordinal, year};

/// What is written short and spoken long, in lower case without the full stop.
const ABBREVIATIONS: [(&str, &str); 9] = [
    ("mr", "MISTER"),
    ("mrs", "MISSUS"),
    ("ms", "MIZ"),
    ("dr", "DOCTOR"),
    ("vs", "VERSUS"),
    ("etc", "ET CETERA"),
    ("e.g", "FOR EXAMPLE"),
    ("i.e", "THAT IS"),
    ("approx", "APPROXIMATELY"),
];
const SIGNS: [(char, &str); 5] =
    [('%', "PERCENT"), ('&', "AND"), ('@', "AT"), ('+', "PLUS"), ('=', "EQUALS")];
/// Numbers of more digits are read digit by digit.
const LONGEST_NUMBER: usize = 9;
/// Longer words in capitals are not read letter by letter.
const LONGEST_INITIALISM: usize = 5;

/// The sentences of a text in words of capital letters, separated by spaces, as an English speaker reads them:
/// `I paid $20 at 7:30.` is `I PAID TWENTY DOLLARS AT SEVEN THIRTY`.
///
/// A sentence ends with a full stop, a question mark or an exclamation mark, and with a line whose next does not
/// go on in lower case. A word in capitals is read letter by letter unless `is_word` has it: `NASA`, but `A P I`.
pub fn sentences(text: &str, is_word: impl Fn(&str) -> bool) -> Vec<String> {
    let mut reader = Reader { is_word, sentences: Vec::new(), words: Vec::new() };
    let mut lines = text.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        let is_all_capitals = !line.chars().any(char::is_lowercase);
        for token in line.split_whitespace() {
            reader.token(token, is_all_capitals);
        }
        let goes_on = |next: &&str| next.chars().next().is_some_and(char::is_lowercase);
        if !lines.peek().is_some_and(goes_on) {
            reader.end_sentence();
        }
    }
    reader.sentences
}

struct Reader<F> {
    is_word: F,
    sentences: Vec<String>,
    /// Of the sentence that is being read.
    words: Vec<String>,
}

impl<F: Fn(&str) -> bool> Reader<F> {
    fn token(&mut self, token: &str, is_all_capitals: bool) {
        let token = token.replace('’', "'");
        let is_inner = |c: char| c.is_alphanumeric() || SIGNS.iter().any(|(sign, _)| *sign == c);
        let inner = token.trim_end_matches(|c| !is_inner(c));
        let after = &token[inner.len()..];
        let inner = inner.trim_start_matches(|c| !is_inner(c) && c != '$');
        let plain = inner.to_lowercase();
        if let Some((_, spoken)) = ABBREVIATIONS.iter().find(|(short, _)| *short == plain) {
            self.words.extend(spoken.split(' ').map(str::to_owned));
            return;
        }
        match inner.strip_prefix('$') {
            Some(amount) if amount.starts_with(|c: char| c.is_ascii_digit()) => {
                self.parts(amount, is_all_capitals);
                self.words.push(if amount == "1" { "DOLLAR" } else { "DOLLARS" }.to_owned());
            }
            _ => self.parts(inner, is_all_capitals),
        }
        if after.contains(['.', '!', '?']) {
            self.end_sentence();
        }
    }

    /// Reads what has no space in it: words, numbers and signs.
    fn parts(&mut self, token: &str, is_all_capitals: bool) {
        let token = thousands_joined(token);
        let kind = |c: char| match c {
            _ if c.is_ascii_digit() => 0,
            _ if c.is_alphabetic() || c == '\'' => 1,
            _ => 2,
        };
        let chars: Vec<char> = token.chars().collect();
        let parts: Vec<String> =
            chars.chunk_by(|a, b| kind(*a) == kind(*b)).map(|part| part.iter().collect()).collect();
        let mut at = 0;
        while let Some(part) = parts.get(at) {
            let next = parts.get(at + 1).map(String::as_str).unwrap_or_default();
            match kind(part.chars().next().unwrap_or_default()) {
                0 if ["st", "nd", "rd", "th"].contains(&next.to_lowercase().as_str()) => {
                    self.words.extend(ordinal(part).split(' ').map(str::to_owned));
                    at += 1;
                }
                0 => self.number(part, parts.len() == 1),
                1 => self.word(part, is_all_capitals),
                _ if part == "." && at > 0 && next.starts_with(|c: char| c.is_ascii_digit()) => {
                    self.words.push("POINT".to_owned());
                    self.words.extend(digit_by_digit(next).split(' ').map(str::to_owned));
                    at += 1;
                }
                _ => {
                    let sign = SIGNS.iter().filter(|(sign, _)| part.contains(*sign));
                    self.words.extend(sign.map(|(_, spoken)| (*spoken).to_owned()));
                }
            }
            at += 1;
        }
    }

    fn number(&mut self, digits: &str, stands_alone: bool) {
        let spoken = match digits.len() {
            4 if stands_alone && ("1100".."2100").contains(&digits) => year(digits),
            2 if digits.starts_with('0') => format!("OH {}", cardinal(&digits[1..])),
            1..=LONGEST_NUMBER if !digits.starts_with('0') || digits == "0" => cardinal(digits),
            _ => digit_by_digit(digits),
        };
        self.words.extend(spoken.split(' ').map(str::to_owned));
    }

    fn word(&mut self, word: &str, is_all_capitals: bool) {
        let capitals = word.trim_matches('\'').to_uppercase();
        if capitals.is_empty() {
            return;
        }
        let is_initialism = !is_all_capitals
            && capitals == word
            && (2..=LONGEST_INITIALISM).contains(&word.chars().count())
            && !(self.is_word)(&capitals);
        if is_initialism {
            self.words.extend(capitals.chars().map(String::from));
        } else {
            self.words.push(capitals);
        }
    }

    fn end_sentence(&mut self) {
        if !self.words.is_empty() {
            self.sentences.push(self.words.join(" "));
            self.words.clear();
        }
    }
}

/// `12,500` without its comma.
fn thousands_joined(token: &str) -> String {
    let is_number = token.contains(',')
        && token.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '.')
        && token
            .split('.')
            .next()
            .unwrap_or_default()
            .split(',')
            .skip(1)
            .all(|part| part.len() == 3);
    if is_number { token.replace(',', "") } else { token.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        sentences(text, |word| ["NASA", "IT", "US"].contains(&word))
    }

    #[test]
    fn text_is_read_as_it_is_spoken() {
        let cases = [
            ("I paid $20 at 7:30.", "I PAID TWENTY DOLLARS AT SEVEN THIRTY"),
            ("Dr. Lee's “e-mail”, at last", "DOCTOR LEE'S E MAIL AT LAST"),
            ("NASA's API at IT", "NASA'S A P I AT IT"),
            (
                "In 1984, 2005 and 2024",
                "IN NINETEEN EIGHTY FOUR TWO THOUSAND FIVE AND TWENTY TWENTY FOUR",
            ),
            ("12,500 of 1,000,000", "TWELVE THOUSAND FIVE HUNDRED OF ONE MILLION"),
            ("the 21st, 3rd and 40th", "THE TWENTY FIRST THIRD AND FORTIETH"),
            ("3.14 is 50% & 007", "THREE POINT ONE FOUR IS FIFTY PERCENT AND ZERO ZERO SEVEN"),
            ("don’t ‘quote’ it", "DON'T QUOTE IT"),
            ("k8s at 9:05", "K EIGHT S AT NINE OH FIVE"),
            ("call 5551234567", "CALL FIVE FIVE FIVE ONE TWO THREE FOUR FIVE SIX SEVEN"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), [expected], "{text}");
        }
    }

    #[test]
    fn sentences_end_with_marks_and_with_lines() {
        let text =
            "Is it so? It is! A line that\ngoes on. And more\n- An item\n- Another\n\nSHOUTED API";
        let expected = [
            "IS IT SO",
            "IT IS",
            "A LINE THAT GOES ON",
            "AND MORE",
            "AN ITEM",
            "ANOTHER",
            "SHOUTED API",
        ];
        assert_eq!(read(text), expected);
        assert!(read("\n ... — \n").is_empty());
    }
}
