//! A final's words as a person would write them: digits, punctuation that was spoken, sentence case.
//!
//! ```text
//! words → numbers (pieces) → times, money, percents → punctuation → case and spaces
//! ```

mod case;
mod numbers;
mod piece;
mod punctuation;
mod quantities;

/// Writes the words of a final as readable English.
///
/// Letters may be of either case. No word is left out but those that numbers and punctuation are
/// made of. What was said is read as follows:
///
/// - Numbers become digits from 10 on, and below 10 beside another number or a unit: `TWENTY
///   THREE` is `23`, `TWENTY FIRST` is `21st`, `THREE POINT ONE` is `3.1`, `ONE TWO THREE` is
///   `123`, `NINETEEN EIGHTY FOUR` is `1984`.
/// - Times, sums and shares: `SEVEN THIRTY P M` is `7:30 p.m.`, `HALF PAST SEVEN` is `7:30`,
///   `FIVE DOLLARS AND TWENTY CENTS` is `$5.20`, `TEN PERCENT` is `10%`.
/// - Punctuation: comma, period or full stop, question mark, exclamation mark or point, colon,
///   semicolon, dash, hyphen, open and close quote, new line, new paragraph. A name of one word
///   stays a word after an article or the like, or before `OF`: `A PERIOD OF REST`.
/// - A sentence begins where the text does and after a mark that ends one. `I`, weekdays and
///   months are capital; other names are not known.
///
/// Not covered: dates (`MAY FIRST` is `may 1st`), fractions, weights and measures, spelled-out
/// addresses, Roman numerals, `DOUBLE` before a digit.
///
/// # Examples
///
/// ```
/// let text = "THE TRAIN LEAVES AT SEVEN THIRTY P M COMMA I THINK PERIOD";
/// assert_eq!(mynah::readable(text), "The train leaves at 7:30 p.m., I think.");
/// ```
#[must_use]
pub fn readable(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
    let pieces = numbers::find(&words);
    let pieces = quantities::join(pieces);
    case::write(&punctuation::find(pieces))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_written_as_a_person_would() {
        for (said, written) in [
            ("", ""),
            ("HELLO", "Hello"),
            ("I'M SURE I SAW IT ON MONDAY", "I'm sure I saw it on Monday"),
            ("NO ONE OF THE TWO", "No one of the two"),
            ("WAIT A SECOND", "Wait a second"),
            ("A HUNDRED PEOPLE", "A hundred people"),
            ("TWENTY THREE PEOPLE", "23 people"),
            ("TWO HUNDRED AND FIVE", "205"),
            ("THE TWENTY FIRST CENTURY", "The 21st century"),
            ("PI IS THREE POINT ONE FOUR", "Pi is 3.14"),
            ("IN NINETEEN EIGHTY FOUR", "In 1984"),
            ("IN NINETEEN OH FIVE", "In 1905"),
            ("IN TWENTY TWENTY SIX", "In 2026"),
            ("NINETEEN HUNDRED SEVENTY THREE", "1973"),
            ("CALL FIVE FIVE FIVE OH ONE", "Call 55501"),
            ("OH MY GOD", "Oh my god"),
            ("SEVEN THIRTY P M", "7:30 p.m."),
            ("AT SEVEN THIRTY", "At 7:30"),
            ("AT SEVEN PM", "At 7 p.m."),
            ("AT SEVEN OH FIVE", "At 7:05"),
            ("HALF PAST SEVEN", "7:30"),
            ("QUARTER TO ONE", "12:45"),
            ("A QUARTER PAST TEN", "10:15"),
            ("FIVE O'CLOCK", "5 o'clock"),
            ("FIVE DOLLARS", "$5"),
            ("FIVE DOLLARS AND TWENTY CENTS", "$5.20"),
            ("ONE DOLLAR AND FIVE CENTS", "$1.05"),
            ("TWO POINT FIVE MILLION DOLLARS", "2.5 million dollars"),
            ("TEN PERCENT", "10%"),
            ("FIVE PER CENT", "5%"),
            ("YES COMMA PLEASE PERIOD THANK YOU", "Yes, please. Thank you"),
            ("REALLY QUESTION MARK NO EXCLAMATION POINT", "Really? No!"),
            ("OPEN QUOTE YES CLOSE QUOTE HE SAID", "“Yes” he said"),
            ("WELL HYPHEN KNOWN", "Well-known"),
            ("ONE NEW LINE TWO NEW PARAGRAPH THREE", "One\nTwo\n\nThree"),
            ("A PERIOD OF REST", "A period of rest"),
            ("AFTER THAT PERIOD WE LEFT", "After that period we left"),
            ("FULL STOP", "."),
        ] {
            assert_eq!(readable(said), written, "{said}");
        }
    }

    /// Words that are neither numbers nor part of anything that is rewritten.
    fn plain() -> impl Strategy<Value = String> {
        let words = ["cat", "hello", "the", "went", "house", "blue", "and", "of", "my", "never"];
        proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..12)
            .prop_map(|words| words.join(" "))
    }

    proptest! {
        #[test]
        fn plain_words_keep_their_order(text in plain()) {
            prop_assert_eq!(readable(&text.to_uppercase()).to_lowercase(), text);
        }

        #[test]
        fn plain_text_is_left_as_it_was_written(text in plain()) {
            let once = readable(&text);
            prop_assert_eq!(readable(&once), once);
        }

        #[test]
        fn nothing_panics(text in ".*") {
            let _ = readable(&text);
        }

        #[test]
        fn no_digit_is_lost(digits in proptest::collection::vec(0..10_usize, 3..12)) {
            let names =
                ["ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE"];
            let said: Vec<_> = digits.iter().map(|&d| names[d]).collect();
            let expected: String = digits.iter().map(ToString::to_string).collect();
            prop_assert_eq!(readable(&said.join(" ")), expected);
        }
    }
}
