//! Layer normalization (arXiv 1607.06450) over the last axis, in one pass per row.

use multiversion::multiversion;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

/// Sums kept apart, so that they fill vector registers.
const LANES: usize = 16;

/// `(x − mean) / √(variance + epsilon) · gain + bias` for each row.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorm {
    pub gain: Arc<Tensor>,
    pub bias: Arc<Tensor>,
    pub epsilon: f32,
}

impl Eq for LayerNorm {}

impl Op for LayerNorm {
    fn name(&self) -> StaticName {
        "LayerNorm".into()
    }

    op_as_typed_op!();
}

impl EvalOp for LayerNorm {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut output = Tensor::zero::<f32>(inputs[0].shape())?;
        let (gain, bias) = (self.gain.try_as_plain_ram()?, self.bias.try_as_plain_ram()?);
        let input = inputs[0].try_as_plain_ram()?;
        run(
            input.as_slice()?,
            gain.as_slice()?,
            bias.as_slice()?,
            self.epsilon,
            output.try_as_plain_ram_mut()?.as_slice_mut()?,
        );
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for LayerNorm {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(inputs[0].without_value()))
    }

    as_op!();
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn run(input: &[f32], gain: &[f32], bias: &[f32], epsilon: f32, output: &mut [f32]) {
    let width = gain.len().max(1);
    for (row, normalized) in input.chunks_exact(width).zip(output.chunks_exact_mut(width)) {
        normalize(row, gain, bias, epsilon, normalized);
    }
}

#[inline(always)]
fn normalize(row: &[f32], gain: &[f32], bias: &[f32], epsilon: f32, normalized: &mut [f32]) {
    let per_value = 1.0 / row.len() as f32;
    let mean = sum(row, |x| x) * per_value;
    let variance = sum(row, |x| (x - mean) * (x - mean)) * per_value;
    let factor = 1.0 / (variance + epsilon).sqrt();
    for (((x, gain), bias), y) in row.iter().zip(gain).zip(bias).zip(normalized) {
        *y = (x - mean) * factor * gain + bias;
    }
}

#[inline(always)]
fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let mut pieces = row.chunks_exact(LANES);
    for piece in &mut pieces {
        for (sum, x) in sums.iter_mut().zip(piece) {
            *sum += term(*x);
        }
    }
    sums.iter().sum::<f32>() + pieces.remainder().iter().map(|x| term(*x)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition in double precision, with and without a remainder of the lanes.
    #[test]
    fn rows_are_normalized() {
        for length in [1, 15, 16, 37] {
            let row: Vec<f32> = (0..length).map(|i| (i * i % 11) as f32 - 3.0).collect();
            let gain: Vec<f32> = (0..length).map(|i| 1.0 + i as f32 / 8.0).collect();
            let bias: Vec<f32> = (0..length).map(|i| i as f32 / 4.0).collect();
            let mut normalized = vec![0.0; length];
            normalize(&row, &gain, &bias, 1e-5, &mut normalized);

            let n = length as f64;
            let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
            let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n;
            for i in 0..length {
                let expected = (f64::from(row[i]) - mean) / (variance + 1e-5).sqrt()
                    * f64::from(gain[i])
                    + f64::from(bias[i]);
                assert!((f64::from(normalized[i]) - expected).abs() < 1e-5, "{length}: {i}");
            }
        }
    }
}
