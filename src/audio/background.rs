//! Decoding on a thread of its own: reading from a pipe may block for ever, and a source must not.

use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{Input, Piece};

/// Pieces that wait at most, so that a fast writer does not fill the memory.
const PIECES_WAITING: usize = 8;

/// How long `next` waits for a piece.
const PATIENCE: Duration = Duration::from_millis(10);

/// What a thread decodes from an input that may block.
pub(super) struct Background {
    sample_rate: u32,
    len_samples: Option<u64>,
    pieces: Receiver<Result<Decoded, String>>,
}

/// What one [`Input::next`] brought, samples included.
enum Decoded {
    Samples(Vec<f32>),
    Lost(u64),
}

impl Background {
    /// Starts to decode; the error says why there is no thread.
    pub(super) fn new(input: impl Input + 'static) -> Result<Self, String> {
        let (sample_rate, len_samples) = (input.sample_rate(), input.len_samples());
        let (sender, pieces) = bounded(PIECES_WAITING);
        thread::Builder::new()
            .name("mynah-decode".to_owned())
            .spawn(move || decode(input, &sender))
            .map_err(|e| format!("no thread to decode with: {e}"))?;
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
            Ok(Ok(Decoded::Samples(samples))) => {
                mono.extend(samples);
                Ok(Piece::Samples)
            }
            Ok(Ok(Decoded::Lost(samples))) => Ok(Piece::Lost(samples)),
            Ok(Err(reason)) => Err(reason),
            Err(RecvTimeoutError::Timeout) => Ok(Piece::Samples),
            Err(RecvTimeoutError::Disconnected) => Ok(Piece::End),
        }
    }
}

/// Decodes to the end or an error, or until nobody wants the samples any more.
fn decode(mut input: impl Input, pieces: &Sender<Result<Decoded, String>>) {
    loop {
        let mut samples = Vec::new();
        let piece = match input.next(&mut samples) {
            Ok(Piece::Samples) => Ok(Decoded::Samples(samples)),
            Ok(Piece::Lost(lost)) => Ok(Decoded::Lost(lost)),
            Ok(Piece::End) => {
                // The last piece may bring samples of its own.
                let _ = pieces.send(Ok(Decoded::Samples(samples)));
                return;
            }
            Err(reason) => {
                let _ = pieces.send(Ok(Decoded::Samples(samples)));
                Err(reason)
            }
        };
        let failed = piece.is_err();
        if pieces.send(piece).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Gives a piece, then an error, or blocks.
    struct Script {
        pieces: Vec<Result<Piece, String>>,
        block: Duration,
    }

    impl Input for Script {
        fn sample_rate(&self) -> u32 {
            8_000
        }

        fn len_samples(&self) -> Option<u64> {
            Some(7)
        }

        fn next(&mut self, mono: &mut Vec<f32>) -> Result<Piece, String> {
            if self.pieces.is_empty() {
                thread::sleep(self.block);
                return Ok(Piece::End);
            }
            mono.push(0.5);
            self.pieces.remove(0)
        }
    }

    /// What comes until the end or an error: samples, lost samples, the error.
    fn collect(mut input: Background) -> (usize, u64, Option<String>) {
        let (mut samples, mut lost) = (Vec::new(), 0);
        loop {
            match input.next(&mut samples) {
                Ok(Piece::Samples) => {}
                Ok(Piece::Lost(count)) => lost += count,
                Ok(Piece::End) => return (samples.len(), lost, None),
                Err(reason) => return (samples.len(), lost, Some(reason)),
            }
        }
    }

    #[test]
    fn everything_comes_in_order_and_an_error_last() {
        let pieces = vec![Ok(Piece::Samples), Ok(Piece::Lost(3)), Err("cut".to_owned())];
        let input = Background::new(Script { pieces, block: Duration::ZERO }).unwrap();
        assert_eq!((input.sample_rate(), input.len_samples()), (8_000, Some(7)));
        assert_eq!(collect(input), (2, 3, Some("cut".to_owned())));
    }

    #[test]
    fn an_input_that_blocks_holds_up_nobody() {
        let script = Script { pieces: Vec::new(), block: Duration::from_secs(2) };
        let mut input = Background::new(script).unwrap();
        let began = Instant::now();
        assert!(matches!(input.next(&mut Vec::new()), Ok(Piece::Samples)));
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}
