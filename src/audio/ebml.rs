//! Whether a Matroska file that is read once ends where its elements do: its demuxer takes a cut for the end.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

/// The longest identifier and size of an element, in bytes.
const HEADER_BYTES: usize = 4 + 8;

/// The identifiers of elements that are looked into.
const SEGMENT: u64 = 0x1853_8067;
const CLUSTER: u64 = 0x1F43_B675;

/// What a file lacks that ends within an element; empty until its end has been read.
#[derive(Clone, Debug, Default)]
pub(super) struct Cut(Arc<OnceLock<String>>);

/// A reader of Matroska that notes an end within an element. It is no error of reading: a demuxer reads ahead, and
/// what came before is to be recognized.
pub(super) struct WholeElements<R> {
    inner: R,
    elements: Elements,
    cut: Cut,
}

/// Follows the elements of a file from its first byte on.
#[derive(Debug, Default)]
struct Elements {
    /// The bytes so far.
    position: u64,
    /// Of an element's header, until it is whole.
    header: Vec<u8>,
    /// Where the next header begins.
    next: u64,
    /// Where the segment ends, if it says so.
    end: u64,
    /// Whether the elements can't be followed any more.
    is_lost: bool,
}

/// An element's header.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    id: u64,
    /// `None` of an element that ends where another begins.
    size: Option<u64>,
}

impl<R> WholeElements<R> {
    pub(super) fn new(inner: R, cut: Cut) -> Self {
        Self { inner, elements: Elements::default(), cut }
    }
}

impl Cut {
    pub(super) fn reason(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

impl<R: Read> Read for WholeElements<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.elements.follow(&buffer[..count]);
        if let Some(missing) = self.elements.missing()
            && count == 0
            && !buffer.is_empty()
        {
            self.cut.0.get_or_init(|| missing);
        }
        Ok(count)
    }
}

impl Elements {
    fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_lost {
            let skipped = (self.next - self.position).min(bytes.len() as u64);
            self.position += skipped;
            bytes = &bytes[skipped as usize..];
            let Some((&byte, rest)) = bytes.split_first() else { return };
            self.header.push(byte);
            (self.position, self.next, bytes) = (self.position + 1, self.next + 1, rest);
            match Header::parse(&self.header) {
                Some(header) => self.enter(&header),
                None => self.is_lost = self.header.len() >= HEADER_BYTES,
            }
        }
    }

    /// Goes to the element's content, or behind it.
    fn enter(&mut self, header: &Header) {
        self.header.clear();
        match *header {
            Header { id: SEGMENT, size } => {
                self.end = size.map_or(0, |size| self.position.saturating_add(size));
            }
            Header { size: Some(size), .. } => self.next = self.position.saturating_add(size),
            Header { id: CLUSTER, size: None } => {}
            Header { size: None, .. } => self.is_lost = true,
        }
    }

    /// What an end here would mean, unless it is whole.
    fn missing(&self) -> Option<String> {
        if self.is_lost {
            return None;
        }
        let (there, whole) = (self.position, self.end.max(self.next));
        if there < whole {
            return Some(format!("the file is cut short: {there} of {whole} bytes are there"));
        }
        let is_torn = !self.header.is_empty();
        is_torn.then(|| format!("the file is cut short after {there} bytes"))
    }
}

impl Header {
    /// `None` if it goes on behind these bytes, or is none.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let id_bytes = bytes.first()?.leading_zeros() as usize + 1;
        let id = bytes.get(..id_bytes).filter(|_| id_bytes <= 4)?;
        let size_bytes = bytes.get(id_bytes)?.leading_zeros() as usize + 1;
        let size = bytes.get(id_bytes..id_bytes + size_bytes).filter(|_| size_bytes <= 8)?;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        // The first bit that is set gives the length; if all behind it are set, the size is unknown.
        let all = (1 << (7 * size_bytes)) - 1;
        let size = number(size) & all;
        Some(Self { id: number(id), size: (size != all).then_some(size) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the file lacks.
    fn missing(bytes: &[u8]) -> Option<String> {
        let (cut, mut read) = (Cut::default(), Vec::new());
        WholeElements::new(bytes, cut.clone()).read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
        cut.reason().map(str::to_owned)
    }

    /// A header of EBML, a segment with a size of one byte, and in it a void element of three bytes and a cluster.
    fn file(segment_size: u8, cluster_size: u8) -> Vec<u8> {
        let ebml = [0x1A, 0x45, 0xDF, 0xA3, 0x82, 1, 2];
        let segment = [0x18, 0x53, 0x80, 0x67, segment_size];
        let cluster = [0x1F, 0x43, 0xB6, 0x75, cluster_size, 0xA3, 0x84, 9, 9, 9, 9];
        [&ebml[..], &segment, &[0xEC, 0x81, 0], &cluster].concat()
    }

    #[test]
    fn headers_have_numbers_of_any_length() {
        let header = |id, size| Some(Header { id, size });
        assert_eq!(Header::parse(&[0xEC, 0x83]), header(0xEC, Some(3)));
        assert_eq!(Header::parse(&[0x42, 0x86, 0x41, 2]), header(0x4286, Some(0x102)));
        assert_eq!(Header::parse(&[0x42, 0x86, 0xFF]), header(0x4286, None));
        let unknown = [0x18, 0x53, 0x80, 0x67, 1, 255, 255, 255, 255, 255, 255, 255];
        assert_eq!(Header::parse(&unknown), header(SEGMENT, None));
        assert_eq!(Header::parse(&unknown[..11]), None);
        assert_eq!(Header::parse(&[0; 12]), None);
    }

    #[test]
    fn a_file_that_ends_with_its_elements_is_whole() {
        for (segment, cluster) in [(0x8E, 0x86), (0xFF, 0x86), (0x8E, 0xFF), (0xFF, 0xFF)] {
            let bytes = file(segment, cluster);
            assert_eq!(missing(&bytes), None);
            // Another one behind it.
            assert_eq!(missing(&[bytes.clone(), bytes].concat()), None);
        }
    }

    #[test]
    fn a_file_that_ends_before_its_elements_is_not() {
        let reason = missing(&file(0x8E, 0x86)[..20]);
        assert_eq!(reason.as_deref(), Some("the file is cut short: 20 of 26 bytes are there"));
        // A recording of unknown length is whole after any block.
        let live = file(0xFF, 0xFF);
        for (len, is_whole) in [(12, true), (15, true), (17, false), (20, true), (22, false)] {
            assert_eq!(missing(&live[..len]).is_none(), is_whole, "{len}");
        }
    }

    #[test]
    fn what_is_no_matroska_is_followed_no_further() {
        assert_eq!(missing(&[0; 100]), None);
        assert_eq!(missing(&[0x42, 0x86, 0xFF, 1, 2, 3]), None);
    }
}
