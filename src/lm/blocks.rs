//! 64-bit words in the order of their bytes in a file, used where they are if they stay there.

use std::borrow::Cow;

/// 64-bit words, little-endian, side by side: a part of the program itself, or on the heap.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Blocks(Cow<'static, [u8]>);

impl Blocks {
    /// Takes eight bytes per word; what is left over is no word.
    pub fn new(bytes: Cow<'static, [u8]>) -> Self {
        Self(bytes)
    }

    pub fn len(&self) -> usize {
        self.chunks().len()
    }

    pub fn get(&self, index: usize) -> u64 {
        u64::from_le_bytes(self.chunks()[index])
    }

    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.chunks().iter().map(|&word| u64::from_le_bytes(word))
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.chunks().as_flattened()
    }

    fn chunks(&self) -> &[[u8; 8]] {
        self.0.as_chunks().0
    }
}

impl From<Vec<u64>> for Blocks {
    fn from(words: Vec<u64>) -> Self {
        Self(words.into_iter().flat_map(u64::to_le_bytes).collect())
    }
}
