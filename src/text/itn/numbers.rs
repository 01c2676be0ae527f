//! Number words to digits: which words text2num is to put together, and what becomes of its numbers.

use std::borrow::Cow;
use std::ops::Range;

use text2num::{Language, Token, find_numbers};

use super::vocabulary::{
    digit, hour, is_month, is_oh, is_ordinal, is_small, is_tens, is_unit, power,
};

/// From so many digits on they are read as a run, such as a telephone number.
const SHORTEST_RUN: usize = 3;
/// Integers of so many digits have commas.
const GROUPED_DIGITS: usize = 5;
/// Years are spoken in two halves from the 14th century to the 21st.
const CENTURIES: std::ops::RangeInclusive<usize> = 13..=20;
/// After these an hour and minutes need no `a m` or `p m`.
const BEFORE_TIMES: [&str; 9] =
    ["at", "by", "until", "till", "after", "before", "around", "about", "since"];

/// Text in place of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rewrite {
    pub words: Range<usize>,
    pub text: String,
}

/// A number as it was said.
#[derive(Clone, Debug)]
struct Number {
    words: Range<usize>,
    /// Digits, the decimal point and an ordinal's suffix.
    digits: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cardinal,
    Decimal,
    Ordinal,
    Run,
}

/// The words of an utterance and the numbers in them.
struct Scan<'a> {
    keys: &'a [&'a str],
    numbers: Vec<Number>,
}

/// Finds what of the words, in lower case, is to be written in digits, in order.
pub(super) fn find(keys: &[&str]) -> Vec<Rewrite> {
    let scan = Scan { keys, numbers: numbers(keys) };
    let mut rewrites = Vec::new();
    let (mut at, mut number) = (0, 0);
    while at < keys.len() {
        while scan.numbers.get(number).is_some_and(|n| n.words.start < at) {
            number += 1;
        }
        let here = scan.numbers.get(number).filter(|n| n.words.start == at);
        let found = scan.past(at).or_else(|| here.and_then(|_| scan.rewrite(number)));
        at = match (&found, here) {
            (Some(rewrite), _) => rewrite.words.end,
            (None, Some(number)) => number.words.end,
            (None, None) => at + 1,
        };
        rewrites.extend(found);
    }
    rewrites
}

impl Scan<'_> {
    fn key(&self, at: usize) -> &str {
        self.keys.get(at).copied().unwrap_or_default()
    }

    fn key_before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |before| self.key(before))
    }

    /// `half past seven`, `quarter to eight`, `twenty five past six`.
    fn past(&self, at: usize) -> Option<Rewrite> {
        let minutes = self.numbers.iter().find(|number| number.words.start == at);
        let minutes = minutes.filter(|number| number.kind == Kind::Cardinal);
        let (minute, next) = match (self.key(at), minutes) {
            ("half", _) => (30, at + 1),
            ("quarter", _) => (15, at + 1),
            ("a", _) if self.key(at + 1) == "quarter" => (15, at + 2),
            (_, Some(number)) => (number.digits.parse().ok()?, number.words.end),
            _ => return None,
        };
        let next = if self.key(next) == "minutes" { next + 1 } else { next };
        let hour = hour(self.key(next + 1))?;
        let after = self.key(next + 2);
        if is_small(after) || is_ordinal(after) || power(after).is_some() || minute > 30 {
            return None;
        }
        let (hour, minute) = match self.key(next) {
            "past" if minute > 0 => (hour, minute),
            "to" if self.key(next - 1) == "quarter" => (if hour == 1 { 12 } else { hour - 1 }, 45),
            _ => return None,
        };
        Some(self.with_half_of_day(at..next + 2, format!("{hour}:{minute:02}")))
    }

    /// What becomes of a number and the words that belong to it.
    fn rewrite(&self, index: usize) -> Option<Rewrite> {
        self.year(index)
            .or_else(|| self.time(index))
            .or_else(|| self.money(index))
            .or_else(|| self.alone(index))
    }

    /// The number at once after this one.
    fn adjacent(&self, index: usize) -> Option<&Number> {
        let end = self.numbers.get(index)?.words.end;
        self.numbers.get(index + 1).filter(|next| next.words.start == end)
    }

    fn follows_number(&self, index: usize) -> bool {
        index.checked_sub(1).is_some_and(|before| self.adjacent(before).is_some())
    }

    fn year(&self, index: usize) -> Option<Rewrite> {
        let (century, rest) = (&self.numbers[index], self.adjacent(index)?);
        let is_year = CENTURIES.contains(&century.digits.parse().ok()?)
            && rest.kind == Kind::Cardinal
            && rest.digits.len() == 2
            && self.adjacent(index + 1).is_none()
            && !self.follows_number(index);
        let text = || format!("{}{}", century.digits, rest.digits);
        is_year.then(|| Rewrite { words: century.words.start..rest.words.end, text: text() })
    }

    fn time(&self, index: usize) -> Option<Rewrite> {
        let number = &self.numbers[index];
        let Range { start, end } = number.words.clone();
        let hour = hour(self.key(start)).filter(|_| end == start + 1)?;
        if self.key(end) == "o'clock" {
            return Some(Rewrite { words: start..end + 1, text: format!("{hour} o'clock") });
        }
        let minutes = self.adjacent(index).filter(|minutes| {
            let value = minutes.digits.parse::<usize>();
            minutes.kind == Kind::Cardinal
                && minutes.digits.len() == 2
                && value.is_ok_and(|v| v < 60)
        });
        let Some(minutes) = minutes else {
            let half = half_of_day(&self.keys[end..])?;
            let text = format!("{hour} {}", half.0);
            return Some(Rewrite { words: start..end + half.1, text });
        };
        let rest = &self.keys[minutes.words.end..];
        let of_day = matches!(rest, ["in", "the", "morning" | "afternoon" | "evening", ..]);
        let cued = BEFORE_TIMES.contains(&self.key_before(start)) && !self.follows_number(index);
        let is_time =
            (of_day || cued || half_of_day(rest).is_some()) && self.adjacent(index + 1).is_none();
        let text = format!("{hour}:{}", minutes.digits);
        is_time.then(|| self.with_half_of_day(start..minutes.words.end, text))
    }

    fn with_half_of_day(&self, words: Range<usize>, text: String) -> Rewrite {
        match half_of_day(&self.keys[words.end..]) {
            Some((half, length)) => {
                Rewrite { words: words.start..words.end + length, text: format!("{text} {half}") }
            }
            None => Rewrite { words, text },
        }
    }

    /// `five dollars`, `two million euros`, `three dollars and twenty cents`.
    fn money(&self, index: usize) -> Option<Rewrite> {
        let number = &self.numbers[index];
        if !matches!(number.kind, Kind::Cardinal | Kind::Decimal) || self.follows_number(index) {
            return None;
        }
        let scale = Some(self.key(number.words.end)).filter(|key| is_scale(key));
        let currency = number.words.end + usize::from(scale.is_some());
        let sign = match self.key(currency) {
            "dollar" | "dollars" => '$',
            "euro" | "euros" => '€',
            _ => return None,
        };
        let (mut text, mut end) = (format!("{sign}{}", number.grouped()), currency + 1);
        if let Some(scale) = scale {
            text = format!("{text} {scale}");
        } else if let Some(cents) = self.cents(end).filter(|_| number.kind == Kind::Cardinal) {
            text = format!("{text}.{:0>2}", cents.digits);
            end = cents.words.end + 1;
        }
        Some(Rewrite { words: number.words.start..end, text })
    }

    /// The cents that follow a currency, `and` included.
    fn cents(&self, at: usize) -> Option<&Number> {
        let start = if self.key(at) == "and" { at + 1 } else { at };
        let cents = self.numbers.iter().find(|number| number.words.start == start)?;
        let fits = cents.kind == Kind::Cardinal && cents.digits.len() <= 2;
        (fits && matches!(self.key(cents.words.end), "cent" | "cents")).then_some(cents)
    }

    /// A number by itself, with `percent` or `million`.
    fn alone(&self, index: usize) -> Option<Rewrite> {
        let number = &self.numbers[index];
        let Range { start, end } = number.words.clone();
        let rewrite = |text| Some(Rewrite { words: start..end, text });
        if number.kind == Kind::Ordinal {
            // Behind a cardinal it is a fraction's denominator.
            let after = self.follows_number(index);
            let large = number.digits.len() > "9th".len() || is_month(self.key_before(start));
            return if large && !after { rewrite(number.digits.clone()) } else { None };
        }
        let percent = match (self.key(end), self.key(end + 1)) {
            ("percent", _) => 1,
            ("per", "cent") => 2,
            _ => 0,
        };
        if percent > 0 {
            let text = format!("{}%", number.grouped());
            return Some(Rewrite { words: start..end + percent, text });
        }
        let next = self.adjacent(index);
        if next.is_some_and(|next| next.kind == Kind::Ordinal) {
            return None;
        }
        if is_scale(self.key(end)) {
            let text = format!("{} {}", number.grouped(), self.key(end));
            return Some(Rewrite { words: start..end + 1, text });
        }
        let digits = is_unit(self.key(end)) || self.row(index).iter().any(Number::is_long);
        if digits { rewrite(number.grouped()) } else { None }
    }

    /// The numbers that follow each other without a word between, this one among them.
    fn row(&self, index: usize) -> &[Number] {
        let (mut first, mut last) = (index, index);
        while self.follows_number(first) {
            first -= 1;
        }
        while self.adjacent(last).is_some() {
            last += 1;
        }
        &self.numbers[first..=last]
    }
}

impl Number {
    fn is_long(&self) -> bool {
        self.kind != Kind::Ordinal && self.digits.len() > 1
    }

    /// The digits, with commas in large integers.
    fn grouped(&self) -> String {
        let grouped = self.kind == Kind::Cardinal
            && self.digits.len() >= GROUPED_DIGITS
            && !self.digits.starts_with('0');
        if !grouped {
            return self.digits.clone();
        }
        let mut text = String::new();
        for (index, digit) in self.digits.chars().enumerate() {
            if index > 0 && (self.digits.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    }
}

/// `a.m.` or `p.m.`, and in how many words it was said.
fn half_of_day(keys: &[&str]) -> Option<(&'static str, usize)> {
    match keys {
        ["a", "m", ..] => Some(("a.m.", 2)),
        ["p", "m", ..] => Some(("p.m.", 2)),
        ["am" | "a.m.", ..] => Some(("a.m.", 1)),
        ["pm" | "p.m.", ..] => Some(("p.m.", 1)),
        _ => None,
    }
}

fn is_scale(key: &str) -> bool {
    matches!(key, "million" | "billion")
}

/// A word as text2num sees it.
struct Part<'a> {
    key: &'a str,
    /// Whether it may be part of a number. Only words that it knows may: of others it removes an s.
    counts: bool,
}

impl Token for Part<'_> {
    fn text(&self) -> Cow<'_, str> {
        self.key.into()
    }

    fn text_lowercase(&self) -> Cow<'_, str> {
        self.key.into()
    }

    fn not_a_number_part(&self) -> bool {
        !self.counts
    }
}

/// The numbers in the words: runs of digits, and what text2num finds between them.
fn numbers(keys: &[&str]) -> Vec<Number> {
    let runs = runs(keys);
    let in_run = |at| runs.iter().any(|run: &Number| run.words.contains(&at));
    let counts = counting(keys);
    let parts = keys.iter().enumerate().map(|(at, &key)| Part {
        key: if is_oh(key) { "o" } else { key },
        counts: counts[at] && !in_run(at),
    });
    let found = find_numbers(parts, &Language::english(), 0.0).into_iter().filter_map(|found| {
        let kind = if found.is_ordinal { Kind::Ordinal } else { Kind::Cardinal };
        let number = Number { words: found.start..found.end, digits: found.text, kind };
        whole(keys, decimal(keys, number))
    });
    let mut numbers: Vec<_> = found.collect();
    // The digits behind a decimal point were found as numbers too.
    let decimals: Vec<_> =
        numbers.iter().filter(|n| n.kind == Kind::Decimal).map(|n| n.words.clone()).collect();
    let in_decimal = |at: usize| decimals.iter().any(|d| d.start < at && at < d.end);
    numbers.extend(runs);
    numbers.retain(|number| !in_decimal(number.words.start));
    numbers.sort_by_key(|number| number.words.start);
    numbers
}

/// `hundred` without a number before it is a word, unless it is `a hundred and five`.
fn whole(keys: &[&str], mut number: Number) -> Option<Number> {
    let Range { start, end } = number.words;
    if power(keys[start]).is_none() {
        // `two million` stays so: the scale is written as a word.
        return Some(scaled(keys, number));
    }
    let article = start > 0 && keys[start - 1] == "a";
    if end == start + 1 || !article {
        return None;
    }
    number.words.start -= 1;
    Some(number)
}

/// Leaves a scale at the end of a round number to be written as a word.
fn scaled(keys: &[&str], mut number: Number) -> Number {
    let last = number.words.end - 1;
    let zeros = match keys[last] {
        key if is_scale(key) => power(key).unwrap_or_default(),
        _ => return number,
    };
    let length = number.digits.len();
    if number.kind == Kind::Cardinal
        && length > zeros
        && number.digits[length - zeros..].bytes().all(|b| b == b'0')
    {
        number.digits.truncate(length - zeros);
        number.words.end = last;
    }
    number
}

/// Takes in the digits behind a decimal point.
fn decimal(keys: &[&str], mut number: Number) -> Number {
    let point = number.words.end;
    if number.kind != Kind::Cardinal || keys.get(point) != Some(&"point") {
        return number;
    }
    let decimals = keys[point + 1..].iter().map_while(|key| digit(key));
    let decimals: String = decimals.map(|digit| digit.to_string()).collect();
    if !decimals.is_empty() {
        number.words.end = point + 1 + decimals.len();
        number.digits = format!("{}.{decimals}", number.digits);
        number.kind = Kind::Decimal;
    }
    number
}

/// Digits said one by one, where they are not part of another number.
fn runs(keys: &[&str]) -> Vec<Number> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < keys.len() {
        let digits: Vec<_> = keys[start..].iter().map_while(|key| digit(key)).collect();
        let end = start + digits.len();
        let before = start.checked_sub(1).map_or("", |before| keys[before]);
        let after = keys.get(end).copied().unwrap_or_default();
        let linked = matches!(before, "point" | "and") || is_tens(before);
        let part = linked || power(before).is_some() || power(after).is_some();
        // A run does not begin with an interjection.
        let spoken = !is_oh(keys[start]);
        let time = digits.len() == 3
            && is_oh(keys[start + 1])
            && (half_of_day(&keys[end..]).is_some() || BEFORE_TIMES.contains(&before));
        if digits.len() >= SHORTEST_RUN && spoken && !part && !time && after != "point" {
            let digits = digits.iter().map(usize::to_string).collect();
            runs.push(Number { words: start..end, digits, kind: Kind::Run });
        }
        start = end.max(start + 1);
    }
    runs
}

/// Which words are parts of numbers.
///
/// text2num takes `hundreds` for a hundred, `twenty and five` for 25, and multiplies `thousand`
/// by `million` without an end; the words that lead there are left out.
fn counting(keys: &[&str]) -> Vec<bool> {
    let mut counts = vec![false; keys.len()];
    // The last power of thousand in the number that is being read.
    let mut above = usize::MAX;
    for at in 0..keys.len() {
        let (before, key) = (at.checked_sub(1).map_or("", |b| keys[b]), keys[at]);
        let goes_on = at > 0 && counts[at - 1];
        if !goes_on {
            above = usize::MAX;
        }
        counts[at] = match power(key) {
            Some(2) => true,
            Some(power) => {
                let descends = power < above;
                above = power;
                descends
            }
            None if key == "and" => goes_on && links(keys, at),
            None if is_oh(key) => {
                let next = keys.get(at + 1).and_then(|key| digit(key));
                goes_on && is_small(before) && next.is_some_and(|digit| digit > 0)
            }
            None => is_small(key) || is_ordinal(key),
        };
    }
    counts
}

/// Whether an `and` joins two parts of one number, as in `two hundred and five`.
fn links(keys: &[&str], at: usize) -> bool {
    let Some(above) = power(keys[at - 1]) else { return false };
    let rest = &keys[at + 1..];
    let small = rest.iter().take_while(|key| is_small(key)).count();
    // `Two hundred and five thousand` is one number, `one hundred and two hundred` is two.
    let hundreds = power("hundred");
    let fits = |power| power < above || (Some(above) == hundreds && power > above);
    let below = rest.get(small).and_then(|key| power(key)).is_none_or(fits);
    let ordinal = rest.first().is_some_and(|key| is_ordinal(key));
    (small > 0 || ordinal) && below
}
