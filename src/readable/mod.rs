//! Recognized words as a reader expects them: digits, spoken punctuation and sentence case.
//!
//! Numbers are put together by text2num; this module decides which of them become digits, and joins
//! them to times, years, money and the like. English only.

mod marks;
mod numbers;
mod vocabulary;

use std::ops::Range;

use marks::Mark;
use numbers::Rewrite;

/// Turns one stream's finals into readable text.
///
/// - **Numbers** from ten on become digits, with commas from 10,000 on. One to nine stay words, as do
///   first to ninth, `a hundred` and plurals, but become digits before a percentage, money, an
///   abbreviable unit or `million`, after a month, and beside another number of two digits.
/// - **Runs** of three and more digits are written together: `nine one one` is `911`.
/// - **Times**: `half past seven`, `quarter to eight`, `ten past six`, and an hour with minutes if
///   `a m`, `p m` or `in the morning` follows or a word such as `at` stands before.
/// - **Years**: a number from 13 to 20 with one of two digits behind, as `nineteen eighty four`.
/// - **Marks** are spoken: comma, full stop or period, question mark, exclamation mark or point,
///   colon, semicolon, hyphen, dash, open quote, close quote, new line, new paragraph. After `a`,
///   `the` and their like, or before `of`, they are words. None is invented.
/// - **Case**: text in capitals is lowered, but for I, single letters, months and weekdays. Each
///   sentence begins with a capital, and so does each utterance, except after one that ended with
///   a comma, colon, semicolon, hyphen or dash.
///
/// What can be read in two ways is read in one: `thirty second delay` becomes `32nd delay`. Dates as
/// numbers, fractions, Roman numerals, addresses and the names of people and places are left as
/// they are.
///
/// ```
/// use mynah::Readable;
///
/// let mut readable = Readable::new();
/// assert_eq!(readable.text("AT HALF PAST SEVEN COMMA I PAID TWENTY DOLLARS"), "At 7:30, I paid $20");
/// assert_eq!(readable.text("ONE OF THEM SAID NO FULL STOP"), "One of them said no.");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readable {
    /// Whether the next word begins a sentence.
    begins: bool,
}

/// Writes one text by itself, as [`Readable`] writes a stream's first final.
///
/// ```
/// let text = "THE TRAIN LEAVES AT SEVEN THIRTY P M COMMA I THINK PERIOD";
/// assert_eq!(mynah::readable(text), "The train leaves at 7:30 p.m., I think.");
/// ```
#[must_use]
pub fn readable(text: &str) -> String {
    Readable::new().text(text)
}

/// Readable text and the words that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadableWord {
    /// Without spaces around it; may end with line breaks, or consist of them.
    pub text: String,
    /// The words' positions; those of one utterance follow each other without gaps.
    pub words: Range<usize>,
}

/// How a piece of text meets what stands before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    Space,
    Attached,
}

/// An utterance that is being written.
#[derive(Default)]
struct Line {
    words: Vec<ReadableWord>,
    /// A quotation mark, or none, before the next word, and where it was spoken.
    opening: Option<ReadableWord>,
    /// Whether the next word goes on from the last one, as after a hyphen.
    hyphenated: bool,
}

impl Default for Readable {
    fn default() -> Self {
        Self { begins: true }
    }
}

impl Readable {
    /// Begins with a sentence.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes an utterance whose words are separated by white space.
    pub fn text(&mut self, text: &str) -> String {
        ReadableWord::join(&self.words(text.split_whitespace()))
    }

    /// Writes an utterance, and tells which of its words became what.
    pub fn words<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) -> Vec<ReadableWord> {
        let words: Vec<_> = words.into_iter().collect();
        let keys: Vec<_> = words.iter().map(|word| word.replace('’', "'").to_lowercase()).collect();
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let lower = !words.iter().any(|word| word.chars().any(char::is_lowercase));
        let mut rewrites = numbers::find(&keys).into_iter().peekable();
        let mut line = Line::default();
        let mut at = 0;
        let mut last = None;
        while at < words.len() {
            if let Some(Rewrite { words, text }) = rewrites.next_if(|r| r.words.start == at) {
                at = words.end;
                self.begins = false;
                last = None;
                line.push(text, words, Join::Space);
            } else if let Some((mark, length)) = marks::at(&keys, at) {
                line.mark(mark, at..at + length);
                self.begins = mark.begins_sentence().unwrap_or(self.begins);
                last = Some(mark);
                at += length;
            } else {
                let text = if lower { lowered(keys[at]) } else { words[at].to_owned() };
                line.push(self.cased(text), at..at + 1, Join::Space);
                last = None;
                at += 1;
            }
        }
        if !words.is_empty() {
            self.begins = last.is_none_or(|mark| !mark.goes_on());
        }
        line.finish()
    }

    /// Raises the first letter at a sentence's beginning.
    fn cased(&mut self, text: String) -> String {
        if std::mem::take(&mut self.begins) { raised(&text) } else { text }
    }
}

impl ReadableWord {
    /// The text of an utterance: spaces between all that no line break separates.
    pub fn join(words: &[Self]) -> String {
        let mut joined = String::new();
        for word in words {
            if !joined.is_empty() && !joined.ends_with('\n') && !word.text.starts_with('\n') {
                joined.push(' ');
            }
            joined.push_str(&word.text);
        }
        joined
    }
}

impl Line {
    fn push(&mut self, text: String, words: Range<usize>, join: Join) {
        let (mut text, mut words) = (text, words);
        if let Some(opening) = self.opening.take() {
            text.insert_str(0, &opening.text);
            words.start = opening.words.start;
        }
        let attached = join == Join::Attached || std::mem::take(&mut self.hyphenated);
        match self.words.last_mut() {
            Some(last) if attached && !last.text.ends_with('\n') => {
                last.text.push_str(&text);
                last.words.end = words.end;
            }
            _ => self.words.push(ReadableWord { text, words }),
        }
    }

    fn mark(&mut self, mark: Mark, words: Range<usize>) {
        let text = mark.text();
        match mark {
            Mark::OpenQuote => {
                let open = self.opening.get_or_insert(ReadableWord {
                    text: String::new(),
                    words: words.start..words.start,
                });
                open.text.push_str(text);
                open.words.end = words.end;
            }
            Mark::Dash => self.push(text.to_owned(), words, Join::Space),
            _ => self.push(text.to_owned(), words, Join::Attached),
        }
        self.hyphenated = mark == Mark::Hyphen;
    }

    fn finish(mut self) -> Vec<ReadableWord> {
        self.words.extend(self.opening);
        self.words
    }
}

/// A word in lower case but for what is written with a capital.
fn lowered(key: &str) -> String {
    let letter = key.len() == 1 && key != "a" && key != "o";
    let pronoun = matches!(key, "i'm" | "i'll" | "i've" | "i'd");
    if letter || pronoun || vocabulary::is_name(key) { raised(key) } else { key.to_owned() }
}

fn raised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
