//! The words and numbers of a [`PunctuationModel`](super::PunctuationModel).

use crate::lm::compact::{Format, Keep, Reader, contradiction};
use crate::lm::gru::{Gru, Matrix, Rows, check_sizes, numbers, read_gru};
use crate::lm::word_list::WordList;

use super::pause::Pause;

pub(super) struct Tables {
    /// Words with rows of their own, in lower case.
    pub words: WordList,
    /// Names without rows of their own, in lower case.
    pub names: WordList,
    /// Words of mixed case as they are written, in the order of their lower case.
    pub forms: WordList,
    suffix_rows: usize,
    pub embedding: Rows,
    pub layers: [Layer; 2],
    pub output: Matrix,
}

/// Two units that read the words in both directions.
pub(super) struct Layer {
    pub forward: Directed,
    pub backward: Directed,
}

/// A unit, and what each pause adds to its gates; the second layer sees no pauses.
pub(super) struct Directed {
    pub gru: Gru,
    pub pauses: Option<Vec<f32>>,
}

const FORMAT: Format =
    Format { magic: b"mynah-pm", version: 1, remedy: "write it anew with punctuation.py" };
/// Marks, cases, and whether the word is a spoken mark.
pub(super) const OUTPUTS: usize = 8;
/// The bytes at a word's end that choose its row if it has none of its own.
const SUFFIX_BYTES: usize = 3;

impl Tables {
    /// Reads a file; the error says what does not fit.
    pub fn read<'a>(bytes: &'a [u8], keep: Keep<'a>) -> Result<Self, String> {
        if !FORMAT.is_of(bytes) {
            let error = "is no punctuation model; punctuation.py of the recipe writes them";
            return Err(error.to_owned());
        }
        let mut reader = FORMAT.open(bytes, keep)?;
        let tables = Self::read_body(&mut reader)?;
        reader.finish()?;
        Ok(tables)
    }

    fn read_body(reader: &mut Reader) -> Result<Self, String> {
        let [width, hidden, suffix_rows] =
            [reader.u32()?, reader.u32()?, reader.u32()?].map(|x| x as usize);
        let [words, names, forms] =
            [reader.u32()?, reader.u32()?, reader.u32()?].map(|x| x as usize);
        let words = WordList::read(reader, words)?;
        let names = WordList::read(reader, names)?;
        let forms = WordList::read(reader, forms)?;
        check_sizes(width, hidden)?;
        check_sizes(2, suffix_rows)?;
        let rows = words.len().saturating_add(2 * suffix_rows);
        let tables = Self {
            embedding: Rows::read(reader, rows, width)?,
            layers: [Layer::read(reader, Some(width), hidden)?, Layer::read(reader, None, hidden)?],
            output: Matrix::read(reader, OUTPUTS, 2 * hidden)?,
            words,
            names,
            forms,
            suffix_rows,
        };
        match tables.words.is_sorted() && tables.names.is_sorted() && forms_are_sorted(&tables) {
            true => Ok(tables),
            false => Err(contradiction("words")),
        }
    }

    /// The row of a word in lower case.
    pub fn row(&self, word: &str) -> usize {
        let word = word.as_bytes();
        self.words.find(word).unwrap_or_else(|| {
            let suffix = &word[word.len().saturating_sub(SUFFIX_BYTES)..];
            let row = crc32fast::hash(suffix) as usize % self.suffix_rows;
            let is_name = self.names.find(word).is_some();
            self.words.len() + row + if is_name { self.suffix_rows } else { 0 }
        })
    }

    /// How a word of mixed case is written.
    pub fn form(&self, word: &str) -> Option<&str> {
        let place = self.forms.find_by(|form| lower(form).cmp(word.bytes()))?;
        std::str::from_utf8(self.forms.word(place)).ok()
    }
}

fn forms_are_sorted(tables: &Tables) -> bool {
    let forms = &tables.forms;
    (1..forms.len()).all(|index| lower(forms.word(index - 1)).lt(lower(forms.word(index))))
}

fn lower(word: &[u8]) -> impl Iterator<Item = u8> {
    word.iter().map(u8::to_ascii_lowercase)
}

impl Layer {
    /// Reads both directions, of inputs so wide or, without a width, of the states of a layer before.
    fn read(reader: &mut Reader, width: Option<usize>, hidden: usize) -> Result<Self, String> {
        let forward = Directed::read(reader, width, hidden)?;
        Ok(Self { forward, backward: Directed::read(reader, width, hidden)? })
    }
}

impl Directed {
    fn read(reader: &mut Reader, width: Option<usize>, hidden: usize) -> Result<Self, String> {
        let Some(width) = width else {
            return Ok(Self { gru: read_gru(reader, 2 * hidden, hidden)?, pauses: None });
        };
        let input = Matrix::read(reader, 3 * hidden, width)?;
        let pauses = numbers(reader, Pause::COUNT * 3 * hidden, f32::from_le_bytes)?;
        let recurrent = Matrix::read(reader, 3 * hidden, hidden)?;
        Ok(Self { gru: Gru::new(input, recurrent), pauses: Some(pauses) })
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    const FILE: &[u8] =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/punctuation.bin"));

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
        assert!(error(b"words").starts_with("is no punctuation model"));
        assert!(error(&FILE[..FILE.len() - 1]).starts_with("is truncated"));
        assert_eq!(contradicting(|body| body[0] = 3), "contradicts itself in its widths");
        assert_eq!(contradicting(|body| body[4] = 0), "contradicts itself in its widths");
        assert_eq!(contradicting(|body| body[8..12].fill(0)), "contradicts itself in its widths");
        for size in 0..6 {
            let changed = |by: u8| {
                let mut body = FILE[Format::HEADER_BYTES..].to_vec();
                body[4 * size] = body[4 * size].wrapping_add(by);
                error(&FORMAT.file(&body))
            };
            assert!(changed(2).starts_with("contradicts itself"), "size {size}");
            let mut body = FILE[Format::HEADER_BYTES..].to_vec();
            body[4 * size..4 * size + 4].fill(255);
            assert!(error(&FORMAT.file(&body)).starts_with("contradicts itself"), "size {size}");
        }
        assert_eq!(contradicting(|body| body[24] = b'z'), "contradicts itself in its words");
        assert_eq!(contradicting(|body| body.push(0)), "contradicts itself in its length");
        // The last bytes are of a bias.
        let infinite = contradicting(|body| {
            let last = body.len() - 4;
            body[last..].copy_from_slice(&f32::INFINITY.to_le_bytes());
        });
        assert_eq!(infinite, "contradicts itself in its numbers");
    }

    #[test]
    fn unknown_words_have_rows_by_their_ends() {
        let tables = Tables::read(FILE, Cow::Borrowed).unwrap();
        let row = |word| tables.row(word);
        assert!(row("cat") < tables.words.len() && row("cats") >= tables.words.len());
        assert_eq!(row("running"), row("sitting"));
        // `zoe` is a listed name.
        assert_eq!(row("zoe"), row("oboezoe") + tables.suffix_rows);
        assert!(row("") >= tables.words.len());
    }
}
