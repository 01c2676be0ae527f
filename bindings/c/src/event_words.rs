//! The lists of an event: words and hypotheses, their texts for C.

use std::ffi::{CString, c_char};
use std::time::Duration;

use mynah::decode::Word;

use crate::argument::c_string;
use crate::formatting::FormattedPiece;

/// A word, when it was spoken, and how sure that is. Read it by its pointer: later versions may add members at its end.
#[repr(C)]
pub struct MynahWord {
    /// Its characters, in UTF-8.
    pub text: *const c_char,
    /// The audio time in seconds at which it begins.
    pub start: f64,
    /// The audio time in seconds at which it ends.
    pub end: f64,
    /// The probability that it is right, from 0 to 1.
    pub confidence: f32,
}

/// One of the likeliest texts of an utterance. Read it by its pointer: later versions may add members at its end.
#[repr(C)]
pub struct MynahHypothesis {
    /// The text as recognized, in UTF-8.
    pub text: *const c_char,
    /// What it is ranked by, in natural logarithm.
    pub score: f64,
}

/// Items whose texts live as long as they do.
pub struct Items<T> {
    items: Vec<T>,
    /// What the items point to; a `CString` keeps its place when it moves.
    _texts: Vec<CString>,
}

impl<T> Items<T> {
    /// Each text becomes an item with what stands beside it.
    fn new<R>(
        texts: impl IntoIterator<Item = (String, R)>,
        item: impl Fn(*const c_char, R) -> T,
    ) -> Self {
        let (mut items, mut kept) = (Vec::new(), Vec::new());
        for (text, rest) in texts {
            let text = c_string(text);
            items.push(item(text.as_ptr(), rest));
            kept.push(text);
        }
        Self { items, _texts: kept }
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn get(&self, index: usize) -> Option<&T> {
        self.items.get(index)
    }
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { items: Vec::new(), _texts: Vec::new() }
    }
}

impl Items<MynahHypothesis> {
    pub fn hypotheses<'a>(texts: impl IntoIterator<Item = (&'a str, f64)>) -> Self {
        let texts = texts.into_iter().map(|(text, score)| (text.to_owned(), score));
        Self::new(texts, |text, score| MynahHypothesis { text, score })
    }
}

impl Items<MynahWord> {
    pub fn words(words: &[Word]) -> Self {
        Self::timed(
            words.iter().map(|word| (word.text.clone(), (word.start, word.end, word.confidence))),
        )
    }

    pub fn formatted_words(words: Vec<FormattedPiece>) -> Self {
        Self::timed(
            words.into_iter().map(|word| (word.text, (word.start, word.end, word.confidence))),
        )
    }

    fn timed(words: impl IntoIterator<Item = (String, (Duration, Duration, f32))>) -> Self {
        Self::new(words, |text, (start, end, confidence)| MynahWord {
            text,
            start: start.as_secs_f64(),
            end: end.as_secs_f64(),
            confidence,
        })
    }
}
