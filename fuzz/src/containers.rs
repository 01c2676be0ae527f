//! Mutations of recordings that keep most of a container whole: without them nearly all inputs end at the first
//! length that does not fit.

use std::ops::Range;

/// Sizes and counts at which readers go wrong.
const NUMBERS: [u32; 16] = [
    0,
    1,
    2,
    3,
    7,
    8,
    15,
    16,
    255,
    256,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    u32::MAX,
];

/// Boxes of MP4 that hold others.
const PARENTS: [&[u8; 4]; 8] =
    [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex"];

/// Pages of Ogg begin so.
const OGG_PAGE: &[u8] = b"OggS";
const OGG_CHECKSUM: Range<usize> = 22..26;

/// A container's chunk, box, block or page.
#[derive(Clone, Debug)]
struct Unit {
    all: Range<usize>,
    /// Where its size stands.
    size: Range<usize>,
}

/// A small generator of numbers; libFuzzer gives the seed.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % below.max(1)
    }
}

/// Changes one unit of a recording that begins at `start`, and gives the new size; `None` if it has no units or the
/// result is longer than `bytes`.
pub fn mutate_recording(bytes: &mut [u8], size: usize, start: usize, seed: u32) -> Option<usize> {
    let mut file = bytes.get(start..size)?.to_vec();
    let mut numbers = Numbers(seed | 1);
    let units = units(&file);
    let unit = units.get(numbers.next(units.len()))?.clone();
    let number = NUMBERS[numbers.next(NUMBERS.len())];
    let number = if numbers.next(2) == 0 { number.to_le_bytes() } else { number.to_be_bytes() };
    match numbers.next(6) {
        0 => {
            let number = &number[..unit.size.len().min(4)];
            file[unit.size.clone()][..number.len()].copy_from_slice(number);
        }
        1 => {
            // Fields stand near a unit's beginning.
            let at = unit.all.start + numbers.next(unit.all.len().min(64));
            let width = [1, 2, 4][numbers.next(3)].min(unit.all.end - at);
            file[at..at + width].copy_from_slice(&number[..width]);
        }
        2 => drop(file.drain(unit.all)),
        3 => {
            let copy = file[unit.all.clone()].to_vec();
            let at = units[numbers.next(units.len())].all.start;
            file.splice(at..at, copy);
        }
        4 => file.truncate(unit.all.start + numbers.next(unit.all.len())),
        _ => {
            let other = units[numbers.next(units.len())].all.clone();
            let copy = file[other].to_vec();
            file.splice(unit.all, copy);
        }
    }
    if numbers.next(4) > 0 {
        mend_checksums(&mut file);
    }
    let place = bytes.get_mut(start..start + file.len())?;
    place.copy_from_slice(&file);
    Some(start + file.len())
}

fn units(file: &[u8]) -> Vec<Unit> {
    match file {
        [b'R' | b'B', b'I' | b'F' | b'W', b'F' | b'6', b'F' | b'4', ..] => chunks(file, 12, false),
        [b'F', b'O', b'R', b'M', ..] => chunks(file, 12, true),
        [b'f', b'L', b'a', b'C', ..] => flac_blocks(file),
        [b'O', b'g', b'g', b'S', ..] => ogg_pages(file),
        [b'c', b'a', b'f', b'f', ..] => caf_chunks(file),
        [_, _, _, _, b'f' | b'm' | b'w', ..] => {
            let mut boxes = Vec::new();
            mp4_boxes(file, 0..file.len(), &mut boxes);
            boxes
        }
        _ => Vec::new(),
    }
}

fn number(file: &[u8], at: usize, is_big_endian: bool) -> Option<usize> {
    let bytes: [u8; 4] = file.get(at..at + 4)?.try_into().ok()?;
    let number = if is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    Some(number as usize)
}

/// Chunks of a name and a size, of RIFF and AIFF.
fn chunks(file: &[u8], first: usize, is_big_endian: bool) -> Vec<Unit> {
    let mut units = vec![Unit { all: 0..first.min(file.len()), size: 4..8 }];
    let mut at = first;
    while let Some(length) = number(file, at + 4, is_big_endian) {
        let end = (at + 8).saturating_add(length).min(file.len());
        units.push(Unit { all: at..end, size: at + 4..at + 8 });
        at = end + length % 2;
    }
    units.retain(|unit| unit.size.end <= file.len());
    units
}

fn caf_chunks(file: &[u8]) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut at = 8;
    while let Some(length) = number(file, at + 8, true) {
        let end = (at + 12).saturating_add(length).min(file.len());
        units.push(Unit { all: at..end, size: at + 8..at + 12 });
        at = end;
    }
    units
}

/// Blocks of metadata, and all that follows as one more.
fn flac_blocks(file: &[u8]) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut at = 4;
    while let Some(header) = number(file, at, true) {
        let end = (at + 4 + (header & 0xFF_FFFF)).min(file.len());
        units.push(Unit { all: at..end, size: at + 1..at + 4 });
        at = end;
        if header >> 31 == 1 {
            break;
        }
    }
    if at + 4 < file.len() {
        units.push(Unit { all: at..file.len(), size: at..at + 4 });
    }
    units
}

fn ogg_pages(file: &[u8]) -> Vec<Unit> {
    let is_page = |at: &usize| file[*at..].starts_with(OGG_PAGE) && at + 28 <= file.len();
    let starts: Vec<_> = (0..file.len()).filter(is_page).collect();
    let ends = starts.iter().copied().skip(1).chain([file.len()]);
    let pages = starts.iter().zip(ends);
    pages.map(|(&start, end)| Unit { all: start..end, size: start + 26..start + 28 }).collect()
}

fn mp4_boxes(file: &[u8], within: Range<usize>, units: &mut Vec<Unit>) {
    let mut at = within.start;
    while at + 8 <= within.end {
        let Some(length) = number(file, at, true) else { return };
        let end = if length < 8 { within.end } else { (at + length).min(within.end) };
        units.push(Unit { all: at..end, size: at..at + 4 });
        if PARENTS.iter().any(|name| file[at + 4..].starts_with(*name)) {
            mp4_boxes(file, at + 8..end, units);
        }
        at = end;
    }
}

/// Makes the checksums of Ogg's pages fit again.
fn mend_checksums(file: &mut [u8]) {
    if !file.starts_with(OGG_PAGE) {
        return;
    }
    for page in ogg_pages(file) {
        let Some(&segments) = file.get(page.all.start + 26) else { return };
        let table = page.all.start + 27..page.all.start + 27 + usize::from(segments);
        let Some(lengths) = file.get(table.clone()) else { return };
        let end = table.end + lengths.iter().map(|&length| usize::from(length)).sum::<usize>();
        let Some(bytes) = file.get_mut(page.all.start..end) else { return };
        bytes[OGG_CHECKSUM].fill(0);
        let checksum = ogg_checksum(bytes).to_le_bytes();
        bytes[OGG_CHECKSUM].copy_from_slice(&checksum);
    }
}

/// CRC-32 without reflection, of the polynomial 0x04C11DB7.
fn ogg_checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc: u32, &byte| {
        (0..8).fold(crc ^ (u32::from(byte) << 24), |crc, _| {
            (crc << 1) ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
        })
    })
}

/// Ends the program where the units or checksums of the tests' recordings are not found.
///
/// # Panics
///
/// Then, which no input can cause.
pub fn check() {
    let ogg = include_bytes!("../../tests/data/audio/tone.ogg");
    let mut mended = ogg.to_vec();
    mend_checksums(&mut mended);
    assert_eq!(mended, ogg, "the checksums of Ogg");
    let others: [&[u8]; 4] = [
        include_bytes!("../../tests/data/audio/tone.m4a"),
        include_bytes!("../../tests/data/audio/tone.flac"),
        include_bytes!("../../tests/data/audio/tone.aiff"),
        include_bytes!("../../tests/data/audio/tone.caf"),
    ];
    assert!(others.into_iter().chain([&ogg[..]]).all(|file| units(file).len() > 2));
}
