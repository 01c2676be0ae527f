//! A model with a user's words.

use std::sync::Arc;

use super::{Model, Parts};
use crate::decode::Decoding;
use crate::error::{Error, Result};
use crate::lexicon::UserWord;

impl Model {
    /// The same model with a user's words, which are written in their own form. It shares the weights.
    /// Streams that exist keep the words that they have.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a model that has no phones, and for a word that can't be pronounced.
    pub fn with_user_words(&self, words: &[UserWord]) -> Result<Self> {
        let Some(lexicon) = &self.0.lexicon else {
            return Err(Error::Config(
                "user words need a model with phones and a lexicon, such as en-small".to_owned(),
            ));
        };
        let lexicon = lexicon.with_user_words(words)?;
        let mut decoding = self.0.decoding.clone();
        if let Decoding::PrefixBeam(config) = &mut decoding {
            config.lexicon = Some(lexicon.clone());
        }
        let parts = Parts {
            tokens: self.0.tokens.with_user_words(words),
            lexicon: Some(lexicon),
            decoding,
            user_words: words.into(),
            ..Parts::clone(&self.0)
        };
        Ok(Self(Arc::new(parts)))
    }

    /// The words that [`Model::with_user_words`] has added.
    pub fn user_words(&self) -> &[UserWord] {
        &self.0.user_words
    }
}
