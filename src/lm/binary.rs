//! The compact form of a model: what memory holds, with numbers in 8 bits.
//!
//! ```text
//! header (`compact.rs`)
//! body: order, ids of <s> </s> <unk>, words (front-coded), then per order
//!       its count, packed words, codebook and codes of log-probabilities, the same of back-offs,
//!       bits of the spans
//! ```

use std::borrow::Cow;

use super::blocks::Blocks;
use super::{Level, Markup, NgramModel, PackedInts, SelectVector, Tables, Values, WordId};
use crate::lm::compact::{Format, Keep, Reader, contradiction};

const FORMAT: Format =
    Format { magic: b"mynah-lm", version: 1, remedy: "convert the ARPA file anew" };

/// The most bytes of all words: each is written in as few as three, whatever it shares with the one before.
const MOST_SPELLED_BYTES: usize = 1 << 28;

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

pub(super) fn is_binary(bytes: &[u8]) -> bool {
    FORMAT.is_of(bytes)
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
    FORMAT.file(&body)
}

/// Reads a model and copies what it keeps; the error says what does not fit.
pub(super) fn parse(bytes: &[u8]) -> Result<Tables, String> {
    read(bytes, |bytes| Cow::Owned(bytes.to_vec()))
}

/// Reads a model that stays where it is, and is used there.
#[cfg(builtin_model)]
pub(super) fn parse_in_place(bytes: &'static [u8]) -> Result<Tables, String> {
    read(bytes, Cow::Borrowed)
}

fn read<'a>(bytes: &'a [u8], keep: Keep<'a>) -> Result<Tables, String> {
    let mut reader = FORMAT.open(bytes, keep)?;
    let tables = body(&mut reader)?;
    reader.finish()?;
    Ok(tables)
}

fn body(reader: &mut Reader) -> Result<Tables, String> {
    let order = reader.u32()? as usize;
    if !(1..=NgramModel::MAX_ORDER).contains(&order) {
        return Err(contradiction("order"));
    }
    let ids = [reader.u32()?, reader.u32()?, reader.u32()?];
    let words = spelled(reader)?;
    let words = words.slices();
    if ids.iter().any(|&id| id as usize >= words.len()) {
        return Err(contradiction("words"));
    }
    let [begin, end, unknown] = ids.map(WordId);
    let mut levels = Vec::new();
    let mut span_bits = Vec::new();
    for index in 0..order {
        let (level, bits) = level(reader, index > 0, index + 1 < order)?;
        levels.push(level);
        span_bits.push(bits);
    }
    if levels[0].log_probs.len() != words.len() {
        return Err(contradiction("1-grams"));
    }
    for (index, bits) in span_bits.into_iter().enumerate().take(order - 1) {
        let (owners, elements) = (levels[index].log_probs.len(), levels[index + 1].log_probs.len());
        levels[index].children = SelectVector::from_bits(owners, elements, bits)
            .ok_or_else(|| contradiction(&format!("{}-grams", index + 2)))?;
    }
    Ok(Tables::new(&words, Markup { begin, end, unknown }, levels))
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

fn u64s(reader: &mut Reader, count: usize) -> Result<Blocks, String> {
    Ok(Blocks::new(reader.kept(count.saturating_mul(8))?))
}

/// The words, which must ascend.
fn spelled(reader: &mut Reader) -> Result<Spelled, String> {
    let wrong = || contradiction("words");
    let mut words = Spelled::default();
    let mut before = 0..0;
    for _ in 0..reader.u32()? {
        let [shared, rest] = reader.array()?.map(usize::from);
        let rest = reader.take(rest)?;
        if shared > before.len() {
            return Err(wrong());
        }
        let start = words.bytes.len();
        words.bytes.extend_from_within(before.start..before.start + shared);
        words.bytes.extend(rest);
        let word = start..words.bytes.len();
        let ascends = words.bytes[word.clone()] > words.bytes[before];
        let is_long = word.len() > NgramModel::MAX_WORD_BYTES || word.end > MOST_SPELLED_BYTES;
        if !ascends || is_long {
            return Err(wrong());
        }
        words.ends.push(word.end);
        before = word;
    }
    Ok(words)
}

/// One length's n-grams without their spans, and the spans' bits.
fn level(
    reader: &mut Reader,
    has_words: bool,
    has_backoffs: bool,
) -> Result<(Level, Blocks), String> {
    let wrong = || contradiction("n-grams");
    let len = reader.u32()? as usize;
    let bits = reader.u32()?;
    let words = match has_words {
        true if (1..=u32::BITS).contains(&bits) => {
            let words = u64s(reader, PackedInts::words_for(len, bits))?;
            PackedInts { bits, len, words }
        }
        true => return Err(wrong()),
        false => PackedInts::default(),
    };
    let log_probs = values(reader, len)?;
    let backoffs = values(reader, if has_backoffs { len } else { 0 })?;
    let span_words = reader.u32()? as usize;
    let spans = u64s(reader, span_words)?;
    Ok((Level { words, log_probs, backoffs, children: SelectVector::default() }, spans))
}

fn values(reader: &mut Reader, len: usize) -> Result<Values, String> {
    if len == 0 {
        return Ok(Values::Exact(Vec::new()));
    }
    let mut codebook = Box::new([0.0; 256]);
    for value in codebook.iter_mut() {
        *value = f32::from_le_bytes(reader.array()?);
        if !value.is_finite() {
            return Err(contradiction("codebooks"));
        }
    }
    Ok(Values::Coded { codebook, codes: reader.kept(len)? })
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

    proptest! {
        /// Also a file whose checksum was made to fit is refused or usable.
        #[test]
        fn no_content_makes_it_panic(place in 24usize..sample().len(), value: u8, cut in 0usize..3) {
            let mut body = sample()[Format::HEADER_BYTES..].to_vec();
            body[place - Format::HEADER_BYTES] = value;
            body.truncate(body.len() - cut);
            if let Ok(tables) = parse(&FORMAT.file(&body)) {
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
