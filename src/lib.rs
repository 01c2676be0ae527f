//! A streaming speech recognizer for the edge: samples in, text out while it is being said.
//!
//! ```text
//! capture      resample       log-mel           encoder              CTC              endpoint       output
//! device f32 → [f32] 16 kHz → [f32; mel] frame → log-probs / frame → Hypothesis     → end? (frames) → Event::Partial / Final
//! callback  ‖  worker thread …
//!           ring
//! ```
//!
//! # Words
//!
//! - **sample**: one mono `f32` in `[-1, 1]` at the model's rate (16 kHz).
//! - **frame**: one log-mel vector, 25 ms long, one every 10 ms (the hop).
//! - **encoder frame**: one step of the encoder's output, after subsampling (40 ms).
//! - **chunk**: the frames of one encoder call; **lookahead**: the later frames that call needs too.
//! - **partial**, **final**: a hypothesis that may, or will not, change.
//! - **keyword**: a phrase listened for by [`KeywordSpotter`] in the log-probabilities.
//! - **grammar**: the phrases that constrain decoding; **out of grammar**: an utterance that is none of them.
//! - **prefix**: a token sequence with all its alignments; **beam**: the prefixes that are followed.
//! - **token** of token passing: a hypothesis at a state of the graph of words and phones.
//! - **endpoint**: the end of an utterance, found by trailing blanks.
//!
//! # Invariants
//!
//! - Only `audio/mic.rs` calls cpal; only `acoustic/` calls tract; only the binary prints.
//! - Nothing downstream of the ring can block or slow the audio callback.
//! - Splitting the input differently never changes the output.
//! - Time is counted in samples and frames, as integers; seconds appear at the edge.
//! - The model says its own geometry; the code has no second copy of it.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod acoustic;
pub mod audio;
mod bounded_file;
pub mod decode;
mod error;
pub mod features;
mod finalize;
mod grammar;
mod lexicon;
pub mod lm;
mod model;
mod session;
mod text;

pub use acoustic::encoder::{CacheConfig, Encoder, EncoderConfig, EncoderState};
pub use decode::keyword::{FrameHit, Keyword, KeywordHit, KeywordSpotter};
pub use error::{Error, Result};
pub use features::GateConfig;
pub use finalize::Pass;
pub use grammar::Grammar;
pub use lexicon::tokens::{TokenId, TokenTable};
pub use lexicon::{Lexicon, UserWord};
pub use model::{
    Chunk, Device, Finals, LanguageModelConfig, LoadOptions, Model, ModelConfig, PhonesConfig,
    Precision, RescoringConfig,
};
pub use session::deltas::{TextDelta, TextDeltas};
pub use session::endpoint::{EarlyEndpoint, EndpointConfig, EndpointRule};
pub use session::event::Event;
#[cfg(feature = "async")]
pub use session::listener::ListenEventStream;
pub use session::listener::{ListenEvent, ListenEvents, Listener, ListenerHandle, ListenerMetrics};
pub use session::recognizer::{Recognizer, RecognizerConfig};
pub use session::stage_times::StageTimes;
pub use session::stream::Stream;
pub use session::{Session, Step};
#[cfg(feature = "itn")]
pub use text::itn::{FormattedWord, SpokenWord, TextFormatter, TextFormatterConfig, format_text};
pub use text::punctuation::PunctuationModel;
