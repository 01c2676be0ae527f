//! One stream's search of any kind.

use super::{Decoding, Frames, GrammarConstraint, Greedy, Hotword, Path, PrefixBeam, TokenPassing};
use crate::error::{Error, Result};
use crate::lexicon::tokens::TokenTable;

/// Finds token sequences in log-probabilities, one encoder frame at a time.
#[derive(Clone, Debug)]
pub(crate) enum Search {
    /// With the number of tokens; a row's values behind them are of phones.
    Greedy(Greedy, usize),
    /// Through the model's tokens.
    PrefixBeam(Box<PrefixBeam>),
    /// Through the phones of words.
    TokenPassing(Box<TokenPassing>),
}

impl Search {
    /// # Errors
    ///
    /// [`Error::Config`] for a value out of its range.
    pub fn new(decoding: &Decoding, tokens: &TokenTable) -> Result<Self> {
        Ok(match decoding {
            Decoding::Greedy => Self::Greedy(Greedy::new(tokens.blank()), tokens.len()),
            Decoding::PrefixBeam(config) => match &config.lexicon {
                Some(lexicon) => {
                    let search = TokenPassing::new(config, lexicon, tokens)?;
                    Self::TokenPassing(Box::new(search))
                }
                None => Self::PrefixBeam(Box::new(PrefixBeam::new(config, tokens)?)),
            },
        })
    }

    /// Takes the log-probabilities of one encoder frame, `[tokens]` or `[tokens + phones]`. Returns
    /// whether the likeliest of what is searched is the blank.
    pub fn accept(&mut self, frame: u64, log_probs: &[f32]) -> bool {
        match self {
            Self::Greedy(search, tokens) => {
                search.accept(frame, &log_probs[..log_probs.len().min(*tokens)])
            }
            Self::PrefixBeam(search) => search.accept(frame, log_probs),
            Self::TokenPassing(search) => search.accept(frame, log_probs),
        }
    }

    /// The utterance so far.
    pub fn partial(&self) -> Path {
        match self {
            Self::Greedy(search, _) => search.path(),
            Self::PrefixBeam(search) => search.partial(),
            Self::TokenPassing(search) => search.partial(),
        }
    }

    /// Whether nothing was found in the utterance so far.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Greedy(search, _) => search.is_empty(),
            Self::PrefixBeam(search) => search.is_empty(),
            Self::TokenPassing(search) => search.is_empty(),
        }
    }

    /// What the utterance may have been if it ends here, the best first; never empty.
    pub fn finals(&self) -> Vec<Path> {
        match self {
            Self::Greedy(search, _) => vec![search.path()],
            Self::PrefixBeam(search) => search.finals(),
            Self::TokenPassing(search) => search.finals(),
        }
    }

    /// What the utterance may be so far if it ended here, the best first: as [`Search::finals`], but for no more
    /// than `most` hypotheses.
    pub fn n_best(&self, most: usize) -> Vec<Path> {
        match self {
            Self::TokenPassing(search) => search.n_best(most),
            Self::Greedy(..) | Self::PrefixBeam(_) => self.finals(),
        }
    }

    /// Begins the next utterance of the same audio: a token that goes on is not given again.
    pub fn start_utterance(&mut self) {
        match self {
            Self::Greedy(search, _) => search.start_utterance(),
            Self::PrefixBeam(search) => search.start_utterance(),
            Self::TokenPassing(search) => search.start_utterance(),
        }
    }

    /// # Errors
    ///
    /// [`Error::Config`] for one that can't be used, and for greedy search, which has no use for any.
    pub fn set_hotwords(&mut self, hotwords: &[Hotword], tokens: &TokenTable) -> Result<()> {
        match self {
            Self::Greedy(..) if hotwords.is_empty() => Ok(()),
            Self::Greedy(..) => Err(Error::Config(
                "greedy decoding takes no hotwords; decode by prefix beam search".to_owned(),
            )),
            Self::PrefixBeam(search) => search.set_hotwords(hotwords, tokens),
            Self::TokenPassing(search) => search.set_hotwords(hotwords, tokens),
        }
    }

    /// Whether a text that another model gives may be the utterance: not where a grammar says what counts.
    pub fn takes_texts(&self) -> bool {
        match self {
            Self::Greedy(..) => false,
            Self::PrefixBeam(search) => !search.is_restricted(),
            Self::TokenPassing(search) => !search.is_restricted(),
        }
    }

    /// The path of a text, as [`GivenText::path`](super::given_text::GivenText::path) gives it; none in greedy
    /// search.
    pub fn path_of_text(
        &self,
        words: &[String],
        tokens: &TokenTable,
        frames: Frames,
    ) -> Option<Path> {
        match self {
            Self::Greedy(..) => None,
            Self::PrefixBeam(search) => search.given_text(tokens).path(words, frames),
            Self::TokenPassing(search) => search.given_text(tokens).path(words, frames),
        }
    }

    /// # Errors
    ///
    /// [`Error::Config`] for a grammar that can't be used, and for greedy search, which keeps to none.
    pub fn set_grammar(
        &mut self,
        constraint: Option<&GrammarConstraint>,
        tokens: &TokenTable,
    ) -> Result<()> {
        match self {
            Self::Greedy(..) if constraint.is_none() => Ok(()),
            Self::Greedy(..) => Err(Error::Config(
                "greedy decoding keeps to no grammar; decode by prefix beam search".to_owned(),
            )),
            Self::PrefixBeam(search) => search.set_grammar(constraint, tokens),
            Self::TokenPassing(search) => search.set_grammar(constraint, tokens),
        }
    }

    /// Leaves finals to another search, which has been cloned from this one: finds partial results cheaply.
    pub fn leave_finals(&mut self) {
        if let Self::TokenPassing(search) = self {
            search.leave_finals();
        }
    }

    /// Has finals ranked anew, if there is what does.
    pub fn rescore_finals(&mut self) {
        match self {
            Self::Greedy(..) => {}
            Self::PrefixBeam(search) => search.rescore_finals(),
            Self::TokenPassing(search) => search.rescore_finals(),
        }
    }

    /// Whether finals are ranked anew, so that nothing is stable before.
    pub fn rescores(&self) -> bool {
        match self {
            Self::Greedy(..) => false,
            Self::PrefixBeam(search) => search.rescores(),
            Self::TokenPassing(search) => search.rescores(),
        }
    }

    /// Whether hotwords or a grammar wait for the next utterance.
    pub fn has_pending(&self) -> bool {
        match self {
            Self::Greedy(..) => false,
            Self::PrefixBeam(search) => search.has_pending(),
            Self::TokenPassing(search) => search.has_pending(),
        }
    }

    /// Begins an utterance of other audio.
    pub fn reset(&mut self) {
        match self {
            Self::Greedy(search, _) => search.reset(),
            Self::PrefixBeam(search) => search.reset(),
            Self::TokenPassing(search) => search.reset(),
        }
    }
}
