//! What the two passes send each other.

use crate::decode::{Path, Search};
use crate::error::Error;

/// What the first pass sends.
pub(super) enum Message {
    Audio(Audio),
    /// What follows does not continue what came before.
    Clear,
}

/// A part of the audio.
pub(super) struct Audio {
    /// Which segment it is of: segments are what lies between two ends.
    pub segment: u64,
    /// `[frames, mel]`.
    pub frames: Vec<f32>,
    /// Of the encoder frames that the first pass has decoded.
    pub places: Vec<u64>,
    /// A search with other hotwords or another grammar.
    pub search: Option<Box<Search>>,
    pub state: SegmentState,
}

/// What becomes of a segment behind a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SegmentState {
    /// It goes on; the first pass may have found nothing in it so far.
    Continues { is_idle: bool },
    /// It has ended in an utterance.
    Ended,
    /// It has ended, and nothing was said in it.
    Discarded,
}

/// What the worker answers.
pub(super) enum Answer {
    /// A segment so far.
    Partial(u64, Path),
    /// What a segment may have been, the best first.
    Final(u64, Vec<Path>),
    /// No more answers come.
    Failed(Error),
}
