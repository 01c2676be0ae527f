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
//! - **grammar**: the phrases that decoding keeps to; **something else**: what is none of them.
//! - **prefix**: a token sequence with all its alignments; **beam**: the prefixes that are followed.
//! - **token** of token passing: a hypothesis at a state of the graph of words and phones.
//! - **endpoint**: the end of an utterance, found by trailing blanks.
//!
//! # Invariants
//!
//! - Only `audio/mic.rs` knows cpal; only `encoder/` and `decoder/` know tract; only the binary prints.
//! - Nothing downstream of the ring can block or slow the audio callback.
//! - Splitting the input differently never changes the output.
//! - Time is counted in samples and frames, as integers; seconds appear at the edge.
//! - The model says its own geometry; the code has no second copy of it.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod acoustics;
pub mod audio;
mod clock;
mod compact;
pub mod ctc;
mod decoder;
mod deltas;
mod encoder;
mod endpoint;
mod error;
mod event;
pub mod features;
mod finalizer;
mod gate;
mod grammar;
mod gru;
mod keyword;
mod lexicon;
mod listener;
pub mod lm;
mod model;
mod phrase;
#[cfg_attr(not(feature = "itn"), allow(dead_code, reason = "a `TextFormatter` uses it"))]
mod punctuation;
mod recognizer;
mod rescorer;
mod session;
mod spelling;
mod stage_times;
mod stream;
#[cfg(feature = "itn")]
mod text;
mod tokens;
mod utterances;
mod word_list;

pub use deltas::{Delta, Deltas};
pub use encoder::{Encoder, EncoderState};
pub use endpoint::{EarlyEndpoint, EndpointConfig, EndpointRule};
pub use error::{Error, Result};
pub use event::{Event, Pass};
pub use gate::GateConfig;
pub use grammar::Grammar;
pub use keyword::{FrameHit, Keyword, KeywordHit, KeywordSpotter};
pub use lexicon::{Pronunciations, UserWord};
#[cfg(feature = "async")]
pub use listener::ListenEventStream;
pub use listener::{ListenEvent, ListenEvents, Listener, ListenerHandle, ListenerMetrics};
pub use model::{
    CacheConfig, Chunk, Device, EncoderConfig, Finals, LanguageModelConfig, LoadOptions, Model,
    ModelConfig, PhonesConfig, Precision, RescoringConfig,
};
pub use punctuation::PunctuationModel;
pub use recognizer::{Recognizer, RecognizerConfig};
pub use session::{Session, Step};
pub use stage_times::StageTimes;
pub use stream::Stream;
#[cfg(feature = "itn")]
pub use text::{FormattedWord, SpokenWord, TextFormatter, TextFormatterConfig, format_text};
pub use tokens::{TokenId, TokenTable};
