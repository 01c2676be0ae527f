//! What is chosen when a model is loaded and when a recognizer is made, from Python's arguments.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mynah::decode::{Decoding, GrammarConstraint, PrefixBeamConfig};
use mynah::{
    Chunk, EarlyEndpoint, EndpointConfig, Finals, GateConfig, Grammar, Keyword, LoadOptions, Model,
    Precision, Recognizer, RecognizerConfig, UserWord,
};
use pyo3::prelude::*;

use crate::errors::Failure;

/// A text of lines, or its lines.
#[derive(FromPyObject)]
pub enum Lines {
    Text(String),
    List(Vec<String>),
}

impl Lines {
    pub fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::List(lines) => lines.join("\n"),
        }
    }
}

/// A chunk's name, or its length in milliseconds.
#[derive(Clone, FromPyObject)]
pub enum ChunkChoice {
    Name(String),
    Milliseconds(i64),
}

impl ChunkChoice {
    fn chunk(&self) -> Result<Chunk, Failure> {
        match self {
            Self::Name(name) => choice(
                "chunk",
                name,
                &[
                    ("streaming", Chunk::Streaming),
                    ("offline", Chunk::Offline),
                    ("shortest", Chunk::Shortest),
                ],
            ),
            Self::Milliseconds(length) => {
                let length = u64::try_from(*length).map_err(|_| {
                    Failure::config(format!("chunk is {length} ms; it must be 0 or more"))
                })?;
                Ok(Chunk::Length(Duration::from_millis(length)))
            }
        }
    }
}

/// How a model is loaded.
pub struct ModelChoice {
    pub preset: String,
    pub second_model: Option<PathBuf>,
    pub precision: String,
    pub chunk: Option<ChunkChoice>,
    pub finals: Option<String>,
}

impl ModelChoice {
    /// # Errors
    ///
    /// An argument has a value that it can't have, or contradicts another.
    pub fn load_options(&self) -> Result<LoadOptions, Failure> {
        let presets = [
            ("balanced", LoadOptions::balanced()),
            ("low_latency", LoadOptions::low_latency()),
            ("accurate", LoadOptions::balanced()),
        ];
        let mut options: LoadOptions = choice("preset", &self.preset, &presets)?;
        let precisions =
            [("auto", Precision::Auto), ("f32", Precision::F32), ("int8", Precision::Int8)];
        options.precision = choice("precision", &self.precision, &precisions)?;
        if let Some(chunk) = &self.chunk {
            options.chunk = chunk.chunk()?;
        }
        if let Some(finals) = &self.finals {
            let all = [("second_pass", Finals::SecondPass), ("first_pass", Finals::FirstPass)];
            options.finals = choice("finals", finals, &all)?;
        }
        if let Some(folder) = &self.second_model {
            if options.finals == Finals::FirstPass {
                return Err(Failure::config(
                    "second_model needs a second pass; leave out one of second_model, finals=\"first_pass\" \
                     and preset=\"low_latency\"",
                ));
            }
            options.finals = Finals::WithModel(folder.clone());
        } else if self.preset == "accurate" {
            return Err(Failure::config(
                "preset=\"accurate\" has no second model; name its folder by second_model",
            ));
        }
        Ok(options)
    }
}

/// How a recognizer decodes, ends utterances and writes text.
pub struct RecognizerChoice {
    pub endpoint: bool,
    pub endpoint_silence: Option<f64>,
    pub early_endpoint: Option<f64>,
    pub longest_utterance: Option<f64>,
    pub gate: bool,
    pub nbest: i64,
    pub words: Option<String>,
    pub hotwords: Option<String>,
    pub grammar: Option<String>,
    pub grammar_threshold: Option<f32>,
    pub keywords: Option<String>,
}

impl RecognizerChoice {
    /// # Errors
    ///
    /// A value is out of its range, a list can't be read, or the model can't do what it asks for.
    pub fn recognizer(&self, model: &Model) -> Result<Recognizer, Failure> {
        let mut model = model.clone();
        if let Some(words) = &self.words {
            let words = UserWord::parse_list(words).map_err(within("words"))?;
            model = model.with_user_words(&words).map_err(within("words"))?;
        }
        let mut hotwords = Vec::new();
        if let Some(list) = &self.hotwords {
            (model, hotwords) = model.with_hotword_list(list).map_err(within("hotwords"))?;
        }
        let nbest =
            usize::try_from(self.nbest).ok().filter(|&nbest| nbest > 0).ok_or_else(|| {
                Failure::config(format!("nbest is {}; it must be at least 1", self.nbest))
            })?;
        let threshold = self.grammar_threshold.unwrap_or(GrammarConstraint::DEFAULT_THRESHOLD);
        let grammar = self.grammar.as_deref();
        let constraint =
            grammar.map(|grammar| constraint(grammar, threshold, &model)).transpose()?;
        let decoding = match model.default_decoding() {
            Decoding::Greedy if hotwords.is_empty() && nbest == 1 && constraint.is_none() => {
                Decoding::Greedy
            }
            decoding => {
                let of_model = match decoding {
                    Decoding::PrefixBeam(config) => config.clone(),
                    _ => PrefixBeamConfig::default(),
                };
                let hotwords = Arc::from(hotwords);
                Decoding::PrefixBeam(PrefixBeamConfig { nbest, hotwords, constraint, ..of_model })
            }
        };
        let keywords = self.keywords.as_deref().map(keywords).transpose()?.unwrap_or_default();
        let gate = self.gate.then(GateConfig::default);
        let (endpoint, decoding) = (self.endpoint()?, Some(decoding));
        let config = RecognizerConfig { endpoint, decoding, gate, keywords };
        Ok(Recognizer::with_config(model, config)?)
    }

    /// When utterances end.
    ///
    /// # Errors
    ///
    /// A time is out of its range.
    pub fn endpoint(&self) -> Result<EndpointConfig, Failure> {
        let mut endpoint = EndpointConfig { enabled: self.endpoint, ..EndpointConfig::default() };
        if let Some(seconds) = self.endpoint_silence {
            let silence = duration("endpoint_silence", seconds)?;
            endpoint.rule2.trailing_silence = silence;
            // Rule 1 holds with words as well, and must not come before rule 2.
            endpoint.rule1.trailing_silence = endpoint.rule1.trailing_silence.max(silence);
        }
        if let Some(seconds) = self.early_endpoint {
            let trailing_silence = duration("early_endpoint", seconds)?;
            endpoint.early = Some(EarlyEndpoint { trailing_silence, ..EarlyEndpoint::default() });
        }
        if let Some(seconds) = self.longest_utterance {
            endpoint.longest_utterance = duration("longest_utterance", seconds)?;
        }
        Ok(endpoint)
    }
}

/// A grammar whose words the model can spell.
///
/// # Errors
///
/// Wrong syntax, or a word that can't be spelled, with its place.
pub fn constraint(text: &str, threshold: f32, model: &Model) -> Result<GrammarConstraint, Failure> {
    let grammar = Grammar::parse(text).map_err(within("grammar"))?;
    grammar.check_spelling(model.tokens()).map_err(within("grammar"))?;
    Ok(GrammarConstraint { grammar, threshold })
}

/// A list of keywords, one a line.
///
/// # Errors
///
/// A line that can't be read.
pub fn keywords(list: &str) -> Result<Vec<Keyword>, Failure> {
    let keywords = Keyword::parse_list(list).map_err(within("keywords"))?;
    Ok(keywords.into_iter().map(|(_, keyword)| keyword).collect())
}

/// Names the argument in an error.
pub fn within(argument: &str) -> impl Fn(mynah::Error) -> Failure {
    move |error| Failure::from(error).within(argument)
}

fn duration(argument: &str, seconds: f64) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Failure::config(format!("{argument} is {seconds} s; it must be 0 or more")))
}

fn choice<T: Clone>(argument: &str, value: &str, all: &[(&str, T)]) -> Result<T, Failure> {
    let found = all.iter().find(|(name, _)| *name == value);
    found.map(|(_, choice)| choice.clone()).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|(name, _)| format!("{name:?}")).collect();
        Failure::config(format!("{argument} is {value:?}; it must be one of {}", names.join(", ")))
    })
}
