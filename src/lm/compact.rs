//! What the compact forms of models of text have in common: a header that shows damage, and the
//! reading of what follows it.
//!
//! ```text
//! magic, version, length of the body, CRC-32 of the body, body; all integers little-endian
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;

/// How what stays of a file is held.
pub(crate) type Keep<'a> = fn(&'a [u8]) -> Cow<'static, [u8]>;

/// One kind of file.
pub(crate) struct Format {
    pub magic: &'static [u8; 8],
    pub version: u32,
    /// What to do with a file of another version.
    pub remedy: &'static str,
}

/// What is left to read of a body.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    keep: Keep<'a>,
}

impl Format {
    /// Magic, version, length, checksum.
    pub const HEADER_BYTES: usize = 8 + 4 + 8 + 4;

    /// Whether the bytes begin as such a file does.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(self.magic)
    }

    /// The file with this body.
    pub fn file(&self, body: &[u8]) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend((body.len() as u64).to_le_bytes());
        bytes.extend(crc32fast::hash(body).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    /// The body of a file that [is one](Self::is_of); the error says what does not fit.
    pub fn open<'a>(&self, bytes: &'a [u8], keep: Keep<'a>) -> Result<Reader<'a>, String> {
        let Some((header, body)) = bytes.split_at_checked(Self::HEADER_BYTES) else {
            return Err(truncated(bytes.len(), Self::HEADER_BYTES as u64));
        };
        let mut header = Reader { rest: &header[self.magic.len()..], keep };
        let (version, length, checksum) = (header.u32()?, header.u64()?, header.u32()?);
        if version != self.version {
            let Self { version: own, remedy, .. } = self;
            return Err(format!(
                "is of version {version}; this program reads version {own}; {remedy}"
            ));
        }
        match (body.len() as u64).cmp(&length) {
            Ordering::Less => {
                let expected = length.saturating_add(Self::HEADER_BYTES as u64);
                return Err(truncated(bytes.len(), expected));
            }
            Ordering::Greater => return Err("goes on after its end".to_owned()),
            Ordering::Equal => {}
        }
        match crc32fast::hash(body) == checksum {
            true => Ok(Reader { rest: body, keep }),
            false => Err("is damaged: its checksum does not fit".to_owned()),
        }
    }
}

fn truncated(bytes: usize, expected: u64) -> String {
    format!("is truncated: {bytes} bytes of {expected}")
}

/// The error of a body that was written so.
pub(crate) fn contradiction(what: &str) -> String {
    format!("contradicts itself in its {what}")
}

impl<'a> Reader<'a> {
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| contradiction("length"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// Bytes that stay.
    pub fn kept(&mut self, count: usize) -> Result<Cow<'static, [u8]>, String> {
        Ok((self.keep)(self.take(count)?))
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (&array, rest) =
            self.rest.split_first_chunk().ok_or_else(|| contradiction("length"))?;
        self.rest = rest;
        Ok(array)
    }

    pub fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64, String> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Refuses what follows the last that belongs to the body.
    pub fn finish(self) -> Result<(), String> {
        if self.rest.is_empty() { Ok(()) } else { Err(contradiction("length")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: Format = Format { magic: b"mynah-xx", version: 3, remedy: "make it anew" };

    fn open(bytes: &[u8]) -> Result<Reader<'_>, String> {
        FORMAT.open(bytes, |bytes| Cow::Owned(bytes.to_vec()))
    }

    #[test]
    fn a_body_comes_back() {
        let file = FORMAT.file(&[1, 0, 0, 0, 7]);
        assert!(FORMAT.is_of(&file) && !FORMAT.is_of(b"mynah-yy"));
        let mut reader = open(&file).unwrap();
        assert_eq!(reader.u32(), Ok(1));
        assert_eq!(reader.kept(1).unwrap()[..], [7]);
        assert_eq!(reader.take(1), Err("contradicts itself in its length".to_owned()));
        assert_eq!(reader.finish(), Ok(()));
        assert!(open(&file).unwrap().finish().is_err());
    }

    #[test]
    fn damages_are_distinguished() {
        let file = FORMAT.file(b"words");
        let error = |bytes: &[u8]| open(bytes).map(|_| ()).unwrap_err();
        assert_eq!(error(&file[..20]), "is truncated: 20 bytes of 24");
        assert_eq!(error(&file[..28]), "is truncated: 28 bytes of 29");
        assert_eq!(error(&[&file[..], &[0]].concat()), "goes on after its end");
        let mut other = file.clone();
        other[26] ^= 1;
        assert_eq!(error(&other), "is damaged: its checksum does not fit");
        let mut other = file;
        other[8] = 9;
        assert_eq!(error(&other), "is of version 9; this program reads version 3; make it anew");
    }
}
