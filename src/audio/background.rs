//! An input decoded on a thread of its own, because reading a pipe may block for ever.

use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{Input, Piece};

/// Pieces that wait at most, so that a fast reader does not fill the memory.
const PIECES_WAITING: usize = 8;

/// How long `next` waits for a piece.
const PATIENCE: Duration = Duration::from_millis(10);

/// An input whose `next` never waits for more than [`PATIENCE`].
pub(super) struct Background {
    sample_rate: u32,
    len_samples: Option<u64>,
    pieces: Receiver<Decoded>,
}

struct Decoded {
    samples: Vec<f32>,
    piece: Result<Piece, String>,
}

impl Background {
    /// Starts to decode.
    pub(super) fn spawn(input: impl Input + 'static) -> Result<Self, String> {
        let (sample_rate, len_samples) = (input.sample_rate(), input.len_samples());
        let (sender, pieces) = bounded(PIECES_WAITING);
        thread::Builder::new()
            .name("mynah-read".to_owned())
            .spawn(move || decode(input, &sender))
            .map_err(|e| format!("no thread to read with: {e}"))?;
        Ok(Self { sample_rate, len_samples, pieces })
    }
}

impl Input for Background {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn len_samples(&self) -> Option<u64> {
        self.len_samples
    }

    fn next(&mut self, mono: &mut Vec<f32>) -> Result<Piece, String> {
        match self.pieces.recv_timeout(PATIENCE) {
            Ok(decoded) => {
                mono.extend_from_slice(&decoded.samples);
                decoded.piece
            }
            Err(RecvTimeoutError::Timeout) => Ok(Piece::Samples),
            Err(RecvTimeoutError::Disconnected) => Err("its decoder stopped".to_owned()),
        }
    }
}

/// Decodes to the end, or until nobody wants the samples any more.
fn decode(mut input: impl Input, sender: &Sender<Decoded>) {
    loop {
        let mut samples = Vec::new();
        let piece = input.next(&mut samples);
        let is_last = matches!(piece, Ok(Piece::End) | Err(_));
        if sender.send(Decoded { samples, piece }).is_err() || is_last {
            return;
        }
    }
}
