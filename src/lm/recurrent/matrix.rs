//! Products in 8-bit integers.

use std::borrow::Cow;

use multiversion::multiversion;

/// Rows of 8-bit codes, each with a scale and what is added to its products.
pub(super) struct Matrix {
    pub columns: usize,
    pub codes: Cow<'static, [u8]>,
    pub scales: Vec<f32>,
    pub biases: Vec<f32>,
}

/// A vector in 8 bits.
pub(super) struct Quantized {
    pub codes: Vec<i8>,
    pub scale: f32,
}

impl Matrix {
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
