//! Live captions: events to lines, to a view on a terminal, and to a file.
//!
//! ```text
//! Live ── ListenEvent ──> Session ── Wake ──> Utterance ──┬──> Lines ── Printer: standard output
//!   └──── Meter ────────────┘                             ├──> TranscriptFile: -o FILE
//!                                                         └──> Monitor: State ──> view::render ──> Screen
//! ```

mod keys;
mod layout;
mod lines;
mod monitor;
mod printer;
pub mod screen;
mod session;
mod signals;
mod silence;
mod state;
mod transcript;
mod view;
mod wake;

pub use self::{
    lines::Lines,
    monitor::Monitor,
    session::{Ending, Session},
    wake::Wake,
};
