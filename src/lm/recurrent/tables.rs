//! The words and numbers of a [`RecurrentModel`](super::RecurrentModel).

use super::RecurrentWord;
use crate::lm::compact::{Format, Keep, Reader, contradiction};
use crate::lm::gru::{Gru, Matrix, Quantized, Rows, bf16, check_sizes, numbers, read_gru};
use crate::lm::word_list::WordList;

pub(super) struct Tables {
    words: WordList,
    pub embedding: Embedding,
    pub gru: Gru,
    pub projection: Matrix,
}

/// A row and a bias for each word.
pub(super) struct Embedding {
    rows: Rows,
    biases: Vec<f32>,
}

const FORMAT: Format =
    Format { magic: b"mynah-rn", version: 1, remedy: "write it anew with recurrent_lm.py" };
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
        let words = WordList::read(reader, text)?;
        check_sizes(width, hidden)?;
        let tables = Self {
            embedding: Embedding {
                rows: Rows::read(reader, rows, width)?,
                biases: numbers(reader, rows, bf16)?,
            },
            gru: read_gru(reader, width, hidden)?,
            projection: Matrix::read(reader, width, hidden)?,
            words,
        };
        if tables.words() + MARKUP_WORDS != rows || !tables.words.is_sorted() {
            return Err(contradiction("words"));
        }
        Ok(tables)
    }

    /// How many words there are.
    pub fn words(&self) -> usize {
        self.words.len()
    }

    /// A word, spelled as in the file.
    pub fn find(&self, word: &str) -> Option<RecurrentWord> {
        let place = self.words.find(word.as_bytes())?;
        Some(RecurrentWord((place + MARKUP_WORDS) as u32))
    }
}

impl Embedding {
    pub fn row(&self, word: RecurrentWord) -> Quantized {
        self.rows.row(word.0 as usize)
    }

    /// The product of a word's row with a vector, and its bias.
    pub fn score(&self, word: RecurrentWord, query: &[f32]) -> f32 {
        let word = word.0 as usize;
        self.rows.times(word, query) + self.biases[word]
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

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
