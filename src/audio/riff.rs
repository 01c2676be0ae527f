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
mod tests;
