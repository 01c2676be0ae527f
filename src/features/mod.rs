//! Samples to log-mel frames, as the model's trainer computed them.

mod fbank;
pub(crate) mod gate;
mod mel;
mod window;

pub use fbank::{Fbank, FbankConfig};
pub use gate::GateConfig;
