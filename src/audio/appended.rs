//! A second FLAC stream behind the first, which its demuxer passes over.

use std::io::{self, Read};

/// What a stream begins with: the mark, and the header of a description of 34 bytes with or without another block behind it.
const BEGINNINGS: [[u8; 8]; 2] = [*b"fLaC\0\0\0\x22", *b"fLaC\x80\0\0\x22"];
const LENGTH: usize = BEGINNINGS[0].len();

/// A reader of FLAC that warns of a second stream.
pub(super) struct WatchedFlac<R> {
    inner: R,
    name: String,
    /// The last bytes, in which a stream may begin.
    last: Vec<u8>,
    /// Of streams, so far.
    beginnings: usize,
    has_warned: bool,
}

impl<R> WatchedFlac<R> {
    /// The name is the warning's.
    pub(super) fn new(inner: R, name: String) -> Self {
        Self { inner, name, last: Vec::new(), beginnings: 0, has_warned: false }
    }

    /// Whether more than one stream has begun.
    fn finds_another(&mut self, bytes: &[u8]) -> bool {
        self.last.extend_from_slice(bytes);
        let is_beginning = |window: &&[u8]| BEGINNINGS.iter().any(|beginning| window == beginning);
        self.beginnings += self.last.windows(LENGTH).filter(is_beginning).count();
        let kept = self.last.len().saturating_sub(LENGTH - 1);
        self.last.drain(..kept);
        self.beginnings > 1
    }
}

impl<R: Read> Read for WatchedFlac<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if !self.has_warned && self.finds_another(&buffer[..count]) {
            self.has_warned = true;
            let what = "a second recording behind the first one is left out; split the file";
            log::warn!("{}: {what}", self.name);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether another stream is found, in pieces of this length.
    fn finds(bytes: &[u8], piece: usize) -> bool {
        let mut watched = WatchedFlac::new(bytes, String::new());
        let mut buffer = vec![0; piece];
        while watched.read(&mut buffer).unwrap() > 0 {}
        watched.has_warned
    }

    #[test]
    fn a_second_stream_is_found_wherever_it_begins() {
        let stream =
            |last: u8, len: usize| [&b"fLaC"[..], &[last, 0, 0, 34], &vec![7; len]].concat();
        for piece in [1, 3, 8, 64, 1_000] {
            assert!(!finds(&stream(0, 100), piece));
            for len in [0, 1, 60, 300] {
                let both = [stream(0, len), stream(0x80, 50)].concat();
                assert!(finds(&both, piece), "{piece} {len}");
            }
        }
    }
}
