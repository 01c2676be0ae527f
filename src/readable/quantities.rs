//! Joins numbers with what is counted: times of day, money, shares.

use super::piece::{Number, Piece};

/// Writes quantities as words that stand as they are, and numbers that read better so as words.
pub(super) fn join(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut joined = Vec::with_capacity(pieces.len());
    let mut rest = &pieces[..];
    while let Some(first) = rest.first() {
        let before = joined.last().and_then(Piece::word);
        let (text, taken) = quantity(rest, before).unwrap_or_default();
        if taken > 0 {
            joined.push(Piece::Word(text));
            rest = &rest[taken..];
            continue;
        }
        match first {
            Piece::Number(number) if alone(rest, joined.last()) && number.stays_words() => {
                joined.extend(number.words.iter().cloned().map(Piece::Word));
            }
            Piece::Number(number) => joined.push(Piece::Word(number.digits.clone())),
            other => joined.push(other.clone()),
        }
        rest = &rest[1..];
    }
    joined
}

/// Whether no number stands beside the first piece.
fn alone(rest: &[Piece], before: Option<&Piece>) -> bool {
    let digits =
        |piece: &Piece| piece.word().is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit()));
    !before.is_some_and(digits) && rest.get(1).and_then(Piece::number).is_none()
}

/// The quantity that the pieces begin with, and of how many of them it is made.
fn quantity(rest: &[Piece], before: Option<&str>) -> Option<(String, usize)> {
    past_the_hour(rest)
        .or_else(|| time(rest, before))
        .or_else(|| money(rest))
        .or_else(|| share(rest))
}

/// `half past seven`, `a quarter to one`.
fn past_the_hour(rest: &[Piece]) -> Option<(String, usize)> {
    let skipped = usize::from(rest.first()?.word() == Some("a"));
    let said = |at: usize| rest.get(skipped + at).and_then(Piece::word);
    let hour = rest.get(skipped + 2)?.number()?.small().filter(|hour| (1..=12).contains(hour))?;
    let before = if hour == 1 { 12 } else { hour - 1 };
    let text = match (said(0)?, said(1)?) {
        ("half", "past") if skipped == 0 => format!("{hour}:30"),
        ("quarter", "past") => format!("{hour}:15"),
        ("quarter", "to") => format!("{before}:45"),
        _ => return None,
    };
    Some((text, skipped + 3))
}

/// `seven thirty p m`, `seven p m`, `at seven thirty`, `five o'clock`.
fn time(rest: &[Piece], before: Option<&str>) -> Option<(String, usize)> {
    let (clock, taken) = clock(rest)?;
    let half = half_of_day(&rest[taken..]);
    let exact = taken == 2 || clock.contains(':');
    match half {
        Some((half, words)) => Some((format!("{clock} {half}"), taken + words)),
        None if exact && matches!(before, Some("at" | "by" | "until" | "till")) => {
            Some((clock, taken))
        }
        None if rest.get(taken)?.word() == Some("o'clock") && !exact => {
            Some((format!("{clock} o'clock"), taken + 1))
        }
        None => None,
    }
}

/// An hour, with minutes where they were said.
fn clock(rest: &[Piece]) -> Option<(String, usize)> {
    let hour = rest.first()?.number()?;
    // `seven oh five` was joined, being digits.
    if let [h, m @ ('0'..='5'), n] = hour.digits.chars().collect::<Vec<_>>()[..]
        && hour.words.len() == 3
        && h != '0'
    {
        return Some((format!("{h}:{m}{n}"), 1));
    }
    let value = hour.small().filter(|value| (1..=12).contains(value))?;
    let minutes = |piece: &Piece| {
        let minutes = piece.number()?;
        minutes.small().filter(|m| *m < 60 && minutes.digits.len() == 2)?;
        Some(minutes.digits.clone())
    };
    Some(match rest.get(1).and_then(minutes) {
        Some(minutes) => (format!("{value}:{minutes}"), 2),
        None => (value.to_string(), 1),
    })
}

/// `a m` or `p m`, and of how many pieces it is made.
fn half_of_day(rest: &[Piece]) -> Option<(&'static str, usize)> {
    let second = rest.get(1).and_then(Piece::word);
    match (rest.first()?.word()?, second) {
        ("a", Some("m")) => Some(("a.m.", 2)),
        ("p", Some("m")) => Some(("p.m.", 2)),
        ("am", _) => None,
        ("pm", _) => Some(("p.m.", 1)),
        _ => None,
    }
}

/// `five dollars`, `five dollars and twenty cents`.
fn money(rest: &[Piece]) -> Option<(String, usize)> {
    let whole = cardinal(rest.first()?)?;
    let sign = match rest.get(1)?.word()? {
        "dollar" | "dollars" => '$',
        "euro" | "euros" => '€',
        _ => return None,
    };
    let skipped = 2 + usize::from(rest.get(2).and_then(Piece::word) == Some("and"));
    let cents = rest.get(skipped).and_then(Piece::number).and_then(Number::small);
    let named = matches!(rest.get(skipped + 1).and_then(Piece::word), Some("cent" | "cents"));
    Some(match cents {
        Some(cents @ 1..=99) if named => (format!("{sign}{whole}.{cents:02}"), skipped + 2),
        _ => (format!("{sign}{whole}"), 2),
    })
}

/// `ten percent`.
fn share(rest: &[Piece]) -> Option<(String, usize)> {
    let number = cardinal(rest.first()?)?;
    let second = rest.get(2).and_then(Piece::word);
    match (rest.get(1)?.word()?, second) {
        ("percent", _) => Some((format!("{number}%"), 2)),
        ("per", Some("cent")) => Some((format!("{number}%"), 3)),
        _ => None,
    }
}

fn cardinal(piece: &Piece) -> Option<&str> {
    let number = piece.number().filter(|number| !number.ordinal)?;
    Some(&number.digits)
}
