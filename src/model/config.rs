//! What a model's `config.json` says.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::{Chunk, Finals, LoadOptions};
use crate::ctc::WordCalibration;
use crate::features::FbankConfig;
use crate::{Error, Result};

/// The newest format that this program reads.
const FORMAT_VERSION: u32 = 1;

/// More values than this in one cache are taken for a mistake.
const MOST_CACHE_VALUES: usize = 1 << 26;

/// A model's name, files and geometry.
///
/// Keys that this program does not use are ignored. What a program must not ignore raises `format_version`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ModelConfig {
    /// The model's name.
    pub name: String,
    /// The language that it was trained on, as in `en`.
    pub language: String,
    /// How its log-mel frames are computed.
    pub features: FbankConfig,
    /// Its encoder's files and geometry.
    pub encoder: EncoderConfig,
    /// The file of its tokens, in the model's folder.
    pub tokens: PathBuf,
    /// The CTC blank's token id.
    pub blank: u32,
    /// The phones that it hears beside its tokens, if it does.
    #[serde(default)]
    pub phones: Option<PhonesConfig>,
    /// What makes of tokens true times and probabilities of words. May be left out.
    #[serde(default)]
    pub words: WordCalibration,
    /// The language model that goes with it.
    #[serde(default)]
    pub language_model: Option<LanguageModelConfig>,
    /// The file of the punctuation model that goes with it, in the model's folder. May be left out.
    #[serde(default)]
    pub punctuation: Option<PathBuf>,
}

/// The files of a model's phones; see [`crate::Pronunciations::parse`].
///
/// The encoder's `log_probs` have a column for each, the blank's first, after those of the tokens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PhonesConfig {
    /// The phones, in the model's folder.
    pub file: PathBuf,
    /// The words' pronunciations, in the model's folder.
    pub pronunciations: PathBuf,
    /// The rules by which other words are said, in the model's folder. May be left out: then no
    /// hotword is found that has no pronunciation.
    #[serde(default)]
    pub letter_to_sound: Option<PathBuf>,
}

/// A language model's file, and how it is used; see [`crate::ctc::LanguageModel`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LanguageModelConfig {
    /// The file, in the model's folder: ARPA or compact.
    pub file: PathBuf,
    /// What its log-probabilities are multiplied by.
    pub weight: f32,
    /// What every word adds.
    pub word_bonus: f32,
    /// What each letter of an unknown word costs.
    pub oov_penalty: f32,
    /// The prefixes that the search keeps.
    pub beam: usize,
    /// What ranks finals anew. May be left out.
    #[serde(default)]
    pub rescoring: Option<RescoringConfig>,
}

/// A recurrent language model's file, and how it is used; see [`crate::ctc::Rescoring`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RescoringConfig {
    /// The file, in the model's folder.
    pub file: PathBuf,
    /// How much of the mean of both models' probabilities is its, 0 to 1.
    pub share: f32,
    /// How many hypotheses are ranked.
    pub hypotheses: usize,
}

/// An encoder's files and geometry.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct EncoderConfig {
    /// The file of the 32-bit floating-point encoder, in the model's folder. May be left out: then the
    /// model runs in int8 only.
    #[serde(default)]
    pub f32: Option<PathBuf>,
    /// The file of the int8 encoder, in the model's folder.
    pub int8: PathBuf,
    /// The frames by which one call moves on; a multiple of `subsampling_factor`.
    pub chunk_frames: usize,
    /// The values of `chunk_frames` that the encoder was trained for and its files can take; if
    /// left out, the one value.
    #[serde(default)]
    pub chunk_choices: Vec<usize>,
    /// The one of `chunk_choices` for audio that need not be heard as it comes; if left out,
    /// `chunk_frames`.
    #[serde(default)]
    pub offline_chunk_frames: Option<usize>,
    /// The frames after the chunk that one call needs too.
    pub lookahead_frames: usize,
    /// The frames in one encoder frame.
    pub subsampling_factor: usize,
    /// The frames before the chunk that attention reads.
    pub left_context_frames: usize,
    /// What is carried from chunk to chunk.
    pub caches: Vec<CacheConfig>,
}

/// A tensor that one call of the encoder leaves to the next.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CacheConfig {
    /// The graph's input; its output is called the same with `new_` before it.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its every value at a stream's start.
    pub initial: f32,
}

impl ModelConfig {
    /// The samples in one encoder frame.
    pub fn encoder_frame_samples(&self) -> usize {
        self.features.frame_shift_samples * self.encoder.subsampling_factor
    }

    /// The encoder frames that begin in so much time.
    pub fn encoder_frames(&self, time: Duration) -> u64 {
        let samples = time.as_nanos() * u128::from(self.features.sample_rate) / 1_000_000_000;
        (samples / self.encoder_frame_samples() as u128) as u64
    }

    /// Parses and checks `config.json`; `path` is for errors.
    pub(super) fn parse(json: &str, path: &Path) -> Result<Self> {
        check_format(json, path)?;
        let mut config: Self =
            serde_json::from_str(json).map_err(|e| Error::model(path, e.to_string()))?;
        for file in config.files() {
            check_file(file).map_err(|reason| Error::model(path, reason))?;
        }
        config.features.check().map_err(|e| Error::model(path, format!("features: {e}")))?;
        config
            .encoder
            .check()
            .map_err(|reason| Error::model(path, format!("encoder: {reason}")))?;
        config.words.check().map_err(|reason| Error::model(path, format!("words: {reason}")))?;
        if config.encoder.chunk_choices.is_empty() {
            config.encoder.chunk_choices.push(config.encoder.chunk_frames);
        }
        Ok(config)
    }

    /// The audio of so many frames.
    pub fn frames_duration(&self, frames: usize) -> Duration {
        let shift = self.features.frame_shift_samples as u128;
        let nanos = frames as u128 * shift * 1_000_000_000;
        let nanos = nanos / u128::from(self.features.sample_rate.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// All files that it names.
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let phones = self.phones.iter();
        let phones = phones.flat_map(|phones| {
            [Some(&phones.file), Some(&phones.pronunciations), phones.letter_to_sound.as_ref()]
        });
        let language = self.language_model.iter();
        let language = language.flat_map(|model| {
            [Some(&model.file), model.rescoring.as_ref().map(|rescoring| &rescoring.file)]
        });
        let own = [
            Some(&self.tokens),
            Some(&self.encoder.int8),
            self.encoder.f32.as_ref(),
            self.punctuation.as_ref(),
        ];
        own.into_iter().chain(phones).chain(language).flatten()
    }

    /// Takes the chunks that are asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a length that is none of those that the encoder can take.
    pub(super) fn choose_chunk(&mut self, chunk: Chunk) -> Result<()> {
        let offline = self.encoder.offline_chunk_frames;
        self.encoder.chunk_frames = match chunk {
            Chunk::Streaming => self.encoder.chunk_frames,
            Chunk::Offline => offline.unwrap_or(self.encoder.chunk_frames),
            Chunk::Shortest => {
                let shortest = self.encoder.chunk_choices.iter().copied().min();
                shortest.unwrap_or(self.encoder.chunk_frames)
            }
            Chunk::Length(length) => self.frames_of_chunk(length)?,
        };
        Ok(())
    }

    /// The configuration of the second pass, if there is to be one.
    pub(super) fn for_second_pass(&self, options: &LoadOptions) -> Option<Self> {
        let chunk_frames = self.encoder.offline_chunk_frames?;
        let encoder = EncoderConfig { chunk_frames, ..self.encoder.clone() };
        let differs =
            options.finals != Finals::FirstPass && chunk_frames > self.encoder.chunk_frames;
        differs.then(|| Self { encoder, ..self.clone() })
    }

    fn frames_of_chunk(&self, length: Duration) -> Result<usize> {
        let choices = &self.encoder.chunk_choices;
        let chosen = choices.iter().find(|&&frames| self.frames_duration(frames) == length);
        chosen.copied().ok_or_else(|| {
            let choices = choices.iter().map(|&frames| self.frames_duration(frames));
            let choices: Vec<_> = choices.map(|choice| choice.as_millis().to_string()).collect();
            Error::Config(format!(
                "chunks of {} ms; the model {} takes {} ms",
                length.as_millis(),
                self.name,
                choices.join(", ")
            ))
        })
    }
}

/// Refuses a format that is newer than this program.
///
/// # Errors
///
/// [`Error::Model`] with both versions.
pub(super) fn check_format(json: &str, path: &Path) -> Result<()> {
    #[derive(Deserialize)]
    struct Format {
        #[serde(default)]
        format_version: u32,
    }
    let Format { format_version } =
        serde_json::from_str(json).map_err(|e| Error::model(path, e.to_string()))?;
    if format_version > FORMAT_VERSION {
        return Err(Error::model(
            path,
            format!(
                "format_version is {format_version}, this program reads up to {FORMAT_VERSION}; update it"
            ),
        ));
    }
    Ok(())
}

/// Refuses a file outside the model's folder.
pub(super) fn check_file(file: &Path) -> Result<(), String> {
    let is_inside = file.components().all(|part| matches!(part, Component::Normal(_)));
    if is_inside && file.components().next().is_some() {
        return Ok(());
    }
    Err(format!(
        "{:?} is not the name of a file inside the model's folder",
        file.display().to_string()
    ))
}

impl EncoderConfig {
    /// A chunk and its lookahead of more frames than this is taken for a mistake.
    const MAX_FRAMES: usize = 100_000;

    /// The encoder frames that one call gives.
    pub fn chunk_encoder_frames(&self) -> usize {
        self.chunk_frames / self.subsampling_factor
    }

    /// The frames that one call takes: the chunk and its lookahead.
    pub fn input_frames(&self) -> usize {
        self.chunk_frames + self.lookahead_frames
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let Self { chunk_frames: chunk, lookahead_frames, subsampling_factor: factor, .. } = *self;
        let max = Self::MAX_FRAMES;
        if !(1..=max).contains(&factor) {
            return Err(format!("subsampling_factor is {factor}; it must be from 1 to {max}"));
        }
        if !(1..=max).contains(&chunk) {
            return Err(format!("chunk_frames is {chunk}; it must be from 1 to {max}"));
        }
        if !chunk.is_multiple_of(factor) {
            let reason = "it must be a multiple of subsampling_factor, which is";
            return Err(format!("chunk_frames is {chunk}; {reason} {factor}"));
        }
        if lookahead_frames > max {
            return Err(format!(
                "lookahead_frames is {lookahead_frames}; it must be at most {max}"
            ));
        }
        let is_choice =
            |frames: &usize| frames.is_multiple_of(factor) && (1..=max).contains(frames);
        if let Some(choice) = self.chunk_choices.iter().find(|frames| !is_choice(frames)) {
            return Err(format!(
                "chunk_choices has {choice}; it must be a multiple of subsampling_factor, from {factor} to {max}"
            ));
        }
        if !self.chunk_choices.is_empty() && !self.chunk_choices.contains(&chunk) {
            return Err(format!("chunk_frames is {chunk}; chunk_choices lacks it"));
        }
        if let Some(offline) = self.offline_chunk_frames
            && !self.chunk_choices.contains(&offline)
        {
            return Err(format!("offline_chunk_frames is {offline}; chunk_choices lacks it"));
        }
        for (index, cache) in self.caches.iter().enumerate() {
            if self.caches[..index].iter().any(|other| other.name == cache.name) {
                return Err(format!("two caches are called {}", cache.name));
            }
            let values = cache.shape.iter().try_fold(1usize, |all, &size| all.checked_mul(size));
            if values.is_none_or(|values| values > MOST_CACHE_VALUES) {
                let (name, shape) = (&cache.name, &cache.shape);
                return Err(format!(
                    "cache {name} of {shape:?} has more than {MOST_CACHE_VALUES} values"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoder() -> EncoderConfig {
        EncoderConfig {
            f32: Some("encoder.onnx".into()),
            int8: "encoder.int8.onnx".into(),
            chunk_frames: 64,
            chunk_choices: vec![32, 64],
            offline_chunk_frames: None,
            lookahead_frames: 1,
            subsampling_factor: 4,
            left_context_frames: 256,
            caches: vec![CacheConfig { name: "a".into(), shape: vec![1, 2], initial: 0.0 }],
        }
    }

    #[test]
    fn geometry_follows_from_the_configuration() {
        assert_eq!(encoder().check(), Ok(()));
        assert_eq!(encoder().chunk_encoder_frames(), 16);
        assert_eq!(encoder().input_frames(), 65);
    }

    #[test]
    fn newer_formats_are_refused_by_name_and_unknown_keys_ignored() {
        let path = Path::new("m/config.json");
        let error = check_format(r#"{"format_version": 2, "new": 1}"#, path).unwrap_err();
        let reason = "m/config.json: format_version is 2, this program reads up to 1; update it";
        assert_eq!(error.to_string(), reason);
        assert!(check_format(r#"{"format_version": 1}"#, path).is_ok());
        assert!(check_format("{}", path).is_ok());
        let json = include_str!("../../tests/data/random/config.json");
        let newer = json.replacen('{', r#"{"no_such_key": [], "#, 1);
        assert_eq!(
            ModelConfig::parse(&newer, path).unwrap(),
            ModelConfig::parse(json, path).unwrap()
        );
    }

    #[test]
    fn files_stay_inside_the_folder() {
        for file in ["/etc/passwd", "../tokens.txt", "a/../../b", "", "."] {
            assert!(check_file(Path::new(file)).is_err(), "{file}");
        }
        assert_eq!(check_file(Path::new("parts/tokens.txt")), Ok(()));
        let json = include_str!("../../tests/data/random/config.json");
        let outside = json.replace("tokens.txt", "../tokens.txt");
        let error = ModelConfig::parse(&outside, Path::new("m/config.json")).unwrap_err();
        assert!(error.to_string().contains("\"../tokens.txt\" is not the name"), "{error}");
    }

    #[test]
    fn refuses_contradictions_with_both_numbers() {
        type Edit = fn(&mut EncoderConfig);
        let cases: [(Edit, &str); 9] = [
            (
                |c| c.caches[0].shape = vec![usize::MAX, 2],
                "cache a of [18446744073709551615, 2] has more than 67108864 values",
            ),
            (
                |c| c.chunk_frames = 66,
                "chunk_frames is 66; it must be a multiple of subsampling_factor, which is 4",
            ),
            (|c| c.chunk_frames = 0, "chunk_frames is 0; it must be from 1 to 100000"),
            (|c| c.subsampling_factor = 0, "subsampling_factor is 0; it must be from 1 to 100000"),
            (
                |c| c.lookahead_frames = 100_001,
                "lookahead_frames is 100001; it must be at most 100000",
            ),
            (|c| c.caches.push(c.caches[0].clone()), "two caches are called a"),
            (
                |c| c.chunk_choices.push(30),
                "chunk_choices has 30; it must be a multiple of subsampling_factor, from 4 to 100000",
            ),
            (|c| c.chunk_choices = vec![32], "chunk_frames is 64; chunk_choices lacks it"),
            (
                |c| c.offline_chunk_frames = Some(128),
                "offline_chunk_frames is 128; chunk_choices lacks it",
            ),
        ];
        for (edit, expected) in cases {
            let mut config = encoder();
            edit(&mut config);
            assert_eq!(config.check(), Err(expected.to_owned()));
        }
    }
}
