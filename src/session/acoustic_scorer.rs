//! Samples in, log-probabilities of tokens out: features, gate and encoder in step.

use web_time::Instant;

use crate::acoustic::encoder::EncoderState;
use crate::error::Result;
use crate::features::Fbank;
use crate::features::gate::Gate;
use crate::model::{Model, ModelConfig};
use crate::session::stage_times::StageTimes;

/// Takes chunks with their log-probabilities.
pub(crate) trait ChunkSink {
    /// Takes a chunk's `[frames, mel]`, and what they were encoded as: `[encoder frames, columns]`,
    /// see `Model::output_dim`.
    fn accept(&mut self, frames: &[f32], log_probs: &[f32]);

    /// Takes a chunk of silence that was not encoded.
    fn skip(&mut self, frames: &[f32]);

    /// Whether nothing is being said, so that silence need not be encoded.
    fn is_idle(&self) -> bool;
}

/// One stream's features, gate and encoder.
pub(crate) struct AcousticScorer {
    fbank: Fbank,
    /// Frames from the next chunk's first on, `[frames, mel]`.
    frames: Vec<f32>,
    gate: Option<Gate>,
    /// Whether the next chunk is a quiet one, kept until the one after it is known: should speech
    /// begin there, its onset may lie here.
    holds_quiet: bool,
    input_values: usize,
    chunk_values: usize,
    encoder: EncoderState,
    /// What features and the encoder have taken.
    pub times: StageTimes,
}

impl AcousticScorer {
    /// `fbank` must be as after its construction.
    pub fn new(model: &Model, fbank: Fbank, gate: Option<Gate>) -> Self {
        let config = &model.config().encoder;
        Self {
            frames: Vec::new(),
            gate,
            holds_quiet: false,
            input_values: config.input_frames() * fbank.dim(),
            chunk_values: config.chunk_frames * fbank.dim(),
            encoder: model.encoder().state(),
            fbank,
            times: StageTimes::default(),
        }
    }

    /// Takes samples, and hands on the chunks that they complete.
    ///
    /// # Errors
    ///
    /// [`crate::error::Error::Encoder`] if a chunk can't be encoded.
    pub fn accept(&mut self, samples: &[f32], sink: &mut impl ChunkSink) -> Result<()> {
        let began = Instant::now();
        self.fbank.accept(samples, &mut self.frames);
        self.times.features += began.elapsed();
        loop {
            let held_values = if self.holds_quiet { self.chunk_values } else { 0 };
            if self.frames.len() < held_values + self.input_values {
                return Ok(());
            }
            let newest = &self.frames[held_values..][..self.chunk_values];
            let quiet = self.gate.as_mut().is_some_and(|gate| gate.is_quiet(newest));
            if quiet && sink.is_idle() {
                if self.holds_quiet {
                    sink.skip(&self.frames[..self.chunk_values]);
                    self.frames.drain(..self.chunk_values);
                }
                self.holds_quiet = true;
                continue;
            }
            for _ in 0..=usize::from(std::mem::take(&mut self.holds_quiet)) {
                self.encode(sink)?;
            }
        }
    }

    /// Takes the silence after the last sample, which brings out all that was said before it.
    ///
    /// # Errors
    ///
    /// Those of [`AcousticScorer::accept`].
    pub fn pad(&mut self, config: &ModelConfig, sink: &mut impl ChunkSink) -> Result<()> {
        // The padding would be taken for the background.
        let gate = self.gate.take();
        let padded = self.accept(&vec![0.0; Self::padding_samples(config)], sink);
        self.gate = gate;
        padded
    }

    /// Encodes the chunk that the frames begin with.
    fn encode(&mut self, sink: &mut impl ChunkSink) -> Result<()> {
        let began = Instant::now();
        let log_probs = self.encoder.encode_chunk(&self.frames[..self.input_values])?;
        let encoded = Instant::now();
        self.times.encoder += encoded - began;
        sink.accept(&self.frames[..self.chunk_values], log_probs);
        let (encoding, decoding) = (encoded - began, encoded.elapsed());
        log::trace!("chunk encoded in {encoding:.2?}, decoded in {decoding:.2?}");
        self.frames.drain(..self.chunk_values);
        Ok(())
    }

    /// The samples of silence that flush all audio before them: one chunk to be decoded, and what a
    /// chunk waits for: almost another one, its lookahead, and the end of its last frame.
    fn padding_samples(config: &ModelConfig) -> usize {
        let frames = config.encoder.chunk_frames + config.encoder.input_frames();
        frames * config.features.frame_shift_samples + config.features.frame_length_samples
    }

    /// Begins anew.
    pub fn reset(&mut self) {
        self.fbank.reset();
        self.frames.clear();
        self.holds_quiet = false;
        self.encoder.reset();
    }
}
