//! Where a text may be broken, and what a break costs its reader.

use std::time::Duration;

use crate::utterance::Word;

/// A silence of this length counts as the end of a phrase.
const PAUSE: Duration = Duration::from_millis(300);

/// What a break costs at the end of a sentence, of a clause, and elsewhere.
const AFTER_SENTENCE: f64 = -3.0;
const AFTER_CLAUSE: f64 = -1.5;
const AT_PAUSE: f64 = -1.0;
const BEFORE_PHRASE: f64 = -0.5;
const WITHIN_PHRASE: f64 = 0.5;
/// What it costs after a word that belongs to the next one.
const AFTER_BOUND_WORD: f64 = 2.5;

/// Words with which a phrase begins.
const BEGINNERS: [&str; 36] = [
    "and", "but", "or", "nor", "so", "yet", "because", "although", "though", "while", "when",
    "where", "which", "who", "whom", "whose", "that", "if", "unless", "until", "since", "as",
    "than", "after", "before", "with", "without", "for", "from", "to", "in", "on", "at", "by",
    "about", "into",
];

/// Words that stand before what they belong to.
const BOUND: [&str; 58] = [
    "a", "an", "the", "this", "these", "those", "my", "your", "his", "her", "its", "our", "their",
    "no", "every", "each", "some", "any", "and", "but", "or", "nor", "because", "if", "when",
    "that", "which", "who", "of", "to", "in", "on", "at", "by", "for", "with", "from", "into",
    "about", "as", "than", "is", "are", "was", "were", "be", "been", "has", "have", "had", "will",
    "would", "can", "could", "not", "very", "mr.", "dr.",
];

/// The cost of breaking between two words: less than 0 where a reader would pause.
pub fn break_cost(before: &Word, after: &Word) -> f64 {
    let (last, first) = (before.text.to_lowercase(), after.text.to_lowercase());
    let closing = last.trim_end_matches(['"', '”', '’', ')']);
    if BOUND.contains(&closing) {
        return AFTER_BOUND_WORD;
    }
    let pause = if after.start.saturating_sub(before.end) >= PAUSE { AT_PAUSE } else { 0.0 };
    let phrase = match closing.chars().last() {
        Some('.' | '?' | '!' | '…') => AFTER_SENTENCE,
        Some(',' | ';' | ':' | '—') => AFTER_CLAUSE,
        _ if BEGINNERS.contains(&first.as_str()) => BEFORE_PHRASE,
        _ => WITHIN_PHRASE,
    };
    phrase + pause
}
