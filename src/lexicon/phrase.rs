//! Lists of phrases as people write them: one a line, `#` comments, `: NUMBER` after a phrase.

use crate::error::{Error, Result};

/// A phrase and the number written behind it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Phrase {
    /// The words, single spaces between them.
    pub(crate) text: String,
    pub(crate) number: Option<f32>,
}

impl Phrase {
    /// Reads `words` or `words: number`; what follows the last colon is always the number.
    ///
    /// # Errors
    ///
    /// The reason: no words, or a colon without a number behind it.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let (words, number) = match line.rsplit_once(':') {
            Some((words, number)) => (words, Some(parse_number(number.trim())?)),
            None => (line, None),
        };
        let text = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            return Err("there is no phrase; write words, as in `lights off`".to_owned());
        }
        Ok(Self { text, number })
    }

    /// The lines of a list with their numbers, without empty ones and those that begin with `#`.
    pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = (1..).zip(text.lines().map(str::trim));
        lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
    }

    /// Reads a list: one phrase a line. Lines that are empty or begin with `#` are skipped.
    ///
    /// Gives each phrase with its line, counted from 1.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with each wrong line and the reason.
    pub(crate) fn parse_list(text: &str) -> Result<Vec<(usize, Self)>> {
        let lines = Self::lines(text).map(|(number, line)| (number, (number, line)));
        all_or_reasons(lines, |(number, line)| Ok((number, Self::parse(line)?)))
    }
}

/// What is read of each line, or what is wrong in every line that can't be read.
///
/// # Errors
///
/// [`Error::Config`] with the lines' numbers and reasons.
pub(crate) fn all_or_reasons<L, T>(
    lines: impl Iterator<Item = (usize, L)>,
    mut read: impl FnMut(L) -> Result<T, String>,
) -> Result<Vec<T>> {
    let (mut all, mut reasons) = (Vec::new(), Vec::new());
    for (number, line) in lines {
        match read(line) {
            Ok(value) => all.push(value),
            Err(reason) => reasons.push(format!("line {number}: {reason}")),
        }
    }
    if reasons.is_empty() { Ok(all) } else { Err(Error::Config(reasons.join("; "))) }
}

fn parse_number(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|number: &f32| number.is_finite()).ok_or_else(|| {
        format!("{text:?} follows the last colon, where a number belongs, as in `lights off:0.4`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(text: &str, number: Option<f32>) -> Phrase {
        Phrase { text: text.to_owned(), number }
    }

    #[test]
    fn a_number_may_follow_a_colon() {
        assert_eq!(Phrase::parse(" hey\tmynah "), Ok(phrase("hey mynah", None)));
        assert_eq!(Phrase::parse("lights off:0.4"), Ok(phrase("lights off", Some(0.4))));
        assert_eq!(Phrase::parse("lights off : -2"), Ok(phrase("lights off", Some(-2.0))));
        assert_eq!(Phrase::parse("channel 5"), Ok(phrase("channel 5", None)));
    }

    #[test]
    fn refuses_a_phrase_without_words_and_a_colon_without_number() {
        for nothing in ["", "  ", ":0.5", " : 1"] {
            let reason = Phrase::parse(nothing).unwrap_err();
            assert!(reason.starts_with("there is no phrase"), "{nothing:?}: {reason}");
        }
        for wrong in ["a:", "a:b", "a:nan", "a:inf", "12:30 pm", "a:1e99"] {
            let reason = Phrase::parse(wrong).unwrap_err();
            assert!(reason.contains("where a number belongs"), "{wrong:?}: {reason}");
        }
    }

    #[test]
    fn a_list_has_comments_and_errors_with_their_line() {
        let list = Phrase::parse_list("\u{feff}# names\r\n\r\nanna:2\r\n  bob\r\n").unwrap();
        assert_eq!(list, [(3, phrase("anna", Some(2.0))), (4, phrase("bob", None))]);
        let error = Phrase::parse_list("anna\n\nbob:x").unwrap_err().to_string();
        assert!(error.starts_with("line 3: \"x\" follows the last colon"), "{error}");
    }
}
