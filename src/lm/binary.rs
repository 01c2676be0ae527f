//! The compact form of a model: what memory holds, with numbers in 8 bits.
//!
//! ```text
//! magic, version, length of the body, CRC-32 of the body; all integers little-endian
//! body: order, ids of <s> </s> <unk>, words (front-coded), then per order
//!       its count, packed words, codebook and codes of log-probabilities, the same of back-offs,
//!       bits of the spans
//! ```

use std::borrow::Cow;

use super::words::Words;
use super::{Level, Markup, NgramModel, PackedInts, Spans, Tables, Values, WordId};

const MAGIC: &[u8; 8] = b"mynah-lm";
const VERSION: u32 = 1;
/// Magic, version, length, checksum.
const HEADER_BYTES: usize = 8 + 4 + 8 + 4;

/// How what stays of the file is held.
type Keep<'a> = fn(&'a [u8]) -> Cow<'static, [u8]>;

/// Words one after another, and where each ends: less memory than a vector of each.
#[derive(Default)]
struct Spelled {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Spelled {
    fn slices(&self) -> Vec<&[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end]).collect()
    }
}

/// What is left to read.
struct Reader<'a> {
    rest: &'a [u8],
    keep: Keep<'a>,
}

pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Writes a model.
pub(super) fn bytes(tables: &Tables) -> Vec<u8> {
    let mut body = Vec::new();
    let Markup { begin, end, unknown } = tables.markup;
    put(&mut body, tables.levels.len() as u32);
    [begin, end, unknown].iter().for_each(|id| put(&mut body, id.0));
    put_words(&mut body, &tables.lexicon.spelled());
    for level in &tables.levels {
        put(&mut body, level.log_probs.len() as u32);
        put(&mut body, level.words.bits);
        body.extend(level.words.words.as_bytes());
        put_values(&mut body, &level.log_probs);
        put_values(&mut body, &level.backoffs);
        put(&mut body, level.children.bits().len() as u32);
        body.extend(level.children.bits().as_bytes());
    }
    let mut bytes = MAGIC.to_vec();
    put(&mut bytes, VERSION);
    bytes.extend((body.len() as u64).to_le_bytes());
    put(&mut bytes, crc32fast::hash(&body));
    bytes.extend(body);
    bytes
}

/// Reads a model and copies what it keeps; the error says what does not fit.
pub(super) fn parse(bytes: &[u8]) -> Result<Tables, String> {
    read(bytes, |bytes| Cow::Owned(bytes.to_vec()))
}

/// Reads a model that stays where it is, and is used there.
#[cfg(feature = "builtin-model")]
pub(super) fn parse_in_place(bytes: &'static [u8]) -> Result<Tables, String> {
    read(bytes, Cow::Borrowed)
}

fn read<'a>(bytes: &'a [u8], keep: Keep<'a>) -> Result<Tables, String> {
    let length = bytes.len();
    let mut reader = Reader { rest: bytes, keep };
    let header = reader.take(HEADER_BYTES).ok_or_else(|| truncated(length, HEADER_BYTES as u64))?;
    let mut header = Reader { rest: &header[MAGIC.len()..], keep };
    let (version, body_bytes, checksum) = (header.u32()?, header.u64()?, header.u32()?);
    if version != VERSION {
        return Err(format!(
            "is of version {version}; this program reads version {VERSION}; convert the ARPA file anew"
        ));
    }
    match (reader.rest.len() as u64).cmp(&body_bytes) {
        std::cmp::Ordering::Less => {
            return Err(truncated(length, body_bytes.saturating_add(HEADER_BYTES as u64)));
        }
        std::cmp::Ordering::Greater => return Err("goes on after its end".to_owned()),
        std::cmp::Ordering::Equal => {}
    }
    if crc32fast::hash(reader.rest) != checksum {
        return Err("is damaged: its checksum does not fit".to_owned());
    }
    body(&mut reader)
}

fn truncated(bytes: usize, expected: u64) -> String {
    format!("is truncated: {bytes} bytes of {expected}")
}

fn contradiction(what: &str) -> String {
    format!("contradicts itself in its {what}")
}

fn body(reader: &mut Reader) -> Result<Tables, String> {
    let order = reader.u32()? as usize;
    if !(1..=NgramModel::MAX_ORDER).contains(&order) {
        return Err(contradiction("order"));
    }
    let ids = [reader.u32()?, reader.u32()?, reader.u32()?];
    let words = reader.words()?;
    let words = words.slices();
    if ids.iter().any(|&id| id as usize >= words.len()) {
        return Err(contradiction("words"));
    }
    let [begin, end, unknown] = ids.map(WordId);
    let mut levels = Vec::new();
    let mut span_bits = Vec::new();
    for index in 0..order {
        let (level, bits) = reader.level(index > 0, index + 1 < order)?;
        levels.push(level);
        span_bits.push(bits);
    }
    if levels[0].log_probs.len() != words.len() {
        return Err(contradiction("1-grams"));
    }
    for (index, bits) in span_bits.into_iter().enumerate().take(order - 1) {
        let (owners, elements) = (levels[index].log_probs.len(), levels[index + 1].log_probs.len());
        levels[index].children = Spans::from_bits(owners, elements, bits)
            .ok_or_else(|| contradiction(&format!("{}-grams", index + 2)))?;
    }
    match reader.rest {
        [] => Ok(Tables::new(&words, Markup { begin, end, unknown }, levels)),
        _ => Err(contradiction("length")),
    }
}

fn put(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_le_bytes());
}

/// Each word as the bytes shared with the one before, those that follow, and these.
fn put_words(out: &mut Vec<u8>, words: &[Vec<u8>]) {
    put(out, words.len() as u32);
    let mut before: &[u8] = &[];
    for word in words {
        let shared = before.iter().zip(word).take(255).take_while(|(a, b)| a == b).count();
        out.extend([shared as u8, (word.len() - shared) as u8]);
        out.extend(&word[shared..]);
        before = word;
    }
}

fn put_values(out: &mut Vec<u8>, values: &Values) {
    if values.len() == 0 {
        return;
    }
    let coded = match values {
        Values::Exact(_) => &values.coded(),
        Values::Coded { .. } => values,
    };
    if let Values::Coded { codebook, codes } = coded {
        codebook.iter().for_each(|value| out.extend(value.to_le_bytes()));
        out.extend_from_slice(codes);
    }
}

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let taken = self.rest.split_first_chunk();
        let (&array, rest) = taken.ok_or_else(|| contradiction("length"))?;
        self.rest = rest;
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, String> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn u64s(&mut self, count: usize) -> Result<Words, String> {
        let bytes = count.checked_mul(8).and_then(|bytes| self.take(bytes));
        Ok(Words::new((self.keep)(bytes.ok_or_else(|| contradiction("length"))?)))
    }

    /// The words, which must ascend.
    fn words(&mut self) -> Result<Spelled, String> {
        let wrong = || contradiction("words");
        let mut words = Spelled::default();
        let mut before = 0..0;
        for _ in 0..self.u32()? {
            let [shared, rest] = self.array()?.map(usize::from);
            let rest = self.take(rest).ok_or_else(wrong)?;
            if shared > before.len() {
                return Err(wrong());
            }
            let start = words.bytes.len();
            words.bytes.extend_from_within(before.start..before.start + shared);
            words.bytes.extend(rest);
            let word = start..words.bytes.len();
            let ascends = words.bytes[word.clone()] > words.bytes[before];
            if !ascends || word.len() > NgramModel::MAX_WORD_BYTES {
                return Err(wrong());
            }
            words.ends.push(word.end);
            before = word;
        }
        Ok(words)
    }

    /// One length's n-grams without their spans, and the spans' bits.
    fn level(&mut self, has_words: bool, has_backoffs: bool) -> Result<(Level, Words), String> {
        let wrong = || contradiction("n-grams");
        let len = self.u32()? as usize;
        let bits = self.u32()?;
        let words = match has_words {
            true if (1..=u32::BITS).contains(&bits) => {
                let words = self.u64s(PackedInts::words_for(len, bits))?;
                PackedInts { bits, len, words }
            }
            true => return Err(wrong()),
            false => PackedInts::default(),
        };
        let log_probs = self.values(len)?;
        let backoffs = self.values(if has_backoffs { len } else { 0 })?;
        let span_words = self.u32()? as usize;
        let spans = self.u64s(span_words)?;
        Ok((Level { words, log_probs, backoffs, children: Spans::default() }, spans))
    }

    fn values(&mut self, len: usize) -> Result<Values, String> {
        if len == 0 {
            return Ok(Values::Exact(Vec::new()));
        }
        let mut codebook = Box::new([0.0; 256]);
        for value in codebook.iter_mut() {
            *value = f32::from_le_bytes(self.array()?);
            if !value.is_finite() {
                return Err(contradiction("codebooks"));
            }
        }
        let codes = self.take(len).ok_or_else(|| contradiction("length"))?;
        Ok(Values::Coded { codebook, codes: (self.keep)(codes) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples;
    use super::*;

    fn sample() -> Vec<u8> {
        bytes(&samples::model().0)
    }

    #[test]
    fn the_few_numbers_of_the_sample_come_back_exactly() {
        let (model, read) = (samples::model(), NgramModel(parse(&sample()).unwrap().into()));
        assert_eq!(bytes(&read.0), sample());
        let words = ["A", "B", "AB", "BA", "X"];
        let ids = words.map(|word| model.word_id(word).unwrap_or(model.unknown()));
        for number in 0..5usize.pow(4) {
            let (mut state, mut other) = (model.begin(), read.begin());
            for position in 0..4 {
                let word = ids[number / 5usize.pow(position) % 5];
                let (expected, found) = (model.score(&state, word), read.score(&other, word));
                assert_eq!(found.0, expected.0);
                (state, other) = (expected.1, found.1);
            }
        }
    }

    #[test]
    fn damage_is_told_apart() {
        let bytes = sample();
        let len = bytes.len();
        let error = |bytes: &[u8]| parse(bytes).unwrap_err();
        assert_eq!(error(&bytes[..20]), "is truncated: 20 bytes of 24");
        assert_eq!(error(&bytes[..len - 1]), format!("is truncated: {} bytes of {len}", len - 1));
        assert_eq!(error(&[&bytes[..], &[0]].concat()), "goes on after its end");
        let mut other = bytes.clone();
        other[len - 9] ^= 1;
        assert_eq!(error(&other), "is damaged: its checksum does not fit");
        let mut other = bytes;
        other[8] = 9;
        assert_eq!(
            error(&other),
            "is of version 9; this program reads version 1; convert the ARPA file anew"
        );
    }

    proptest! {
        /// Also a file whose checksum was made to fit is refused or usable.
        #[test]
        fn no_content_makes_it_panic(place in 24usize..sample().len(), value: u8, cut in 0usize..3) {
            let mut body = sample()[HEADER_BYTES..].to_vec();
            body[place - HEADER_BYTES] = value;
            body.truncate(body.len() - cut);
            let mut file = MAGIC.to_vec();
            put(&mut file, VERSION);
            file.extend((body.len() as u64).to_le_bytes());
            put(&mut file, crc32fast::hash(&body));
            file.extend(body);
            if let Ok(tables) = parse(&file) {
                let model = NgramModel(tables.into());
                let mut state = model.begin();
                for word in ["A", "B", "AB", "BA", "A"] {
                    let id = model.word_id(word).unwrap_or(model.unknown());
                    state = model.score(&state, id).1;
                }
                model.end(&state);
            }
        }
    }
}
