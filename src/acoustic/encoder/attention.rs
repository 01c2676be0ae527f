//! Scaled dot-product attention (arXiv 1706.03762): scores, mask, softmax and weighted values in one
//! operator.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;

use super::softmax::softmax;

/// Values of a head, as in Whisper's encoders of every size.
pub const HEAD: usize = 64;
/// Queries at once, so that keys and values are read a quarter as often.
const QUERIES: usize = 4;
/// Sums kept apart, so that they fill vector registers.
const LANES: usize = 16;

/// `softmax(query · keyᵀ + mask) · value` for each query and head of a chunk, whose left context is in a
/// cache that moves on.
///
/// Inputs: queries `[time, heads, HEAD]`, already scaled; the cache `[2, left, heads · HEAD]` of keys and
/// values; the chunk's own keys and values `[1, time, heads · HEAD]`; the mask, a number for each of
/// `left + time` keys, of all queries or of each. Outputs: what the queries give, in their shape, and the next
/// chunk's cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention;

/// What all queries read: rows of all heads' keys and values, the cache's and the chunk's, and what the mask
/// adds to each score, for all queries alike or for each.
struct Context<'a> {
    keys: [&'a [f32]; 2],
    values: [&'a [f32]; 2],
    mask: &'a [f32],
    /// Values in a row.
    width: usize,
}

impl Context<'_> {
    /// The number of keys.
    fn count(&self) -> usize {
        (self.keys[0].len() + self.keys[1].len()) / self.width
    }

    /// The masks of a block of queries.
    fn masks(&self, block: usize) -> [&[f32]; QUERIES] {
        let count = self.count();
        let mut masks = [&self.mask[..count]; QUERIES];
        if self.mask.len() > count {
            let own = self.mask[block * QUERIES * count..].chunks_exact(count);
            masks.iter_mut().zip(own).for_each(|(mask, own)| *mask = own);
        }
        masks
    }
}

impl Op for Attention {
    fn name(&self) -> StaticName {
        "Attention".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Attention {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (queries, cache, keys, values, mask) = args_5!(inputs);
        let mut cache = cache.into_tensor();
        let mut output = Tensor::zero::<f32>(queries.shape())?;
        let (keys, values) = (keys.try_as_plain_ram()?, values.try_as_plain_ram()?);
        let (queries, mask) = (queries.try_as_plain_ram()?, mask.try_as_plain_ram()?);
        let (keys, values) = (keys.as_slice()?, values.as_slice()?);
        let width = cache.shape()[2];

        let mut ram = cache.try_as_plain_ram_mut()?;
        let (old_keys, old_values) = {
            let cache = ram.as_slice_mut()?;
            cache.split_at_mut(cache.len() / 2)
        };
        let context = Context {
            keys: [old_keys, keys],
            values: [old_values, values],
            mask: mask.as_slice()?,
            width,
        };
        let mut attended = output.try_as_plain_ram_mut()?;
        attend(queries.as_slice()?, &context, attended.as_slice_mut()?);
        move_on(old_keys, keys);
        move_on(old_values, values);
        Ok(tvec!(output.into_tvalue(), cache.into_tvalue()))
    }
}

impl TypedOp for Attention {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(inputs[0].without_value(), inputs[1].without_value()))
    }

    as_op!();
}

/// Keeps the newest of what was cached and what is new.
fn move_on(cache: &mut [f32], new: &[f32]) {
    let kept = cache.len().saturating_sub(new.len());
    let fresh = cache.len() - kept;
    cache.copy_within(fresh.., 0);
    cache[kept..].copy_from_slice(&new[new.len() - fresh..]);
}

fn attend(queries: &[f32], context: &Context, output: &mut [f32]) {
    let (count, width) = (context.count(), context.width);
    let row = count.next_multiple_of(LANES);
    let mut keys = vec![0.0; row * HEAD];
    let mut scores = vec![0.0; QUERIES * row];
    for from in (0..width).step_by(HEAD) {
        transpose(context, from, &mut keys);
        let blocks = queries.chunks(QUERIES * width).zip(output.chunks_mut(QUERIES * width));
        for (block, (queries, output)) in blocks.enumerate() {
            let scores = &mut scores[..queries.len() / width * row];
            score(queries, width, from, &keys, context.masks(block), scores);
            for scores in scores.chunks_exact_mut(row) {
                softmax(&mut scores[..count]);
            }
            weigh(scores, context, from, output);
        }
    }
}

/// Lays the keys of the head that begins at `from` in each row side by side, `LANES` at a time.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn transpose(context: &Context, from: usize, keys: &mut [f32]) {
    let mut rows = context.keys.iter().flat_map(|part| part.chunks_exact(context.width));
    for keys in keys.chunks_exact_mut(LANES * HEAD) {
        for (lane, key) in rows.by_ref().take(LANES).enumerate() {
            for (place, value) in
                keys[lane..].iter_mut().step_by(LANES).zip(&key[from..from + HEAD])
            {
                *place = *value;
            }
        }
    }
}

/// Products of up to `QUERIES` rows of queries with all keys, and the mask.
fn score(
    queries: &[f32],
    width: usize,
    from: usize,
    keys: &[f32],
    masks: [&[f32]; QUERIES],
    scores: &mut [f32],
) {
    let length = masks[0].len().next_multiple_of(LANES);
    let mut rows = [&queries[from..from + HEAD]; QUERIES];
    for (row, query) in rows.iter_mut().zip(queries.chunks_exact(width)) {
        *row = &query[from..from + HEAD];
    }
    for (block, keys) in keys.chunks_exact(LANES * HEAD).enumerate() {
        let sums = weighted_sums(rows, keys, LANES, 0);
        let from = block * LANES;
        for ((scores, sums), mask) in scores.chunks_exact_mut(length).zip(&sums).zip(masks) {
            for ((score, sum), mask) in scores[from..].iter_mut().zip(sums).zip(&mask[from..]) {
                *score = sum + mask;
            }
        }
    }
}

/// The values' sums, weighted by up to `QUERIES` rows of scores.
fn weigh(scores: &[f32], context: &Context, from: usize, output: &mut [f32]) {
    let (length, width) = (context.count().next_multiple_of(LANES), context.width);
    let mut rows = [&scores[..length]; QUERIES];
    for (row, scores) in rows.iter_mut().zip(scores.chunks_exact(length)) {
        *row = scores;
    }
    let [old, new] = context.values;
    let (old_rows, new_rows) = (rows, rows.map(|row| &row[old.len() / width..]));
    for from in (from..from + HEAD).step_by(LANES) {
        let parts = [(old_rows, old), (new_rows, new)];
        for sums in parts.map(|(rows, values)| weighted_sums(rows, values, width, from)) {
            for (output, sums) in output.chunks_exact_mut(width).zip(&sums) {
                for (value, sum) in output[from..from + LANES].iter_mut().zip(sums) {
                    *value += sum;
                }
            }
        }
    }
}

/// For each row of weights the sum of `LANES` values from `from` on of each row of values, times its weight.
///
/// A function of its own, and without another loop around these, because the compiler then keeps the sums
/// in registers.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn weighted_sums(
    [a, b, c, d]: [&[f32]; QUERIES],
    values: &[f32],
    width: usize,
    from: usize,
) -> [[f32; LANES]; QUERIES] {
    let mut sums = [[0.0; LANES]; QUERIES];
    for (values, (((a, b), c), d)) in values.chunks_exact(width).zip(a.iter().zip(b).zip(c).zip(d))
    {
        let Some(values) = values[from..].first_chunk::<LANES>() else { continue };
        for (sums, weight) in sums.iter_mut().zip([a, b, c, d]) {
            for (sum, value) in sums.iter_mut().zip(values) {
                // Where the processor has no such instruction, `mul_add` is a call of a function.
                *sum = if cfg!(target_arch = "aarch64") || target_cfg_f!(target_feature = "fma") {
                    weight.mul_add(*value, *sum)
                } else {
                    weight * value + *sum
                };
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_keeps_the_newest() {
        let mut cache = [1.0, 2.0, 3.0];
        move_on(&mut cache, &[4.0]);
        assert_eq!(cache, [2.0, 3.0, 4.0]);
        move_on(&mut cache, &[5.0, 6.0, 7.0, 8.0]);
        assert_eq!(cache, [6.0, 7.0, 8.0]);
    }

    /// Against the definition in double precision, with queries that fill blocks and that don't, and keys
    /// that the mask leaves out.
    #[test]
    fn values_are_weighted_by_the_softmax_of_scores() {
        let (heads, keys) = (2, 21);
        let width = heads * HEAD;
        let some = |n: usize, step: usize| -> Vec<f32> {
            (0..n).map(|i| (i * step % 23) as f32 / 16.0 - 0.7).collect()
        };
        let (all_keys, values) = (some(keys * width, 7), some(keys * width, 11));
        let shared: Vec<f32> = (0..keys).map(|k| if k < 3 { -1e4 } else { 0.0 }).collect();
        for (time, has_own) in [(1, false), (4, false), (6, false), (6, true)] {
            // With masks of their own, later queries attend to less.
            let of = |query: usize| (0..keys).map(move |k| if k < 3 + query { -1e4 } else { 0.0 });
            let own: Vec<f32> = (0..time).flat_map(of).collect();
            let mask = if has_own { &own } else { &shared };
            let queries = some(time * width, 5);
            let mut output = vec![0.0; queries.len()];
            let (old_keys, new_keys) = all_keys.split_at(8 * width);
            let (old_values, new_values) = values.split_at(8 * width);
            let context = Context {
                keys: [old_keys, new_keys],
                values: [old_values, new_values],
                mask,
                width,
            };
            attend(&queries, &context, &mut output);
            for (at, found) in output.iter().enumerate() {
                let (query, head) = (at / width, at % width / HEAD * HEAD);
                let score = |key: usize| -> f64 {
                    let product = |d: usize| {
                        let query = queries[query * width + head + d];
                        f64::from(query) * f64::from(all_keys[key * width + head + d])
                    };
                    let of_query = if has_own { query * keys } else { 0 };
                    (0..HEAD).map(product).sum::<f64>() + f64::from(mask[of_query + key])
                };
                let weights: Vec<f64> = (0..keys).map(|key| score(key).exp()).collect();
                let value = |key: usize| f64::from(values[key * width + at % width]);
                let sum: f64 = (0..keys).map(|key| weights[key] * value(key)).sum();
                let expected = sum / weights.iter().sum::<f64>();
                assert!((f64::from(*found) - expected).abs() < 1e-5, "{time}: {at}");
            }
        }
    }
}
