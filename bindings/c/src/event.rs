//! Events: what a stream recognizes, with its texts for C.

use std::ffi::CString;
use std::time::Duration;

use mynah::decode::{GrammarMatch, Hypothesis, Word};
use mynah::{Event, KeywordHit};

use crate::argument::c_string;
use crate::event_words::{Items, MynahHypothesis, MynahWord};
use crate::formatting::Formatting;

/// What a stream has recognized.
///
/// Threads: any number at once; it never changes. What its functions give is valid until it is freed. It may be kept
/// longer than its stream.
pub struct MynahEvent {
    pub kind: MynahEventKind,
    pub utterance: u64,
    pub text: CString,
    /// Without it the text is.
    pub formatted: Option<CString>,
    pub stable_length: usize,
    pub start: Duration,
    pub end: Duration,
    pub grammar_match: MynahGrammarMatch,
    pub fit: f32,
    pub confidence: f32,
    pub keyword: usize,
    pub words: Items<MynahWord>,
    /// Without them the words are.
    pub formatted_words: Option<Items<MynahWord>>,
    pub hypotheses: Items<MynahHypothesis>,
}

/// What an event is. Later versions may add values: ignore those that you don't know.
#[allow(non_camel_case_types, reason = "the names of the header")]
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MynahEventKind {
    /// No event; of NULL.
    MYNAH_EVENT_NONE = 0,
    /// The utterance so far, whole; its text may change. An empty text withdraws what was shown of it.
    MYNAH_EVENT_PARTIAL = 1,
    /// The utterance has ended as this: no event of it follows.
    MYNAH_EVENT_FINAL = 2,
    /// A keyword was spotted. It belongs to no utterance.
    MYNAH_EVENT_KEYWORD = 3,
}

/// How an utterance matches a grammar. Later versions may add values.
#[allow(non_camel_case_types, reason = "the names of the header")]
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MynahGrammarMatch {
    /// No grammar restricts the text.
    MYNAH_GRAMMAR_UNRESTRICTED = 0,
    /// The text is a phrase of the grammar; of a partial, the beginning of one.
    MYNAH_GRAMMAR_PHRASE = 1,
    /// What was spoken is not in the grammar. There is no text.
    MYNAH_GRAMMAR_OUT_OF_GRAMMAR = 2,
}

use MynahEventKind::*;
use MynahGrammarMatch::*;

impl MynahEvent {
    /// An event of a recognizer. Formatting goes on from one final to the next.
    pub fn new(event: &Event, formatting: Option<&mut Formatting>) -> Self {
        let hypothesis = event.hypothesis();
        let (grammar_match, fit) = match hypothesis.outcome {
            GrammarMatch::Phrase { fit } => (MYNAH_GRAMMAR_PHRASE, fit),
            GrammarMatch::OutOfGrammar { fit } => (MYNAH_GRAMMAR_OUT_OF_GRAMMAR, fit),
            _ => (MYNAH_GRAMMAR_UNRESTRICTED, f32::NAN),
        };
        let mut made = Self {
            kind: if event.is_final() { MYNAH_EVENT_FINAL } else { MYNAH_EVENT_PARTIAL },
            utterance: event.utterance(),
            text: c_string(hypothesis.text.clone()),
            formatted: None,
            stable_length: hypothesis.stable_text().len(),
            start: hypothesis.start,
            end: hypothesis.end,
            grammar_match,
            fit,
            confidence: confidence(&hypothesis.words),
            keyword: 0,
            words: Items::words(&hypothesis.words),
            formatted_words: None,
            hypotheses: hypotheses(hypothesis),
        };
        if let Some(formatting) = formatting {
            made.format(hypothesis, formatting);
        }
        made
    }

    /// A keyword that was spotted.
    pub fn of_keyword(hit: KeywordHit) -> Self {
        Self {
            kind: MYNAH_EVENT_KEYWORD,
            utterance: 0,
            stable_length: hit.phrase.len(),
            text: c_string(hit.phrase),
            formatted: None,
            start: hit.start,
            end: hit.end,
            grammar_match: MYNAH_GRAMMAR_UNRESTRICTED,
            fit: f32::NAN,
            confidence: hit.confidence,
            keyword: hit.index,
            words: Items::default(),
            formatted_words: None,
            hypotheses: Items::default(),
        }
    }

    fn format(&mut self, hypothesis: &Hypothesis, formatting: &mut Formatting) {
        if self.kind == MYNAH_EVENT_FINAL {
            let (text, words) = formatting.of_final(&hypothesis.words);
            self.formatted = Some(c_string(text));
            self.formatted_words = Some(Items::formatted_words(words));
        } else {
            self.formatted = Some(c_string(formatting.partial(&hypothesis.text)));
        }
    }

    pub fn formatted_words(&self) -> &Items<MynahWord> {
        self.formatted_words.as_ref().unwrap_or(&self.words)
    }
}

/// The geometric mean of the words' confidences.
fn confidence(words: &[Word]) -> f32 {
    if words.is_empty() {
        return f32::NAN;
    }
    let sum: f64 =
        words.iter().map(|word| f64::from(word.confidence.max(f32::MIN_POSITIVE)).ln()).sum();
    (sum / words.len() as f64).exp() as f32
}

fn hypotheses(best: &Hypothesis) -> Items<MynahHypothesis> {
    let all = std::iter::once(best).chain(&best.alternatives);
    Items::hypotheses(all.map(|hypothesis| (hypothesis.text.as_str(), hypothesis.score)))
}
