//! WAV files with headers of all kinds.

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
    let ds64 = [&b"ds64"[..], &[28, 0, 0, 0], &(n + 72).to_le_bytes(), &n.to_le_bytes(), &[0; 12]];
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
    let extensible = [&[0xFE, 0xFF], &format()[2..], &[22, 0, 16, 0, 0, 0, 0, 0], &guid].concat();
    assert_eq!(Format::read(&extensible).unwrap().chunk(), format());
}
