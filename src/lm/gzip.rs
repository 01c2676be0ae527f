//! Files packed by gzip (RFC 1952), as tools for language models write and read them.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

const MAGIC: [u8; 3] = [0x1F, 0x8B, 8];
const HEADER_BYTES: usize = 10;
/// Checksum and length behind the packed data.
const TRAILER_BYTES: usize = 8;

const CHECKSUM_IN_HEADER: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;

const PIECE_BYTES: usize = 64 << 10;
/// The most bytes that all unpack to, by those that are packed: text does not pack better.
const MOST_RATIO: usize = 64;
/// What little may unpack to.
const LEAST_LIMIT: usize = 16 << 20;

pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Unpacks all members, one after the other.
pub(super) fn unpack(mut packed: &[u8]) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let most = packed.len().saturating_mul(MOST_RATIO).max(LEAST_LIMIT);
    while is_gzip(packed) {
        let begin = unpacked.len();
        let body = after_header(packed).ok_or_else(truncated)?;
        let rest = unpack_member(body, &mut unpacked, most)?;
        let trailer = rest.get(..TRAILER_BYTES).ok_or_else(truncated)?;
        let stated = u32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]);
        if crc32fast::hash(&unpacked[begin..]) != stated {
            return Err("its gzip checksum is wrong; copy or download it again".to_owned());
        }
        packed = &rest[TRAILER_BYTES..];
    }
    Ok(unpacked)
}

/// Appends one member's data, up to `most` bytes in all, and gives what stands behind it.
fn unpack_member<'a>(
    mut packed: &'a [u8],
    unpacked: &mut Vec<u8>,
    most: usize,
) -> Result<&'a [u8], String> {
    let mut state = InflateState::new_boxed(DataFormat::Raw);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let result = inflate(&mut state, packed, &mut piece, MZFlush::None);
        packed = &packed[result.bytes_consumed..];
        unpacked.extend_from_slice(&piece[..result.bytes_written]);
        if unpacked.len() > most {
            return Err(format!("unpacks to more than {most} bytes; unpack it with gzip first"));
        }
        match result.status {
            Ok(MZStatus::StreamEnd) => return Ok(packed),
            Ok(_) if result.bytes_consumed + result.bytes_written > 0 => {}
            Ok(_) | Err(MZError::Buf) => return Err(truncated()),
            Err(_) => return Err("its gzip data are damaged".to_owned()),
        }
    }
}

fn after_header(packed: &[u8]) -> Option<&[u8]> {
    let flags = *packed.get(3)?;
    let mut rest = packed.get(HEADER_BYTES..)?;
    if flags & EXTRA != 0 {
        let length = usize::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
        rest = rest.get(2 + length..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|&byte| byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & CHECKSUM_IN_HEADER != 0 { rest.get(2..) } else { Some(rest) }
}

fn truncated() -> String {
    "its gzip data are truncated; copy or download it again".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(data: &[u8], flags: u8, fields: &[u8]) -> Vec<u8> {
        let header = [&MAGIC[..], &[flags, 0, 0, 0, 0, 0, 3], fields].concat();
        let packed = miniz_oxide::deflate::compress_to_vec(data, 6);
        let crc = crc32fast::hash(data).to_le_bytes();
        [header, packed, crc.to_vec(), (data.len() as u32).to_le_bytes().to_vec()].concat()
    }

    #[test]
    fn members_are_unpacked_whatever_their_headers_have() {
        let long = b"\\data\\ and so on ".repeat(20_000);
        assert_eq!(unpack(&member(&long, 0, b"")).unwrap(), long);
        let named = member(b"one", EXTRA | NAME | CHECKSUM_IN_HEADER, b"\x02\0abname\0\0\0");
        let both = [named, member(b"two", COMMENT, b"why\0")].concat();
        assert_eq!(unpack(&both).unwrap(), b"onetwo");
    }

    #[test]
    fn a_bomb_is_refused() {
        let packed = member(&vec![b' '; LEAST_LIMIT + 1], 0, b"");
        assert!(packed.len() < LEAST_LIMIT / 500);
        let error = unpack(&packed).unwrap_err();
        assert!(error.contains("unpacks to more than"), "{error}");
    }

    #[test]
    fn cuts_and_damage_are_noticed() {
        let packed = member(&b"some words ".repeat(100), NAME, b"name\0");
        for end in 3..packed.len() {
            assert!(unpack(&packed[..end]).is_err(), "{end}");
        }
        let mut damaged = packed.clone();
        let at = packed.len() - 7;
        damaged[at] ^= 1;
        assert!(unpack(&damaged).unwrap_err().contains("checksum"));
    }
}
