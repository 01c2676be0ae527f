//! Headers of WAV and its kin (RF64, BW64, W64), with lengths that can't be trusted.
//!
//! Recorders that are switched off, pipes and converters leave wrong lengths. What the header says
//! is therefore held against the bytes that are there, and the demuxer gets a header of one plain form.

use std::io;

use super::byte_source::ByteSource;

/// Lengths from which on they mean "unknown": writers to a pipe put them there.
const PLACEHOLDER: u64 = 0x7FFF_0000;
/// A data chunk in the middle of more bytes than these was not closed.
const UNCLOSED_SECONDS: u64 = 1;
/// Chunks before the samples take no more than this.
const LONGEST_HEADER: u64 = 64 << 20;
/// A chunk whose length is wrong is looked through this far for the samples.
const SEARCHED_BYTES: usize = 1 << 20;

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const ALAW: u16 = 6;
const MULAW: u16 = 7;
const EXTENSIBLE: u16 = 0xFFFE;

/// W64 names its chunks by GUIDs that begin with RIFF's names; `riff` alone has another ending.
const W64_GUID_END: [u8; 12] =
    [0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A];
const W64_RIFF_END: [u8; 12] =
    [0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00];

/// How chunks are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Riff,
    /// 64-bit lengths stand in a chunk of their own.
    Rf64,
    /// Names of 16 bytes, lengths of 8 that count their own chunk's header, chunks at multiples of 8.
    W64,
}

/// Where the samples of a WAV file are, and what they are.
pub(super) struct Riff {
    /// The position of the first sample.
    pub data_at: u64,
    /// The length of the samples in bytes; unknown in a stream whose header does not give it.
    pub data_len: Option<u64>,
    /// The length that the header gives, where more bytes than there are.
    pub promised_len: Option<u64>,
    /// What was wrong with the header.
    pub mended: Option<String>,
    format: Format,
}

/// The format chunk.
#[derive(Clone, Debug)]
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    block: u16,
    /// The chunk as it is.
    chunk: Vec<u8>,
}

/// One chunk's header.
struct Chunk {
    name: [u8; 4],
    body_at: u64,
    body_len: u64,
}

impl Riff {
    /// Whether a file with these first bytes is one.
    pub(super) fn is_riff(head: &[u8]) -> bool {
        Form::of(head).is_some()
    }

    /// Reads up to the samples; the inner error says what is wrong with the header.
    pub(super) fn read(source: &mut ByteSource) -> io::Result<Result<Self, String>> {
        let head = source.peek(0, 40)?;
        let Some(form) = Form::of(&head) else { return Ok(Err("no WAV header".to_owned())) };
        let (mut at, mut format, mut long_len, mut mended) = (form.first_chunk(), None, None, None);
        while at < LONGEST_HEADER {
            let Some(chunk) = form.chunk(source, at)? else { break };
            match &chunk.name {
                b"data" => {
                    let Some(format) = format else {
                        return Ok(Err("its format chunk is missing".to_owned()));
                    };
                    let riff = Self {
                        data_at: chunk.body_at,
                        data_len: None,
                        promised_len: None,
                        mended,
                        format,
                    };
                    return riff.measured(source, form, &head, chunk.body_len, long_len).map(Ok);
                }
                b"fmt " => {
                    let bytes = source.peek(chunk.body_at, chunk.body_len.min(1 << 12) as usize)?;
                    match Format::read(&bytes) {
                        Ok(read) => format = Some(read),
                        Err(reason) => return Ok(Err(reason)),
                    }
                }
                b"ds64" if form == Form::Rf64 => {
                    let bytes = source.peek(chunk.body_at, 16)?;
                    long_len = bytes.get(8..16).map(le);
                }
                _ => {}
            }
            at = match form.next_chunk(source, &chunk)? {
                Next::Chunk(at) => at,
                Next::Mended(at) => {
                    mended = Some("the length of a chunk before the samples is wrong".to_owned());
                    at
                }
                Next::None => break,
            };
        }
        Ok(Err("it has no samples".to_owned()))
    }

    /// Finds out how long the samples are.
    fn measured(
        mut self,
        source: &mut ByteSource,
        form: Form,
        head: &[u8],
        stated: u64,
        long: Option<u64>,
    ) -> io::Result<Self> {
        let stated = match (form, long) {
            (Form::Rf64, Some(long)) if stated >= PLACEHOLDER || stated == 0 => long,
            _ => stated,
        };
        let there = source.len().map(|len| len.saturating_sub(self.data_at));
        let unknown = stated >= PLACEHOLDER && form == Form::Riff;
        let riff_len = le(head.get(4..8).unwrap_or_default());
        let open = if stated == 0 {
            !form.is_chunk(source, self.data_at)?
        } else {
            unknown && there.is_none_or(|there| stated > there)
        };
        if open {
            self.data_len = there;
            let follows = !source.peek(self.data_at, 1)?.is_empty();
            // A pipe can't have a length; a file should.
            if follows && (stated == 0 || there.is_some()) {
                self.mend(format!("it gives {stated} bytes of samples; read to the end"));
            }
            return Ok(self);
        }
        let Some(there) = there else {
            self.data_len = Some(stated);
            return Ok(self);
        };
        self.data_len = Some(stated.min(there));
        if stated > there {
            self.promised_len = Some(stated);
        } else if self.goes_on(source, form, stated, there)? {
            self.data_len = Some(there);
            self.mend(format!("it gives {stated} of {there} bytes of samples; read to the end"));
        } else if form == Form::Riff && riff_len + 8 < self.data_at + stated {
            self.mend(format!("it gives a length of {riff_len} bytes, less than its samples take"));
        }
        Ok(self)
    }

    /// Whether samples go on behind the data chunk, as when a length was never brought up to date.
    fn goes_on(
        &self,
        source: &mut ByteSource,
        form: Form,
        len: u64,
        there: u64,
    ) -> io::Result<bool> {
        let second = u64::from(self.format.rate) * u64::from(self.format.block);
        if there - len < (second * UNCLOSED_SECONDS).max(1) {
            return Ok(false);
        }
        let end = self.data_at + len;
        Ok(!form.is_chunk(source, end)? && !form.is_chunk(source, end + len % 2)?)
    }

    fn mend(&mut self, what: String) {
        self.mended.get_or_insert(what);
    }

    /// Frames of all channels in so many bytes, where every frame takes as many.
    pub(super) fn frames_in(&self, bytes: u64) -> Option<u64> {
        let is_plain = matches!(self.format.tag, PCM | FLOAT | ALAW | MULAW);
        is_plain.then(|| bytes / u64::from(self.format.block))
    }

    /// Whether the samples are MPEG audio.
    pub(super) fn is_mpeg(&self) -> bool {
        matches!(self.format.tag, 0x50 | 0x55)
    }

    /// A header of plain form, to be put before the samples: their length is where they end.
    pub(super) fn plain_header(&self) -> Vec<u8> {
        let format = self.format.chunk();
        let mut header = b"RIFF\xFF\xFF\xFF\xFFWAVEfmt ".to_vec();
        header.extend((format.len() as u32).to_le_bytes());
        header.extend(format);
        header.extend(b"data\xFF\xFF\xFF\xFF");
        header
    }
}

impl Format {
    fn read(chunk: &[u8]) -> Result<Self, String> {
        if chunk.len() < 16 {
            return Err("its format chunk is too short".to_owned());
        }
        let field = |at: usize| u16::from_le_bytes([chunk[at], chunk[at + 1]]);
        let (tag, channels, bits) = (field(0), field(2), field(14));
        let tag = match (tag, chunk.get(24..26)) {
            (EXTENSIBLE, Some(sub)) => u16::from_le_bytes([sub[0], sub[1]]),
            _ => tag,
        };
        let rate = le(&chunk[4..8]) as u32;
        if rate == 0 || channels == 0 {
            return Err(format!("its header gives {rate} Hz and {channels} channels"));
        }
        let stated = field(12);
        let block = match tag {
            PCM | FLOAT | ALAW | MULAW => {
                // The width of a container of, say, 20 bits follows from the block.
                let least = channels.saturating_mul(bits.div_ceil(8).max(1));
                if stated % channels == 0 && stated >= least { stated } else { least }
            }
            _ => stated,
        };
        Ok(Self { tag, channels, rate, block: block.max(1), chunk: chunk.to_vec() })
    }

    /// The chunk in the form that the demuxer reads.
    fn chunk(&self) -> Vec<u8> {
        if !matches!(self.tag, PCM | FLOAT | ALAW | MULAW) {
            return self.chunk.clone();
        }
        let bits = (self.block / self.channels).saturating_mul(8);
        let bytes_per_second = self.rate.saturating_mul(u32::from(self.block));
        let mut chunk = Vec::new();
        chunk.extend(self.tag.to_le_bytes());
        chunk.extend(self.channels.to_le_bytes());
        chunk.extend(self.rate.to_le_bytes());
        chunk.extend(bytes_per_second.to_le_bytes());
        chunk.extend(self.block.to_le_bytes());
        chunk.extend(bits.to_le_bytes());
        if matches!(self.tag, ALAW | MULAW) {
            chunk.extend([0, 0]);
        }
        chunk
    }
}

/// Where the next chunk begins.
enum Next {
    Chunk(u64),
    /// Found although the chunk before it has a wrong length.
    Mended(u64),
    None,
}

impl Form {
    fn of(head: &[u8]) -> Option<Self> {
        match (head.get(..4)?, head.get(8..12)?) {
            (b"RIFF", b"WAVE") => Some(Self::Riff),
            (b"RF64" | b"BW64", b"WAVE") => Some(Self::Rf64),
            (b"riff", _) if head.get(4..16) == Some(&W64_RIFF_END) => Some(Self::W64),
            _ => None,
        }
    }

    fn first_chunk(self) -> u64 {
        if self == Self::W64 { 40 } else { 12 }
    }

    /// The header of the chunk at `at`; none if it is not all there.
    fn chunk(self, source: &mut ByteSource, at: u64) -> io::Result<Option<Chunk>> {
        let header_len = if self == Self::W64 { 24 } else { 8 };
        let header = source.peek(at, header_len)?;
        if header.len() < header_len {
            return Ok(None);
        }
        let stated = le(&header[header_len - if self == Self::W64 { 8 } else { 4 }..]);
        let own = if self == Self::W64 { header_len as u64 } else { 0 };
        let name = [header[0], header[1], header[2], header[3]];
        let body_len = stated.saturating_sub(own);
        Ok(Some(Chunk { name, body_at: at + header_len as u64, body_len }))
    }

    fn next_chunk(self, source: &mut ByteSource, chunk: &Chunk) -> io::Result<Next> {
        let end = chunk.body_at.saturating_add(chunk.body_len);
        let padded = match self {
            Self::W64 => {
                return Ok(end.checked_next_multiple_of(8).map_or(Next::None, Next::Chunk));
            }
            _ => end.saturating_add(chunk.body_len % 2),
        };
        // Some writers leave out the byte that makes a length even; it is 0 otherwise.
        let is_near = end <= LONGEST_HEADER || !source.is_stream();
        let is_unpadded = is_near && padded != end && source.peek(end, 1)? != [0];
        if is_unpadded && self.is_chunk(source, end)? {
            return Ok(Next::Mended(end));
        }
        if self.is_chunk(source, padded)? {
            return Ok(Next::Chunk(padded));
        }
        let searched = source.peek(chunk.body_at, SEARCHED_BYTES)?;
        let found = searched.windows(4).position(|name| name == b"data");
        Ok(found.map_or(Next::None, |at| Next::Mended(chunk.body_at + at as u64)))
    }

    /// Whether a chunk may begin here: four letters, and a length that fits into what follows.
    fn is_chunk(self, source: &mut ByteSource, at: u64) -> io::Result<bool> {
        if at > LONGEST_HEADER && source.is_stream() {
            return Ok(false);
        }
        let Some(chunk) = self.chunk(source, at)? else { return Ok(false) };
        let is_name =
            chunk.name.iter().all(|byte| byte.is_ascii_alphanumeric() || b" _-".contains(byte));
        let fits =
            source.len().is_none_or(|len| chunk.body_at.saturating_add(chunk.body_len) <= len);
        let is_long = chunk.name == *b"data" || &chunk.name == b"RIFF";
        let is_w64 = self != Self::W64 || source.peek(at + 4, 12)? == W64_GUID_END;
        Ok(is_name && (fits || is_long) && is_w64)
    }
}

/// A little-endian number of up to eight bytes.
fn le(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::*;

    const SAMPLES: usize = 64_000;

    fn format() -> Vec<u8> {
        let mut chunk = Vec::new();
        chunk.extend([1u16, 1].iter().flat_map(|field| field.to_le_bytes()));
        chunk.extend([16_000u32, 32_000].iter().flat_map(|field| field.to_le_bytes()));
        chunk.extend([2u16, 16].iter().flat_map(|field| field.to_le_bytes()));
        chunk
    }

    fn wav(riff: u32, extra: &[u8], data: u32, behind: &[u8]) -> Vec<u8> {
        let samples: Vec<u8> = (0..SAMPLES).map(|i| (i * 7 % 251) as u8 | 0x80).collect();
        [
            &b"RIFF"[..],
            &riff.to_le_bytes(),
            b"WAVEfmt \x10\0\0\0",
            &format(),
            extra,
            b"data",
            &data.to_le_bytes(),
            &samples,
            behind,
        ]
        .concat()
    }

    fn read(bytes: &[u8]) -> [Riff; 2] {
        [ByteSource::memory(bytes.to_vec()), ByteSource::stream(Cursor::new(bytes.to_vec()))]
            .map(|mut source| Riff::read(&mut source).unwrap().unwrap())
    }

    #[test]
    fn no_length_keeps_the_reader_from_its_end() {
        // Of W64, the greatest length of a chunk there can be.
        let mut w64 = [&b"riff"[..], &W64_RIFF_END, &[0; 8], b"wave", &W64_GUID_END].concat();
        w64.extend([&b"junk"[..], &W64_GUID_END, &[255; 8], &[0; 64]].concat());
        for mut source in [ByteSource::memory(w64.clone()), ByteSource::stream(Cursor::new(w64))] {
            assert!(Riff::read(&mut source).unwrap().is_err());
        }
        // In a stream without an end, a chunk that says to take 4 GB.
        let header = b"RIFF\xFF\xFF\xFF\xFFWAVELIST\xFF\xFF\xFF\xFF".to_vec();
        let mut endless = ByteSource::stream(Cursor::new(header).chain(io::repeat(1)));
        assert!(Riff::read(&mut endless).unwrap().is_err());
    }

    #[test]
    fn a_block_of_any_size_has_a_plain_header() {
        let mut chunk = format();
        chunk[12..14].fill(255);
        assert_eq!(Format::read(&chunk).unwrap().chunk()[12..], [255; 4]);
    }

    #[test]
    fn right_headers_are_taken_as_they_are() {
        let n = SAMPLES as u32;
        let list = b"LIST\x05\0\0\0INFOx\0";
        for (bytes, data_at) in [(wav(36 + n, b"", n, b""), 44), (wav(64 + n, list, n, list), 58)] {
            for riff in read(&bytes) {
                assert_eq!((riff.data_at, riff.data_len), (data_at, Some(u64::from(n))));
                assert_eq!((riff.mended, riff.promised_len), (None, None));
            }
        }
    }

    #[test]
    fn wrong_lengths_are_mended() {
        let n = SAMPLES as u32;
        let odd = b"LIST\x0D\0\0\0INFOICMT\x01\0\0\0x";
        let huge = b"LIST\xFF\xFF\xFF\x7FINFO";
        let cases = [
            wav(0x7FFF_FFFF, b"", 0x7FFF_FFFF, b""),
            wav(u32::MAX, b"", u32::MAX, b""),
            wav(28 + n, b"", n, b""),
            wav(0, b"", n, b""),
            wav(36 + n, b"", 0, b""),
            wav(0, b"", 0, b""),
            wav(36, b"", 0, b""),
            wav(36 + 1_000, b"", 1_000, b""),
            wav(36 + n, odd, n, b""),
            wav(36 + n, huge, n, b""),
        ];
        for (case, bytes) in cases.iter().enumerate() {
            let mut source = ByteSource::memory(bytes.clone());
            let riff = Riff::read(&mut source).unwrap().unwrap();
            assert_eq!(riff.data_len, Some(u64::from(n)), "case {case}");
            assert_eq!(riff.data_at, bytes.len() as u64 - u64::from(n), "case {case}");
            assert!(riff.mended.is_some(), "case {case}");
        }
    }

    #[test]
    fn a_recording_without_samples_is_not_taken_for_an_unfinished_one() {
        let n = SAMPLES as u32;
        let behind = [&b"LIST"[..], &n.to_le_bytes(), &vec![0x20; SAMPLES]].concat();
        let mut bytes = wav(44 + n, b"", 0, b"");
        bytes.truncate(44);
        bytes.extend(behind);
        for riff in read(&bytes) {
            assert_eq!((riff.data_len, riff.mended), (Some(0), None));
        }
    }

    #[test]
    fn a_cut_is_not_taken_for_a_wrong_length() {
        let n = SAMPLES as u32;
        let mut bytes = wav(36 + n, b"", n, b"");
        bytes.truncate(30_000);
        let [riff, _] = read(&bytes);
        assert_eq!((riff.data_len, riff.promised_len), (Some(29_956), Some(u64::from(n))));
    }

    #[test]
    fn long_forms_give_the_same_samples() {
        let n = SAMPLES as u64;
        let samples = vec![0x91; SAMPLES];
        let ds64 =
            [&b"ds64"[..], &[28, 0, 0, 0], &(n + 72).to_le_bytes(), &n.to_le_bytes(), &[0; 12]];
        let rf64 = [
            &b"BW64\xFF\xFF\xFF\xFFWAVE"[..],
            &ds64.concat(),
            b"fmt \x10\0\0\0",
            &format(),
            b"data\xFF\xFF\xFF\xFF",
            &samples,
        ];
        let w64_chunk = |name: &[u8; 4], body: &[u8]| {
            let len = body.len() as u64 + 24;
            [&name[..], &W64_GUID_END, &len.to_le_bytes(), body].concat()
        };
        let w64 = [
            &b"riff"[..],
            &W64_RIFF_END,
            &(n + 104).to_le_bytes(),
            b"wave",
            &W64_GUID_END,
            &w64_chunk(b"fmt ", &format()),
            &w64_chunk(b"data", &samples),
        ];
        for (bytes, data_at) in [(rf64.concat(), 80), (w64.concat(), 104)] {
            for riff in read(&bytes) {
                assert_eq!((riff.data_at, riff.data_len), (data_at, Some(n)));
                assert_eq!((riff.mended, riff.promised_len), (None, None));
            }
        }
    }

    #[test]
    fn the_plain_header_follows_from_the_block() {
        let mut chunk = format();
        chunk[12..16].copy_from_slice(&[3, 0, 20, 0]); // 20 bits in three bytes
        let plain = Format::read(&chunk).unwrap().chunk();
        assert_eq!((plain.len(), &plain[12..16]), (16, &[3, 0, 24, 0][..]));
        let guid = [[1, 0].as_slice(), &[0; 14]].concat();
        let extensible =
            [&[0xFE, 0xFF], &format()[2..], &[22, 0, 16, 0, 0, 0, 0, 0], &guid].concat();
        assert_eq!(Format::read(&extensible).unwrap().chunk(), format());
    }
}
