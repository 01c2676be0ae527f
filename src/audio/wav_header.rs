//! WAV headers whose lengths were never filled in, as of a recorder that was switched off.

use std::io::{self, Read};

/// What other writers put where they don't know the length; the demuxer reads to the end then.
const UNKNOWN: [u8; 4] = [0xFF; 4];
/// `RIFF`, a length, `WAVE`.
const RIFF_BYTES: usize = 12;
/// A chunk's name and length.
const CHUNK_BYTES: usize = 8;
/// No header is longer; what seems so is left to the demuxer.
const LONGEST_BYTES: usize = 1 << 16;

/// The first bytes of a file or stream, a WAV header up to its samples.
pub(super) struct WavHeader {
    /// Everything that was read, to be put before the rest.
    pub bytes: Vec<u8>,
    /// Whether a length of 0 has been replaced in `bytes`, so that the samples that follow are read.
    pub mended: bool,
}

impl WavHeader {
    /// Reads up to the samples of a WAV file; of anything else, the first bytes.
    ///
    /// A length of 0 counts as not filled in unless the RIFF length holds other chunks after it.
    pub(super) fn read(reader: &mut impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let mended = match data_chunk(reader, &mut bytes)? {
            Some(length_at) if length_at + 4 == bytes.len() => {
                let riff_end = u64::from(length(&bytes, 4)) + CHUNK_BYTES as u64;
                let open = length(&bytes, length_at) == 0 && riff_end <= bytes.len() as u64;
                if open {
                    bytes[4..8].copy_from_slice(&UNKNOWN);
                    bytes[length_at..].copy_from_slice(&UNKNOWN);
                }
                open
            }
            _ => false,
        };
        Ok(Self { bytes, mended })
    }
}

/// Reads up to the data chunk, and says where its length stands.
fn data_chunk(reader: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<Option<usize>> {
    if !read_more(reader, bytes, RIFF_BYTES)? || !bytes.starts_with(b"RIFF") {
        return Ok(None);
    }
    while bytes.len() < LONGEST_BYTES && read_more(reader, bytes, CHUNK_BYTES)? {
        let chunk = bytes.len() - CHUNK_BYTES;
        if bytes[chunk..].starts_with(b"data") {
            return Ok(Some(chunk + 4));
        }
        // Chunks begin at even positions.
        let body = length(bytes, chunk + 4) as usize;
        if body >= LONGEST_BYTES || !read_more(reader, bytes, body + body % 2)? {
            break;
        }
    }
    Ok(None)
}

/// Appends so many bytes; false if there are less.
fn read_more(reader: &mut impl Read, bytes: &mut Vec<u8>, count: usize) -> io::Result<bool> {
    Ok(reader.by_ref().take(count as u64).read_to_end(bytes)? == count)
}

fn length(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |length, &byte| length << 8 | u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(riff: u32, extra: &[u8], data: u32) -> Vec<u8> {
        let mut bytes = b"RIFF".to_vec();
        bytes.extend(riff.to_le_bytes());
        bytes.extend(b"WAVEfmt \x10\0\0\0");
        bytes.extend([0; 16]);
        bytes.extend(extra);
        bytes.extend(b"data");
        bytes.extend(data.to_le_bytes());
        bytes
    }

    #[test]
    fn lengths_of_zero_are_mended() {
        for (riff, extra) in [(0, &b""[..]), (36, b""), (48, b"LIST\x03\0\0\0abc\0")] {
            let bytes = wav(riff, extra, 0);
            let header = WavHeader::read(&mut [bytes.as_slice(), &[1; 9]].concat().as_slice());
            let header = header.unwrap();
            assert!(header.mended && header.bytes.len() == bytes.len(), "{riff}");
            assert!(header.bytes.ends_with(&UNKNOWN) && header.bytes[4..8] == UNKNOWN, "{riff}");
        }
    }

    #[test]
    fn all_else_is_handed_on_as_it_is() {
        let chunk_behind = wav(36 + 12, b"", 0);
        let known = wav(36 + 100, b"", 100);
        let huge_chunk = wav(0, b"LIST\xff\xff\xff\x7f", 0);
        let text = b"Dear diary, today I recorded nothing.".to_vec();
        for bytes in [chunk_behind, known, huge_chunk, text, b"RI".to_vec(), Vec::new()] {
            let mut rest = bytes.as_slice();
            let header = WavHeader::read(&mut rest).unwrap();
            assert!(!header.mended);
            assert_eq!([&header.bytes, rest].concat(), bytes);
        }
    }
}
