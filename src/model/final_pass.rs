//! The encoder of the final pass: the model's own in longer chunks, which may still be loading while the first
//! pass runs, and perhaps a second model's.

use std::iter;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{
    AttentionModel, CONFIG_FILE, Chunk, LoadOptions, ModelConfig, load_encoder, load_tokens,
    phone_names, read_text,
};
use crate::acoustic::encoder::{Encoder, EncoderConfig};
use crate::error::{Error, Result};
use crate::lexicon::tokens::TokenTable;

type Load = Box<dyn FnOnce() -> Result<Encoder> + Send>;

/// The encoder of finals. Cheap to clone.
#[derive(Clone)]
pub(crate) struct FinalPassEncoder {
    /// The first model's, in this encoder's chunks.
    pub config: Arc<ModelConfig>,
    encoder: Arc<LazyLock<Result<Encoder>, Load>>,
    /// Of another model, in the same chunks.
    ensemble_member: Option<Encoder>,
    /// The model whose decoder rescores whole utterances.
    pub attention: Option<Arc<AttentionModel>>,
}

/// A second model for the same utterances.
pub(super) enum SecondModel {
    /// Its encoder's log-probabilities are averaged with the first one's.
    Encoder(Encoder, Box<ModelConfig>),
    /// Its decoder rescores hypotheses.
    Attention(Box<AttentionModel>),
}

/// What another model's encoder must have in common with the first one.
pub(super) struct PrimaryModel<'a> {
    pub config: &'a ModelConfig,
    pub tokens: &'a TokenTable,
    /// The names of its phones, a line each.
    pub phones: Option<&'a str>,
}

impl SecondModel {
    /// The model in the folder `dir`, an encoder's in its longest chunks.
    ///
    /// # Errors
    ///
    /// Those of [`super::Model::load`]; [`Error::Model`] also if its frames or what it gives for them
    /// are not those of the first.
    pub fn load(dir: &Path, first: &PrimaryModel, options: &LoadOptions) -> Result<Self> {
        let path = dir.join(CONFIG_FILE);
        let json = read_text(&path)?;
        if has_decoder(&json) {
            let attention = AttentionModel::load(dir, &json, &path, first)?;
            return Ok(Self::Attention(Box::new(attention)));
        }
        let mut config = ModelConfig::parse(&json, &path)?;
        config.choose_chunk(Chunk::Offline)?;
        let tokens = load_tokens(dir, &config)?;
        let phones = phone_names(dir, &config)?;
        if let Some(odd) = first.difference(&config, &tokens, phones.as_deref()) {
            let reason = format!("its {odd} are not those of {}", first.config.name);
            return Err(Error::model(&path, reason));
        }
        let columns = tokens.len() + phones.map_or(0, |names| names.lines().count());
        let (encoder, _) = load_encoder(dir, &config, columns, options, None)?;
        Ok(Self::Encoder(encoder, Box::new(config)))
    }

    /// The first model's configuration in this model's chunks.
    pub fn adjust(&self, first: &ModelConfig) -> ModelConfig {
        let chunk_frames = match self {
            Self::Encoder(_, config) => config.encoder.chunk_frames,
            Self::Attention(_) => {
                first.encoder.offline_chunk_frames.unwrap_or(first.encoder.chunk_frames)
            }
        };
        let encoder = EncoderConfig { chunk_frames, ..first.encoder.clone() };
        ModelConfig { encoder, ..first.clone() }
    }
}

/// Whether a `config.json` is of a folder with a decoder.
fn has_decoder(json: &str) -> bool {
    #[derive(Deserialize)]
    struct Config {
        decoder: Option<IgnoredAny>,
    }
    serde_json::from_str::<Config>(json).is_ok_and(|config| config.decoder.is_some())
}

impl FinalPassEncoder {
    /// One that is at hand.
    pub fn loaded(encoder: Encoder, config: ModelConfig) -> Self {
        let load: Load = Box::new(|| Ok(encoder));
        Self {
            config: Arc::new(config),
            encoder: Arc::new(LazyLock::new(load)),
            ensemble_member: None,
            attention: None,
        }
    }

    /// The same with another model beside it.
    pub(super) fn with(mut self, ensemble_member: Option<SecondModel>) -> Self {
        match ensemble_member {
            Some(SecondModel::Encoder(encoder, _)) => self.ensemble_member = Some(encoder),
            Some(SecondModel::Attention(model)) => self.attention = Some(Arc::from(model)),
            None => {}
        }
        self
    }

    /// One that a thread of its own loads from now on; without a thread the first use loads it.
    #[cfg(builtin_model)]
    pub fn loading(
        config: ModelConfig,
        load: impl FnOnce(&ModelConfig) -> Result<Encoder> + Send + 'static,
    ) -> Self {
        let config = Arc::new(config);
        let wanted = config.clone();
        let load: Load = Box::new(move || load(&wanted));
        let encoder = Arc::new(LazyLock::new(load));
        let loading = encoder.clone();
        let thread = std::thread::Builder::new().name("second encoder".to_owned());
        if let Err(reason) = thread.spawn(move || LazyLock::force(&loading).is_ok()) {
            log::debug!("loading the second encoder later: {reason}");
        }
        Self { config, encoder, ensemble_member: None, attention: None }
    }

    /// Gives the encoders whose log-probabilities are averaged; waits while one is loading.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the reason if it could not be loaded.
    pub fn get(&self) -> Result<impl Iterator<Item = &Encoder>> {
        let encoder = LazyLock::force(&self.encoder).as_ref();
        let encoder = encoder.map_err(|e| Error::Config(e.to_string()))?;
        Ok(iter::once(encoder).chain(&self.ensemble_member))
    }
}

impl PrimaryModel<'_> {
    /// What another model has otherwise.
    fn difference(
        &self,
        config: &ModelConfig,
        tokens: &TokenTable,
        phones: Option<&str>,
    ) -> Option<&'static str> {
        let lines = |names: Option<&str>| -> Vec<String> {
            names.into_iter().flat_map(str::lines).map(str::to_owned).collect()
        };
        if config.features != self.config.features {
            Some("features")
        } else if config.encoder.subsampling_factor != self.config.encoder.subsampling_factor
            || config.encoder.lookahead_frames != self.config.encoder.lookahead_frames
        {
            Some("encoder frames")
        } else if tokens != self.tokens {
            Some("tokens")
        } else if lines(phones) != lines(self.phones) {
            Some("phones")
        } else {
            None
        }
    }
}

#[cfg(all(test, builtin_model))]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_loaded_is_reported_each_time() {
        let config = super::super::Model::builtin().unwrap().config().clone();
        let second =
            FinalPassEncoder::loading(config, |_| Err(Error::Config("no encoder".to_owned())));
        for _ in 0..2 {
            assert_eq!(
                second.get().map(|_| ()).err().map(|e| e.to_string()).as_deref(),
                Some("no encoder")
            );
        }
    }
}
