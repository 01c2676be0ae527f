//! Spoken punctuation.

use std::ops::Range;

/// What is spoken instead of typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Comma,
    FullStop,
    Question,
    Exclamation,
    Colon,
    Semicolon,
    Hyphen,
    Dash,
    OpenQuote,
    CloseQuote,
    NewLine,
    NewParagraph,
}

/// A mark in the words of an utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SpokenMark {
    pub mark: Mark,
    pub words: Range<usize>,
    /// Whether what was said is a common noun as well.
    pub is_ambiguous: bool,
}

use Mark::*;

/// What is said for each mark, the longer first.
const SPOKEN: [(&[&str], Mark); 20] = [
    (&["full", "stop"], FullStop),
    (&["question", "mark"], Question),
    (&["exclamation", "mark"], Exclamation),
    (&["exclamation", "point"], Exclamation),
    (&["semi", "colon"], Semicolon),
    (&["open", "quote"], OpenQuote),
    (&["open", "quotes"], OpenQuote),
    (&["close", "quote"], CloseQuote),
    (&["close", "quotes"], CloseQuote),
    (&["end", "quote"], CloseQuote),
    (&["new", "line"], NewLine),
    (&["newline"], NewLine),
    (&["new", "paragraph"], NewParagraph),
    (&["comma"], Comma),
    (&["period"], FullStop),
    (&["colon"], Colon),
    (&["semicolon"], Semicolon),
    (&["hyphen"], Hyphen),
    (&["dash"], Dash),
    (&["unquote"], CloseQuote),
];

/// What of it is a common noun as well; the others are hardly said but as marks.
const AMBIGUOUS: [&[&str]; 5] = [&["period"], &["colon"], &["dash"], &["hyphen"], &["new", "line"]];

/// After these a mark's name is a noun.
const DETERMINERS: [&str; 14] = [
    "a", "an", "the", "each", "every", "another", "my", "your", "his", "her", "its", "our",
    "their", "whose",
];

/// What `period` follows and precedes as a noun, too common to be taken for the end of a sentence.
const BEFORE_PERIOD: [&str; 18] = [
    "this", "that", "last", "next", "first", "second", "time", "long", "short", "brief", "trial",
    "grace", "third", "same", "whole", "early", "late", "latter",
];
const AFTER_PERIOD: [&str; 10] = [
    "drama",
    "dramas",
    "piece",
    "pieces",
    "furniture",
    "costume",
    "costumes",
    "instrument",
    "instruments",
    "pains",
];

impl Mark {
    pub(super) fn text(self) -> &'static str {
        match self {
            Comma => ",",
            FullStop => ".",
            Question => "?",
            Exclamation => "!",
            Colon => ":",
            Semicolon => ";",
            Hyphen => "-",
            Dash => "–",
            OpenQuote => "“",
            CloseQuote => "”",
            NewLine => "\n",
            NewParagraph => "\n\n",
        }
    }

    /// Whether a sentence begins after it; `None` where that is as before it.
    pub(super) fn begins_sentence(self) -> Option<bool> {
        match self {
            FullStop | Question | Exclamation | NewLine | NewParagraph => Some(true),
            Comma | Colon | Semicolon | Hyphen | Dash => Some(false),
            OpenQuote | CloseQuote => None,
        }
    }

    /// Whether an utterance that ends with it goes on in the next one.
    pub(super) fn goes_on(self) -> bool {
        self.begins_sentence() == Some(false)
    }
}

/// The marks that were spoken, in order. Nouns by the words beside them are left out.
pub(super) fn find(keys: &[&str]) -> Vec<SpokenMark> {
    let mut marks: Vec<SpokenMark> = Vec::new();
    let mut at = 0;
    while at < keys.len() {
        let found = mark_at(keys, at);
        at = found.as_ref().map_or(at + 1, |mark| mark.words.end);
        marks.extend(found);
    }
    marks
}

fn mark_at(keys: &[&str], at: usize) -> Option<SpokenMark> {
    let (spoken, mark) = SPOKEN.iter().find(|(spoken, _)| keys[at..].starts_with(spoken))?;
    let before = at.checked_sub(1).map(|before| keys[before]);
    let after = keys.get(at + spoken.len()).copied();
    let noun = before.is_some_and(|key| DETERMINERS.contains(&key)) || after == Some("of");
    let noun = noun || spoken == &["period"] && is_noun_period(before, after);
    let is_ambiguous = AMBIGUOUS.contains(spoken);
    let words = at..at + spoken.len();
    (!noun).then_some(SpokenMark { mark: *mark, words, is_ambiguous })
}

fn is_noun_period(before: Option<&str>, after: Option<&str>) -> bool {
    before.is_some_and(|key| BEFORE_PERIOD.contains(&key))
        || after.is_some_and(|key| AFTER_PERIOD.contains(&key))
}
