//! Writes pieces with capitals and spaces where they belong.

use super::piece::Piece;

/// Names that are capital wherever they stand; `may`, `march` and `august` are words too.
const NAMES: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "april",
    "june",
    "july",
    "september",
    "october",
    "november",
    "december",
];

/// Joins the pieces to a text.
pub(super) fn write(pieces: &[Piece]) -> String {
    let mut text = String::new();
    let (mut begins_sentence, mut joined) = (true, true);
    for piece in pieces {
        match piece {
            Piece::Mark(mark) => {
                space(&mut text, joined || mark.joins_left);
                text.push_str(mark.text);
                begins_sentence |= mark.ends_sentence;
                joined = mark.joins_right;
            }
            Piece::Word(word) => {
                space(&mut text, joined);
                push_word(&mut text, word, begins_sentence);
                (begins_sentence, joined) = (false, false);
            }
            Piece::Number(number) => {
                space(&mut text, joined);
                text.push_str(&number.digits);
                (begins_sentence, joined) = (false, false);
            }
        }
    }
    text
}

fn space(text: &mut String, joined: bool) {
    if !joined {
        text.push(' ');
    }
}

fn push_word(text: &mut String, word: &str, begins_sentence: bool) {
    let stem = word.split('\'').next().unwrap_or_default();
    let capital = begins_sentence || stem == "i" || NAMES.contains(&stem);
    let mut letters = word.chars();
    match letters.next() {
        Some(first) if capital => text.extend(first.to_uppercase()),
        Some(first) => text.push(first),
        None => {}
    }
    text.push_str(letters.as_str());
}
