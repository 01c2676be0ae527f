//! Text formatting: recognized words to punctuated, capitalized text with numbers in digits.
//!
//! Inverse text normalization goes by rules: text2num puts numbers together, and this module decides which
//! of them become digits and joins them to times, years, money and the like. Marks and case come from a
//! [`PunctuationModel`], and without one from rules. English only.

mod abbreviations;
mod casing;
mod draft;
mod line;
mod numbers;
mod spoken_marks;
mod vocabulary;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

pub use line::FormattedWord;

use crate::lexicon::UserWord;
use crate::text::punctuation::{Pause, PunctuationModel, Tag};
use draft::Draft;
use spoken_marks::SpokenMark;

/// The words before an utterance that the model sees.
const CONTEXT_WORDS: usize = 8;
/// How probable a capital must be in a partial result.
const PARTIAL_CAPITAL: f32 = 0.9;

/// What a [`TextFormatter`] does.
#[derive(Clone, Debug, PartialEq)]
pub struct TextFormatterConfig {
    /// Gives marks and case. Without it no mark is written that was not spoken, and only `I`, single
    /// letters, months, weekdays and beginnings of sentences have capitals.
    pub punctuation: Option<PunctuationModel>,
    /// Whether the names of marks, such as `full stop`, are written as marks.
    pub spoken_punctuation: bool,
    /// Words that keep their own form wherever they stand, such as [`Model::user_words`](crate::model::Model::user_words).
    pub user_words: Arc<[UserWord]>,
}

/// Formats one stream's finals.
///
/// - **Marks**: commas, full stops and question marks by the model. An utterance with spoken marks has
///   only these.
/// - **Spoken marks**: comma, full stop or period, question mark, exclamation mark or point, colon,
///   semicolon, hyphen, dash, open quote, close quote, new line, new paragraph. After `a`, `the` and
///   their like, or before `of`, they are words; the model decides on `period`, `colon`, `dash`,
///   `hyphen` and `new line`.
/// - **Case** by the model; words that have lower-case letters already are kept, and user words have their own. A sentence begins with a
///   capital. With a model an utterance goes on with the sentence before it if that has no end yet;
///   without one it begins a sentence unless a comma, colon, semicolon, hyphen or dash was spoken before.
/// - **Initialisms**: letters said one after the other are joined, `a p i` is `API`.
/// - **Numbers** from ten on become digits, with commas from 10,000 on. One to nine stay words, as do
///   first to ninth, `a hundred` and plurals, but become digits before a percentage, money, an
///   abbreviable unit or `million`, after a month, and beside another number of two digits.
/// - **Runs** of three and more digits are written together: `nine one one` is `911`.
/// - **Times**: `half past seven`, `quarter to eight`, `ten past six`, and an hour with minutes if
///   `a m`, `p m` or `in the morning` follows or a word such as `at` stands before.
/// - **Years**: a number from 13 to 20 with one of two digits behind, as `nineteen eighty four`.
///
/// What can be read in two ways is read in one: `thirty second delay` becomes `32nd delay`. Dates as
/// numbers, fractions, Roman numerals and addresses are left as they are.
///
/// ```
/// use mynah::{TextFormatter, TextFormatterConfig};
///
/// let mut formatter = TextFormatter::new(TextFormatterConfig::default());
/// assert_eq!(formatter.text("AT HALF PAST SEVEN COMMA I PAID TWENTY DOLLARS"), "At 7:30, I paid $20");
/// assert_eq!(formatter.text("ONE OF THEM SAID NO FULL STOP"), "One of them said no.");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TextFormatter {
    config: TextFormatterConfig,
    /// Whether the next word begins a sentence.
    begins: bool,
    /// The last words before the next utterance, in lower case.
    context: Vec<(String, Pause)>,
}

/// Formats one text by itself by rules, as a [`TextFormatter`] without a model formats a first final.
///
/// ```
/// let text = "THE TRAIN LEAVES AT SEVEN THIRTY P M COMMA I THINK PERIOD";
/// assert_eq!(mynah::format_text(text), "The train leaves at 7:30 p.m., I think.");
/// ```
#[must_use]
pub fn format_text(text: &str) -> String {
    TextFormatter::default().text(text)
}

/// A recognized word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpokenWord<'a> {
    /// The word as recognized.
    pub text: &'a str,
    /// How long it was silent before the next word, where that is known.
    pub pause: Option<Duration>,
}

impl Default for TextFormatterConfig {
    fn default() -> Self {
        Self { punctuation: None, spoken_punctuation: true, user_words: Arc::default() }
    }
}

impl Default for TextFormatter {
    fn default() -> Self {
        Self::new(TextFormatterConfig::default())
    }
}

impl<'a> SpokenWord<'a> {
    /// Words with the pauses between their times.
    pub fn timed(words: impl IntoIterator<Item = (&'a str, Range<Duration>)>) -> Vec<Self> {
        let words: Vec<_> = words.into_iter().collect();
        let starts = words.iter().skip(1).map(|(_, times)| Some(times.start)).chain([None]);
        let word = |((text, times), next): (&(&'a str, Range<Duration>), Option<Duration>)| Self {
            text,
            pause: next.map(|next| next.saturating_sub(times.end)),
        };
        words.iter().zip(starts).map(word).collect()
    }
}

impl<'a> From<&'a str> for SpokenWord<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, pause: None }
    }
}

impl TextFormatter {
    /// Begins with a sentence.
    #[must_use]
    pub fn new(config: TextFormatterConfig) -> Self {
        Self { config, begins: true, context: Vec::new() }
    }

    /// Begins a sentence with the next utterance, whatever stands before it.
    pub fn begin_sentence(&mut self) {
        self.begins = true;
        self.context.clear();
    }

    /// Formats an utterance whose words are separated by white space.
    pub fn text(&mut self, text: &str) -> String {
        FormattedWord::join(&self.words(text.split_whitespace()))
    }

    /// Formats an utterance; each piece has the positions of the words that it stands for.
    pub fn words<'a, W: Into<SpokenWord<'a>>>(
        &mut self,
        words: impl IntoIterator<Item = W>,
    ) -> Vec<FormattedWord> {
        let words: Vec<SpokenWord> = words.into_iter().map(Into::into).collect();
        let user_words = self.config.user_words.clone();
        let mut draft = Draft::new(&words, &user_words);
        if self.config.spoken_punctuation {
            self.find_spoken_marks(&mut draft, &words);
        }
        draft.tags = self.tags(&words, &draft);
        let formatted = draft.write(self.config.punctuation.as_ref(), &mut self.begins);
        self.remember(&words, &draft);
        formatted
    }

    /// Formats a partial result lightly: case alone, and only what is certain, so that little of it
    /// changes with the next one.
    pub fn partial_text<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> String {
        let words: Vec<SpokenWord> = words.into_iter().map(Into::into).collect();
        let mut draft = Draft::new(&words, &self.config.user_words);
        let last = words.len().saturating_sub(1);
        let tags = self.tags(&words, &draft).into_iter().enumerate();
        let is_certain =
            |at: usize, tag: &Tag| at < last && tag.case_probability() >= PARTIAL_CAPITAL;
        draft.tags = tags.map(|(at, tag)| tag.filter(|tag| is_certain(at, tag))).collect();
        draft.write_case(self.config.punctuation.as_ref(), self.begins)
    }

    /// Adds the marks that were spoken. The model decides on names of marks that are common nouns, unless
    /// another mark is spoken beside them.
    fn find_spoken_marks(&self, draft: &mut Draft, words: &[SpokenWord]) {
        let marks = draft.candidates();
        let is_beside_another = |words: &Range<usize>| {
            marks
                .iter()
                .any(|other| other.words.end == words.start || other.words.start == words.end)
        };
        let is_clear = |mark: &SpokenMark| !mark.is_ambiguous || is_beside_another(&mark.words);
        draft.marks = if marks.iter().all(is_clear) {
            marks
        } else {
            let tags = self.tags(words, draft);
            let is_spoken = |mark: &&SpokenMark| {
                is_clear(mark) || tags[mark.words.start].is_none_or(|tag| tag.is_spoken_mark())
            };
            marks.iter().filter(is_spoken).cloned().collect()
        };
    }

    /// What the model makes of the words that are no spoken marks.
    fn tags(&self, words: &[SpokenWord], draft: &Draft) -> Vec<Option<Tag>> {
        let Some(model) = &self.config.punctuation else { return vec![None; words.len()] };
        let context = self.context.iter().map(|(word, pause)| (word.as_str(), *pause));
        let mut input: Vec<_> = context.collect();
        let before = input.len();
        let places: Vec<_> = (0..words.len()).filter(|&at| !draft.is_in_mark(at)).collect();
        for &at in &places {
            input.push((draft.keys[at].as_str(), words[at].pause.into()));
        }
        if let Some((_, pause)) = input.last_mut().filter(|_| !places.is_empty()) {
            *pause = Pause::End;
        }
        let mut tags = vec![None; words.len()];
        for (at, tag) in places.iter().zip(model.tag(&input).into_iter().skip(before)) {
            tags[*at] = Some(tag);
        }
        tags
    }

    /// Keeps the utterance's end for the next one.
    fn remember(&mut self, words: &[SpokenWord], draft: &Draft) {
        if self.config.punctuation.is_none() {
            return;
        }
        let places = (0..words.len()).filter(|&at| !draft.is_in_mark(at));
        let spoken = places.map(|at| (draft.keys[at].clone(), words[at].pause.into()));
        let before = self.context.len();
        self.context.extend(spoken);
        if self.context.len() > before
            && let Some((_, pause)) = self.context.last_mut()
        {
            *pause = Pause::End;
        }
        self.context.drain(..self.context.len().saturating_sub(CONTEXT_WORDS));
    }
}

#[cfg(test)]
mod tests;
