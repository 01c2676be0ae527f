//! A small recurrent language model over words, in a compact form.
//!
//! ```text
//! magic, version, length of the body, CRC-32 of the body; all integers little-endian
//! body: words, width D, hidden H; length and text of the words, sorted, without </s> and <unk>
//!       embedding: 4-bit codes by row, row scales and output biases as bf16
//!       input 3H·D, recurrent 3H·H, projection D·H: 8-bit codes, then row scales and biases as f32
//! ```
//!
//! A gated recurrent unit (Cho et al. 2014, as PyTorch has it) over embeddings that the output shares. It was
//! trained to give normalized scores, so that a word's probability takes one product and not one a word.

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use multiversion::multiversion;

use crate::{Error, Result};

/// A recurrent language model. Cheap to clone.
#[derive(Clone)]
pub struct RecurrentModel(Arc<Tables>);

/// What the words before make of the next.
#[derive(Clone, Debug)]
pub(crate) struct RecurrentState {
    /// Between -1 and 1.
    hidden: Box<[f32]>,
    /// What the next word's embedding is multiplied by.
    query: Box<[f32]>,
}

/// A word of a [`RecurrentModel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RecurrentWord(u32);

struct Tables {
    /// The words, sorted, a line each.
    words: Cow<'static, [u8]>,
    /// Where each word begins in them, and where one more would.
    begins: Vec<u32>,
    embedding: Embedding,
    input: Matrix,
    recurrent: Matrix,
    projection: Matrix,
}

struct Embedding {
    width: usize,
    codes: Cow<'static, [u8]>,
    scales: Vec<f32>,
    biases: Vec<f32>,
}

/// Rows of 8-bit codes, each with a scale and what is added to its products.
struct Matrix {
    columns: usize,
    codes: Cow<'static, [u8]>,
    scales: Vec<f32>,
    biases: Vec<f32>,
}

/// A vector in 8 bits.
struct Quantized {
    codes: Vec<i8>,
    scale: f32,
}

/// What is left to read.
struct Reader<'a> {
    rest: &'a [u8],
    keep: Keep<'a>,
}

/// How what stays of the file is held.
type Keep<'a> = fn(&'a [u8]) -> Cow<'static, [u8]>;

const MAGIC: &[u8; 8] = b"mynah-rn";
const VERSION: u32 = 1;
/// Magic, version, length, checksum.
const HEADER_BYTES: usize = 8 + 4 + 8 + 4;
/// Rows of products this long still fit in 32 bits.
const WIDEST: usize = 1 << 16;
/// The rows of `</s>` and `<unk>`.
const MARKUP_WORDS: u32 = 2;

impl RecurrentWord {
    /// The sentence's end.
    pub const END: Self = Self(0);
    /// What stands for every word that the model does not have.
    pub const UNKNOWN: Self = Self(1);
}

impl RecurrentModel {
    /// Loads a file as `recurrent_lm.py` of the recipe writes it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file can't be read, [`Error::Model`] with what does not fit.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|e| Error::io(path, e))?;
        Self::new(read(&bytes, |bytes| Cow::Owned(bytes.to_vec())), path)
    }

    /// Takes a file from where it stays, which is not copied; `path` is for errors.
    #[cfg(feature = "builtin-model")]
    pub(crate) fn in_place(bytes: &'static [u8], path: &Path) -> Result<Self> {
        Self::new(read(bytes, Cow::Borrowed), path)
    }

    fn new(tables: Result<Tables, String>, path: &Path) -> Result<Self> {
        let tables = tables.map_err(|reason| Error::model(path, reason))?;
        log::info!("recurrent language model: {}, {} words", path.display(), tables.words());
        Ok(Self(Arc::new(tables)))
    }

    /// A word, spelled as in the file; `None` if the model does not have it.
    pub(crate) fn word(&self, word: &str) -> Option<RecurrentWord> {
        let tables = &*self.0;
        let (mut low, mut high) = (0, tables.words());
        while low < high {
            let middle = (low + high) / 2;
            match tables.word(middle).cmp(word.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    return Some(RecurrentWord(middle as u32 + MARKUP_WORDS));
                }
            }
        }
        None
    }

    /// The state at the start of a sentence.
    pub(crate) fn begin(&self) -> RecurrentState {
        let hidden = vec![0.0; self.0.recurrent.columns].into();
        self.advance(&RecurrentState { hidden, query: Box::default() }, RecurrentWord::END)
    }

    /// The natural log-probability of a word, near enough to normalized.
    pub(crate) fn score(&self, state: &RecurrentState, word: RecurrentWord) -> f32 {
        self.0.embedding.score(word, &state.query)
    }

    /// The state after a word.
    pub(crate) fn advance(&self, state: &RecurrentState, word: RecurrentWord) -> RecurrentState {
        let Tables { embedding, input, recurrent, projection, .. } = &*self.0;
        let input = input.times(&embedding.row(word));
        let recurrent = recurrent.times(&quantize(&state.hidden));
        let size = state.hidden.len();
        let hidden = (0..size).map(|i| {
            let reset = sigmoid(input[i] + recurrent[i]);
            let update = sigmoid(input[size + i] + recurrent[size + i]);
            let new = (input[2 * size + i] + reset * recurrent[2 * size + i]).tanh();
            (1.0 - update) * new + update * state.hidden[i]
        });
        let hidden: Box<[f32]> = hidden.collect();
        let query = projection.times(&quantize(&hidden)).into();
        RecurrentState { hidden, query }
    }
}

impl PartialEq for RecurrentModel {
    /// Whether both are clones of one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for RecurrentModel {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("RecurrentModel").field("words", &self.0.words()).finish_non_exhaustive()
    }
}

impl Tables {
    fn words(&self) -> usize {
        self.begins.len() - 1
    }

    fn word(&self, index: usize) -> &[u8] {
        // Without the line's end.
        &self.words[self.begins[index] as usize..self.begins[index + 1] as usize - 1]
    }
}

impl Embedding {
    fn codes(&self, word: RecurrentWord) -> &[u8] {
        let bytes = self.width / 2;
        &self.codes[word.0 as usize * bytes..][..bytes]
    }

    fn row(&self, word: RecurrentWord) -> Quantized {
        let codes = self.codes(word).iter().flat_map(|&pair| [code(pair), code(pair >> 4)]);
        Quantized { codes: codes.collect(), scale: self.scales[word.0 as usize] }
    }

    fn score(&self, word: RecurrentWord, query: &[f32]) -> f32 {
        let products = self.codes(word).iter().zip(query.chunks_exact(2)).map(|(&pair, query)| {
            f32::from(code(pair)) * query[0] + f32::from(code(pair >> 4)) * query[1]
        });
        let word = word.0 as usize;
        products.sum::<f32>() * self.scales[word] + self.biases[word]
    }
}

impl Matrix {
    fn times(&self, vector: &Quantized) -> Vec<f32> {
        let rows = self.codes.chunks_exact(self.columns).zip(&self.scales).zip(&self.biases);
        let product = |((row, scale), bias): ((&[u8], &f32), &f32)| {
            dot(row, &vector.codes) as f32 * scale * vector.scale + bias
        };
        rows.map(product).collect()
    }
}

/// The number of 4 bits, whose 8 is zero.
fn code(bits: u8) -> i8 {
    (bits & 15) as i8 - 8
}

/// A vector whose values are between -1 and 1.
fn quantize(values: &[f32]) -> Quantized {
    let codes = values.iter().map(|value| (value * 127.0).round() as i8).collect();
    Quantized { codes, scale: 1.0 / 127.0 }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[multiversion(targets("x86_64+avx2"))]
fn dot(row: &[u8], vector: &[i8]) -> i32 {
    row.iter().zip(vector).map(|(&a, &b)| i32::from(i16::from(a as i8) * i16::from(b))).sum()
}

fn read<'a>(bytes: &'a [u8], keep: Keep<'a>) -> Result<Tables, String> {
    if !bytes.starts_with(MAGIC) || bytes.len() < HEADER_BYTES {
        return Err(
            "is no recurrent language model; recurrent_lm.py of the recipe writes them".to_owned()
        );
    }
    let (header, body) = bytes.split_at(HEADER_BYTES);
    let mut header = Reader { rest: &header[MAGIC.len()..], keep };
    let (version, length, checksum) = (header.u32()?, header.u64()?, header.u32()?);
    if version != VERSION {
        return Err(format!("is of version {version}; this program reads version {VERSION}"));
    }
    if body.len() as u64 != length {
        return Err(format!(
            "is truncated or goes on after its end: {} bytes of {length}",
            body.len()
        ));
    }
    if crc32fast::hash(body) != checksum {
        return Err("is damaged: its checksum does not fit".to_owned());
    }
    let mut reader = Reader { rest: body, keep };
    let tables = reader.tables()?;
    if reader.rest.is_empty() { Ok(tables) } else { Err(contradiction("length")) }
}

fn contradiction(what: &str) -> String {
    format!("contradicts itself in its {what}")
}

impl<'a> Reader<'a> {
    fn tables(&mut self) -> Result<Tables, String> {
        let [rows, width, hidden, text] =
            [self.u32()?, self.u32()?, self.u32()?, self.u32()?].map(|x| x as usize);
        let words = (self.keep)(self.take(text)?);
        let ends = (1..).zip(words.iter()).filter(|&(_, &byte)| byte == b'\n').map(|(end, _)| end);
        let begins: Vec<u32> = std::iter::once(0).chain(ends).chain([text as u32 + 1]).collect();
        let fits = |width: usize| (1..=WIDEST).contains(&width);
        if !fits(width) || width % 2 == 1 || !fits(hidden) {
            return Err(contradiction("widths"));
        }
        let tables = Tables {
            embedding: self.embedding(rows, width)?,
            input: self.matrix(3 * hidden, width)?,
            recurrent: self.matrix(3 * hidden, hidden)?,
            projection: self.matrix(width, hidden)?,
            words,
            begins,
        };
        let is_sorted =
            (1..tables.words()).all(|index| tables.word(index - 1) < tables.word(index));
        if tables.words() + MARKUP_WORDS as usize != rows || !is_sorted {
            return Err(contradiction("words"));
        }
        Ok(tables)
    }

    fn embedding(&mut self, rows: usize, width: usize) -> Result<Embedding, String> {
        let codes = (self.keep)(self.take(rows.saturating_mul(width / 2))?);
        let bf16 = |bytes: [u8; 2]| f32::from_bits(u32::from_le_bytes([0, 0, bytes[0], bytes[1]]));
        let (scales, biases) = (self.numbers(rows, bf16)?, self.numbers(rows, bf16)?);
        Ok(Embedding { width, codes, scales, biases })
    }

    fn matrix(&mut self, rows: usize, columns: usize) -> Result<Matrix, String> {
        let codes = (self.keep)(self.take(rows.saturating_mul(columns))?);
        let scales = self.numbers(rows, f32::from_le_bytes)?;
        let biases = self.numbers(rows, f32::from_le_bytes)?;
        Ok(Matrix { columns, codes, scales, biases })
    }

    /// Finite numbers of so many bytes each.
    fn numbers<const BYTES: usize>(
        &mut self,
        count: usize,
        number: fn([u8; BYTES]) -> f32,
    ) -> Result<Vec<f32>, String> {
        let (bytes, _) = self.take(count.saturating_mul(BYTES))?.as_chunks();
        let numbers: Vec<_> = bytes.iter().map(|bytes| number(*bytes)).collect();
        match numbers.iter().all(|number| number.is_finite()) {
            true => Ok(numbers),
            false => Err(contradiction("numbers")),
        }
    }

    fn u32(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn u64(&mut self) -> Result<u64, String> {
        Ok(u64::from(self.u32()?) | u64::from(self.u32()?) << 32)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| contradiction("length"))?;
        self.rest = rest;
        Ok(taken)
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<RecurrentModel>();
};

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    const FILE: &[u8] =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words.rnn"));

    #[derive(Deserialize)]
    struct Case {
        words: String,
        scores: Vec<f32>,
    }

    fn error(bytes: &[u8]) -> String {
        read(bytes, |bytes| Cow::Owned(bytes.to_vec())).map(|_| ()).unwrap_err()
    }

    #[test]
    fn scores_are_those_of_pytorch() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let cases = fs::read_to_string(dir.join("words-rnn.json")).unwrap();
        let model = RecurrentModel::load(dir.join("words.rnn")).unwrap();
        for Case { words, scores } in serde_json::from_str::<Vec<Case>>(&cases).unwrap() {
            let words = words
                .split_whitespace()
                .map(|word| model.word(word).unwrap_or(RecurrentWord::UNKNOWN));
            let mut state = model.begin();
            for (word, expected) in words.chain([RecurrentWord::END]).zip(scores) {
                let score = model.score(&state, word);
                // States are rounded to 8 bits, the expected ones are not.
                assert!((score - expected).abs() < 0.1, "{word:?}: {score} {expected}");
                state = model.advance(&state, word);
            }
        }
    }

    #[test]
    fn markup_is_no_word() {
        let model =
            RecurrentModel::new(read(FILE, |bytes| Cow::Owned(bytes.to_vec())), Path::new(""))
                .unwrap();
        let known = |word| model.word(word).is_some();
        assert!(["A", "AND", "CAT", "CAT'S", "WHO"].into_iter().all(known));
        assert!(!["</s>", "<unk>", "", "a", "CA", "CATS", "ZEBRA"].into_iter().any(known));
    }

    #[test]
    fn broken_files_are_refused() {
        let edited = |edit: fn(&mut Vec<u8>)| {
            let mut bytes = FILE.to_vec();
            edit(&mut bytes);
            error(&bytes)
        };
        // A body that contradicts itself, with the checksum that belongs to it.
        let contradicting = |place: usize, value: u8| {
            let mut bytes = FILE.to_vec();
            bytes[HEADER_BYTES + place] = value;
            let checksum = crc32fast::hash(&bytes[HEADER_BYTES..]).to_le_bytes();
            bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&checksum);
            error(&bytes)
        };
        assert!(error(b"words").starts_with("is no recurrent language model"));
        assert!(edited(|bytes| bytes[8] = 9).starts_with("is of version 9"));
        assert!(edited(|bytes| _ = bytes.pop()).starts_with("is truncated"));
        assert!(edited(|bytes| *bytes.last_mut().unwrap() ^= 1).starts_with("is damaged"));
        assert_eq!(contradicting(0, 200), "contradicts itself in its length");
        assert_eq!(contradicting(4, 7), "contradicts itself in its widths");
        assert!(contradicting(8, 9).starts_with("contradicts itself"));
        assert_eq!(contradicting(16, b'Z'), "contradicts itself in its words");
        // The last bytes are of a bias: infinity.
        let mut bytes = FILE.to_vec();
        let last = bytes.len() - 4;
        bytes[last..].copy_from_slice(&f32::INFINITY.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[HEADER_BYTES..]).to_le_bytes();
        bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&checksum);
        assert_eq!(error(&bytes), "contradicts itself in its numbers");
    }
}
