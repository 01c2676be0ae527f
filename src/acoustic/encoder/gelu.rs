//! The Gaussian error linear unit (arXiv 1606.08415), exact.

use std::f32::consts::FRAC_1_SQRT_2;

use multiversion::multiversion;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::element_wise::ElementWiseMiniOp;
use tract_onnx::tract_core::tract_linalg::routines::Func;

/// Values at once, so that they stay in the processor's cache between the passes.
const PIECE: usize = 1024;

/// `x / 2 · (1 + erf(x / √2))`, by tract's error function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gelu;

impl Gelu {
    fn run(values: &mut [f32]) -> TractResult<()> {
        let erf = Func::Erf.ew_f32()?;
        let mut scaled = [0.0; PIECE];
        for values in values.chunks_mut(PIECE) {
            let scaled = &mut scaled[..values.len()];
            scale(values, scaled);
            erf.run(scaled)?;
            weigh(values, scaled);
        }
        Ok(())
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn scale(values: &[f32], scaled: &mut [f32]) {
    for (scaled, x) in scaled.iter_mut().zip(values) {
        *scaled = x * FRAC_1_SQRT_2;
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn weigh(values: &mut [f32], erfs: &[f32]) {
    for (x, erf) in values.iter_mut().zip(erfs) {
        *x = *x * 0.5 * (*erf + 1.0);
    }
}

impl ElementWiseMiniOp for Gelu {
    fn name(&self) -> String {
        "Gelu".to_owned()
    }

    fn eval_in_place(&self, values: &mut Tensor, _: Option<DatumType>) -> TractResult<()> {
        Self::run(values.try_as_plain_ram_mut()?.as_slice_mut()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against values of the definition in double precision, in pieces whole and not.
    #[test]
    fn values_are_those_of_the_definition() {
        let known = [(-3.0, -0.004_049_7), (-1.0, -0.158_655_3), (0.0, 0.0), (0.5, 0.345_731_2)];
        let mut values: Vec<f32> = known.iter().cycle().take(PIECE + 6).map(|(x, _)| *x).collect();
        Gelu::run(&mut values).unwrap();
        for (value, (x, expected)) in values.iter().zip(known.iter().cycle()) {
            assert!((value - expected).abs() < 1e-5, "{x}: {value}");
        }
    }
}
