//! Which pass a final is of.

/// One of the passes of a two-pass recognizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pass {
    /// The streaming pass, of which partial results are. Its text is a final's if there is no second pass, if
    /// the second pass failed, or if it fell behind in a live stream.
    First,
    /// The pass over a whole utterance, in longer chunks and with rescoring.
    Second,
}
