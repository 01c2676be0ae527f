//! A convolution over time of each channel by itself.

use multiversion::multiversion;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

/// `output[t, c] = bias[c] + Σ kernel[k, c] · input[t + k, c]`, with channels on the last axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depthwise {
    /// `[taps, channels]`
    pub kernel: Arc<Tensor>,
    /// `[channels]`
    pub bias: Arc<Tensor>,
}

impl Depthwise {
    fn taps(&self) -> usize {
        self.kernel.shape()[0]
    }

    /// The shape of what comes of an input `[1, times, channels]`.
    fn output_shape(&self, input: &[usize]) -> TVec<usize> {
        tvec!(1, (input[1] + 1).saturating_sub(self.taps()), input[2])
    }
}

impl Op for Depthwise {
    fn name(&self) -> StaticName {
        "Depthwise".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Depthwise {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut output = Tensor::zero::<f32>(&self.output_shape(inputs[0].shape()))?;
        let (kernel, bias) = (self.kernel.try_as_plain_ram()?, self.bias.try_as_plain_ram()?);
        run(
            inputs[0].try_as_plain_ram()?.as_slice()?,
            kernel.as_slice()?,
            bias.as_slice()?,
            output.try_as_plain_ram_mut()?.as_slice_mut()?,
        );
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Depthwise {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let input = inputs[0].shape.as_concrete().context("a shape that is not fixed")?;
        Ok(tvec!(f32::datum_type().fact(self.output_shape(input))))
    }

    as_op!();
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn run(input: &[f32], kernel: &[f32], bias: &[f32], output: &mut [f32]) {
    let channels = bias.len();
    for (time, output) in output.chunks_exact_mut(channels).enumerate() {
        output.copy_from_slice(bias);
        let window = input[time * channels..].chunks_exact(channels);
        for (input, weights) in window.zip(kernel.chunks_exact(channels)) {
            for ((sum, x), weight) in output.iter_mut().zip(input).zip(weights) {
                *sum += x * weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_summed_over_time() {
        let input = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0];
        let (kernel, bias) = ([1.0, 1.0, 0.0, -1.0, 2.0, 0.5], [0.25, -0.5]);
        let mut output = [0.0; 4];
        run(&input, &kernel, &bias, &mut output);
        assert_eq!(output, [7.25, 4.5, 10.25, 9.5]);
    }
}
