//! Samples in, log-probabilities of tokens out: features and encoder in step.

use std::time::Instant;

use crate::Result;
use crate::encoder::EncoderState;
use crate::features::Fbank;
use crate::model::{Model, ModelConfig};

/// One stream's features and encoder.
pub(crate) struct Acoustics {
    fbank: Fbank,
    /// Frames from the next chunk's first on, `[frames, mel]`.
    frames: Vec<f32>,
    input_values: usize,
    chunk_values: usize,
    encoder: EncoderState,
}

impl Acoustics {
    /// `fbank` must be as after its construction.
    pub fn new(model: &Model, fbank: Fbank) -> Self {
        let config = &model.config().encoder;
        Self {
            frames: Vec::new(),
            input_values: config.input_frames() * fbank.dim(),
            chunk_values: config.chunk_frames * fbank.dim(),
            encoder: model.encoder().state(),
            fbank,
        }
    }

    /// Takes samples, and gives `take` each chunk that they complete, `[encoder frames, tokens]`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Encoder`] if a chunk can't be encoded.
    pub fn accept(&mut self, samples: &[f32], mut take: impl FnMut(&[f32])) -> Result<()> {
        self.fbank.accept(samples, &mut self.frames);
        while self.frames.len() >= self.input_values {
            let began = Instant::now();
            let log_probs = self.encoder.encode_chunk(&self.frames[..self.input_values])?;
            let encoded = Instant::now();
            take(log_probs);
            log::trace!(
                "chunk encoded in {:.2?}, decoded in {:.2?}",
                encoded - began,
                encoded.elapsed()
            );
            self.frames.drain(..self.chunk_values);
        }
        Ok(())
    }

    /// The samples of silence that bring out all that was heard: one chunk to be decoded, and what a
    /// chunk waits for: almost another one, its lookahead, and the end of its last frame.
    pub fn padding_samples(config: &ModelConfig) -> usize {
        let frames = config.encoder.chunk_frames + config.encoder.input_frames();
        frames * config.features.frame_shift_samples + config.features.frame_length_samples
    }

    /// Begins anew.
    pub fn reset(&mut self) {
        self.fbank.reset();
        self.frames.clear();
        self.encoder.reset();
    }
}
