//! Recognized words to text that people read, where the library was built with it.

use std::time::Duration;

use mynah::Model;
use mynah::decode::Word;
#[cfg(feature = "itn")]
use mynah::{FormattedWord, SpokenWord, TextFormatter, TextFormatterConfig};

use crate::status::Failure;

/// A text formatter. Without the feature `itn` there is none.
#[derive(Clone)]
pub struct Formatting(TextFormatter);

/// Without the feature `itn`: what there is none of.
#[cfg(not(feature = "itn"))]
#[derive(Clone, Copy)]
enum TextFormatter {}

/// A final's text and its words.
pub type Formatted = (String, Vec<FormattedPiece>);

/// A word of a formatted text.
pub struct FormattedPiece {
    pub text: String,
    pub start: Duration,
    pub end: Duration,
    pub confidence: f32,
}

#[cfg(feature = "itn")]
impl Formatting {
    /// # Errors
    ///
    /// The library was built without it.
    pub fn check() -> Result<(), Failure> {
        Ok(())
    }

    /// By the model's punctuation model, or by rules alone.
    pub fn new(model: Option<&Model>, spoken_punctuation: bool) -> Option<Self> {
        let punctuation = model.and_then(Model::punctuation).cloned();
        let user_words = model.map(|model| model.user_words().into()).unwrap_or_default();
        let config = TextFormatterConfig { punctuation, spoken_punctuation, user_words };
        Some(Self(TextFormatter::new(config)))
    }

    pub fn begin_sentence(&mut self) {
        self.0.begin_sentence();
    }

    pub fn text(&mut self, text: &str) -> String {
        self.0.text(text)
    }

    pub fn partial(&self, text: &str) -> String {
        self.0.partial_text(text.split_whitespace())
    }

    /// Formats a final. Line breaks that only separate it from others are left out.
    pub fn of_final(&mut self, words: &[Word]) -> Formatted {
        let timed = words.iter().map(|word| (word.text.as_str(), word.start..word.end));
        let pieces = self.0.words(SpokenWord::timed(timed));
        let text = FormattedWord::join(&pieces);
        let text = text.strip_prefix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\n').unwrap_or(text);
        let shown = pieces.iter().filter_map(|piece| FormattedPiece::of(piece, words));
        (text.to_owned(), shown.collect())
    }
}

#[cfg(feature = "itn")]
impl FormattedPiece {
    /// Formatted text at the time of its words; none for a line break alone.
    fn of(piece: &FormattedWord, words: &[Word]) -> Option<Self> {
        let spoken = words.get(piece.words.clone())?;
        let (first, last) = (spoken.first()?, spoken.last()?);
        let text = piece.text.trim().to_owned();
        let confidence = spoken.iter().map(|word| word.confidence).fold(1.0, f32::min);
        (!text.is_empty()).then_some(Self { text, start: first.start, end: last.end, confidence })
    }
}

#[cfg(not(feature = "itn"))]
impl Formatting {
    pub fn check() -> Result<(), Failure> {
        Err(Failure::unsupported("itn"))
    }

    pub fn new(_: Option<&Model>, _: bool) -> Option<Self> {
        None
    }

    pub fn begin_sentence(&mut self) {
        match self.0 {}
    }

    pub fn text(&mut self, _: &str) -> String {
        match self.0 {}
    }

    pub fn partial(&self, _: &str) -> String {
        match self.0 {}
    }

    pub fn of_final(&mut self, _: &[Word]) -> Formatted {
        match self.0 {}
    }
}
