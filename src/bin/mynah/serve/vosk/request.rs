//! What clients send as text, and what they have chosen.

use serde::Deserialize;
use serde_json::Value;

use crate::serve::engine::StreamConfig;

/// The rate of clients that name none, as Vosk's server has it.
const DEFAULT_RATE: u32 = 8_000;
/// The phrase that stands for all that is none.
const UNKNOWN: &str = "[unk]";

const EXPECTED: &str =
    r#"expected {"config": {…}}, {"reset": 1} or {"eof": 1}, and audio as binary messages"#;

/// A message of text.
#[derive(Debug)]
pub enum Request {
    Config(Box<Config>),
    /// End the utterance and go on.
    Reset,
    /// End the utterance and the connection.
    End,
}

/// The value of `config`; unknown keys are ignored.
#[derive(Debug, Default, Deserialize)]
pub struct Config {
    sample_rate: Option<Value>,
    words: Option<Value>,
    max_alternatives: Option<Value>,
    #[serde(alias = "grammar")]
    phrase_list: Option<Vec<String>>,
    hotwords: Option<Vec<String>>,
    formatted: Option<Value>,
    events: Option<Value>,
}

/// A client's choices.
#[derive(Debug)]
pub struct Settings {
    pub stream: StreamConfig,
    /// Whether results list their words.
    pub words: bool,
    /// The hypotheses of a result; 0 for the best alone, in Vosk's plain form.
    pub alternatives: usize,
    /// Whether results come as they are recognized instead of as answers.
    pub events: bool,
    /// Whether what is not a phrase is reported.
    pub has_unknown: bool,
    pub(super) received: usize,
}

impl Request {
    /// # Errors
    ///
    /// The text is no request; the reason is for the client.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| format!("no JSON: {error}; {EXPECTED}"))?;
        let is_set = |key| value.get(key).is_some_and(is_true);
        if let Some(config) = value.get("config") {
            let config = Config::deserialize(config).map_err(|error| format!("config: {error}"))?;
            Ok(Self::Config(Box::new(config)))
        } else if is_set("eof") {
            Ok(Self::End)
        } else if is_set("reset") {
            Ok(Self::Reset)
        } else {
            Err(EXPECTED.to_owned())
        }
    }
}

impl Settings {
    pub fn new(formatted: bool) -> Self {
        let stream = StreamConfig { formatted, ..StreamConfig::new(DEFAULT_RATE) };
        let (words, events, has_unknown) = (true, false, false);
        Self { stream, words, alternatives: 0, events, has_unknown, received: 0 }
    }

    /// Counts bytes of audio.
    pub fn receive(&mut self, bytes: usize) {
        self.received = self.received.wrapping_add(bytes);
    }

    /// Forgets half a sample, as the end of an utterance does.
    pub fn end_utterance(&mut self) {
        self.received = 0;
    }

    /// Whether half a sample has come last.
    pub fn has_odd_byte(&self) -> bool {
        !self.received.is_multiple_of(2)
    }

    /// # Errors
    ///
    /// A value is none of its key; the reason is for the client.
    pub fn apply(&mut self, config: Config) -> Result<(), String> {
        let Config {
            sample_rate,
            words,
            max_alternatives,
            phrase_list,
            hotwords,
            formatted,
            events,
        } = config;
        if let Some(rate) = sample_rate {
            self.stream.sample_rate = number(&rate, "sample_rate")?.round() as u32;
        }
        if let Some(count) = max_alternatives {
            self.alternatives = number(&count, "max_alternatives")?.clamp(0.0, 100.0) as usize;
            self.stream.nbest = self.alternatives.max(1);
        }
        if let Some(mut phrases) = phrase_list {
            let listed = phrases.len();
            phrases.retain(|phrase| phrase.trim() != UNKNOWN);
            self.has_unknown = phrases.len() < listed;
            self.stream.phrases = (listed > 0).then_some(phrases);
        }
        if let Some(hotwords) = hotwords {
            self.stream.hotwords = hotwords;
        }
        let set = |choice: &mut bool, value: Option<Value>| {
            if let Some(value) = value {
                *choice = is_true(&value);
            }
        };
        set(&mut self.words, words);
        set(&mut self.stream.formatted, formatted);
        set(&mut self.events, events);
        Ok(())
    }
}

/// As Python has it, in which Vosk's server is written.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(values) => !values.is_empty(),
    }
}

fn number(value: &Value, key: &str) -> Result<f64, String> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    number
        .filter(|n: &f64| n.is_finite())
        .ok_or_else(|| format!("config: {key} is {value}; give a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str) -> Result<Settings, String> {
        let Request::Config(config) = Request::parse(text)? else { panic!("no configuration") };
        let mut settings = Settings::new(false);
        settings.apply(*config).map(|()| settings)
    }

    #[test]
    fn the_configurations_of_vosk_clients_are_understood() {
        let settings = applied(
            r#"{"config" :
                { "phrase_list" : ["zero one two", "[unk]"], "sample_rate" : 16000.000000, "words" : 0}}"#,
        )
        .unwrap();
        assert_eq!(settings.stream.sample_rate, 16_000);
        assert_eq!(settings.stream.phrases.as_deref(), Some(&["zero one two".to_owned()][..]));
        assert!(settings.has_unknown && !settings.words && !settings.events);
        let settings = applied(r#"{"config": {"max_alternatives": 3, "model": "other"}}"#).unwrap();
        assert_eq!((settings.alternatives, settings.stream.nbest), (3, 3));
        assert_eq!(settings.stream.sample_rate, DEFAULT_RATE);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in
            ["", "hello", "{", "[]", "{}", r#"{"eof": 0}"#, r#"{"config": 3}"#, "\"config\""]
        {
            assert!(Request::parse(text).is_err(), "{text}");
        }
        for rate in ["null", "\"fast\"", "[]"] {
            let outcome = applied(&format!(r#"{{"config": {{"sample_rate": {rate}}}}}"#));
            // `null` is as if it were not there.
            assert_eq!(outcome.is_ok(), rate == "null", "{rate}");
        }
        assert!(matches!(Request::parse(r#"{"eof" : 1}"#), Ok(Request::End)));
        assert!(matches!(Request::parse(r#"{"reset": 1}"#), Ok(Request::Reset)));
    }
}
