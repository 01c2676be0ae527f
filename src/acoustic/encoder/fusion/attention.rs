//! The form that attention over a chunk and a cache takes in tract 0.23.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::axes::Axis;
use tract_onnx::tract_core::internal::{AxesMapping, AxisOp, ToDim};
use tract_onnx::tract_core::ops::array::{Slice, TypedConcat};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::math::Add;
use tract_onnx::tract_core::ops::nn::{Softmax, SoftmaxKind};

use super::super::attention::{Attention, HEAD};
use super::{Patch, concrete, is_binary};

/// The keys, or values, that attention reads before they are split into heads.
struct CachedRows {
    /// Both planes.
    cache: OutletId,
    new: OutletId,
    /// The node that puts the new ones after those of one plane of the cache.
    joined: usize,
}

/// Letters of the axes: (m) queries, (b) heads, (n, then k) keys, (k, then n) values of a head, (a) one. The axis of
/// a single query is left out.
pub fn fuse(model: &TypedModel, node: &TypedNode, op: &EinSum) -> Patch {
    let softmax = model.node(node.inputs[0].node);
    let add = model.node(softmax.inputs.first().map_or(node.id, |input| input.node));
    if !is_softmax(softmax)
        || !is_binary::<Add>(add)
        || !joins_as_one_of(op, ["bmk,akbn->mbn", "bmk,akbn->bn"])?
    {
        return Ok(None);
    }
    let Some((scores, mask)) = masked_scores(model, add)? else { return Ok(None) };
    let queries = scores.inputs[0];
    let (Some(keys), Some(values)) =
        (cached_rows(model, scores.inputs[1], 0)?, cached_rows(model, node.inputs[1], 1)?)
    else {
        return Ok(None);
    };
    let time = match concrete(model, queries)? {
        Some(&[time, _, HEAD]) => time,
        Some(&[_, HEAD]) => 1,
        _ => return Ok(None),
    };
    let Some(next) = next_cache(model, [keys.joined, values.joined], time)? else {
        return Ok(None);
    };
    if keys.cache != values.cache {
        return Ok(None);
    }
    let mut patch = TypedModelPatch::default();
    let inputs = patch.taps(model, &[queries, keys.cache, keys.new, values.new, mask])?;
    let outputs = patch.wire_node(&node.name, Attention, &inputs)?;
    patch.shunt_outside(model, node.id.into(), outputs[0])?;
    patch.shunt_outside(model, next.into(), outputs[1])?;
    Ok(Some(patch))
}

/// The product of queries with keys to which a number for each key is added, or for each query and key, and
/// these numbers.
fn masked_scores<'m>(
    model: &'m TypedModel,
    add: &TypedNode,
) -> TractResult<Option<(&'m TypedNode, OutletId)>> {
    for (scores, mask) in [(0, 1), (1, 0)] {
        let (scores, mask) = (model.node(add.inputs[scores].node), add.inputs[mask]);
        let Some(product) = scores.op_as::<EinSum>() else { continue };
        let (Some([_, queries, keys]), Some([1, rows, masked])) =
            (concrete(model, scores.id.into())?, concrete(model, mask)?)
        else {
            continue;
        };
        if keys == masked
            && (*rows == 1 || rows == queries)
            && joins_as_one_of(product, ["mbk,anbk->bmn", "bk,anbk->bmn"])?
        {
            return Ok(Some((scores, mask)));
        }
    }
    Ok(None)
}

fn cached_rows(
    model: &TypedModel,
    split: OutletId,
    plane: usize,
) -> TractResult<Option<CachedRows>> {
    let split = model.node(split.node);
    let Some(joined) = split.inputs.first().map(|input| model.node(input.node)) else {
        return Ok(None);
    };
    let is_split = split.op_is::<AxisOp>()
        && matches!(concrete(model, split.id.into())?, Some([1, _, _, HEAD]));
    let is_joined = joined.op_as::<TypedConcat>().is_some_and(|op| op.axis == 1);
    let (&[old, new], true) = (&joined.inputs[..], is_split && is_joined) else { return Ok(None) };
    let old = model.node(old.node);
    let is_plane =
        |op: &Slice| op.axis == 0 && op.start == plane.to_dim() && op.end == (plane + 1).to_dim();
    if !old.op_as::<Slice>().is_some_and(is_plane) {
        return Ok(None);
    }
    let cache = old.inputs[0];
    let is_of_two = matches!(concrete(model, cache)?, Some([2, _, _]));
    Ok(is_of_two.then_some(CachedRows { cache, new, joined: joined.id }))
}

/// The node that makes the next cache: what is left of both planes without their first `time` rows.
fn next_cache(model: &TypedModel, joined: [usize; 2], time: usize) -> TractResult<Option<usize>> {
    let rest = |joined: usize| -> TractResult<Option<&TypedNode>> {
        let length = model.outlet_fact(joined.into())?.shape[1].clone();
        let is_rest = |op: &Slice| op.axis == 1 && op.start == time.to_dim() && op.end == length;
        let mut readers =
            model.node(joined).outputs[0].successors.iter().map(|s| model.node(s.node));
        Ok(readers.find(|reader| reader.op_as::<Slice>().is_some_and(is_rest)))
    };
    let (Some(keys), Some(values)) = (rest(joined[0])?, rest(joined[1])?) else { return Ok(None) };
    let mut readers = keys.outputs[0].successors.iter().map(|s| model.node(s.node));
    let is_cache = |node: &TypedNode| {
        node.op_as::<TypedConcat>().is_some_and(|op| op.axis == 0)
            && node.inputs[..] == [keys.id.into(), values.id.into()]
    };
    Ok(readers.find(|node| is_cache(node)).map(|node| node.id))
}

/// Whether a product joins its inputs' axes as in one of the formulas.
pub(super) fn joins_as_one_of(op: &EinSum, formulas: [&str; 2]) -> TractResult<bool> {
    Ok(joins(op, formulas[0])? || joins(op, formulas[1])?)
}

/// Whether a product in `f32` joins its inputs' axes as in `formula`, whatever their letters.
pub(super) fn joins(op: &EinSum, formula: &str) -> TractResult<bool> {
    let expected: AxesMapping = formula.parse()?;
    let is_alike = expected.iter_all_axes().all(|wanted| {
        let is_same = |axis: &Axis| axis.inputs == wanted.inputs && axis.outputs == wanted.outputs;
        op.axes.iter_all_axes().any(is_same)
    });
    Ok(is_alike && op.q_params.is_none() && op.operating_dt == f32::datum_type())
}

fn is_softmax(node: &TypedNode) -> bool {
    node.op_as::<Softmax>().is_some_and(|op| {
        op.axes[..] == [2] && op.kind == SoftmaxKind::Softmax && op.quant_output_dt.is_none()
    })
}
