//! Attention of one query to the keys and values of another sequence, in one operator.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

use super::softmax::softmax;

/// `softmax(query · keys) · values` for each head.
///
/// Inputs: the query `[heads, 1, width]`, already scaled; keys `[heads, width, time]` and values
/// `[heads, time, width]`. Output: `[heads, width]`. tract would copy keys and values anew for each query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossAttention;

impl Op for CrossAttention {
    fn name(&self) -> StaticName {
        "CrossAttention".into()
    }

    op_as_typed_op!();
}

impl EvalOp for CrossAttention {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (query, keys, values) = args_3!(inputs);
        let &[heads, width, time] = keys.shape() else { bail!("keys of {:?}", keys.shape()) };
        let mut output = Tensor::zero::<f32>(&[heads, width])?;
        let (query, keys) = (query.try_as_plain_ram()?, keys.try_as_plain_ram()?);
        let values = values.try_as_plain_ram()?;
        let inputs = [query.as_slice()?, keys.as_slice()?, values.as_slice()?];
        let mut attended = output.try_as_plain_ram_mut()?;
        attend(inputs, [heads, width, time], attended.as_slice_mut()?);
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for CrossAttention {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [heads, width] = [0, 1].map(|axis| inputs[1].shape[axis].clone());
        Ok(tvec!(f32::datum_type().fact([heads, width])))
    }

    as_op!();
}

fn attend(
    [query, keys, values]: [&[f32]; 3],
    [heads, width, time]: [usize; 3],
    output: &mut [f32],
) {
    let mut scores = vec![0.0; time];
    for head in 0..heads {
        let of_head = |rows: usize| head * rows..(head + 1) * rows;
        scores.fill(0.0);
        let keys = keys[of_head(width * time)].chunks_exact(time);
        for (keys, &weight) in keys.zip(&query[of_head(width)]) {
            add_weighted(&mut scores, keys, weight);
        }
        softmax(&mut scores);
        let output = &mut output[of_head(width)];
        let values = values[of_head(width * time)].chunks_exact(width);
        for (values, &weight) in values.zip(&scores) {
            add_weighted(output, values, weight);
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn add_weighted(sums: &mut [f32], values: &[f32], weight: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        // Where the processor has no such instruction, `mul_add` is a call of a function.
        *sum = if cfg!(target_arch = "aarch64") || target_cfg_f!(target_feature = "fma") {
            weight.mul_add(*value, *sum)
        } else {
            weight * value + *sum
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition in double precision.
    #[test]
    fn values_are_weighted_by_the_softmax_of_scores() {
        let (heads, width, time) = (2, 5, 21);
        let some = |n: usize, step: usize| -> Vec<f32> {
            (0..n).map(|i| (i * step % 23) as f32 / 8.0 - 1.4).collect()
        };
        let query = some(heads * width, 5);
        let (keys, values) = (some(heads * width * time, 7), some(heads * width * time, 11));
        let mut output = vec![0.0; heads * width];
        attend([&query, &keys, &values], [heads, width, time], &mut output);
        for (at, found) in output.iter().enumerate() {
            let (head, place) = (at / width, at % width);
            let score = |t: usize| -> f64 {
                let key = |d: usize| f64::from(keys[(head * width + d) * time + t]);
                (0..width).map(|d| f64::from(query[head * width + d]) * key(d)).sum()
            };
            let weights: Vec<f64> = (0..time).map(|t| score(t).exp()).collect();
            let value = |t: usize| f64::from(values[(head * time + t) * width + place]);
            let sum: f64 = (0..time).map(|t| weights[t] * value(t)).sum();
            let expected = sum / weights.iter().sum::<f64>();
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{at}: {found}, {expected}");
        }
    }
}
