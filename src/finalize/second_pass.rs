//! The second pass: an utterance decoded again, in longer chunks, for its final.

use std::time::Duration;

use super::commitment::{self, Commitment};
use crate::acoustic::encoder::{Encoder, EncoderState};
use crate::decode::{Frames, Path, Search};
use crate::error::Result;
use crate::finalize::rescorer::AttentionRescorer;
use crate::lexicon::tokens::TokenTable;
use crate::model::{FinalPassEncoder, Model, ModelConfig};

/// The audio before the first pass found something that is decoded with it: a word is found when it has ended.
const PRE_ROLL: Duration = Duration::from_secs(3);

/// Log-probabilities and their places.
#[derive(Default)]
struct Rows {
    places: Vec<u64>,
    log_probs: Vec<f32>,
}

/// Decodes utterances from the frames that the first pass was given.
///
/// Chunks are encoded as soon as they are whole, so that little is left to do where the utterance ends. Each
/// utterance is encoded as a stream of its own.
pub(crate) struct SecondPass {
    source: FinalPassEncoder,
    /// Begun when they are needed: one may be loading until then.
    encoders: Vec<EncoderState>,
    /// A chunk's log-probabilities, of all encoders.
    log_probs: Vec<f32>,
    search: Search,
    /// One with other hotwords or another grammar, for the next utterance.
    next_search: Option<Search>,
    /// What scores the search's hypotheses.
    rescorer: Option<AttentionRescorer>,
    /// What the search has decoded of the utterance, if that will be scored.
    kept: Rows,
    tokens: TokenTable,
    /// What the final begins with.
    commitment: Commitment,
    /// The place of the last encoder frame that was decoded.
    decoded_until: u64,
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
    pub fn new(model: &Model, source: &FinalPassEncoder, search: &Search) -> Self {
        let ModelConfig { features, encoder: config, .. } = &*source.config;
        let mut search = search.clone();
        search.rescore_finals();
        Self {
            source: source.clone(),
            encoders: Vec::new(),
            log_probs: Vec::new(),
            search,
            next_search: None,
            rescorer: source.attention.as_ref().map(AttentionRescorer::new),
            kept: Rows::default(),
            tokens: model.tokens().clone(),
            commitment: Commitment::default(),
            decoded_until: 0,
            frames: Vec::new(),
            places: Vec::new(),
            has_begun: false,
            pre_roll: source.config.encoder_frames(PRE_ROLL) as usize,
            frame_values: config.subsampling_factor * features.mel_bins,
            input_values: config.input_frames() * features.mel_bins,
            chunk: config.chunk_encoder_frames(),
            columns: model.output_dim(),
            silence: features.energy_floor.ln(),
        }
    }

    /// The values of the frames that make one encoder frame.
    pub fn frame_values(&self) -> usize {
        self.frame_values
    }

    /// Takes frames, which the first pass is about to decode.
    pub fn accept_frames(&mut self, frames: &[f32]) {
        self.frames.extend_from_slice(frames);
    }

    /// Takes the place of the encoder frame that the first pass decodes.
    pub fn accept_place(&mut self, place: u64) {
        self.places.push(place);
    }

    /// Takes the hotwords and the grammar of a search: from the next utterance on, which is this one if it has
    /// not begun.
    pub fn configure(&mut self, search: Search) {
        self.next_search = Some(search);
        if !self.has_begun {
            self.begin();
        }
    }

    /// Encodes and decodes the whole chunks of what was accepted. While the first pass is idle, having found
    /// nothing, an utterance does not begin, and what lies further back than it will need is forgotten.
    ///
    /// Gives the utterance so far if more of it was decoded.
    ///
    /// # Errors
    ///
    /// [`crate::error::Error::Encoder`] if one can't be encoded, [`crate::error::Error::Config`] if the encoder could
    /// not be loaded.
    pub fn advance(&mut self, is_idle: bool) -> Result<Option<Path>> {
        if is_idle && !self.has_begun {
            self.keep_pre_roll();
            return Ok(None);
        }
        let mut advances = false;
        while self.places.len() >= self.chunk && self.frames.len() >= self.input_values {
            self.decode_chunk(self.chunk)?;
            advances = true;
        }
        Ok(if advances { self.partial() } else { None })
    }

    /// The utterance so far, and what of it is committed; none with a grammar, of whose phrases all may change.
    fn partial(&mut self) -> Option<Path> {
        if !self.search.takes_texts() {
            return None;
        }
        let paths = self.search.n_best(commitment::HYPOTHESES);
        if self.rescorer.is_some() {
            // An attention decoder's own text may begin otherwise.
            return Commitment::default().extend(paths, self.decoded_until, 0, &self.tokens);
        }
        // Without rescoring what all tokens have in common is certain, and there may be no other hypothesis.
        let stable = paths.first().map_or(0, |path| path.stable);
        let most = if self.search.rescores() { usize::MAX } else { stable };
        self.commitment.extend(paths, self.decoded_until, most, &self.tokens)
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
        let mut paths = self.search.finals();
        if let Some(rescorer) = self.rescorer.as_mut().filter(|_| !self.kept.places.is_empty()) {
            let Rows { places, log_probs } = &self.kept;
            let frames = Frames { places, log_probs };
            let (search, tokens) = (&self.search, &self.tokens);
            let path_of_text = |words: &[String]| search.path_of_text(words, tokens, frames);
            paths = rescorer.rescore(paths, tokens, &path_of_text)?;
        }
        let paths = self.commitment.keep(paths, &self.tokens);
        self.begin();
        Ok(paths)
    }

    /// Ends an utterance in which the first pass found nothing.
    pub fn discard(&mut self) {
        self.begin();
        self.keep_pre_roll();
    }

    /// Ends an utterance, whose final is not wanted any more, with the last encoder frame that was placed.
    pub fn skip_utterance(&mut self) {
        self.begin();
        self.drop_front(self.places.len());
    }

    /// Forgets the audio since the last utterance; it goes on elsewhere.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.places.clear();
    }

    /// Encodes the next chunk, filled up with silence, and decodes its first `count` encoder frames.
    fn decode_chunk(&mut self, count: usize) -> Result<()> {
        self.has_begun = true;
        let accepted = self.frames.len().min(self.input_values);
        let mut filled = Vec::new();
        let input = if accepted == self.input_values {
            &self.frames[..accepted]
        } else {
            filled.extend_from_slice(&self.frames[..accepted]);
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
        self.decoded_until = places.last().copied().unwrap_or(self.decoded_until);
        self.drop_front(count);
        Ok(())
    }

    /// Begins another utterance.
    fn begin(&mut self) {
        self.encoders.iter_mut().for_each(EncoderState::reset);
        self.has_begun = false;
        if let Some(search) = self.next_search.take() {
            self.search = search;
            self.search.rescore_finals();
        }
        self.search.reset();
        self.commitment.clear();
        self.kept.clear();
        if let Some(rescorer) = &mut self.rescorer {
            rescorer.reset();
        }
    }

    /// Forgets what lies further back than an utterance that begins now needs.
    fn keep_pre_roll(&mut self) {
        self.drop_front(self.places.len().saturating_sub(self.pre_roll));
    }

    fn drop_front(&mut self, count: usize) {
        self.places.drain(..count);
        let values = (count * self.frame_values).min(self.frames.len());
        self.frames.drain(..values);
    }
}

impl Rows {
    fn clear(&mut self) {
        self.places.clear();
        self.log_probs.clear();
    }
}
