//! What the encoder takes by itself, without features and decoding.

use std::time::{Duration, Instant};

use mynah::Recognizer;

const CHUNKS: usize = 50;
/// The first ones make tract's buffers.
const WARM_UP: usize = 3;

/// Encodes chunks that stand for speech; their values make no difference to the time.
///
/// # Errors
///
/// The encoder can't be run.
pub fn computations(recognizer: &Recognizer) -> mynah::Result<Vec<Duration>> {
    let model = recognizer.model();
    let config = model.config();
    let values = config.encoder.input_frames() * config.features.mel_bins;
    let frames: Vec<f32> = (0..values).map(|i| -6.0 + (i * 37 % 101) as f32 / 16.0).collect();
    let mut encoder = model.encoder().state();
    let mut times = Vec::with_capacity(WARM_UP + CHUNKS);
    for _ in 0..WARM_UP + CHUNKS {
        let began = Instant::now();
        encoder.encode_chunk(&frames)?;
        times.push(began.elapsed());
    }
    Ok(times.split_off(WARM_UP))
}
