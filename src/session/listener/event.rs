//! What a listener reports.

use std::time::{Duration, Instant};

use crate::decode::keyword::KeywordHit;
use crate::error::Error;
use crate::session::event::Event;

/// What a [`Listener`](crate::session::listener::Listener) reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListenEvent {
    /// A partial or a final.
    #[non_exhaustive]
    Recognized {
        /// Which.
        event: Event,
        /// The audio time that had been read by then.
        audio_position: Duration,
        /// When the event was emitted.
        emitted_at: Instant,
    },
    /// A keyword of the recognizer's configuration, or of [`ListenerHandle::set_keywords`](crate::session::listener::ListenerHandle),
    /// was spotted.
    #[non_exhaustive]
    Keyword {
        /// Which, and when.
        hit: KeywordHit,
        /// The audio time that had been read by then.
        audio_position: Duration,
        /// When the event was emitted.
        emitted_at: Instant,
    },
    /// Samples were lost. Once per burst.
    Gap {
        /// How many, at the model's rate.
        samples: u64,
        /// The audio time of the first of them.
        at: Duration,
    },
    /// The source or the encoder failed. What was recognized was reported before.
    Failed(Error),
    /// The source has ended, or the listener was stopped, or [`ListenEvent::Failed`] came before. The last event.
    Ended,
}
