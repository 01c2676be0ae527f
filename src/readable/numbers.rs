//! Finds the numbers among words.

use std::borrow::Cow;

use text2num::{Token, find_numbers, lang::English};

use super::piece::{Number, Piece};

struct Spoken<'a>(&'a str);

impl Token for Spoken<'_> {
    fn text(&self) -> Cow<'_, str> {
        self.0.into()
    }

    fn text_lowercase(&self) -> Cow<'_, str> {
        self.0.into()
    }
}

/// Turns words in lower case into words and numbers.
///
/// Numbers said digit by digit, and years said in two halves, are one number.
pub(super) fn find(words: &[String]) -> Vec<Piece> {
    let said = words.iter().map(|word| Spoken(digit_zero(word)));
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = 0;
    for found in find_numbers(said, &English::new(), 0.0) {
        pieces.extend(words[at..found.start].iter().cloned().map(Piece::Word));
        at = found.end;
        let words = words[found.start..found.end].to_vec();
        // `a hundred`, `2.5 million`.
        if let [word] = &words[..]
            && matches!(&**word, "hundred" | "thousand" | "million" | "billion")
        {
            pieces.push(Piece::Word(word.clone()));
            continue;
        }
        let number = Number { digits: found.text, words, ordinal: found.is_ordinal };
        match joined(pieces.last(), &number) {
            Some(whole) => *pieces.last_mut().expect("it was joined to") = Piece::Number(whole),
            None => pieces.push(Piece::Number(number)),
        }
    }
    pieces.extend(words[at..].iter().cloned().map(Piece::Word));
    pieces
}

/// `oh` is how people say the digit.
fn digit_zero(word: &str) -> &str {
    if word == "oh" { "o" } else { word }
}

/// The number that two make when said one after the other.
fn joined(before: Option<&Piece>, number: &Number) -> Option<Number> {
    let before = before?.number()?;
    let whole = |digits: String| {
        let words = [&before.words[..], &number.words].concat();
        Some(Number { digits, words, ordinal: false })
    };
    let spelled = |number: &Number| number.words.iter().all(|word| is_digit(word));
    if spelled(before) && spelled(number) {
        return whole(format!("{}{}", before.digits, number.digits));
    }
    match (before.small()?, number.small()?) {
        (13..=20, 10..=99) => whole(format!("{}{}", before.digits, number.digits)),
        (13..=20, 1..=9) if number.digits.len() == 2 => {
            whole(format!("{}{}", before.digits, number.digits))
        }
        _ => None,
    }
}

/// Whether a word is a digit's name.
fn is_digit(word: &str) -> bool {
    let names = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    matches!(word, "zero" | "oh" | "o") || names.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
        let shown = |piece: Piece| match piece {
            Piece::Word(word) => word,
            Piece::Number(number) => number.digits,
            Piece::Mark(mark) => mark.text.to_owned(),
        };
        find(&words).into_iter().map(shown).collect()
    }

    #[test]
    fn digits_said_one_by_one_are_one_number() {
        assert_eq!(found("call five oh zero two now"), ["call", "5002", "now"]);
    }

    #[test]
    fn two_halves_make_a_year() {
        assert_eq!(found("in nineteen eighty four"), ["in", "1984"]);
        assert_eq!(found("fifty sixty"), ["50", "60"]);
    }

    #[test]
    fn a_decimal_is_one_number() {
        assert_eq!(found("three point one four"), ["3.14"]);
        assert_eq!(found("point"), ["point"]);
    }
}
