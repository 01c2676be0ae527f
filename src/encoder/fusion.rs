//! Rewrites tract's graph so that what surrounds the matrix products takes one pass.
//!
//! The file stays standard ONNX; these are the forms that its operators take in tract 0.23:
//!
//! ```text
//! QuantizeLinear                                          → Quantize
//! MatMulInteger → Cast → Mul(steps) → Add(bias)           → MatMulInteger → Rescale
//! Reduce<Sum> → Mul → Sub → RmsNorm → Mul(gain) → Add(bias) → LayerNorm
//! ```

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::DimLike;
use tract_onnx::tract_core::model::Rewriter;
use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math::{Add, Mul, Sub};
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer, RmsNorm};
use tract_onnx::tract_core::ops::quant::QuantizeLinearI8;

use super::layer_norm::LayerNorm;
use super::quantize::Quantize;
use super::rescale::Rescale;

type Patch = TractResult<Option<TypedModelPatch>>;

/// Gives the graph as tract would run it, but for the three operators above.
pub fn optimize(model: TypedModel) -> TractResult<TypedModel> {
    let mut model = model.into_decluttered()?;
    Rewriter::default()
        .with_rule_for("quantize", |(), model, node, _, op| quantize(model, node, op))
        .with_rule_for("rescale", |(), model, node, _, op| rescale(model, node, op))
        .with_rule_for("layer norm", |(), model, node, _, op| layer_norm(model, node, op))
        .rewrite(&(), &mut model)?;
    model.into_optimized()
}

fn quantize(model: &TypedModel, node: &TypedNode, op: &ElementWiseOp) -> Patch {
    let is_f32 = model.outlet_fact(node.inputs[0])?.datum_type == f32::datum_type();
    match op.0.downcast_ref::<QuantizeLinearI8>() {
        Some(op) if is_f32 => {
            let op = Quantize { per_step: op.scale, zero_point: op.zero_point };
            let op = ElementWiseOp(Box::new(op), None);
            TypedModelPatch::replace_single_op(model, node, &node.inputs, op).map(Some)
        }
        _ => Ok(None),
    }
}

fn rescale(model: &TypedModel, node: &TypedNode, op: &Cast) -> Patch {
    let input = model.outlet_fact(node.inputs[0])?;
    if input.datum_type != i32::datum_type() || op.to != f32::datum_type() {
        return Ok(None);
    }
    let Some((mul, steps)) = next_by_channel::<Mul>(model, node)? else { return Ok(None) };
    let Some((add, bias)) = next_by_channel::<Add>(model, mul)? else { return Ok(None) };
    replace(model, node.inputs[0], node, add, Rescale { steps, bias })
}

fn layer_norm(model: &TypedModel, norm: &TypedNode, op: &RmsNorm) -> Patch {
    let centred = model.node(norm.inputs[0].node);
    let (Some(input), Some(epsilon)) = (centred_input(model, centred)?, scalar(&op.eps)) else {
        return Ok(None);
    };
    let fact = model.outlet_fact(input)?;
    if fact.datum_type != f32::datum_type() || op.axis + 1 != fact.rank() {
        return Ok(None);
    }
    let Some((mul, gain)) = next_by_channel::<Mul>(model, norm)? else { return Ok(None) };
    let Some((add, bias)) = next_by_channel::<Add>(model, mul)? else { return Ok(None) };
    replace(model, input, norm, add, LayerNorm { gain, bias, epsilon })
}

/// What `node` gives less its mean over the last axis, if that is what it does.
fn centred_input(model: &TypedModel, node: &TypedNode) -> TractResult<Option<OutletId>> {
    if !is_binary::<Sub>(node) {
        return Ok(None);
    }
    let (input, mean) = (node.inputs[0], model.node(node.inputs[1].node));
    let last = model.outlet_fact(input)?.rank() - 1;
    let length = model.outlet_fact(input)?.shape[last].to_usize()?;
    let Some((sum, share)) = product_with_constant(model, mean)? else { return Ok(None) };
    let is_mean = scalar(&share).is_some_and(|share| share == 1.0 / length as f32);
    let is_sum = model
        .node(sum.node)
        .op_as::<Reduce>()
        .is_some_and(|reduce| reduce.reducer == Reducer::Sum && reduce.axes[..] == [last]);
    Ok((is_mean && is_sum && model.node(sum.node).inputs[0] == input).then_some(input))
}

fn product_with_constant(
    model: &TypedModel,
    node: &TypedNode,
) -> TractResult<Option<(OutletId, Arc<Tensor>)>> {
    if !is_binary::<Mul>(node) {
        return Ok(None);
    }
    for (input, other) in [(0, 1), (1, 0)] {
        if let Some(constant) = &model.outlet_fact(node.inputs[other])?.konst {
            return Ok(Some((node.inputs[input], constant.clone())));
        }
    }
    Ok(None)
}

/// The only reader of `node`, if it is the operation `O` with a constant for each place on the last
/// axis, and that constant.
fn next_by_channel<'m, O: BinMiniOp>(
    model: &'m TypedModel,
    node: &TypedNode,
) -> TractResult<Option<(&'m TypedNode, Arc<Tensor>)>> {
    let shape = &node.outputs[0].fact.shape;
    let Some(next) = model.single_succ(node.id)? else { return Ok(None) };
    if !is_binary::<O>(next)
        || next.outputs[0].fact.shape != *shape
        || model.output_outlets()?.contains(&node.id.into())
    {
        return Ok(None);
    }
    let other = next.inputs.iter().find(|input| input.node != node.id);
    let Some(constant) = other.and_then(|other| model.outlet_fact(*other).ok()?.konst.clone())
    else {
        return Ok(None);
    };
    let channels = shape[shape.len() - 1].to_usize()?;
    let by_channel = constant.datum_type() == f32::datum_type()
        && constant.len() == channels
        && constant.shape().last() == Some(&channels);
    Ok(by_channel.then_some((next, constant)))
}

/// Has `op` compute from `input` what `last` gave, under the name of `first`.
fn replace(
    model: &TypedModel,
    input: OutletId,
    first: &TypedNode,
    last: &TypedNode,
    op: impl Into<Box<dyn TypedOp>>,
) -> Patch {
    let mut patch = TypedModelPatch::default();
    let input = patch.tap_model(model, input)?;
    let output = patch.wire_node(&first.name, op, &[input])?;
    patch.shunt_outside(model, last.id.into(), output[0])?;
    Ok(Some(patch))
}

fn is_binary<O: BinMiniOp>(node: &TypedNode) -> bool {
    node.op_as::<TypedBinOp>().is_some_and(|op| op.0.is::<O>())
}

fn scalar(tensor: &Tensor) -> Option<f32> {
    match tensor.as_plain_ram()?.as_slice::<f32>() {
        Ok(&[value]) => Some(value),
        _ => None,
    }
}
