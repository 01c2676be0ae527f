//! Rewrites tract's graph so that what surrounds the matrix products takes one pass.
//!
//! The file stays standard ONNX; these are the forms that its operators take in tract 0.23:
//!
//! ```text
//! QuantizeLinear                                          → Quantize
//! MatMulInteger → Cast → Mul(steps) → Add(bias)           → Linear
//! Reduce<Sum> → Mul → Sub → RmsNorm → Mul(gain) → Add(bias) → LayerNorm
//! GeluExact                                               → Gelu
//! Conv, by channel                                        → Depthwise
//! product with keys → Add(mask) → Softmax → product with values,
//!     keys and values after those of a cache that moves on → Attention
//! product with keys → Softmax → product with values, of a query → CrossAttention
//! Downsample, of rows                                     → Subsample
//! ```
//!
//! The last five do what tract's own do: tract packs and copies what is too small here to be worth it, and
//! is compiled for size. `Linear` has tract's kernels, chosen without regard to a chunk's length.

mod attention;
mod cross_attention;
mod linear;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::DimLike;
use tract_onnx::tract_core::model::Rewriter;
use tract_onnx::tract_core::ops::array::Gather;
use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat, PaddingSpec};
use tract_onnx::tract_core::ops::downsample::Downsample;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math::{Add, Mul, Sub};
use tract_onnx::tract_core::ops::nn::gelu_exact::GeluExact;
use tract_onnx::tract_core::ops::nn::{DataFormat, Reduce, Reducer, RmsNorm};
use tract_onnx::tract_core::ops::quant::QuantizeLinearI8;

use super::depthwise::Depthwise;
use super::gelu::Gelu;
use super::layer_norm::LayerNorm;
use super::quantize::Quantize;
use super::subsample::Subsample;

type Patch = TractResult<Option<TypedModelPatch>>;

/// Gives the graph as tract would run it, but for the operators above.
pub fn optimize(model: TypedModel) -> TractResult<TypedModel> {
    let mut model = model.into_decluttered()?;
    Rewriter::default()
        .with_rule_for("element-wise", |(), model, node, _, op| element_wise(model, node, op))
        .with_rule_for("linear", |(), model, node, _, op| linear::fuse(model, node, op))
        .with_rule_for("layer norm", |(), model, node, _, op| layer_norm(model, node, op))
        .with_rule_for("attention", |(), model, node, _, op| attention::fuse(model, node, op))
        .with_rule_for("cross attention", |(), model, node, _, op| {
            cross_attention::fuse(model, node, op)
        })
        .with_rule_for("subsample", |(), model, node, _, op| subsample(model, node, op))
        .with_rule_for("gather", |(), model, node, _, op| gather(model, node, op))
        .with_rule_for("depthwise", |(), model, node, _, op| depthwise(model, node, op))
        .rewrite(&(), &mut model)?;
    model.optimize()?;
    Ok(model)
}

fn element_wise(model: &TypedModel, node: &TypedNode, op: &ElementWiseOp) -> Patch {
    if model.outlet_fact(node.inputs[0])?.datum_type != f32::datum_type() {
        return Ok(None);
    }
    let op = if let Some(op) = op.0.downcast_ref::<QuantizeLinearI8>() {
        let op = Quantize { per_step: op.scale, zero_point: op.zero_point };
        ElementWiseOp(Box::new(op), None)
    } else if op.0.is::<GeluExact>() {
        ElementWiseOp(Box::new(Gelu), None)
    } else {
        return Ok(None);
    };
    TypedModelPatch::replace_single_op(model, node, &node.inputs, op).map(Some)
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

fn subsample(model: &TypedModel, node: &TypedNode, op: &Downsample) -> Patch {
    let input = model.outlet_fact(node.inputs[0])?;
    let is_of_rows = matches!(input.shape.as_concrete(), Some([1, _, _])) && op.axis == 1;
    if !is_of_rows || op.stride < 1 || input.datum_type != f32::datum_type() {
        return Ok(None);
    }
    let op = Subsample { first: op.modulo, step: op.stride.unsigned_abs() };
    TypedModelPatch::replace_single_op(model, node, &node.inputs, op).map(Some)
}

/// A table of its own for what looks rows up in one that a product reads too: tract lays out anew, each
/// time, the constant of a product that others read.
fn gather(model: &TypedModel, node: &TypedNode, op: &Gather) -> Patch {
    let table = model.node(node.inputs[0].node);
    let Some(constant) = &table.outputs[0].fact.konst else { return Ok(None) };
    if table.outputs[0].successors.len() < 2 {
        return Ok(None);
    }
    let mut patch = TypedModelPatch::default();
    let own = patch.add_const(format!("{}.own", table.name), constant.clone())?;
    let places = patch.tap_model(model, node.inputs[1])?;
    let output = patch.wire_node(&node.name, op.clone(), &[own, places])?;
    patch.shunt_outside(model, node.id.into(), output[0])?;
    Ok(Some(patch))
}

fn depthwise(model: &TypedModel, node: &TypedNode, op: &Conv) -> Patch {
    let (spec, input) = (&op.pool_spec, model.outlet_fact(node.inputs[0])?);
    let is_plain = spec.data_format == DataFormat::NHWC
        && spec.rank() == 1
        && [spec.stride(0), spec.dilation(0)] == [1, 1]
        && match &spec.padding {
            PaddingSpec::Valid => true,
            PaddingSpec::Explicit(before, after) => [&before[..], after] == [[0], [0]],
            _ => false,
        };
    let is_by_channel = op.kernel_fmt == KernelFormat::OIHW
        && [spec.input_channels, spec.output_channels] == [op.group; 2];
    let is_f32 = input.datum_type == f32::datum_type() && op.q_params.is_none();
    let batches = input.shape[0].to_usize();
    if !(is_plain && is_by_channel && is_f32 && batches.is_ok_and(|batches| batches == 1)) {
        return Ok(None);
    }
    let constant =
        |place: usize| TractResult::Ok(model.outlet_fact(node.inputs[place])?.konst.clone());
    let (Some(kernel), Some(bias)) = (constant(1)?, constant(2)?) else { return Ok(None) };
    if bias.shape() != [op.group] {
        return Ok(None);
    }
    let [channels, taps] = [op.group, spec.kernel_shape[0]];
    let kernel = kernel.into_tensor().into_shape(&[channels, taps])?.permute_axes(&[1, 0])?;
    let op = Depthwise { kernel: kernel.into_arc_tensor(), bias };
    TypedModelPatch::replace_single_op(model, node, &node.inputs[..1], op).map(Some)
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

fn concrete(model: &TypedModel, outlet: OutletId) -> TractResult<Option<&[usize]>> {
    Ok(model.outlet_fact(outlet)?.shape.as_concrete())
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
