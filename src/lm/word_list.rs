//! A sorted list of words as a file has it, searched in place.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::lm::compact::{Reader, contradiction};

/// Words in bytewise order, or in that of a key of theirs.
pub(crate) struct WordList {
    /// A line each, without a line break at the end.
    text: Cow<'static, [u8]>,
    /// Where each word begins, and where one more would.
    begins: Vec<u32>,
}

impl WordList {
    /// Reads so many bytes. An empty list has none.
    pub fn read(reader: &mut Reader, bytes: usize) -> Result<Self, String> {
        let end = u32::try_from(bytes).ok().and_then(|end| end.checked_add(1));
        let end = end.ok_or_else(|| contradiction("length"))?;
        let text = reader.kept(bytes)?;
        let breaks = (1..).zip(text.iter()).filter(|&(_, &byte)| byte == b'\n').map(|(at, _)| at);
        let last = if bytes == 0 { None } else { Some(end) };
        let begins = std::iter::once(0).chain(breaks).chain(last).collect();
        Ok(Self { text, begins })
    }

    pub fn len(&self) -> usize {
        self.begins.len() - 1
    }

    pub fn word(&self, index: usize) -> &[u8] {
        // Without the line's end.
        &self.text[self.begins[index] as usize..self.begins[index + 1] as usize - 1]
    }

    /// Whether each word comes after the one before it.
    pub fn is_sorted(&self) -> bool {
        (1..self.len()).all(|index| self.word(index - 1) < self.word(index))
    }

    /// The place of a word.
    pub fn find(&self, word: &[u8]) -> Option<usize> {
        self.find_by(|listed| listed.cmp(word))
    }

    /// The place of the word that compares as equal.
    pub fn find_by(&self, compare: impl Fn(&[u8]) -> Ordering) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            match compare(self.word(middle)) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(middle),
            }
        }
        None
    }
}
