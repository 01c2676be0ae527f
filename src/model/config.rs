//! What a model's `config.json` says.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::unknown_keys::parse_json;
use super::{Chunk, Finals, LoadOptions};
use crate::acoustic::encoder::EncoderConfig;
use crate::decode::WordCalibration;
use crate::error::{Error, Result};
use crate::features::FbankConfig;

/// The newest format that this program reads.
const FORMAT_VERSION: u32 = 1;

/// A model's name, files and geometry.
///
/// Keys that this program does not know are ignored with a warning. What a program must not ignore raises
/// `format_version`.
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
    /// The phones that it has beside its tokens, if any.
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

/// The files of a model's phones; see [`crate::lexicon::Lexicon::parse`].
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

/// A language model's file, and how it is used; see [`crate::decode::LmFusion`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LanguageModelConfig {
    /// The file, in the model's folder: ARPA or compact.
    pub file: PathBuf,
    /// What its log-probabilities are multiplied by.
    pub weight: f32,
    /// What every word adds.
    pub word_insertion_bonus: f32,
    /// What each letter of an unknown word costs.
    pub oov_penalty: f32,
    /// The prefixes that the search keeps.
    pub beam: usize,
    /// What ranks finals anew. May be left out.
    #[serde(default)]
    pub rescoring: Option<RescoringConfig>,
}

/// A recurrent language model's file, and how it is used; see [`crate::decode::Rescoring`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RescoringConfig {
    /// The file, in the model's folder.
    pub file: PathBuf,
    /// How much of the mean of both models' probabilities is its, 0 to 1.
    pub share: f32,
    /// How many hypotheses are ranked.
    pub hypotheses: usize,
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
        let mut config: Self = parse_json(json, path)?;
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
