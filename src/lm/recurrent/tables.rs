//! The words and numbers of a [`RecurrentModel`](super::RecurrentModel).

use std::borrow::Cow;
use std::cmp::Ordering;

use super::super::compact::{Format, Keep, Reader, contradiction};
use super::RecurrentWord;
use super::matrix::{Matrix, Quantized};

pub(super) struct Tables {
    /// The words, sorted, a line each.
    words: Cow<'static, [u8]>,
    /// Where each word begins in them, and where one more would.
    begins: Vec<u32>,
    pub embedding: Embedding,
    pub input: Matrix,
    pub recurrent: Matrix,
    pub projection: Matrix,
}

/// A row of 4-bit codes, a scale and a bias for each word.
pub(super) struct Embedding {
    width: usize,
    codes: Cow<'static, [u8]>,
    scales: Vec<f32>,
    biases: Vec<f32>,
}

const FORMAT: Format =
    Format { magic: b"mynah-rn", version: 1, remedy: "write it anew with recurrent_lm.py" };
/// Rows of products this long still fit in 32 bits.
const WIDEST: usize = 1 << 16;
/// The rows of `</s>` and `<unk>`.
const MARKUP_WORDS: usize = 2;

impl Tables {
    /// Reads a file; the error says what does not fit.
    pub fn read<'a>(bytes: &'a [u8], keep: Keep<'a>) -> Result<Self, String> {
        if !FORMAT.is_of(bytes) {
            return Err(
                "is no recurrent language model; recurrent_lm.py of the recipe writes them"
                    .to_owned(),
            );
        }
        let mut reader = FORMAT.open(bytes, keep)?;
        let tables = Self::read_body(&mut reader)?;
        reader.finish()?;
        Ok(tables)
    }

    fn read_body(reader: &mut Reader) -> Result<Self, String> {
        let [rows, width, hidden, text] =
            [reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?].map(|x| x as usize);
        let words = reader.kept(text)?;
        let ends = (1..).zip(words.iter()).filter(|&(_, &byte)| byte == b'\n').map(|(end, _)| end);
        let begins: Vec<u32> = std::iter::once(0).chain(ends).chain([text as u32 + 1]).collect();
        let fits = |width: usize| (1..=WIDEST).contains(&width);
        if !fits(width) || width % 2 == 1 || !fits(hidden) {
            return Err(contradiction("widths"));
        }
        let tables = Self {
            embedding: embedding(reader, rows, width)?,
            input: matrix(reader, 3 * hidden, width)?,
            recurrent: matrix(reader, 3 * hidden, hidden)?,
            projection: matrix(reader, width, hidden)?,
            words,
            begins,
        };
        let is_sorted =
            (1..tables.words()).all(|index| tables.word(index - 1) < tables.word(index));
        if tables.words() + MARKUP_WORDS != rows || !is_sorted {
            return Err(contradiction("words"));
        }
        Ok(tables)
    }

    /// How many words there are.
    pub fn words(&self) -> usize {
        self.begins.len() - 1
    }

    fn word(&self, index: usize) -> &[u8] {
        // Without the line's end.
        &self.words[self.begins[index] as usize..self.begins[index + 1] as usize - 1]
    }

    /// A word, spelled as in the file.
    pub fn find(&self, word: &str) -> Option<RecurrentWord> {
        let (mut low, mut high) = (0, self.words());
        while low < high {
            let middle = (low + high) / 2;
            match self.word(middle).cmp(word.as_bytes()) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(RecurrentWord((middle + MARKUP_WORDS) as u32)),
            }
        }
        None
    }
}

impl Embedding {
    fn codes(&self, word: RecurrentWord) -> &[u8] {
        let bytes = self.width / 2;
        &self.codes[word.0 as usize * bytes..][..bytes]
    }

    pub fn row(&self, word: RecurrentWord) -> Quantized {
        let codes = self.codes(word).iter().flat_map(|&pair| [code(pair), code(pair >> 4)]);
        Quantized { codes: codes.collect(), scale: self.scales[word.0 as usize] }
    }

    /// The product of a word's row with a vector, and its bias.
    pub fn score(&self, word: RecurrentWord, query: &[f32]) -> f32 {
        let products = self.codes(word).iter().zip(query.chunks_exact(2)).map(|(&pair, query)| {
            f32::from(code(pair)) * query[0] + f32::from(code(pair >> 4)) * query[1]
        });
        let word = word.0 as usize;
        products.sum::<f32>() * self.scales[word] + self.biases[word]
    }
}

/// The number of 4 bits, whose 8 is zero.
fn code(bits: u8) -> i8 {
    (bits & 15) as i8 - 8
}

fn embedding(reader: &mut Reader, rows: usize, width: usize) -> Result<Embedding, String> {
    let codes = reader.kept(rows.saturating_mul(width / 2))?;
    let bf16 = |bytes: [u8; 2]| f32::from_bits(u32::from_le_bytes([0, 0, bytes[0], bytes[1]]));
    let (scales, biases) = (numbers(reader, rows, bf16)?, numbers(reader, rows, bf16)?);
    Ok(Embedding { width, codes, scales, biases })
}

fn matrix(reader: &mut Reader, rows: usize, columns: usize) -> Result<Matrix, String> {
    let codes = reader.kept(rows.saturating_mul(columns))?;
    let scales = numbers(reader, rows, f32::from_le_bytes)?;
    let biases = numbers(reader, rows, f32::from_le_bytes)?;
    Ok(Matrix { columns, codes, scales, biases })
}

/// Finite numbers of so many bytes each.
fn numbers<const BYTES: usize>(
    reader: &mut Reader,
    count: usize,
    number: fn([u8; BYTES]) -> f32,
) -> Result<Vec<f32>, String> {
    let (bytes, _) = reader.take(count.saturating_mul(BYTES))?.as_chunks();
    let numbers: Vec<_> = bytes.iter().map(|bytes| number(*bytes)).collect();
    match numbers.iter().all(|number| number.is_finite()) {
        true => Ok(numbers),
        false => Err(contradiction("numbers")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words.rnn"));

    fn error(bytes: &[u8]) -> String {
        Tables::read(bytes, |bytes| Cow::Owned(bytes.to_vec())).map(|_| ()).unwrap_err()
    }

    #[test]
    fn broken_files_are_refused() {
        // A body that contradicts itself, with the checksum that belongs to it.
        let contradicting = |edit: fn(&mut Vec<u8>)| {
            let mut body = FILE[Format::HEADER_BYTES..].to_vec();
            edit(&mut body);
            error(&FORMAT.file(&body))
        };
        assert!(error(b"words").starts_with("is no recurrent language model"));
        assert!(error(&FILE[..FILE.len() - 1]).starts_with("is truncated"));
        assert_eq!(contradicting(|body| body[0] = 200), "contradicts itself in its length");
        assert_eq!(contradicting(|body| body[4] = 7), "contradicts itself in its widths");
        assert!(contradicting(|body| body[8] = 9).starts_with("contradicts itself"));
        assert_eq!(contradicting(|body| body[16] = b'Z'), "contradicts itself in its words");
        assert_eq!(contradicting(|body| body.push(0)), "contradicts itself in its length");
        // The last bytes are of a bias.
        let infinite = contradicting(|body| {
            let last = body.len() - 4;
            body[last..].copy_from_slice(&f32::INFINITY.to_le_bytes());
        });
        assert_eq!(infinite, "contradicts itself in its numbers");
    }
}
