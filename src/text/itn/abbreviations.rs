//! Initialisms that are said letter by letter, and titles.

use super::numbers::Rewrite;

/// What a word of one letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letter {
    OfInitialism,
    Word,
    Unknown,
}

/// Letters that are words as well.
const WORDS: [&str; 3] = ["a", "i", "o"];

/// The initialism that begins at a word: two letters or more, one after the other, as long as each
/// `joins` the next. Where letters are unknown, `i` is a word, and `a` and `o` are among three and more.
pub(super) fn initialism(
    keys: &[&str],
    at: usize,
    letter: impl Fn(usize) -> Letter,
    joins: impl Fn(usize) -> bool,
) -> Option<Rewrite> {
    let is_word = |at: usize| match letter(at) {
        Letter::OfInitialism => false,
        Letter::Word => WORDS.contains(&keys[at]),
        Letter::Unknown => keys[at] == "i",
    };
    let mut end = at;
    while end < keys.len() && is_letter(keys[end]) && !is_word(end) && (end == at || joins(end - 1))
    {
        end += 1;
    }
    let unknown = |at: usize| letter(at) == Letter::Unknown && WORDS.contains(&keys[at]);
    let is_pair = end == at + 2 && (unknown(at) || unknown(at + 1));
    if end < at + 2 || is_pair {
        return None;
    }
    let text = keys[at..end].iter().flat_map(|key| key.chars()).map(|c| c.to_ascii_uppercase());
    Some(Rewrite { words: at..end, text: text.collect() })
}

/// How a title is written before a name.
pub(super) fn title(key: &str) -> Option<&'static str> {
    match key {
        "mister" => Some("Mr."),
        "missus" => Some("Mrs."),
        "doctor" => Some("Dr."),
        _ => None,
    }
}

fn is_letter(key: &str) -> bool {
    key.len() == 1 && key.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str, letter: Letter) -> Option<String> {
        let keys: Vec<_> = text.split(' ').collect();
        let found = initialism(&keys, 0, |_| letter, |_| true)?;
        let rest = keys[found.words.end..].iter().copied();
        Some([found.text.as_str()].into_iter().chain(rest).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn letters_in_a_row_are_joined() {
        for (text, expected) in [
            ("p d f file", Some("PDF file")),
            ("u s a today", Some("USA today")),
            ("a p i key", None),
            ("x y", Some("XY")),
            ("b i think", None),
            ("a b test", None),
            ("b", None),
            ("é b", None),
        ] {
            assert_eq!(joined(text, Letter::Unknown).as_deref(), expected, "{text}");
        }
        assert_eq!(joined("a i", Letter::OfInitialism).as_deref(), Some("AI"));
        assert_eq!(joined("a p i key", Letter::OfInitialism).as_deref(), Some("API key"));
        assert_eq!(joined("a c d", Letter::Word), None);
    }
}
