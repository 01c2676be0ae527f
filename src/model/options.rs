//! What is chosen when a model is loaded.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};

/// How a model is loaded.
///
/// ```no_run
/// use std::time::Duration;
/// use mynah::{Chunk, LoadOptions, Model};
///
/// let chunk = Chunk::Length(Duration::from_millis(320));
/// let model = Model::load("models/en-small", LoadOptions { chunk, ..LoadOptions::default() })?;
/// # Ok::<(), mynah::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Which of the model's encoders is used.
    pub precision: Precision,
    /// The audio of one call of the encoder.
    pub chunk: Chunk,
    /// Which pass finals are of.
    pub finals: Finals,
    /// What the encoder runs on.
    pub device: Device,
}

/// Which pass finals are of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finals {
    /// The streaming pass: what partial results came to. The least computing and memory, and with `en-small` about
    /// twice the errors of a second pass.
    FirstPass,
    /// A second pass: each utterance is encoded again in the chunks of [`Chunk::Offline`] and its hypotheses
    /// are rescored. It takes a few megabytes, the weights being shared, and about twice the computing. The
    /// same as [`Finals::FirstPass`] where those are the chunks already.
    #[default]
    SecondPass,
    /// A second pass with the model in this folder, of the same features, beside the first one.
    ///
    /// Of a model of the same tokens and phones it is the encoder, which may be one too slow to encode each
    /// chunk as it comes: both encode the longest chunks of the other, and their log-probabilities are
    /// averaged. Of a folder with an attention decoder (arXiv 2212.04356) it is the decoder, which rescores
    /// the hypotheses where an utterance ends; its own text is one of them. A grammar, greedy decoding and
    /// utterances longer than the decoder attends to go without.
    WithModel(PathBuf),
}

/// The audio of one call of the encoder. Longer chunks give fewer errors and later results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chunk {
    /// The model's choice for streaming:
    /// [`chunk_frames`](crate::acoustic::encoder::EncoderConfig::chunk_frames).
    #[default]
    Streaming,
    /// The model's choice for audio that is there as a whole:
    /// [`offline_chunk_frames`](crate::acoustic::encoder::EncoderConfig::offline_chunk_frames).
    Offline,
    /// The shortest of the model's [`chunk_choices`](crate::acoustic::encoder::EncoderConfig::chunk_choices).
    Shortest,
    /// One of the model's [`chunk_choices`](crate::acoustic::encoder::EncoderConfig::chunk_choices).
    Length(Duration),
}

/// Which of a model's encoders is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precision {
    /// `F32` on a GPU. On the processor `Int8` if it has instructions that sum products of integers
    /// (AVX2, VNNI, AMX, dot product, SME), else `F32`.
    #[default]
    Auto,
    /// 32-bit floating point.
    F32,
    /// Matrix products in 8-bit integers.
    Int8,
}

/// What the encoder runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Device {
    /// A GPU if there is one, the library was built with a feature for it (`cuda`, `metal`) and the
    /// f32 encoder may be used; else the processor, which a warning says if the feature is there.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The GPU, or an error.
    Gpu,
}

impl From<Precision> for LoadOptions {
    fn from(precision: Precision) -> Self {
        Self { precision, ..Self::default() }
    }
}

impl LoadOptions {
    /// The preset for many streams on one machine, or for a slow one: text as soon as it can be had, a single
    /// pass, more errors.
    #[must_use]
    pub fn low_latency() -> Self {
        Self { chunk: Chunk::Shortest, finals: Finals::FirstPass, ..Self::default() }
    }

    /// The preset for most uses, and the default: partial results as they come, and finals of a second pass.
    #[must_use]
    pub fn balanced() -> Self {
        Self::default()
    }

    /// The preset for the fewest errors: finals of a second pass that the model in a folder rescores, as
    /// `models/en-decoder` does.
    #[must_use]
    pub fn accurate(folder: impl Into<PathBuf>) -> Self {
        Self { finals: Finals::WithModel(folder.into()), ..Self::default() }
    }

    /// The other model, if there is to be a second pass by one.
    pub(super) fn second_model(&self) -> Option<&Path> {
        match &self.finals {
            Finals::WithModel(folder) => Some(folder),
            Finals::FirstPass | Finals::SecondPass => None,
        }
    }

    /// Whether the f32 encoder is to run on a GPU, as far as these options say; `has_f32`: whether
    /// there is such an encoder.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if a GPU is asked for that can't take the encoder.
    pub(super) fn wants_gpu(&self, has_f32: bool) -> Result<bool> {
        match (self.device, self.precision) {
            (Device::Cpu, _) | (Device::Auto, Precision::Int8) => Ok(false),
            (Device::Auto, _) => Ok(has_f32),
            (Device::Gpu, Precision::Int8) => Err(Error::Config(
                "the GPU runs the f32 encoder; ask for int8 or for the GPU, not both".to_owned(),
            )),
            (Device::Gpu, _) if has_f32 => Ok(true),
            (Device::Gpu, _) => Err(Error::Config(
                "the GPU runs the f32 encoder, which this model lacks; load a model's folder with one"
                    .to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_is_for_f32_and_is_refused_where_it_can_not_be_had() {
        let wants = |device, precision, has_f32| {
            LoadOptions { device, precision, ..LoadOptions::default() }.wants_gpu(has_f32).ok()
        };
        let table = [
            (Device::Auto, Precision::Auto, true, Some(true)),
            (Device::Auto, Precision::Auto, false, Some(false)),
            (Device::Auto, Precision::Int8, true, Some(false)),
            (Device::Cpu, Precision::F32, true, Some(false)),
            (Device::Gpu, Precision::Auto, true, Some(true)),
            (Device::Gpu, Precision::Auto, false, None),
            (Device::Gpu, Precision::Int8, true, None),
        ];
        for (device, precision, has_f32, expected) in table {
            assert_eq!(wants(device, precision, has_f32), expected, "{device:?} {precision:?}");
        }
    }
}
