//! Which word sequences an utterance may be: a list of phrases or a grammar.

mod expression;
mod jsgf;
mod list;
mod nesting;
mod network;
mod scanner;
mod token_graph;
mod word_graph;

pub(crate) use token_graph::{TokenGraph, TokenState};
pub(crate) use word_graph::{GrammarWord, WordGraph, WordState};

use std::sync::Arc;

use crate::error::{Error, Result};
use expression::{Expression, Rules};
use network::Network;

/// The states that a grammar may need, as words and as tokens: some 100 MB while it is prepared.
const MOST_STATES: usize = 1_000_000;

/// The positions in the network that all states of a deterministic graph may have: 128 MB.
const MOST_POSITIONS: usize = 16_000_000;

/// A set of phrases, written as a list or as rules. Cheap to clone.
///
/// ```
/// use mynah::Grammar;
///
/// let grammar = Grammar::parse(
///     "#JSGF V1.0; grammar home;
///     public <command> = turn (on | off) [the] <device>;
///     <device> = lamp | fan | kitchen light;",
/// )?;
/// assert!(grammar.accepts("turn off the kitchen light"));
/// assert!(!grammar.accepts("turn the lamp"));
/// # Ok::<(), mynah::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Grammar(Arc<Network>);

impl Grammar {
    /// Reads a JSGF grammar if the text begins with `#JSGF`, else a list: one phrase a line, lines
    /// that are empty or begin with `#` skipped.
    ///
    /// Of the [JSpeech Grammar Format](https://www.w3.org/TR/jsgf/) it takes one file's rules with
    /// sequences, alternatives, groups, options, `*`, `+`, `<NULL>`, `<VOID>`, quoted words and
    /// comments. Tags are skipped. Weights, imports and rules that refer to themselves are refused.
    /// What may be said is what any public rule allows.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with line, column and reason: wrong syntax, a rule that is not defined,
    /// defined twice or refers to itself, none that is public, nothing that can be said, or so much
    /// that it takes more than a million states.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let rules = if text.starts_with(jsgf::HEADER) {
            jsgf::parse(text).map_err(Error::Config)?
        } else {
            list::parse(text).map_err(Error::Config)?
        };
        Self::new(&rules)
    }

    /// Takes phrases, each words separated by spaces.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if there is none, or for one without words, named as the line that it would
    /// be in a list.
    pub fn from_phrases<S: AsRef<str>>(phrases: impl IntoIterator<Item = S>) -> Result<Self> {
        let phrases = phrases.into_iter();
        let phrases = (1..).zip(phrases).map(|(line, phrase)| list::phrase(line, phrase.as_ref()));
        let phrases = phrases.collect::<Result<Vec<_>, _>>().map_err(Error::Config)?;
        Self::new(&Rules::only(Expression::Alternatives(phrases)))
    }

    /// Whether the words of a text, in any case, are one of the phrases.
    pub fn accepts(&self, text: &str) -> bool {
        self.0.accepts(text)
    }

    /// Whether a model's tokens can spell it, as a recognizer of the model needs.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with line and column of the first word that they can't.
    pub fn check_spelling(&self, tokens: &crate::lexicon::tokens::TokenTable) -> Result<()> {
        token_graph::spell(&self.0, tokens).map(|_| ()).map_err(Error::Config)
    }

    /// The phrases as the tokens spell them.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with line and column of a word that they can't spell, and if the graph gets
    /// too large.
    pub(crate) fn token_graph(
        &self,
        tokens: &crate::lexicon::tokens::TokenTable,
    ) -> Result<TokenGraph> {
        TokenGraph::new(&self.0, tokens).map_err(Error::Config)
    }

    /// The phrases as words, one state for all that may follow alike.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the graph gets too large.
    pub(crate) fn word_graph(&self) -> Result<WordGraph> {
        WordGraph::new(&self.0).map_err(Error::Config)
    }

    fn new(rules: &Rules) -> Result<Self> {
        let network = Network::new(rules).map_err(Error::Config)?;
        log::info!("grammar: {} states", network.len());
        Ok(Self(Arc::new(network)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_header_distinguishes_the_forms() {
        let list = Grammar::parse("\u{feff}# rooms\nkitchen\n\n  living   room \r\n").unwrap();
        assert!(list.accepts("Kitchen") && list.accepts(" living room"));
        for other in ["", "living", "room", "kitchen living room", "# rooms"] {
            assert!(!list.accepts(other), "{other:?}");
        }
        let grammar = Grammar::parse("#JSGF V1.0; grammar g; public <a> = kitchen;").unwrap();
        assert!(grammar.accepts("KITCHEN"));
        assert!(Grammar::from_phrases(["kitchen"]).unwrap().accepts("kitchen"));
    }

    #[test]
    fn a_list_without_phrases_is_refused() {
        let error = |text| Grammar::parse(text).unwrap_err().to_string();
        assert_eq!(error("# nothing\n\n"), "there are no phrases; write one a line");
        let error = Grammar::from_phrases(["on", " "]).unwrap_err().to_string();
        assert_eq!(error, "line 2, column 1: there is no phrase; write words, as in `lights off`");
        assert!(Grammar::from_phrases(Vec::<String>::new()).is_err());
    }

    #[test]
    fn a_header_that_is_not_in_the_first_line_is_named() {
        let error = Grammar::parse("\n#JSGF V1.0;\n").unwrap_err().to_string();
        assert_eq!(error, "line 2, column 1: `#JSGF` must be the beginning of the file");
    }

    proptest! {
        /// Whatever a file holds, it is taken or refused in one line.
        #[test]
        fn any_text_is_taken_or_refused(
            pieces in prop::collection::vec("[<>a-b\\[\\]()|*+;=/{}\"\\\\. \n]|public <a> =|<b>|<NULL>|/\\*", 0..30),
            rules in any::<bool>(),
        ) {
            let header = if rules { "#JSGF V1.0; grammar g; public <a> = " } else { "" };
            let text = format!("{header}{}{}", pieces.concat(), if rules { ";" } else { "" });
            if let Err(error) = Grammar::parse(&text) {
                prop_assert_eq!(error.to_string().lines().count(), 1);
            }
        }
    }
}
