//! The text of an utterance, piece by piece.

use std::ops::Range;

use super::spoken_marks::Mark;
use crate::text::punctuation::Punctuation;

/// A piece of formatted text and the words that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormattedWord {
    /// Without spaces around it; may end with line breaks, or consist of them.
    pub text: String,
    /// The words' positions; those of one utterance follow each other without gaps.
    pub words: Range<usize>,
}

/// How a piece of text meets what stands before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Space,
    Attached,
}

/// An utterance that is being written.
#[derive(Default)]
pub(super) struct Line {
    words: Vec<FormattedWord>,
    /// A quotation mark, or none, before the next word, and where it was spoken.
    opening: Option<FormattedWord>,
    /// Whether the next word goes on from the last one, as after a hyphen.
    hyphenated: bool,
}

impl FormattedWord {
    /// A piece of text and the positions of the words that it stands for.
    pub fn new(text: impl Into<String>, words: Range<usize>) -> Self {
        Self { text: text.into(), words }
    }

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
    pub fn push(&mut self, text: String, words: Range<usize>, join: Join) {
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
            _ => self.words.push(FormattedWord { text, words }),
        }
    }

    pub fn mark(&mut self, mark: Mark, words: Range<usize>) {
        let text = mark.text();
        match mark {
            Mark::OpenQuote => {
                let open = self.opening.get_or_insert(FormattedWord {
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

    /// Ends the last piece with a mark, unless it is a full stop that is there already.
    pub fn punctuate(&mut self, mark: Punctuation) {
        let Some(FormattedWord { text, .. }) = self.words.last_mut() else { return };
        match mark {
            Punctuation::Comma => text.push(','),
            Punctuation::Question => text.push('?'),
            Punctuation::FullStop if text.ends_with('.') => {}
            Punctuation::FullStop => text.push('.'),
        }
    }

    pub fn finish(mut self) -> Vec<FormattedWord> {
        self.words.extend(self.opening);
        self.words
    }
}
