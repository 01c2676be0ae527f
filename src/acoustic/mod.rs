//! Log-mel frames to posteriors: the encoder, and the attention decoder, through tract.

pub(crate) mod decoder;
pub(crate) mod encoder;
mod onnx;
