//! Samples to log-mel frames, as the model's trainer computed them.

mod fbank;
mod mel;
mod window;

pub use fbank::{Fbank, FbankConfig};
