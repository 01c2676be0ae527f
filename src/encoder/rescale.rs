//! The sums of an integer matrix product back to floating point.

use multiversion::multiversion;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

/// `sum · steps[channel] + bias[channel]`, the channel being the place on the last axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescale {
    pub steps: Arc<Tensor>,
    pub bias: Arc<Tensor>,
}

impl Op for Rescale {
    fn name(&self) -> StaticName {
        "Rescale".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Rescale {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut output = Tensor::zero::<f32>(inputs[0].shape())?;
        let (steps, bias) = (self.steps.try_as_plain_ram()?, self.bias.try_as_plain_ram()?);
        run(
            inputs[0].try_as_plain_ram()?.as_slice()?,
            steps.as_slice()?,
            bias.as_slice()?,
            output.try_as_plain_ram_mut()?.as_slice_mut()?,
        );
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Rescale {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::datum_type().fact(inputs[0].shape.clone())))
    }

    as_op!();
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn run(sums: &[i32], steps: &[f32], bias: &[f32], output: &mut [f32]) {
    let channels = steps.len();
    for (sums, output) in sums.chunks_exact(channels).zip(output.chunks_exact_mut(channels)) {
        for (((sum, step), bias), value) in sums.iter().zip(steps).zip(bias).zip(output) {
            *value = *sum as f32 * step + bias;
        }
    }
}
