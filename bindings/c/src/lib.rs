//! The C interface of Mynah. `include/mynah.h` is made of this crate by cbindgen.
//!
//! ```text
//! C pointers → argument → call (errors and panics → MynahStatus) → model, recognizer, stream → mynah
//! ```
//!
//! # Invariants
//!
//! - Every entry point runs inside [`call`], so that no panic leaves the library.
//! - Only `argument` and `object` follow pointers that come from C.
//! - What C holds is a `Box`. What it shares with other objects is counted, so that objects are freed in any order.
//! - Every function is there whatever the features, so that all builds have one header.

#![allow(private_interfaces, reason = "what a C object holds is none of C's business")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(not(panic = "unwind"))]
compile_error!("a panic must become MYNAH_ERROR_INTERNAL: build with panic = \"unwind\"");

mod argument;
mod call;
mod event;
mod event_access;
mod event_words;
mod file;
mod formatter;
mod formatting;
mod model;
mod model_options;
mod object;
mod recognizer;
mod recognizer_options;
mod recognizer_setters;
mod status;
mod stream;
mod stream_state;
#[cfg(test)]
mod tests;
mod version;
