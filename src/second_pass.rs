//! An utterance recognized once more, in longer chunks, for its final.

use std::time::Duration;

use crate::Result;
use crate::ctc::{Frames, Path, Search};
use crate::encoder::{Encoder, EncoderState};
use crate::model::{Model, ModelConfig, SecondEncoder};
use crate::rescorer::AttentionRescorer;
use crate::tokens::TokenTable;

/// The silence before an utterance's first word that is heard with it.
///
/// The first pass takes a word for said when it has ended.
const PRE_ROLL: Duration = Duration::from_secs(3);

/// Log-probabilities and their places.
#[derive(Default)]
struct Rows {
    places: Vec<u64>,
    log_probs: Vec<f32>,
}

/// Recognizes an utterance again from the frames that the first pass has heard.
///
/// Chunks are encoded as soon as they are whole, so that little is left to do where the utterance
/// ends. Each utterance is encoded as a stream of its own.
pub(crate) struct SecondPass {
    source: SecondEncoder,
    /// Begun when they are needed: one may be loading until then.
    encoders: Vec<EncoderState>,
    /// A chunk's log-probabilities, of all encoders.
    log_probs: Vec<f32>,
    search: Search,
    /// What scores the search's hypotheses.
    rescorer: Option<AttentionRescorer>,
    /// What the search has decoded of the utterance, if that will be scored.
    kept: Rows,
    tokens: TokenTable,
    /// Frames not encoded yet, `[frames, mel]`.
    frames: Vec<f32>,
    /// The places of the encoder frames that begin in them, as far as the first pass has got.
    places: Vec<u64>,
    /// Whether frames of the utterance have been encoded.
    has_begun: bool,
    /// [`PRE_ROLL`] in encoder frames.
    pre_roll: usize,
    /// Of one encoder frame.
    frame_values: usize,
    input_values: usize,
    /// The encoder frames of a chunk.
    chunk: usize,
    columns: usize,
    /// What fills up the last chunk.
    silence: f32,
}

impl SecondPass {
    /// `search` must be as at an utterance's beginning.
    pub fn new(model: &Model, source: &SecondEncoder, search: &Search) -> Self {
        let ModelConfig { features, encoder: config, .. } = &*source.config;
        let mut search = search.clone();
        search.rescore_finals();
        Self {
            source: source.clone(),
            encoders: Vec::new(),
            log_probs: Vec::new(),
            search,
            rescorer: source.attention.as_ref().map(AttentionRescorer::new),
            kept: Rows::default(),
            tokens: model.tokens().clone(),
            frames: Vec::new(),
            places: Vec::new(),
            has_begun: false,
            pre_roll: source.config.encoder_frames(PRE_ROLL) as usize,
            frame_values: config.subsampling_factor * features.mel_bins,
            input_values: config.input_frames() * features.mel_bins,
            chunk: config.chunk_encoder_frames(),
            columns: model.columns(),
            silence: features.energy_floor.ln(),
        }
    }

    /// Takes frames, which the first pass is about to decode.
    pub fn hear(&mut self, frames: &[f32]) {
        self.frames.extend_from_slice(frames);
    }

    /// Takes the place of the encoder frame that the first pass decodes.
    pub fn place(&mut self, place: u64) {
        self.places.push(place);
    }

    /// Takes a search as at an utterance's beginning, if none has begun.
    pub fn search_like(&mut self, search: &Search) {
        self.search.clone_from(search);
        self.search.rescore_finals();
        self.search.reset();
    }

    /// Whether it has encoded a part of the utterance.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Forgets what lies further back than an utterance that begins now needs.
    pub fn wait(&mut self) {
        self.drop_front(self.places.len().saturating_sub(self.pre_roll));
    }

    /// Encodes and decodes the whole chunks of what was heard.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Encoder`] if one can't be encoded, [`crate::Error::Config`] if the encoder could
    /// not be loaded.
    pub fn advance(&mut self) -> Result<()> {
        while self.places.len() >= self.chunk && self.frames.len() >= self.input_values {
            self.decode_chunk(self.chunk)?;
        }
        Ok(())
    }

    /// Ends the utterance with the last encoder frame that was placed; gives what it may have been,
    /// the best first.
    ///
    /// # Errors
    ///
    /// Those of [`SecondPass::advance`].
    pub fn finish(&mut self) -> Result<Vec<Path>> {
        while !self.places.is_empty() {
            self.decode_chunk(self.places.len().min(self.chunk))?;
        }
        self.encoders.iter_mut().for_each(EncoderState::reset);
        self.has_begun = false;
        let mut paths = self.search.finals();
        if let Some(rescorer) = self.rescorer.as_mut().filter(|_| !self.kept.places.is_empty()) {
            let Rows { places, log_probs } = &self.kept;
            let frames = Frames { places, log_probs };
            let (search, tokens) = (&self.search, &self.tokens);
            let path_of_text = |words: &[String]| search.path_of_text(words, tokens, frames);
            paths = rescorer.rescore(paths, tokens, &path_of_text)?;
        }
        // Nobody was told before.
        paths.iter_mut().for_each(|path| path.stable = 0);
        self.begin();
        Ok(paths)
    }

    /// Forgets the utterance, of which nothing is left.
    pub fn give_up(&mut self) {
        self.encoders.iter_mut().for_each(EncoderState::reset);
        self.has_begun = false;
        self.begin();
        self.wait();
    }

    /// Forgets all that was heard; the audio goes on elsewhere.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.places.clear();
    }

    /// Encodes the next chunk, filled up with silence, and decodes its first `count` encoder frames.
    fn decode_chunk(&mut self, count: usize) -> Result<()> {
        self.has_begun = true;
        let heard = self.frames.len().min(self.input_values);
        let mut filled = Vec::new();
        let input = if heard == self.input_values {
            &self.frames[..heard]
        } else {
            filled.extend_from_slice(&self.frames[..heard]);
            filled.resize(self.input_values, self.silence);
            &filled
        };
        if self.encoders.is_empty() {
            self.encoders.extend(self.source.get()?.map(Encoder::state));
        }
        let share = 1.0 / self.encoders.len() as f32;
        self.log_probs.clear();
        for encoder in &mut self.encoders {
            let log_probs = encoder.encode_chunk(input)?;
            self.log_probs.resize(log_probs.len(), 0.0);
            for (sum, log_prob) in self.log_probs.iter_mut().zip(log_probs) {
                *sum += log_prob * share;
            }
        }
        let log_probs = &self.log_probs[..count * self.columns];
        let places = &self.places[..count];
        for (&place, row) in places.iter().zip(log_probs.chunks_exact(self.columns)) {
            self.search.accept(place, row);
        }
        if let Some(rescorer) = self.rescorer.as_mut().filter(|_| self.search.takes_texts()) {
            rescorer.accept(&self.frames[..count * self.frame_values])?;
            if rescorer.is_too_long() {
                self.kept.clear();
            } else {
                self.kept.places.extend_from_slice(places);
                self.kept.log_probs.extend_from_slice(log_probs);
            }
        }
        self.drop_front(count);
        Ok(())
    }

    /// Begins another utterance.
    fn begin(&mut self) {
        self.search.reset();
        self.kept.clear();
        if let Some(rescorer) = &mut self.rescorer {
            rescorer.reset();
        }
    }

    fn drop_front(&mut self, count: usize) {
        self.places.drain(..count);
        self.frames.drain(..count * self.frame_values);
    }
}

impl Rows {
    fn clear(&mut self) {
        self.places.clear();
        self.log_probs.clear();
    }
}
