//! What a stream recognizes, as it comes.

use crate::decode::Hypothesis;
use crate::finalize::Pass;

/// A result of a [`Stream`](crate::session::stream::Stream).
///
/// Utterances are numbered from 0 on. Where finals are computed by a thread of their own, the final of an
/// utterance may come after partials of later ones; finals come in the order of their utterances.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The utterance so far, whole; its text may change. Once per chunk that changed the text. An empty text
    /// withdraws all that was shown of the utterance.
    #[non_exhaustive]
    Partial {
        /// The number of the utterance.
        utterance: u64,
        /// What is recognized so far.
        hypothesis: Hypothesis,
    },
    /// The utterance has ended as this: no event of it follows. The text is empty only if a grammar does not
    /// have what was said; see [`Hypothesis::outcome`].
    #[non_exhaustive]
    Final {
        /// The number of the utterance.
        utterance: u64,
        /// What is recognized.
        hypothesis: Hypothesis,
        /// Which pass recognized it.
        pass: Pass,
    },
}

impl Event {
    /// What is recognized, be it partial or final.
    #[must_use]
    pub fn hypothesis(&self) -> &Hypothesis {
        match self {
            Self::Partial { hypothesis, .. } | Self::Final { hypothesis, .. } => hypothesis,
        }
    }

    /// The number of the utterance.
    #[must_use]
    pub fn utterance(&self) -> u64 {
        match self {
            Self::Partial { utterance, .. } | Self::Final { utterance, .. } => *utterance,
        }
    }

    /// Whether the utterance has ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Final { .. })
    }

    /// The hypothesis of a final; `None` of a partial.
    #[must_use]
    pub fn into_final(self) -> Option<Hypothesis> {
        match self {
            Self::Partial { .. } => None,
            Self::Final { hypothesis, .. } => Some(hypothesis),
        }
    }
}
