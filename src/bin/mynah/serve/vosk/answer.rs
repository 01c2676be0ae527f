//! What clients are sent.

use std::time::Duration;

use serde::Serialize;

use super::request::Settings;
use crate::utterance::{Utterance, Word, seconds};

const UNKNOWN: &str = "[unk]";

/// `{"partial": "…"}`
#[derive(Debug, Serialize)]
pub struct PartialAnswer {
    pub partial: String,
}

/// `{"error": "…"}`, before a close.
#[derive(Debug, Serialize)]
pub struct ErrorAnswer<'a> {
    pub error: &'a str,
}

/// `{"text": "…", "result": […]}`, or `{"alternatives": […]}` if they were asked for.
#[derive(Debug, Serialize)]
pub struct ResultAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    alternatives: Option<Vec<Alternative>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    result: Vec<ResultWord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Alternative {
    /// The natural logarithm that hypotheses are ranked by.
    confidence: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    result: Vec<ResultWord>,
    text: String,
}

#[derive(Debug, Serialize)]
struct ResultWord {
    conf: f32,
    #[serde(serialize_with = "seconds")]
    end: Duration,
    #[serde(serialize_with = "seconds")]
    start: Duration,
    word: String,
}

/// A result that no message asked for.
#[derive(Debug, Serialize)]
pub struct Caption<'a> {
    utterance: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<&'a str>,
    #[serde(flatten)]
    result: Option<ResultAnswer>,
}

impl ResultAnswer {
    /// The answer of these utterances, which are none or several at times, as one.
    pub fn new(utterances: &[Utterance], settings: &Settings) -> Self {
        let mut answer = Self { alternatives: None, result: Vec::new(), text: None, warning: None };
        let texts: Vec<_> = utterances.iter().map(|utterance| text(utterance, settings)).collect();
        let joined =
            || texts.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(" ");
        let words = if settings.words { words(utterances, settings) } else { Vec::new() };
        if settings.alternatives == 0 {
            answer.text = Some(joined());
            answer.result = words;
            return answer;
        }
        let score = |utterance: &Utterance| utterance.nbest.first().map_or(0.0, |best| best.score);
        let confidence = utterances.iter().map(score).sum();
        let mut alternatives = vec![Alternative { confidence, result: words, text: joined() }];
        // Several utterances of one message have no hypotheses in common.
        if let [utterance] = utterances {
            alternatives.extend(utterance.nbest.iter().skip(1).map(|other| Alternative {
                confidence: other.score,
                result: Vec::new(),
                text: other.text.to_lowercase(),
            }));
        }
        answer.alternatives = Some(alternatives);
        answer
    }
}

impl<'a> Caption<'a> {
    pub fn partial(utterance: u64, text: &'a str) -> Self {
        Self { utterance, partial: Some(text), result: None }
    }

    pub fn of_final(utterance: u64, result: &Utterance, settings: &Settings) -> Self {
        let result = ResultAnswer::new(std::slice::from_ref(result), settings);
        Self { utterance, partial: None, result: Some(result) }
    }
}

fn text(utterance: &Utterance, settings: &Settings) -> String {
    if utterance.text.is_empty() {
        let text = if settings.has_unknown { UNKNOWN } else { "" };
        return text.to_owned();
    }
    if utterance.formatted.is_some() {
        utterance.shown().to_owned()
    } else {
        utterance.text.to_lowercase()
    }
}

fn words(utterances: &[Utterance], settings: &Settings) -> Vec<ResultWord> {
    let is_formatted = settings.stream.formatted;
    let word = |word: &Word| ResultWord {
        conf: (word.confidence * 1e6).round() / 1e6,
        end: word.end,
        start: word.start,
        word: if is_formatted { word.text.clone() } else { word.text.to_lowercase() },
    };
    utterances.iter().flat_map(|utterance| utterance.shown_words().iter().map(word)).collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::format::samples::{out_of_grammar, utterance};

    fn json(utterances: &[Utterance], settings: &Settings) -> String {
        serde_json::to_string(&ResultAnswer::new(utterances, settings)).unwrap()
    }

    #[test]
    fn an_utterance_has_its_words() {
        let answer = json(&[utterance(1_000, "YES")], &Settings::new(false));
        assert_snapshot!(answer, @r#"{"result":[{"conf":0.75,"end":1.3,"start":1.0,"word":"yes"}],"text":"yes"}"#);
    }

    #[test]
    fn silence_is_an_empty_text() {
        assert_snapshot!(json(&[], &Settings::new(false)), @r#"{"text":""}"#);
    }

    #[test]
    fn the_utterances_of_one_message_are_one_answer() {
        let settings = Settings { words: false, ..Settings::new(false) };
        let answer = json(&[utterance(0, "YES"), utterance(2_000, "NO")], &settings);
        assert_snapshot!(answer, @r#"{"text":"yes no"}"#);
    }

    #[test]
    fn what_is_no_phrase_is_unknown_if_it_is_listed() {
        let mut settings = Settings::new(false);
        assert_snapshot!(json(&[out_of_grammar()], &settings), @r#"{"text":""}"#);
        settings.has_unknown = true;
        assert_snapshot!(json(&[out_of_grammar()], &settings), @r#"{"text":"[unk]"}"#);
    }

    #[test]
    fn alternatives_have_a_form_of_their_own() {
        let settings = Settings { alternatives: 2, words: false, ..Settings::new(false) };
        assert_snapshot!(json(&[utterance(0, "YES")], &settings), @r#"{"alternatives":[{"confidence":0.0,"text":"yes"}]}"#);
    }
}
