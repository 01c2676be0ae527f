//! Spoken punctuation.

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

/// The mark spoken at a word, and in how many words.
pub(super) fn at(keys: &[&str], at: usize) -> Option<(Mark, usize)> {
    let (spoken, mark) = SPOKEN.iter().find(|(spoken, _)| keys[at..].starts_with(spoken))?;
    let before = at.checked_sub(1).map(|before| keys[before]);
    let after = keys.get(at + spoken.len()).copied();
    let noun = before.is_some_and(|key| DETERMINERS.contains(&key)) || after == Some("of");
    let noun = noun || spoken == &["period"] && is_noun_period(before, after);
    (!noun).then_some((*mark, spoken.len()))
}

fn is_noun_period(before: Option<&str>, after: Option<&str>) -> bool {
    before.is_some_and(|key| BEFORE_PERIOD.contains(&key))
        || after.is_some_and(|key| AFTER_PERIOD.contains(&key))
}
