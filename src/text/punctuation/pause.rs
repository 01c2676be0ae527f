//! The silence between words.

use std::time::Duration;

/// How long it was silent after a word, as the punctuation model has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    Unknown,
    None,
    Short,
    Long,
    /// The utterance ends with the word.
    End,
}

const SHORT: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_millis(400);

impl Pause {
    pub const COUNT: usize = 5;
}

impl From<Option<Duration>> for Pause {
    fn from(silence: Option<Duration>) -> Self {
        match silence {
            None => Self::Unknown,
            Some(silence) if silence < SHORT => Self::None,
            Some(silence) if silence < LONG => Self::Short,
            Some(_) => Self::Long,
        }
    }
}
