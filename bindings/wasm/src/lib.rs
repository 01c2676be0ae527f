//! Mynah for JavaScript: samples in, events out, on the thread that calls.
//!
//! ```text
//! Float32Array → Resampler → mynah::Stream → TextFormatter → Event (a plain object)
//! ```

mod event;
mod object;
mod options;
mod recognizer;
mod stream;
