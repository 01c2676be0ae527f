//! A model folder: `config.json`, `tokens.txt` and the encoder, checked against one another.

/// Where the files of [`Model::builtin`] are; the one place that says so.
#[cfg(builtin_model)]
macro_rules! builtin_path {
    ($file:literal) => {
        concat!(env!("MYNAH_BUILTIN_MODEL"), "/", $file)
    };
}

/// The name of such a file in errors and logs, which says nothing of the machine that built it.
#[cfg(builtin_model)]
macro_rules! builtin_name {
    ($file:literal) => {
        concat!("built-in/en-small/", $file)
    };
}

#[cfg(all(feature = "builtin-model", not(builtin_model)))]
mod absent;
mod attention;
mod config;
mod final_pass;
mod hotword_list;
#[cfg(builtin_model)]
mod integrity;
mod options;
mod unknown_keys;
mod untrusted;
mod user_words;

pub(crate) use attention::AttentionModel;
pub(crate) use final_pass::FinalPassEncoder;
use final_pass::{PrimaryModel, SecondModel};
use untrusted::{guard, read_graph, read_text};

pub use config::{LanguageModelConfig, ModelConfig, PhonesConfig, RescoringConfig};
pub use options::{Chunk, Device, Finals, LoadOptions, Precision};

#[cfg(builtin_model)]
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
#[cfg(builtin_model)]
use std::thread;

#[cfg(builtin_model)]
use prost::bytes::Bytes;

use crate::acoustic::encoder::{Encoder, EncoderOutput, Gpu};
#[cfg(builtin_model)]
use crate::decode::Search;
use crate::decode::{Decoding, LmFusion, PrefixBeamConfig, Rescoring};
use crate::error::{Error, Result};
use crate::lexicon::tokens::{TokenId, TokenTable};
use crate::lexicon::{Lexicon, UserWord};
use crate::lm::{NgramModel, RecurrentModel};
use crate::text::punctuation::PunctuationModel;

/// The limits of a search through phones, tuned with `en-small`: the lexicon allows few of them.
const PHONE_THRESHOLD: f32 = -9.0;
const PHONE_MARGIN: f32 = 14.0;

const CONFIG_FILE: &str = "config.json";

/// A model's weights, tokens and geometry. Cheap to clone; shared between threads and streams.
#[derive(Clone)]
pub struct Model(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    config: ModelConfig,
    tokens: TokenTable,
    encoder: Encoder,
    final_pass_encoder: Option<FinalPassEncoder>,
    precision: Precision,
    lexicon: Option<Lexicon>,
    decoding: Decoding,
    punctuation: Option<PunctuationModel>,
    user_words: Arc<[UserWord]>,
}

/// The encoder in use and what it is.
type Chosen = (Encoder, Precision);

/// The language models.
#[derive(Clone)]
struct Words {
    ngrams: NgramModel,
    recurrent: Option<RecurrentModel>,
}

/// The models of text.
struct Texts {
    words: Option<Words>,
    punctuation: Option<PunctuationModel>,
}

impl Model {
    /// Loads the folder `dir`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] with the path of a file that can't be read, [`Error::Model`] if a file is
    /// broken or contradicts another, with both numbers, and [`Error::Config`] if the model or the
    /// machine lacks what the options ask for.
    pub fn load(dir: impl AsRef<Path>, options: impl Into<LoadOptions>) -> Result<Self> {
        let (dir, options) = (dir.as_ref(), options.into());
        let config_path = dir.join(CONFIG_FILE);
        let mut config = ModelConfig::parse(&read_text(&config_path)?, &config_path)?;
        config.choose_chunk(options.chunk)?;
        let tokens = load_tokens(dir, &config)?;
        let phones = config.phones.as_ref().map(|phones| load_lexicon(dir, phones));
        let lexicon = phones.transpose()?;
        let columns = columns(&tokens, lexicon.as_ref());
        let encoder = load_encoder(dir, &config, columns, &options, None)?;
        let phones = phone_names(dir, &config)?;
        let first = PrimaryModel { config: &config, tokens: &tokens, phones: phones.as_deref() };
        let (second, beside) = second_pass(&first, &options)?;
        let final_pass_encoder = match second {
            Some(config) => {
                let options = LoadOptions { precision: encoder.1, ..options };
                let second = load_encoder(dir, &config, columns, &options, Some(&encoder.0))?;
                Some(FinalPassEncoder::loaded(second.0, config).with(beside))
            }
            None => None,
        };
        let language_model = config.language_model.as_ref();
        let words = language_model.map(|model| Words::load(dir, model)).transpose()?;
        let punctuation = config.punctuation.as_ref();
        let punctuation = punctuation.map(|file| PunctuationModel::load(dir.join(file)));
        let texts = Texts { words, punctuation: punctuation.transpose()? };
        Ok(Self::assemble(config, tokens, lexicon, (encoder, final_pass_encoder), texts))
    }

    /// Loads the int8 model, and its language model, that are compiled into the library.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] if the library was built from files that contradict one another.
    #[cfg(builtin_model)]
    pub fn builtin() -> Result<Self> {
        Self::builtin_with(&LoadOptions::default())
    }

    /// Compares the built-in model with the checksums (CRC-32) of the files that the library was built from.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with the name of a file that a damaged disk or copy has changed.
    #[cfg(builtin_model)]
    pub fn verify_builtin() -> Result<()> {
        integrity::verify([
            include_bytes!(builtin_path!("encoder.int8.onnx")),
            include_bytes!(builtin_path!("words.lm")),
            include_bytes!(builtin_path!("words.rnn")),
            include_bytes!(builtin_path!("punctuation.bin")),
        ])
    }

    /// [`Model::builtin`] with options.
    ///
    /// # Errors
    ///
    /// Also [`Error::Config`] for a chunk that the model can't take, and for f32 and the GPU, which
    /// runs f32 only.
    #[cfg(builtin_model)]
    pub fn builtin_with(options: &LoadOptions) -> Result<Self> {
        if options.precision == Precision::F32 {
            return Err(no_f32("that is built in"));
        }
        options.wants_gpu(false)?;
        let config_path = Path::new(builtin_name!("config.json"));
        let mut config =
            ModelConfig::parse(include_str!(builtin_path!("config.json")), config_path)?;
        config.choose_chunk(options.chunk)?;
        let tokens_path = Path::new(builtin_name!("tokens.txt"));
        let tokens = parse_tokens(include_str!(builtin_path!("tokens.txt")), &config, tokens_path)?;
        let columns = tokens.len() + include_str!(builtin_path!("phones.txt")).lines().count();
        // The encoder takes a fifth of a second on a fast core, the words and their tree half of that.
        let load_encoder = || builtin_encoder(&config, columns, None);
        let (encoder, words) = thread::scope(|scope| {
            // Where no thread can be started, as in WebAssembly, this one loads the encoder.
            let encoder = thread::Builder::new().spawn_scoped(scope, load_encoder);
            let words = builtin_words();
            if let Ok((lexicon, words)) = &words {
                // Leaves the tree for later searches; the first of them reports what is wrong.
                let (words, lexicon) = (words.clone(), lexicon.clone());
                let decoding = decoding(&config, Some(words), Some(lexicon));
                let _ = Search::new(&decoding, &tokens);
            }
            let encoder = match encoder {
                Ok(encoder) => encoder.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(_) => load_encoder(),
            };
            (encoder, words)
        });
        let (encoder, (lexicon, words)) = (encoder?, words?);
        let phones = Some(include_str!(builtin_path!("phones.txt")));
        let first = PrimaryModel { config: &config, tokens: &tokens, phones };
        let (second, beside) = second_pass(&first, options)?;
        let final_pass_encoder = second.map(|config| {
            let first = encoder.clone();
            let load = move |config: &ModelConfig| builtin_encoder(config, columns, Some(&first));
            FinalPassEncoder::loading(config, load).with(beside)
        });
        let encoders = ((encoder, Precision::Int8), final_pass_encoder);
        let texts = Texts { words: Some(words), punctuation: Some(builtin_punctuation()?) };
        Ok(Self::assemble(config, tokens, Some(lexicon), encoders, texts))
    }

    /// What `config.json` says.
    pub fn config(&self) -> &ModelConfig {
        &self.0.config
    }

    /// The tokens that the encoder's output stands for.
    pub fn tokens(&self) -> &TokenTable {
        &self.0.tokens
    }

    /// The pronunciations, if the model has phones beside its tokens.
    pub fn lexicon(&self) -> Option<&Lexicon> {
        self.0.lexicon.as_ref()
    }

    /// The values that the encoder gives for each of its frames: log-probabilities of the tokens,
    /// then of the phones.
    pub fn output_dim(&self) -> usize {
        columns(&self.0.tokens, self.lexicon())
    }

    /// The encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.0.encoder
    }

    /// The encoder of finals, if there is a second pass.
    pub(crate) fn final_pass_encoder(&self) -> Option<&FinalPassEncoder> {
        self.0.final_pass_encoder.as_ref()
    }

    /// Waits for what is still loading: the encoder of the second pass is loaded in the background
    /// after [`Model::builtin`], and the first utterance that needs it waits otherwise.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the reason if it could not be loaded.
    pub fn finish_loading(&self) -> Result<()> {
        self.final_pass_encoder().map_or(Ok(()), |second| second.get().map(drop))
    }

    /// Whether utterances are encoded a second time; see [`LoadOptions::finals`].
    pub fn has_second_pass(&self) -> bool {
        self.0.final_pass_encoder.is_some()
    }

    /// Which of the model's encoders is used: `F32` or `Int8`.
    pub fn precision(&self) -> Precision {
        self.0.precision
    }

    /// How the model's makers decode it: by prefix beam search with its language model if it has one,
    /// else greedily.
    pub fn default_decoding(&self) -> &Decoding {
        &self.0.decoding
    }

    /// What gives recognized words their marks and case, if the model has it; see
    /// [`TextFormatter`](crate::text::itn::TextFormatter).
    pub fn punctuation(&self) -> Option<&PunctuationModel> {
        self.0.punctuation.as_ref()
    }

    fn assemble(
        config: ModelConfig,
        tokens: TokenTable,
        lexicon: Option<Lexicon>,
        ((encoder, precision), final_pass_encoder): (Chosen, Option<FinalPassEncoder>),
        Texts { words, punctuation }: Texts,
    ) -> Self {
        log::info!(
            "model {} ({}): {} tokens, chunks of {} frames and {} of lookahead",
            config.name,
            config.language,
            tokens.len(),
            config.encoder.chunk_frames,
            config.encoder.lookahead_frames,
        );
        let decoding = decoding(&config, words, lexicon.clone());
        if let Some(FinalPassEncoder { config, .. }) = &final_pass_encoder {
            log::info!("second pass in chunks of {} frames", config.encoder.chunk_frames);
        }
        Self(Arc::new(Parts {
            config,
            tokens,
            encoder,
            final_pass_encoder,
            precision,
            lexicon,
            decoding,
            punctuation,
            user_words: Arc::default(),
        }))
    }
}

impl Words {
    fn load(dir: &Path, config: &LanguageModelConfig) -> Result<Self> {
        let rescoring = config.rescoring.as_ref();
        let recurrent = rescoring.map(|rescoring| RecurrentModel::load(dir.join(&rescoring.file)));
        Ok(Self {
            ngrams: NgramModel::load(dir.join(&config.file))?,
            recurrent: recurrent.transpose()?,
        })
    }
}

/// The values that the encoder gives for each of its frames.
fn columns(tokens: &TokenTable, lexicon: Option<&Lexicon>) -> usize {
    tokens.len() + lexicon.map_or(0, Lexicon::phone_count)
}

#[cfg(builtin_model)]
fn builtin_encoder(
    config: &ModelConfig,
    columns: usize,
    other: Option<&Encoder>,
) -> Result<Encoder> {
    let onnx = include_bytes!(builtin_path!("encoder.int8.onnx"));
    let path = Path::new(builtin_name!("encoder.int8.onnx"));
    let sizes = (&config.encoder, config.features.mel_bins);
    let output = EncoderOutput::log_probs(columns);
    Encoder::new(Bytes::from_static(onnx), sizes, output, path, None, other)
}

#[cfg(builtin_model)]
fn builtin_words() -> Result<(Lexicon, Words)> {
    let lexicon = Lexicon::parse(
        include_str!(builtin_path!("phones.txt")),
        unpack(include_bytes!(concat!(env!("OUT_DIR"), "/pronunciations.txt.zlib")))?,
    )?
    .with_letter_to_sound(&unpack(include_bytes!(concat!(
        env!("OUT_DIR"),
        "/letter-to-sound.txt.zlib"
    )))?)?;
    let ngrams = include_bytes!(builtin_path!("words.lm"));
    let ngrams = NgramModel::in_place(ngrams, Path::new(builtin_name!("words.lm")))?;
    let recurrent = include_bytes!(builtin_path!("words.rnn"));
    let recurrent = RecurrentModel::in_place(recurrent, Path::new(builtin_name!("words.rnn")))?;
    Ok((lexicon, Words { ngrams, recurrent: Some(recurrent) }))
}

#[cfg(builtin_model)]
fn builtin_punctuation() -> Result<PunctuationModel> {
    let bytes = include_bytes!(builtin_path!("punctuation.bin"));
    PunctuationModel::in_place(bytes, Path::new(builtin_name!("punctuation.bin")))
}

/// A text that the build script has packed.
#[cfg(builtin_model)]
fn unpack(packed: &[u8]) -> Result<String> {
    let broken = |reason: String| Error::model(Path::new(builtin_name!("")), reason);
    let text =
        miniz_oxide::inflate::decompress_to_vec_zlib(packed).map_err(|e| broken(e.to_string()))?;
    String::from_utf8(text).map_err(|e| broken(e.to_string()))
}

fn load_lexicon(dir: &Path, phones: &PhonesConfig) -> Result<Lexicon> {
    let path = dir.join(&phones.pronunciations);
    let (names, text) = (read_text(&dir.join(&phones.file))?, read_text(&path)?);
    let lexicon = Lexicon::parse(&names, text).map_err(|e| Error::model(&path, e.to_string()))?;
    let Some(rules) = &phones.letter_to_sound else { return Ok(lexicon) };
    let path = dir.join(rules);
    lexicon.with_letter_to_sound(&read_text(&path)?).map_err(|e| Error::model(&path, e.to_string()))
}

fn decoding(config: &ModelConfig, words: Option<Words>, lexicon: Option<Lexicon>) -> Decoding {
    let (Some(config), Some(Words { ngrams, recurrent })) = (&config.language_model, words) else {
        return Decoding::Greedy;
    };
    let &LanguageModelConfig { weight, word_insertion_bonus, oov_penalty, beam, .. } = config;
    let rescoring = config.rescoring.as_ref().zip(recurrent);
    let rescoring = rescoring.map(|(&RescoringConfig { share, hypotheses, .. }, recurrent)| {
        Rescoring { recurrent, share, hypotheses }
    });
    let language_model =
        Some(LmFusion { ngrams, weight, word_insertion_bonus, oov_penalty, rescoring });
    let mut config = PrefixBeamConfig { beam, language_model, ..PrefixBeamConfig::default() };
    if lexicon.is_some() {
        config.token_threshold = PHONE_THRESHOLD;
        config.score_margin = PHONE_MARGIN;
    }
    Decoding::PrefixBeam(PrefixBeamConfig { lexicon, ..config })
}

/// Loads the encoder that the options ask for, or that is the faster one.
fn load_encoder(
    dir: &Path,
    config: &ModelConfig,
    tokens: usize,
    options: &LoadOptions,
    other: Option<&Encoder>,
) -> Result<Chosen> {
    let f32 = config.encoder.f32.as_ref();
    let load = |precision, gpu| {
        let path = dir.join(match precision {
            Precision::F32 => f32.ok_or_else(|| no_f32(&config.name))?,
            Precision::Auto | Precision::Int8 => &config.encoder.int8,
        });
        let onnx = read_graph(&path)?;
        let sizes = (&config.encoder, config.features.mel_bins);
        let output = EncoderOutput::log_probs(tokens);
        let encoder = guard(&path, || Encoder::new(onnx.into(), sizes, output, &path, gpu, other))?;
        Ok((encoder, precision))
    };
    if options.wants_gpu(f32.is_some())? {
        match (Gpu::find(), options.device) {
            (Ok(gpu), _) => return load(Precision::F32, Some(gpu)),
            (Err(reason), Device::Gpu) => {
                return Err(Error::Config(format!("no GPU can be used: {reason}")));
            }
            (Err(reason), _) if Gpu::SUPPORTED => {
                log::warn!("no GPU can be used, the processor is: {reason}");
            }
            _ => {}
        }
    }
    match options.precision {
        Precision::Auto if f32.is_none() => load(Precision::Int8, None),
        Precision::Auto => {
            Ok(by_processor(load(Precision::Int8, None)?, || load(Precision::F32, None)))
        }
        precision => load(precision, None),
    }
}

/// Chooses int8 where the processor sums products of integers, else f32: by its features alone, so that two runs
/// give one text.
fn by_processor(int8: Chosen, load_f32: impl FnOnce() -> Result<Chosen>) -> Chosen {
    if int8.0.has_dot_products() {
        log::info!("precision int8: the processor sums products of integers");
        return int8;
    }
    match load_f32() {
        Ok(f32) => {
            log::info!("precision f32: the processor does not sum products of integers");
            f32
        }
        Err(reason) => {
            log::info!("precision int8: the f32 encoder can't be loaded: {reason}");
            int8
        }
    }
}

fn no_f32(model: &str) -> Error {
    Error::Config(format!(
        "the model {model} has no f32 encoder; take int8, or a model's folder with one"
    ))
}

/// What the encoder of the second pass is to be like, if there is to be one, and the model beside it.
fn second_pass(
    first: &PrimaryModel,
    options: &LoadOptions,
) -> Result<(Option<ModelConfig>, Option<SecondModel>)> {
    let Some(dir) = options.second_model() else {
        return Ok((first.config.for_second_pass(options), None));
    };
    let beside = SecondModel::load(dir, first, options)?;
    Ok((Some(beside.adjust(first.config)), Some(beside)))
}

fn load_tokens(dir: &Path, config: &ModelConfig) -> Result<TokenTable> {
    let path = dir.join(&config.tokens);
    parse_tokens(&read_text(&path)?, config, &path)
}

/// The names of the model's phones, a line each.
fn phone_names(dir: &Path, config: &ModelConfig) -> Result<Option<String>> {
    config.phones.as_ref().map(|phones| read_text(&dir.join(&phones.file))).transpose()
}

fn parse_tokens(text: &str, config: &ModelConfig, path: &Path) -> Result<TokenTable> {
    TokenTable::parse(text, TokenId(config.blank)).map_err(|e| Error::model(path, e.to_string()))
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Model>();
};
