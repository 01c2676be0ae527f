//! Tags around a recording: ID3v2 and APE before any format, ID3v1, Lyrics3 and APE behind it.

use std::io::{self, Read};

use super::byte_source::ByteSource;

const ID3V1_BYTES: u64 = 128;
const ID3V2_HEADER_BYTES: usize = 10;
const APE_HEADER_BYTES: usize = 32;
const LYRICS_END_BYTES: usize = 15;

/// Zeros that a writer may have left behind a tag are looked at in such pieces.
const PADDING_BYTES: usize = 512;

/// The most bytes behind a stream that are looked at as tags; they are known only at its end.
const HELD_BACK_BYTES: usize = 2_048;

/// Skips every tag at the front. Gives the bytes skipped.
pub(super) fn skip_front(source: &mut ByteSource) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let head = source.peek(0, APE_HEADER_BYTES)?;
        let Some(bytes) = id3v2_bytes(&head).or_else(|| ape_bytes_from_header(&head)) else {
            return Ok(skipped);
        };
        source.skip(bytes)?;
        skipped += bytes + skip_zeros(source)?;
    }
}

fn skip_zeros(source: &mut ByteSource) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let piece = source.peek(0, PADDING_BYTES)?;
        let zeros = piece.iter().position(|&byte| byte != 0).unwrap_or(piece.len());
        // An MP4 file begins with a length, whose first bytes are zeros.
        if zeros < 4 {
            return Ok(skipped);
        }
        source.skip(zeros as u64)?;
        skipped += zeros as u64;
        if zeros < piece.len() {
            return Ok(skipped);
        }
    }
}

/// The whole length of an ID3v2 tag whose header this is.
fn id3v2_bytes(head: &[u8]) -> Option<u64> {
    let &[b'I', b'D', b'3', major, minor, flags, a, b, c, d, ..] = head else { return None };
    let is_tag = major != 0xFF && minor != 0xFF && [a, b, c, d].iter().all(|byte| *byte < 0x80);
    let body = [a, b, c, d].iter().fold(0, |size, &byte| size << 7 | u64::from(byte));
    let footer = if flags & 0x10 == 0 { 0 } else { ID3V2_HEADER_BYTES as u64 };
    is_tag.then_some(ID3V2_HEADER_BYTES as u64 + body + footer)
}

fn ape_bytes_from_header(head: &[u8]) -> Option<u64> {
    let header = head.get(..APE_HEADER_BYTES)?;
    header.starts_with(b"APETAGEX").then(|| APE_HEADER_BYTES as u64 + u64::from(le(header, 12)))
}

/// Leaves out every tag at the end of what has a known length.
pub(super) fn cut_back(source: &mut ByteSource) -> io::Result<()> {
    while let Some(len) = source.len() {
        let from = len.saturating_sub(ID3V1_BYTES + APE_HEADER_BYTES as u64);
        let tail = source.peek(from, (len - from) as usize)?;
        match trailing_bytes(&tail) {
            Some(bytes) if bytes < len => source.truncate(len - bytes),
            _ => break,
        }
    }
    Ok(())
}

/// The whole length of the tag that ends where `tail` ends.
fn trailing_bytes(tail: &[u8]) -> Option<u64> {
    let back = |bytes: usize| tail.len().checked_sub(bytes).map(|at| &tail[at..]);
    if back(ID3V1_BYTES as usize).is_some_and(|tag| tag.starts_with(b"TAG")) {
        return Some(ID3V1_BYTES);
    }
    if let Some(footer) = back(APE_HEADER_BYTES).filter(|f| f.starts_with(b"APETAGEX")) {
        // Bit 31 of the flags: the tag has a header too, which the size leaves out.
        let header = if le(footer, 20) >> 31 == 0 { 0 } else { APE_HEADER_BYTES as u64 };
        // The size counts this footer.
        return Some(u64::from(le(footer, 12)).max(APE_HEADER_BYTES as u64) + header);
    }
    if let Some(footer) = back(ID3V2_HEADER_BYTES).filter(|f| f.starts_with(b"3DI")) {
        let header = [b"ID3", &footer[3..]].concat();
        return id3v2_bytes(&header);
    }
    let end = back(LYRICS_END_BYTES).filter(|end| end.ends_with(b"LYRICS200"))?;
    let digits = std::str::from_utf8(&end[..6]).ok()?;
    Some(digits.parse::<u64>().ok()? + LYRICS_END_BYTES as u64)
}

fn le(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte))
}

/// A stream without the tags at its end: it holds the last bytes back until the end is there.
pub(super) struct WithoutTags<R> {
    inner: R,
    held: Vec<u8>,
    ended: bool,
}

impl<R> WithoutTags<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, held: Vec::new(), ended: false }
    }
}

impl<R: Read> Read for WithoutTags<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut piece = [0; HELD_BACK_BYTES];
        while !self.ended && self.held.len() <= HELD_BACK_BYTES {
            let count = self.inner.read(&mut piece)?;
            self.held.extend_from_slice(&piece[..count]);
            if count == 0 {
                self.ended = true;
                let mut rest = ByteSource::memory(std::mem::take(&mut self.held));
                cut_back(&mut rest)?;
                rest.into_reader()?.read_to_end(&mut self.held)?;
            }
        }
        let kept = if self.ended { 0 } else { HELD_BACK_BYTES };
        let count = (self.held.len() - kept).min(buffer.len());
        buffer[..count].copy_from_slice(&self.held[..count]);
        self.held.drain(..count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn id3v2(body: usize) -> Vec<u8> {
        let size = [body >> 21, body >> 14, body >> 7, body].map(|part| (part & 127) as u8);
        [b"ID3\x04\0\0", &size[..], &vec![7; body]].concat()
    }

    fn ape(items: usize, has_header: bool) -> Vec<u8> {
        let flags = if has_header { 1u32 << 31 } else { 0 };
        let size = (items + APE_HEADER_BYTES) as u32;
        let head = |flags: u32| {
            let fields = [2_000u32, size, 1, flags, 0, 0];
            let fields: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
            [b"APETAGEX", &fields[..]].concat()
        };
        let header = if has_header { head(flags | 1 << 29) } else { Vec::new() };
        [header, vec![9; items], head(flags)].concat()
    }

    fn left(mut source: ByteSource) -> Vec<u8> {
        let mut bytes = Vec::new();
        skip_front(&mut source).unwrap();
        cut_back(&mut source).unwrap();
        source.into_reader().unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn tags_of_any_size_are_left_out() {
        let id3v1 = [&b"TAG"[..], &[0; 125]].concat();
        let lyrics = b"LYRICSBEGIN some words000022LYRICS200".to_vec();
        let fronts = [vec![], id3v2(10), id3v2(2_000_000), [id3v2(300), vec![0; 1_500]].concat()];
        let backs = [vec![], id3v1.clone(), [ape(70, true), id3v1].concat(), ape(9, false)];
        for front in &fronts {
            for back in backs.iter().chain([&lyrics]) {
                let file = [front.as_slice(), b"sound", back].concat();
                let found = left(ByteSource::memory(file));
                assert_eq!(found, b"sound", "{} {}", front.len(), back.len());
            }
        }
    }

    #[test]
    fn a_tag_that_says_to_have_no_bytes_is_left_out() {
        let mut tag = ape(0, false);
        let size = tag.len() - APE_HEADER_BYTES + 12;
        tag[size..size + 4].fill(0);
        assert_eq!(left(ByteSource::memory([b"sound", &tag[..]].concat())), b"sound");
    }

    #[test]
    fn a_stream_ends_before_its_tags() {
        for len in [0, 5, 2_047, 2_048, 10_000] {
            let sound = vec![1; len];
            let file = [sound.clone(), ape(70, true), b"TAG".to_vec(), vec![0; 125]].concat();
            let mut found = Vec::new();
            WithoutTags::new(Cursor::new(file)).read_to_end(&mut found).unwrap();
            // A tag alone is no recording, and stays.
            let wanted = if len == 0 { ape(70, true).len() } else { len };
            assert_eq!(found.len(), wanted, "{len}");
        }
    }
}
