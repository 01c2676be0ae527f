//! How a recognizer decodes, ends utterances and writes text.

use std::sync::Arc;

use mynah::decode::{Decoding, GrammarConstraint, PrefixBeamConfig};
use mynah::{
    EndpointConfig, GateConfig, Grammar, Keyword, Model, Recognizer, RecognizerConfig, UserWord,
};

use crate::formatting::Formatting;
use crate::status::Failure;

/// How a recognizer decodes, ends utterances and writes text. A new one has the defaults.
///
/// Threads: one at a time. `mynah_recognizer_new` copies what it needs.
pub struct MynahRecognizerOptions {
    pub endpoint: EndpointConfig,
    pub gate: Option<GateConfig>,
    pub nbest: usize,
    pub words: Option<String>,
    pub hotwords: Option<String>,
    pub grammar: Option<String>,
    pub grammar_threshold: f32,
    pub keywords: Option<String>,
    /// Whether text is formatted; without it where the model can and there is no grammar.
    pub formatting: Option<bool>,
    pub spoken_punctuation: bool,
}

impl Default for MynahRecognizerOptions {
    fn default() -> Self {
        Self {
            endpoint: EndpointConfig::default(),
            gate: None,
            nbest: 1,
            words: None,
            hotwords: None,
            grammar: None,
            grammar_threshold: GrammarConstraint::DEFAULT_THRESHOLD,
            keywords: None,
            formatting: None,
            spoken_punctuation: true,
        }
    }
}

impl MynahRecognizerOptions {
    /// # Errors
    ///
    /// A list can't be read, or the model can't do what it asks for.
    pub fn recognizer(&self, model: &Model) -> Result<Recognizer, Failure> {
        let mut model = model.clone();
        if let Some(words) = &self.words {
            let words = UserWord::parse_list(words).map_err(|e| within("words", e))?;
            model = model.with_user_words(&words).map_err(|e| within("words", e))?;
        }
        let mut hotwords = Vec::new();
        if let Some(list) = &self.hotwords {
            (model, hotwords) = model.with_hotword_list(list).map_err(|e| within("hotwords", e))?;
        }
        let constraint = self
            .grammar
            .as_deref()
            .map(|grammar| constraint(grammar, self.grammar_threshold, &model));
        let keywords = self.keywords.as_deref().map(keywords).transpose()?.unwrap_or_default();
        let decoding = match (model.default_decoding(), constraint.transpose()?) {
            (Decoding::Greedy, None) if hotwords.is_empty() && self.nbest == 1 => Decoding::Greedy,
            (decoding, constraint) => {
                let of_model = match decoding {
                    Decoding::PrefixBeam(config) => config.clone(),
                    _ => PrefixBeamConfig::default(),
                };
                let (nbest, hotwords) = (self.nbest, Arc::from(hotwords));
                Decoding::PrefixBeam(PrefixBeamConfig { nbest, hotwords, constraint, ..of_model })
            }
        };
        let (endpoint, gate) = (self.endpoint.clone(), self.gate);
        let config = RecognizerConfig { endpoint, decoding: Some(decoding), gate, keywords };
        Ok(Recognizer::with_config(model, config)?)
    }

    /// What formats the text of its streams, if it is to be formatted.
    pub fn formatting(&self, model: &Model) -> Option<Formatting> {
        let is_default = model.punctuation().is_some() && self.grammar.is_none();
        let is_wanted = self.formatting.unwrap_or(is_default);
        is_wanted.then(|| Formatting::new(Some(model), self.spoken_punctuation)).flatten()
    }
}

/// A grammar whose words the model can spell.
///
/// # Errors
///
/// Wrong syntax, or a word that can't be spelled, with its place.
pub fn constraint(text: &str, threshold: f32, model: &Model) -> Result<GrammarConstraint, Failure> {
    let grammar = Grammar::parse(text).map_err(|e| within("grammar", e))?;
    grammar.check_spelling(model.tokens()).map_err(|e| within("grammar", e))?;
    Ok(GrammarConstraint { grammar, threshold })
}

/// A list of keywords, one a line.
///
/// # Errors
///
/// A line that can't be read.
pub fn keywords(list: &str) -> Result<Vec<Keyword>, Failure> {
    let keywords = Keyword::parse_list(list).map_err(|e| within("keywords", e))?;
    Ok(keywords.into_iter().map(|(_, keyword)| keyword).collect())
}

/// Names the list of which an error names the line.
pub fn within(list: &str, error: mynah::Error) -> Failure {
    let Failure { status, message } = error.into();
    Failure { status, message: format!("{list}: {message}") }
}
