//! What JavaScript gets of an event: an object of its own.

use mynah::decode::Hypothesis;
use mynah::{FormattedWord, SpokenWord, TextFormatter};
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPESCRIPT: &str = r#"
/** What is recognized of an utterance. Times are seconds of the audio. */
export interface Event {
  /** A partial is the utterance so far, and a later event replaces it. A final ends the utterance. */
  type: "partial" | "final";
  /** The number of the utterance, from 0 on. */
  utterance: number;
  /** The words in capitals. An empty text withdraws what was shown of the utterance. */
  text: string;
  /** The beginning of `text` that no later event of the utterance changes. */
  stableText: string;
  /** The text for readers: punctuation, case and numbers of a final, case alone of a partial. */
  formatted: string;
  start: number;
  end: number;
  /** The words of `text`. */
  words: Word[];
}

/** A recognized word. Times are seconds of the audio. */
export interface Word {
  text: string;
  start: number;
  end: number;
  /** The probability that the word is right, 0 to 1. */
  confidence: number;
}
"#;

/// `Event`.
#[derive(Serialize)]
pub struct Event {
    r#type: &'static str,
    utterance: u64,
    text: String,
    #[serde(rename = "stableText")]
    stable_text: String,
    formatted: String,
    start: f64,
    end: f64,
    words: Vec<Word>,
}

/// `Word`.
#[derive(Serialize)]
struct Word {
    text: String,
    start: f64,
    end: f64,
    confidence: f32,
}

impl Event {
    pub fn new(event: &mynah::Event, formatter: &mut TextFormatter) -> Self {
        let hypothesis = event.hypothesis();
        let (r#type, formatted) = match event.is_final() {
            true => ("final", format_final(hypothesis, formatter)),
            false => ("partial", formatter.partial_text(hypothesis.text.split_whitespace())),
        };
        Self {
            r#type,
            utterance: event.utterance(),
            text: hypothesis.text.clone(),
            stable_text: hypothesis.stable_text().to_owned(),
            formatted,
            start: hypothesis.start.as_secs_f64(),
            end: hypothesis.end.as_secs_f64(),
            words: hypothesis.words.iter().map(Word::new).collect(),
        }
    }
}

impl Word {
    fn new(word: &mynah::decode::Word) -> Self {
        Self {
            text: word.text.clone(),
            start: word.start.as_secs_f64(),
            end: word.end.as_secs_f64(),
            confidence: word.confidence,
        }
    }
}

fn format_final(hypothesis: &Hypothesis, formatter: &mut TextFormatter) -> String {
    let words = hypothesis.words.iter();
    let timed = words.map(|word| (word.text.as_str(), word.start..word.end));
    FormattedWord::join(&formatter.words(SpokenWord::timed(timed))).trim_matches('\n').to_owned()
}
