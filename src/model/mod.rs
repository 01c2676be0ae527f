//! A model folder: `config.json`, `tokens.txt` and the encoder, checked against one another.

mod config;

pub use config::{CacheConfig, EncoderConfig, LanguageModelConfig, ModelConfig};

use std::path::Path;
use std::sync::Arc;

use crate::ctc::{Decoding, LanguageModel, PrefixBeamConfig};
use crate::encoder::Encoder;
use crate::lm::NgramModel;
use crate::tokens::{TokenId, TokenTable};
use crate::{Error, Result};

/// Where the files of [`Model::builtin`] are; the one place that says so.
#[cfg(feature = "builtin-model")]
macro_rules! builtin_path {
    ($file:literal) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/models/en-small/", $file)
    };
}

const CONFIG_FILE: &str = "config.json";

/// Which of a model's encoders is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floating point.
    F32,
    /// Matrix products in 8-bit integers.
    #[default]
    Int8,
}

/// A model's weights, tokens and geometry. Cheap to clone; shared between threads and streams.
#[derive(Clone)]
pub struct Model(Arc<Parts>);

struct Parts {
    config: ModelConfig,
    tokens: TokenTable,
    encoder: Encoder,
    decoding: Decoding,
}

impl Model {
    /// Loads the folder `dir`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] with the path of a file that can't be read, and [`Error::Model`] if a file is
    /// broken or contradicts another, with both numbers.
    pub fn load(dir: impl AsRef<Path>, precision: Precision) -> Result<Self> {
        let dir = dir.as_ref();
        let config_path = dir.join(CONFIG_FILE);
        let config = ModelConfig::parse(&read_text(&config_path)?, &config_path)?;
        let tokens_path = dir.join(&config.tokens);
        let tokens = parse_tokens(&read_text(&tokens_path)?, &config, &tokens_path)?;
        let encoder_path = dir.join(match precision {
            Precision::F32 => &config.encoder.f32,
            Precision::Int8 => &config.encoder.int8,
        });
        let onnx = std::fs::read(&encoder_path).map_err(|e| Error::io(&encoder_path, e))?;
        let language_model = config.language_model.as_ref();
        let ngrams = language_model.map(|model| NgramModel::load(dir.join(&model.file)));
        Self::assemble(config, tokens, &onnx, &encoder_path, ngrams.transpose()?)
    }

    /// Loads the int8 model, and its language model, that are compiled into the library.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] if the library was built from files that contradict one another.
    #[cfg(feature = "builtin-model")]
    pub fn builtin() -> Result<Self> {
        let config_path = Path::new(builtin_path!("config.json"));
        let config = ModelConfig::parse(include_str!(builtin_path!("config.json")), config_path)?;
        let tokens_path = Path::new(builtin_path!("tokens.txt"));
        let tokens = parse_tokens(include_str!(builtin_path!("tokens.txt")), &config, tokens_path)?;
        let onnx = include_bytes!(builtin_path!("encoder.int8.onnx"));
        let ngrams = include_bytes!(builtin_path!("words.lm"));
        let ngrams = NgramModel::parse(ngrams, Path::new(builtin_path!("words.lm")))?;
        let path = Path::new(builtin_path!("encoder.int8.onnx"));
        Self::assemble(config, tokens, onnx, path, Some(ngrams))
    }

    /// What `config.json` says.
    pub fn config(&self) -> &ModelConfig {
        &self.0.config
    }

    /// The tokens that the encoder's output stands for.
    pub fn tokens(&self) -> &TokenTable {
        &self.0.tokens
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.0.encoder
    }

    /// How the model's makers decode it: by prefix beam search with its language model if it has one,
    /// else greedily.
    pub fn decoding(&self) -> &Decoding {
        &self.0.decoding
    }

    fn assemble(
        config: ModelConfig,
        tokens: TokenTable,
        onnx: &[u8],
        path: &Path,
        ngrams: Option<NgramModel>,
    ) -> Result<Self> {
        let encoder = Encoder::new(onnx, &config, tokens.len(), path)?;
        log::info!(
            "model {} ({}): {}, {} bytes, {} tokens, chunks of {} frames and {} of lookahead",
            config.name,
            config.language,
            path.display(),
            onnx.len(),
            tokens.len(),
            config.encoder.chunk_frames,
            config.encoder.lookahead_frames,
        );
        log::info!("matrix products by kernel: {:?}", encoder.matrix_kernels());
        let decoding = decoding(&config, ngrams);
        Ok(Self(Arc::new(Parts { config, tokens, encoder, decoding })))
    }
}

fn decoding(config: &ModelConfig, ngrams: Option<NgramModel>) -> Decoding {
    let (Some(config), Some(ngrams)) = (&config.language_model, ngrams) else {
        return Decoding::Greedy;
    };
    let &LanguageModelConfig { weight, word_bonus, oov_penalty, beam, .. } = config;
    let language_model = Some(LanguageModel { ngrams, weight, word_bonus, oov_penalty });
    Decoding::PrefixBeam(PrefixBeamConfig { beam, language_model, ..PrefixBeamConfig::default() })
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| Error::io(path, e))
}

fn parse_tokens(text: &str, config: &ModelConfig, path: &Path) -> Result<TokenTable> {
    TokenTable::parse(text, TokenId(config.blank)).map_err(|e| Error::model(path, e.to_string()))
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Model>();
};
