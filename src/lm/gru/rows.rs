//! Embeddings in 4 bits.

use std::borrow::Cow;

use super::matrix::{Quantized, bf16, numbers};
use crate::lm::compact::Reader;

/// Rows of 4-bit codes, each with a scale.
pub(crate) struct Rows {
    width: usize,
    codes: Cow<'static, [u8]>,
    scales: Vec<f32>,
}

impl Rows {
    /// Reads the codes, two a byte, then a scale in bf16 for each row. The width must be even.
    pub fn read(reader: &mut Reader, rows: usize, width: usize) -> Result<Self, String> {
        let codes = reader.kept(rows.saturating_mul(width / 2))?;
        Ok(Self { width, codes, scales: numbers(reader, rows, bf16)? })
    }

    /// A row as a vector.
    pub fn row(&self, index: usize) -> Quantized {
        let codes = self.codes(index).iter().flat_map(|&pair| [code(pair), code(pair >> 4)]);
        Quantized { codes: codes.collect(), scale: self.scales[index] }
    }

    /// The product of a row with a vector.
    pub fn times(&self, index: usize, vector: &[f32]) -> f32 {
        let pairs = self.codes(index).iter().zip(vector.chunks_exact(2));
        let products = pairs.map(|(&pair, vector)| {
            f32::from(code(pair)) * vector[0] + f32::from(code(pair >> 4)) * vector[1]
        });
        products.sum::<f32>() * self.scales[index]
    }

    fn codes(&self, index: usize) -> &[u8] {
        let bytes = self.width / 2;
        &self.codes[index * bytes..][..bytes]
    }
}

/// The number of 4 bits, whose 8 is zero.
fn code(bits: u8) -> i8 {
    (bits & 15) as i8 - 8
}
