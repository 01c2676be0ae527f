//! The case of words.

use super::vocabulary;
use crate::text::punctuation::Case;

pub(super) fn has_lower(word: &str) -> bool {
    word.chars().any(char::is_lowercase)
}

/// A word, given in lower case, in its case; in lower case but for what is always written with a
/// capital where the case is not known.
pub(super) fn cased(key: &str, case: Option<Case>) -> String {
    let letter = key.len() == 1 && key != "a" && key != "o";
    let pronoun = matches!(key, "i'm" | "i'll" | "i've" | "i'd");
    if letter || pronoun || vocabulary::is_name(key) {
        return raised(key);
    }
    match case {
        None | Some(Case::Lower) => key.to_owned(),
        Some(Case::Capital) => raised(key),
        Some(Case::Upper) => upper(key),
    }
}

/// Raises the first letter of a text in lower case.
pub(super) fn raised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if !text.chars().any(char::is_uppercase) => {
            first.to_uppercase().chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}

/// Raises all letters but the possessive's.
fn upper(key: &str) -> String {
    match key.strip_suffix("'s") {
        Some(owner) => format!("{}'s", owner.to_uppercase()),
        None => key.to_uppercase(),
    }
}
