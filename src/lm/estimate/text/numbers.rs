//! Digits to words.

const ONES: [&str; 20] = [
    "ZERO",
    "ONE",
    "TWO",
    "THREE",
    "FOUR",
    "FIVE",
    "SIX",
    "SEVEN",
    "EIGHT",
    "NINE",
    "TEN",
    "ELEVEN",
    "TWELVE",
    "THIRTEEN",
    "FOURTEEN",
    "FIFTEEN",
    "SIXTEEN",
    "SEVENTEEN",
    "EIGHTEEN",
    "NINETEEN",
];
const TENS: [&str; 10] =
    ["", "", "TWENTY", "THIRTY", "FORTY", "FIFTY", "SIXTY", "SEVENTY", "EIGHTY", "NINETY"];
const GROUPS: [&str; 7] =
    ["", " THOUSAND", " MILLION", " BILLION", " TRILLION", " QUADRILLION", " QUINTILLION"];
const ORDINALS: [(&str, &str); 7] = [
    ("ONE", "FIRST"),
    ("TWO", "SECOND"),
    ("THREE", "THIRD"),
    ("FIVE", "FIFTH"),
    ("EIGHT", "EIGHTH"),
    ("NINE", "NINTH"),
    ("TWELVE", "TWELFTH"),
];

/// A whole number in words; digits that no 64 bits hold, one by one.
pub fn cardinal(digits: &str) -> String {
    match digits.parse() {
        Ok(number) => in_words(number),
        Err(_) => digit_by_digit(digits),
    }
}

/// `21` is `TWENTY FIRST`.
pub fn ordinal(digits: &str) -> String {
    let words = cardinal(digits);
    let (before, last) =
        words.rsplit_once(' ').map_or(("", &*words), |(before, last)| (before, last));
    let irregular = ORDINALS.iter().find(|(cardinal, _)| *cardinal == last);
    let last = match (irregular, last.strip_suffix('Y')) {
        (Some((_, ordinal)), _) => (*ordinal).to_owned(),
        (None, Some(tens)) => format!("{tens}IETH"),
        (None, None) => format!("{last}TH"),
    };
    if before.is_empty() { last } else { format!("{before} {last}") }
}

/// Four digits as a year is read: `1984` is `NINETEEN EIGHTY FOUR`.
pub fn year(digits: &str) -> String {
    let number: u64 = digits.parse().unwrap_or_default();
    let (century, rest) = (number / 100, number % 100);
    match rest {
        _ if century % 10 == 0 && rest < 10 => in_words(number),
        0 => format!("{} HUNDRED", in_words(century)),
        1..10 => format!("{} OH {}", in_words(century), in_words(rest)),
        _ => format!("{} {}", in_words(century), in_words(rest)),
    }
}

pub fn digit_by_digit(digits: &str) -> String {
    let words: Vec<_> =
        digits.chars().filter_map(|c| c.to_digit(10)).map(|digit| ONES[digit as usize]).collect();
    words.join(" ")
}

fn in_words(number: u64) -> String {
    match number {
        0..20 => ONES[number as usize].to_owned(),
        20..100 => joined(TENS[(number / 10) as usize].to_owned(), number % 10),
        100..1000 => joined(format!("{} HUNDRED", ONES[(number / 100) as usize]), number % 100),
        _ => {
            let group = (number.ilog10() / 3) as usize;
            let unit = 1000u64.pow(group as u32);
            joined(format!("{}{}", in_words(number / unit), GROUPS[group]), number % unit)
        }
    }
}

fn joined(words: String, rest: u64) -> String {
    if rest == 0 { words } else { format!("{words} {}", in_words(rest)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_words() {
        for (digits, words) in [
            ("0", "ZERO"),
            ("19", "NINETEEN"),
            ("40", "FORTY"),
            ("115", "ONE HUNDRED FIFTEEN"),
            ("2024", "TWO THOUSAND TWENTY FOUR"),
            ("1000000", "ONE MILLION"),
            (
                "18446744073709551615",
                "EIGHTEEN QUINTILLION FOUR HUNDRED FORTY SIX QUADRILLION SEVEN HUNDRED FORTY FOUR TRILLION SEVENTY THREE BILLION SEVEN HUNDRED NINE MILLION FIVE HUNDRED FIFTY ONE THOUSAND SIX HUNDRED FIFTEEN",
            ),
            (
                "99999999999999999999999",
                "NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE",
            ),
        ] {
            assert_eq!(cardinal(digits), words);
        }
        for (digits, words) in
            [("1900", "NINETEEN HUNDRED"), ("1906", "NINETEEN OH SIX"), ("2000", "TWO THOUSAND")]
        {
            assert_eq!(year(digits), words);
        }
        for (digits, words) in
            [("4", "FOURTH"), ("20", "TWENTIETH"), ("12", "TWELFTH"), ("101", "ONE HUNDRED FIRST")]
        {
            assert_eq!(ordinal(digits), words);
        }
    }
}
