//! Every so many-th row, as a strided slice in the ONNX file.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

/// Rows `first`, `first + step` and so on of `[1, rows, width]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subsample {
    pub first: usize,
    pub step: usize,
}

impl Subsample {
    fn shape(&self, input: &[usize]) -> [usize; 3] {
        [1, input[1].saturating_sub(self.first).div_ceil(self.step), input[2]]
    }
}

impl Op for Subsample {
    fn name(&self) -> StaticName {
        "Subsample".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Subsample {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let width = inputs[0].shape()[2];
        let mut output = Tensor::zero::<f32>(&self.shape(inputs[0].shape()))?;
        let input = inputs[0].try_as_plain_ram()?;
        let rows = input.as_slice::<f32>()?.chunks_exact(width).skip(self.first).step_by(self.step);
        let mut kept = output.try_as_plain_ram_mut()?;
        for (kept, row) in kept.as_slice_mut::<f32>()?.chunks_exact_mut(width).zip(rows) {
            kept.copy_from_slice(row);
        }
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Subsample {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let shape = inputs[0].shape.as_concrete().context("a shape that is not fixed")?;
        Ok(tvec!(f32::datum_type().fact(self.shape(shape))))
    }

    as_op!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_from_the_first_on() {
        let rows = Tensor::from_shape(&[1, 5, 2], &[0.0f32, 1., 2., 3., 4., 5., 6., 7., 8., 9.]);
        let rows = rows.unwrap().into_tvalue();
        for (first, expected) in [(0, &[0.0f32, 1., 4., 5., 8., 9.][..]), (1, &[2., 3., 6., 7.])] {
            let op = Subsample { first, step: 2 };
            let kept = op.eval(&EvalContext::out_of_plan(), tvec!(rows.clone())).unwrap();
            assert_eq!(kept[0].try_as_plain_ram().unwrap().as_slice::<f32>().unwrap(), expected);
            assert_eq!(kept[0].shape(), [1, expected.len() / 2, 2]);
        }
    }
}
