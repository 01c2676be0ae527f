//! Finds the punctuation that was spoken.

use super::piece::{Mark, Piece};

/// Ways of saying a mark, longer ones before those they begin with.
const SPOKEN: &[(&[&str], Mark)] = &[
    (&["question", "mark"], ending("?")),
    (&["exclamation", "mark"], ending("!")),
    (&["exclamation", "point"], ending("!")),
    (&["full", "stop"], ending(".")),
    (&["period"], ending(".")),
    (&["new", "paragraph"], between("\n\n", true)),
    (&["new", "line"], between("\n", true)),
    (&["open", "quote"], Mark { joins_left: false, joins_right: true, ..closing("“") }),
    (&["close", "quote"], closing("”")),
    (&["comma"], closing(",")),
    (&["semicolon"], closing(";")),
    (&["semi", "colon"], closing(";")),
    (&["colon"], closing(":")),
    (&["hyphen"], between("-", false)),
    (&["dash"], Mark { joins_left: false, ..closing("–") }),
];

/// What stands before the name of a mark that is meant as a word.
const DETERMINERS: &[&str] = &[
    "a", "an", "the", "this", "that", "these", "each", "every", "any", "no", "another", "one",
    "my", "our", "your", "his", "her", "its", "their", "long", "short", "same", "first", "last",
    "next",
];

const fn closing(text: &'static str) -> Mark {
    Mark { text, joins_left: true, joins_right: false, ends_sentence: false }
}

const fn ending(text: &'static str) -> Mark {
    Mark { ends_sentence: true, ..closing(text) }
}

const fn between(text: &'static str, ends_sentence: bool) -> Mark {
    Mark { text, joins_left: true, joins_right: true, ends_sentence }
}

/// Turns the names of marks into marks.
pub(super) fn find(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut rest = &pieces[..];
    while let Some(first) = rest.first() {
        let spoken = SPOKEN.iter().find(|(names, _)| begins_with(rest, names));
        let meant =
            |names: &[&str]| names.len() > 1 || !meant_as_word(found.last(), rest.get(names.len()));
        match spoken.filter(|(names, _)| meant(names)) {
            Some((names, mark)) => {
                found.push(Piece::Mark(*mark));
                rest = &rest[names.len()..];
            }
            None => {
                found.push(first.clone());
                rest = &rest[1..];
            }
        }
    }
    found
}

fn begins_with(rest: &[Piece], names: &[&str]) -> bool {
    rest.len() >= names.len() && rest.iter().zip(names).all(|(p, name)| p.word() == Some(name))
}

/// Whether a name of one word is but a word.
fn meant_as_word(before: Option<&Piece>, after: Option<&Piece>) -> bool {
    let before = before.and_then(Piece::word);
    before.is_some_and(|word| DETERMINERS.contains(&word))
        || after.and_then(Piece::word) == Some("of")
}
