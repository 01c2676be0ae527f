//! Floating point to 8-bit integers, as ONNX's `QuantizeLinear`.

use multiversion::multiversion;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::element_wise::ElementWiseMiniOp;

/// 1.5 · 2²³: adding it to a number of magnitude below 2²² leaves the number, rounded half to even,
/// in the low bits. tract's own operator rounds by a function call per value.
const ROUNDER: f32 = 12_582_912.0;

/// Rounds `x · per_step` half to even, adds the zero point, and clamps the sum to what `i8` holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantize {
    /// Steps per unit: the reciprocal of ONNX's scale.
    pub per_step: f32,
    /// The integer that stands for 0.
    pub zero_point: i8,
}

impl Eq for Quantize {}

impl Quantize {
    fn run(&self, values: &[f32], integers: &mut [i8]) {
        round(values, self.per_step, self.zero_point, integers);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn round(values: &[f32], per_step: f32, zero_point: i8, integers: &mut [i8]) {
    let zero = f32::from(zero_point);
    let (low, high) = (f32::from(i8::MIN) - zero, f32::from(i8::MAX) - zero);
    for (value, integer) in values.iter().zip(integers) {
        let clamped = (value * per_step).clamp(low, high);
        *integer = ((clamped + ROUNDER).to_bits() as i8).wrapping_add(zero_point);
    }
}

impl ElementWiseMiniOp for Quantize {
    fn name(&self) -> String {
        "Quantize".to_owned()
    }

    fn output_type(&self, input: DatumType) -> Option<DatumType> {
        (input == f32::datum_type()).then(i8::datum_type)
    }

    fn eval_out_of_place(&self, input: &Tensor, _: Option<DatumType>) -> TractResult<Tensor> {
        let mut output = Tensor::zero::<i8>(input.shape())?;
        let values = input.try_as_plain_ram()?;
        let mut integers = output.try_as_plain_ram_mut()?;
        self.run(values.as_slice()?, integers.as_slice_mut()?);
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_even_and_the_rest_to_the_nearest() {
        let values: Vec<f32> = (-3000..3000).map(|i| i as f32 / 16.0).collect();
        let mut integers = vec![0; values.len()];
        for zero_point in [0, 1, -97, i8::MIN, i8::MAX] {
            Quantize { per_step: 0.5, zero_point }.run(&values, &mut integers);
            for (value, integer) in values.iter().zip(&integers) {
                let expected = (value * 0.5).round_ties_even() + f32::from(zero_point);
                assert_eq!(*integer, expected as i8, "{value} with {zero_point}");
            }
        }
    }

    #[test]
    fn large_values_are_clamped() {
        let mut integers = [0; 4];
        for zero_point in [0, -100] {
            Quantize { per_step: 1.0, zero_point }
                .run(&[1e30, -1e30, f32::INFINITY, f32::NEG_INFINITY], &mut integers);
            assert_eq!(integers, [127, -128, 127, -128]);
        }
    }
}
