//! The words that numbers and times are made of.

/// Words of one digit; their positions are their values. `oh` is a zero among others.
pub(super) const DIGITS: [&str; 10] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

const TEENS: [&str; 10] = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

const ORDINALS: [&str; 31] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "thirtieth",
    "fortieth",
    "fiftieth",
    "sixtieth",
    "seventieth",
    "eightieth",
    "ninetieth",
    "hundredth",
    "thousandth",
    "millionth",
    "billionth",
];

/// Months and weekdays that are no other words as well, as March and May are.
const NAMES: [&str; 17] = [
    "january",
    "february",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
const MONTHS: usize = 10;

/// Units that numbers below ten stand before as digits.
const UNITS: [&str; 22] = [
    "kilometers",
    "kilometres",
    "kilometer",
    "kilometre",
    "centimeters",
    "centimetres",
    "millimeters",
    "millimetres",
    "kilograms",
    "kilogram",
    "kilos",
    "milligrams",
    "milliliters",
    "millilitres",
    "megabytes",
    "gigabytes",
    "kilobytes",
    "terabytes",
    "megahertz",
    "gigahertz",
    "kilowatts",
    "milliseconds",
];

/// The digit that a word names; `oh` and `o` are zero.
pub(super) fn digit(key: &str) -> Option<usize> {
    if is_oh(key) { Some(0) } else { DIGITS.iter().position(|&digit| digit == key) }
}

/// The hour of the clock that a word names, from 1 to 12.
pub(super) fn hour(key: &str) -> Option<usize> {
    let digit = digit(key).filter(|&digit| digit > 0);
    digit.or_else(|| TEENS[..3].iter().position(|&teen| teen == key).map(|i| 10 + i))
}

/// The power of ten of thousand and its like; that of hundred as well.
pub(super) fn power(key: &str) -> Option<usize> {
    match key {
        "hundred" => Some(2),
        "thousand" => Some(3),
        "million" => Some(6),
        "billion" => Some(9),
        _ => None,
    }
}

pub(super) fn is_oh(key: &str) -> bool {
    matches!(key, "oh" | "o")
}

pub(super) fn is_tens(key: &str) -> bool {
    TENS.contains(&key)
}

/// Whether the word is a cardinal below a hundred, or zero.
pub(super) fn is_small(key: &str) -> bool {
    DIGITS.contains(&key) || TEENS.contains(&key) || is_tens(key)
}

pub(super) fn is_ordinal(key: &str) -> bool {
    ORDINALS.contains(&key)
}

pub(super) fn is_unit(key: &str) -> bool {
    UNITS.contains(&key)
}

pub(super) fn is_month(key: &str) -> bool {
    NAMES[..MONTHS].contains(&key)
}

/// Whether the word is always written with a capital.
pub(super) fn is_name(key: &str) -> bool {
    NAMES.contains(&key)
}
