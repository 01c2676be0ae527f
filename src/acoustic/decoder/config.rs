//! What `config.json` says of an attention decoder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::acoustic::encoder::CacheConfig;

/// A decoder's files, and how it is used.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct DecoderConfig {
    /// The file of the int8 graph, in the folder.
    pub int8: PathBuf,
    /// The file of its pieces, in the folder.
    pub pieces: PathBuf,
    /// The pieces of the prompt, before the first that is decoded.
    pub start: Vec<usize>,
    /// The piece after the last.
    pub end: usize,
    /// The heads of its attention.
    pub heads: usize,
    /// What is carried from piece to piece.
    pub caches: Vec<CacheConfig>,
    /// The most frames of an utterance that its encoder takes.
    pub longest_frames: usize,
    /// The most of its encoder's rows that it attends to.
    pub longest_rows: usize,
    /// The whole chunks of silence that pad an utterance.
    pub padding_chunks: usize,
    /// The most pieces that it writes for a second of audio.
    pub pieces_per_second: usize,
    /// What its natural log-probability of a hypothesis is multiplied by in the hypothesis's score.
    pub weight: f32,
    /// What every word adds then; above 0 it makes up for the weight's preference for few words.
    pub word_insertion_bonus: f32,
    /// How words are said that it abbreviates, both in the letters of the first model's tokens.
    #[serde(default)]
    pub spoken: BTreeMap<String, String>,
}

impl DecoderConfig {
    /// The pieces that it looks back on, and the values of a key.
    pub fn looks_back(&self) -> (usize, usize) {
        let shapes = self.caches.iter().map(|cache| &cache.shape[..]);
        let mut sizes = shapes.filter_map(|shape| match *shape {
            [_, left, dim] => Some((left, dim)),
            _ => None,
        });
        sizes.next().unwrap_or_default()
    }
}
