//! What a recording is, found from its first bytes.

use std::io;

use super::byte_source::ByteSource;
use super::mpeg_frame::{MpegCodec, MpegFrame};
use super::riff::Riff;

/// Files are searched so far for frames of MPEG audio, streams only as far as `STREAM_BYTES`:
/// a microphone's raw samples arrive at 32 kB in a second.
const FILE_BYTES: usize = 256 << 10;
const STREAM_BYTES: usize = 8 << 10;

/// A form of recorded sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Wav,
    Flac,
    Ogg,
    Mpeg,
    Adts,
    Mp4,
    Matroska,
    Aiff,
    Caf,
}

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Sound, from this position on.
    Kind(Kind, u64),
    /// No sound that can be read: what it is instead.
    Other(&'static str),
    Unknown,
}

/// First bytes at a position, and what they stand for.
const OTHERS: [(usize, &[u8], &str); 32] = [
    (0, b"\x89PNG", "a picture (PNG)"),
    (0, b"\xFF\xD8\xFF", "a picture (JPEG)"),
    (0, b"GIF8", "a picture (GIF)"),
    (8, b"WEBP", "a picture (WebP)"),
    (0, b"II*\0", "a picture (TIFF)"),
    (0, b"MM\0*", "a picture (TIFF)"),
    (0, b"8BPS", "a picture (Photoshop)"),
    (4, b"ftypheic", "a picture (HEIC)"),
    (4, b"ftypmif1", "a picture (HEIF)"),
    (4, b"ftypavif", "a picture (AVIF)"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"{\\rtf", "an RTF document"),
    (0, b"\xD0\xCF\x11\xE0", "an Office document"),
    (0, b"PK\x03\x04", "a ZIP archive or a document"),
    (0, b"PK\x05\x06", "a ZIP archive"),
    (0, b"\x1F\x8B", "compressed by gzip"),
    (0, b"BZh", "compressed by bzip2"),
    (0, b"\xFD7zXZ", "compressed by xz"),
    (0, b"\x28\xB5\x2F\xFD", "compressed by zstd"),
    (0, b"7z\xBC\xAF", "a 7-Zip archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"\x7FELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"SQLite format 3", "a database"),
    (8, b"AVI ", "an AVI video, which can't be read"),
    (0, b"FLV\x01", "a Flash video, which can't be read"),
    (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media (WMA, WMV), which can't be read"),
    (0, b"#!AMR", "AMR, which can't be read"),
    (0, b"MThd", "MIDI: notes, no sound"),
    (0, b"RIFX", "a WAV file with big-endian numbers, which can't be read"),
    (0, b".snd", "an AU file, which can't be read"),
];

/// The first boxes of MP4 and QuickTime files.
const MP4_BOXES: [&[u8; 4]; 7] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"];

impl Found {
    /// Looks at what follows the tags. Frames without a header are looked for if `with_frames`.
    pub(super) fn of(source: &mut ByteSource, with_frames: bool) -> io::Result<Self> {
        let head = source.peek(0, 64)?;
        if let Some(kind) = kind_by_magic(&head) {
            return Ok(Self::Kind(kind, 0));
        }
        let other = |&&(at, magic, _): &&(usize, &[u8], &str)| {
            head.get(at..).is_some_and(|head| head.starts_with(magic))
        };
        // Two bytes alone may be anything; programs have zeros behind them, compressed data a method.
        if let Some((_, _, what)) = OTHERS.iter().find(other).filter(|_| is_certain(&head)) {
            return Ok(Self::Other(what));
        }
        let searched = if source.is_stream() { STREAM_BYTES } else { FILE_BYTES };
        let bytes = source.peek(0, searched)?;
        let is_all = bytes.len() < searched;
        if with_frames && let Some((at, codec)) = MpegFrame::find(&bytes, is_all) {
            let kind = if codec == MpegCodec::Adts { Kind::Adts } else { Kind::Mpeg };
            return Ok(Self::Kind(kind, at as u64));
        }
        Ok(if is_text(&bytes) { Self::Other("text") } else { Self::Unknown })
    }
}

fn kind_by_magic(head: &[u8]) -> Option<Kind> {
    let brand = head.get(4..12).unwrap_or_default();
    let is_picture = [b"ftypheic", b"ftypmif1", b"ftypavif"].iter().any(|b| brand == b.as_slice());
    match head {
        _ if Riff::is_riff(head) => Some(Kind::Wav),
        [b'f', b'L', b'a', b'C', ..] => Some(Kind::Flac),
        [b'O', b'g', b'g', b'S', ..] => Some(Kind::Ogg),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => Some(Kind::Matroska),
        [b'c', b'a', b'f', b'f', 0, 1, ..] => Some(Kind::Caf),
        _ if head.starts_with(b"FORM") && matches!(head.get(8..12), Some(b"AIFF" | b"AIFC")) => {
            Some(Kind::Aiff)
        }
        _ if MP4_BOXES.iter().any(|name| brand.starts_with(*name)) && !is_picture => {
            Some(Kind::Mp4)
        }
        _ => None,
    }
}

fn is_certain(head: &[u8]) -> bool {
    match head {
        [b'M', b'Z', ..] => head.len() >= 64 && head[60..64] != [0; 4] && head[62..64] == [0; 2],
        [0x1F, 0x8B, method, ..] => *method == 8,
        _ => true,
    }
}

/// Whether the bytes are text in UTF-8, perhaps cut within a character, or in UTF-16 with its mark.
fn is_text(bytes: &[u8]) -> bool {
    if bytes.len() < 4 {
        return false;
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        let zeros = bytes.iter().filter(|byte| **byte == 0).count();
        return zeros * 3 > bytes.len();
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() => {
            std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let is_control =
        |c: &char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}');
    !text.is_empty() && !text.chars().any(|c| is_control(&c))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn found(bytes: &[u8]) -> Found {
        let kinds =
            [ByteSource::memory(bytes.to_vec()), ByteSource::stream(Cursor::new(bytes.to_vec()))]
                .map(|mut source| Found::of(&mut source, true).unwrap());
        assert_eq!(kinds[0], kinds[1]);
        kinds[0]
    }

    #[test]
    fn every_kind_has_its_beginning() {
        for (head, kind) in [
            (&b"RIFF\0\0\0\0WAVEfmt "[..], Kind::Wav),
            (b"BW64\xFF\xFF\xFF\xFFWAVEds64", Kind::Wav),
            (b"fLaC\0\0\0\x22", Kind::Flac),
            (b"OggS\0\x02", Kind::Ogg),
            (b"\0\0\0\x1CftypM4A ", Kind::Mp4),
            (b"\0\0\0\x08wide\0\0\0\0mdat", Kind::Mp4),
            (b"\x1A\x45\xDF\xA3\x01", Kind::Matroska),
            (b"FORM\0\0\0\0AIFFCOMM", Kind::Aiff),
            (b"caff\0\x01\0\0desc", Kind::Caf),
        ] {
            assert_eq!(found(head), Found::Kind(kind, 0), "{head:?}");
        }
    }

    #[test]
    fn what_is_no_sound_has_a_name() {
        let texts =
            ["Dear diary, today I recorded nothing.\n", "Größe: 5 €\r\n", "<!DOCTYPE html>"];
        for text in texts {
            assert_eq!(found(text.repeat(400).as_bytes()), Found::Other("text"), "{text}");
        }
        let utf16: Vec<u8> = "\u{feff}Hello".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(found(&utf16), Found::Other("text"));
        assert_eq!(found(b"\x89PNG\r\n\x1A\n"), Found::Other("a picture (PNG)"));
        assert_eq!(
            found(b"RIFF\0\0\0\0AVI LIST"),
            Found::Other("an AVI video, which can't be read")
        );
        assert_eq!(found(b"\0\0\0\x18ftypheic"), Found::Other("a picture (HEIC)"));
    }

    #[test]
    fn samples_are_nothing_known() {
        let sample = |i: i32| ((f64::from(i) * 0.05).sin() * 9_000.0) as i16;
        let samples: Vec<u8> = (0..4_000).flat_map(|i| sample(i).to_le_bytes()).collect();
        assert_eq!(found(&samples), Found::Unknown);
        assert_eq!(found(&[0; 9_000]), Found::Unknown);
        assert_eq!(found(b""), Found::Unknown);
        assert_eq!(found(b"RI"), Found::Unknown);
    }
}
