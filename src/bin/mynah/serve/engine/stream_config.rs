//! What a client may choose of its stream.

use std::sync::Arc;

use mynah::{
    Grammar, Model, RecognizerConfig,
    decode::{Decoding, GrammarConstraint, Hotword},
};

use super::Failure;

/// The most hypotheses of a final.
pub const MOST_ALTERNATIVES: usize = 10;

/// A client's choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamConfig {
    /// Samples per second of its audio.
    pub sample_rate: u32,
    /// Whether text has marks, case and digits.
    pub formatted: bool,
    /// The hypotheses of a final, at least 1.
    pub nbest: usize,
    /// The phrases of which an utterance consists, if there is to be nothing else.
    pub phrases: Option<Vec<String>>,
    /// Phrases that are preferred.
    pub hotwords: Vec<String>,
}

impl StreamConfig {
    /// Words as they are recognized, of audio at this rate.
    pub fn new(sample_rate: u32) -> Self {
        Self { sample_rate, formatted: false, nbest: 1, phrases: None, hotwords: Vec::new() }
    }

    /// Whether its streams are not those that the command line asks for.
    pub fn has_decoding(&self) -> bool {
        self.nbest > 1 || self.phrases.is_some() || !self.hotwords.is_empty()
    }

    /// Whether another stream is needed than for `other`.
    pub fn differs_in_decoding(&self, other: &Self) -> bool {
        let decoding =
            |config: &Self| (config.nbest, config.phrases.clone(), config.hotwords.clone());
        decoding(self) != decoding(other)
    }

    /// The recognizer's configuration with the client's choices.
    ///
    /// # Errors
    ///
    /// A phrase has characters that can't be spelled, or the model's search has no room for phrases.
    pub fn configure(
        &self,
        of_server: &RecognizerConfig,
        model: &Model,
    ) -> Result<RecognizerConfig, Failure> {
        let mut config = of_server.clone();
        let decoding = config.decoding.get_or_insert_with(|| model.default_decoding().clone());
        let Decoding::PrefixBeam(beam) = decoding else {
            return Err(Failure::input(
                "the server decodes greedily: without phrases, hotwords and alternatives",
            ));
        };
        beam.nbest = self.nbest.clamp(1, MOST_ALTERNATIVES);
        if let Some(phrases) = &self.phrases {
            let constraint = GrammarConstraint::new(grammar(phrases)?);
            constraint.grammar.check_spelling(model.tokens())?;
            beam.constraint = Some(constraint);
            // The model's n-grams are of other texts than the phrases, and hotwords have no effect on them.
            beam.language_model = None;
            beam.hotwords = Arc::default();
        } else if !self.hotwords.is_empty() {
            beam.hotwords = self.hotwords.iter().map(Hotword::new).collect();
        }
        Ok(config)
    }
}

/// Any sequence of the phrases, as Vosk has it.
fn grammar(phrases: &[String]) -> Result<Grammar, Failure> {
    let mut alternatives = String::new();
    for phrase in phrases {
        if let Some(other) = phrase.chars().find(|c| !c.is_alphanumeric() && !" '-".contains(*c)) {
            return Err(Failure::input(format!(
                "the phrase {phrase:?} has the character {other:?}; write words of letters"
            )));
        }
        if phrase.trim().is_empty() {
            return Err(Failure::input("a phrase is empty; write words of letters"));
        }
        if !alternatives.is_empty() {
            alternatives.push_str(" | ");
        }
        alternatives.push_str(phrase.trim());
    }
    if alternatives.is_empty() {
        return Err(Failure::input("there are no phrases; give at least one"));
    }
    let rules = format!("#JSGF V1.0; grammar phrases; public <phrases> = ({alternatives})+;");
    Ok(Grammar::parse(&rules)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_utterance_is_a_sequence_of_phrases() {
        let grammar = grammar(&["lights on".to_owned(), " don't ".to_owned()]).unwrap();
        assert!(grammar.accepts("LIGHTS ON") && grammar.accepts("lights on don't"));
        assert!(!grammar.accepts("lights"));
    }

    #[test]
    fn phrases_are_words() {
        for phrases in [vec!["a;b".to_owned()], vec![" ".to_owned()], vec![]] {
            assert_eq!(grammar(&phrases).unwrap_err().kind, super::super::FailureKind::Input);
        }
    }
}
