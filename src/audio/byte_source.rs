//! The bytes of a recording, looked at from the front before a decoder takes them over.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use symphonia::core::io::{MediaSource, ReadOnlySource};

/// What can be read at any position.
pub(super) trait ReadSeek: Read + Seek + Send + Sync {}

impl<T: Read + Seek + Send + Sync> ReadSeek for T {}

/// The bytes that are left of a file or a stream.
///
/// All positions count from the first byte that has not been skipped.
pub(super) struct ByteSource {
    bytes: Bytes,
}

enum Bytes {
    /// From `start` up to `end` of what can be read at any position.
    Seekable { inner: Box<dyn ReadSeek>, start: u64, end: u64 },
    /// What can be read once; `head` has been read and not been skipped.
    Stream { reader: Box<dyn Read + Send + Sync>, head: Vec<u8> },
}

impl ByteSource {
    /// Takes a file from its current position on. A pipe or a device counts as a stream.
    pub(super) fn file(mut file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(Self::stream(file));
        }
        let start = file.stream_position()?;
        let end = metadata.len().max(start);
        Ok(Self { bytes: Bytes::Seekable { inner: Box::new(file), start, end } })
    }

    /// Takes bytes that are in memory as a whole.
    pub(super) fn memory(bytes: Vec<u8>) -> Self {
        let end = bytes.len() as u64;
        Self { bytes: Bytes::Seekable { inner: Box::new(Cursor::new(bytes)), start: 0, end } }
    }

    /// Takes what can be read once.
    pub(super) fn stream(reader: impl Read + Send + Sync + 'static) -> Self {
        Self { bytes: Bytes::Stream { reader: Box::new(reader), head: Vec::new() } }
    }

    pub(super) fn is_stream(&self) -> bool {
        matches!(self.bytes, Bytes::Stream { .. })
    }

    /// The number of bytes, where it is known.
    pub(super) fn len(&self) -> Option<u64> {
        match &self.bytes {
            Bytes::Seekable { start, end, .. } => Some(end - start),
            Bytes::Stream { .. } => None,
        }
    }

    /// Up to `count` bytes from `at` on; fewer only before the end. They stay to be read.
    pub(super) fn peek(&mut self, at: u64, count: usize) -> io::Result<Vec<u8>> {
        match &mut self.bytes {
            Bytes::Seekable { inner, start, end } => {
                let from = start.saturating_add(at).min(*end);
                inner.seek(SeekFrom::Start(from))?;
                let mut bytes = Vec::new();
                inner.take((*end - from).min(count as u64)).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
            Bytes::Stream { reader, head } => {
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                let wanted = at.saturating_add(count);
                let missing = wanted.saturating_sub(head.len());
                reader.take(missing as u64).read_to_end(head)?;
                Ok(head[at.min(head.len())..wanted.min(head.len())].to_vec())
            }
        }
    }

    /// Leaves out the next `count` bytes.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<()> {
        match &mut self.bytes {
            Bytes::Seekable { start, end, .. } => *start = start.saturating_add(count).min(*end),
            Bytes::Stream { reader, head } => {
                let held = count.min(head.len() as u64);
                head.drain(..held as usize);
                io::copy(&mut reader.take(count - held), &mut io::sink())?;
            }
        }
        Ok(())
    }

    /// Leaves out what stands behind the next `len` bytes.
    pub(super) fn truncate(&mut self, len: u64) {
        match &mut self.bytes {
            Bytes::Seekable { start, end, .. } => *end = (*end).min(start.saturating_add(len)),
            Bytes::Stream { reader, head } => {
                let left = len.saturating_sub(head.len() as u64);
                head.truncate(usize::try_from(len).unwrap_or(usize::MAX));
                let whole = std::mem::replace(reader, Box::new(io::empty()));
                *reader = Box::new(whole.take(left));
            }
        }
    }

    /// Puts an adapter between a stream and its readers.
    pub(super) fn wrap<R: Read + Send + Sync + 'static>(
        self,
        wrap: impl FnOnce(Box<dyn Read + Send + Sync>) -> R,
    ) -> Self {
        match self.bytes {
            Bytes::Stream { reader, head } => {
                let whole = Box::new(Cursor::new(head).chain(reader));
                Self::stream(wrap(whole))
            }
            bytes => Self { bytes },
        }
    }

    /// Everything that is left, to be read once.
    pub(super) fn into_reader(self) -> io::Result<Box<dyn Read + Send + Sync>> {
        match self.bytes {
            Bytes::Seekable { mut inner, start, end } => {
                inner.seek(SeekFrom::Start(start))?;
                Ok(Box::new(inner.take(end - start)))
            }
            Bytes::Stream { reader, head } => Ok(Box::new(Cursor::new(head).chain(reader))),
        }
    }

    /// The same bytes, to be read once.
    pub(super) fn into_stream(self) -> io::Result<Self> {
        self.into_reader().map(Self::stream)
    }

    /// Everything that is left behind the bytes of `prefix`, for a demuxer.
    pub(super) fn into_media(self, prefix: Vec<u8>) -> io::Result<Box<dyn MediaSource>> {
        match self.bytes {
            Bytes::Seekable { inner, start, end } => {
                Ok(Box::new(Window { prefix, inner, start, len: end - start, position: 0 }))
            }
            Bytes::Stream { .. } => {
                let reader = Cursor::new(prefix).chain(self.into_reader()?);
                Ok(Box::new(ReadOnlySource::new(reader)))
            }
        }
    }
}

/// Bytes of its own, then a part of a file, as one file.
struct Window {
    prefix: Vec<u8>,
    inner: Box<dyn ReadSeek>,
    /// The part's position and length.
    start: u64,
    len: u64,
    /// The next byte's position in the whole.
    position: u64,
}

impl Window {
    fn whole_len(&self) -> u64 {
        self.prefix.len() as u64 + self.len
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let prefix_len = self.prefix.len() as u64;
        let count = if self.position < prefix_len {
            (&self.prefix[self.position as usize..]).read(buffer)?
        } else {
            let within = self.position - prefix_len;
            let left = self.len.saturating_sub(within).min(buffer.len() as u64) as usize;
            let at = self.start + within;
            if self.inner.stream_position()? != at {
                self.inner.seek(SeekFrom::Start(at))?;
            }
            self.inner.read(&mut buffer[..left])?
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.whole_len().checked_add_signed(by),
        };
        let target = target.ok_or(io::ErrorKind::InvalidInput)?;
        self.position = target.min(self.whole_len());
        Ok(self.position)
    }
}

impl MediaSource for Window {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.whole_len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(bytes: &[u8]) -> [ByteSource; 2] {
        [ByteSource::memory(bytes.to_vec()), ByteSource::stream(Cursor::new(bytes.to_vec()))]
    }

    #[test]
    fn bytes_that_were_looked_at_are_read_all_the_same() {
        for mut source in both(b"0123456789") {
            assert_eq!(source.peek(2, 3).unwrap(), b"234");
            assert_eq!(source.peek(8, 9).unwrap(), b"89");
            assert_eq!(source.peek(11, 2).unwrap(), b"");
            source.skip(4).unwrap();
            assert_eq!(source.peek(0, 2).unwrap(), b"45");
            source.truncate(5);
            let mut left = Vec::new();
            source.into_media(b"ab".to_vec()).unwrap().read_to_end(&mut left).unwrap();
            assert_eq!(left, b"ab45678");
        }
    }

    #[test]
    fn a_window_is_a_file_of_its_own() {
        let mut source = ByteSource::memory(b"xx0123yy".to_vec());
        source.skip(2).unwrap();
        source.truncate(4);
        let mut window = source.into_media(b"ab".to_vec()).unwrap();
        assert_eq!(window.byte_len(), Some(6));
        assert_eq!(window.seek(SeekFrom::End(-2)).unwrap(), 4);
        let mut left = Vec::new();
        window.read_to_end(&mut left).unwrap();
        assert_eq!(left, b"23");
        assert!(window.seek(SeekFrom::Current(-7)).is_err());
    }
}
