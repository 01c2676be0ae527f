//! MP4 from a pipe or cut short: its index must come before its sound, or all of it into memory.

use std::io::{self, Read};

use super::byte_source::ByteSource;

/// The most that is held in memory for an index at the end.
const LONGEST_BYTES: u64 = 256 << 20;

/// What the boxes of a file say of how it can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Layout {
    /// The index stands before the sound, as in files written with `-movflags +faststart`.
    is_streamable: bool,
    /// The sound goes on behind the last byte.
    is_cut: bool,
}

impl Layout {
    fn of(source: &mut ByteSource) -> io::Result<Self> {
        let (mut at, mut layout) = (0u64, Self::default());
        while at < LONGEST_BYTES {
            let header = source.peek(at, 16)?;
            if header.len() < 8 {
                break;
            }
            let size = header[..4].iter().fold(0, |size, &byte| size << 8 | u64::from(byte));
            let size = match (size, header.get(8..16)) {
                (1, Some(long)) => long.iter().fold(0, |size, &byte| size << 8 | u64::from(byte)),
                _ => size,
            };
            let end = at.saturating_add(size.max(8));
            match &header[4..8] {
                b"moov" | b"moof" => layout.is_streamable = true,
                b"mdat" => {
                    layout.is_cut = source.len().is_some_and(|len| end > len);
                    break;
                }
                _ => {}
            }
            at = end;
            if layout.is_streamable && source.is_stream() {
                break;
            }
        }
        Ok(layout)
    }
}

/// Takes all of a stream into memory if it can't be decoded as it comes; reads what is left of a
/// file that is cut as a stream.
pub(super) fn arranged(mut source: ByteSource) -> io::Result<Result<ByteSource, String>> {
    let layout = Layout::of(&mut source)?;
    if layout.is_cut && layout.is_streamable {
        return source.into_stream().map(Ok);
    }
    if layout.is_streamable { Ok(Ok(source)) } else { in_memory(source) }
}

/// Takes all of a stream into memory.
pub(super) fn in_memory(source: ByteSource) -> io::Result<Result<ByteSource, String>> {
    if !source.is_stream() {
        return Ok(Ok(source));
    }
    let mut bytes = Vec::new();
    source.into_reader()?.take(LONGEST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_BYTES {
        return Ok(Err(format!(
            "its index is behind its sound, which takes more than {} MiB; give the file itself, or \
             write it with `ffmpeg -movflags +faststart`",
            LONGEST_BYTES >> 20
        )));
    }
    Ok(Ok(ByteSource::memory(bytes)))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn mp4(names: &[&[u8; 4]]) -> ByteSource {
        let boxes = names.iter().flat_map(|name| [&[0, 0, 0, 16], &name[..], &[0; 8]].concat());
        ByteSource::stream(Cursor::new(boxes.collect::<Vec<u8>>()))
    }

    #[test]
    fn an_index_at_the_end_takes_the_stream_into_memory() {
        let streamed = arranged(mp4(&[b"ftyp", b"moov", b"mdat"])).unwrap().unwrap();
        assert!(streamed.is_stream());
        let held = arranged(mp4(&[b"ftyp", b"free", b"mdat", b"moov"])).unwrap().unwrap();
        assert_eq!(held.len(), Some(64));
    }
}
