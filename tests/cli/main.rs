//! The `mynah` command on recordings that the tests make. Most use the random-weight model: what it says is noise, but
//! the same noise each time. [`cases`] are recordings as people have them, with the built-in model.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]
#![cfg(feature = "cli")]

#[cfg(feature = "builtin-model")]
mod cases;
mod live;
mod lm;
#[cfg(feature = "measure")]
mod measures;
mod options;
mod recordings;
mod support;
mod transcripts;
