//! Products in 8-bit integers.

use std::borrow::Cow;

use multiversion::multiversion;

use crate::lm::compact::{Reader, contradiction};

/// Rows of 8-bit codes, each with a scale and what is added to its products.
pub(crate) struct Matrix {
    pub columns: usize,
    pub codes: Cow<'static, [u8]>,
    pub scales: Vec<f32>,
    pub biases: Vec<f32>,
}

/// A vector in 8 bits.
pub(crate) struct Quantized {
    pub codes: Vec<i8>,
    pub scale: f32,
}

impl Matrix {
    /// Reads the codes, then a scale and a bias for each row.
    pub fn read(reader: &mut Reader, rows: usize, columns: usize) -> Result<Self, String> {
        let codes = reader.kept(rows.saturating_mul(columns))?;
        let scales = numbers(reader, rows, f32::from_le_bytes)?;
        let biases = numbers(reader, rows, f32::from_le_bytes)?;
        Ok(Self { columns, codes, scales, biases })
    }

    pub fn times(&self, vector: &Quantized) -> Vec<f32> {
        let rows = self.codes.chunks_exact(self.columns).zip(&self.scales).zip(&self.biases);
        let product = |((row, scale), bias): ((&[u8], &f32), &f32)| {
            dot(row, &vector.codes) as f32 * scale * vector.scale + bias
        };
        rows.map(product).collect()
    }
}

impl Quantized {
    /// Rounds values between -1 and 1.
    pub fn new(values: &[f32]) -> Self {
        let codes = values.iter().map(|value| (value * 127.0).round() as i8).collect();
        Self { codes, scale: 1.0 / 127.0 }
    }
}

/// Reads finite numbers of so many bytes each.
pub(crate) fn numbers<const BYTES: usize>(
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

/// A number whose upper 16 bits are given.
pub(crate) fn bf16(bytes: [u8; 2]) -> f32 {
    f32::from_bits(u32::from_le_bytes([0, 0, bytes[0], bytes[1]]))
}

#[multiversion(targets("x86_64+avx2"))]
fn dot(row: &[u8], vector: &[i8]) -> i32 {
    row.iter().zip(vector).map(|(&a, &b)| i32::from(i16::from(a as i8) * i16::from(b))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_numbers() {
        let codes: Vec<u8> = [1i8, -2, 127, -128, 0, 5].map(|code| code as u8).into();
        let (scales, biases) = (vec![0.5, 2.0], vec![1.0, -1.0]);
        let matrix = Matrix { columns: 3, codes: codes.into(), scales, biases };
        let vector = Quantized::new(&[1.0, -1.0, 0.0]);
        assert_eq!(vector.codes, [127, -127, 0]);
        let products = matrix.times(&vector);
        for (product, expected) in products.iter().zip([3.0 * 0.5 + 1.0, -128.0 * 2.0 - 1.0]) {
            assert!((product - expected).abs() < 1e-4, "{product} {expected}");
        }
    }
}
