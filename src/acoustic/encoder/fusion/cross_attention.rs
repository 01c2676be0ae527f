//! The form that attention of one query to given keys and values takes in tract 0.23.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::nn::{Softmax, SoftmaxKind};

use super::super::cross_attention::CrossAttention;
use super::Patch;
use super::attention::{joins, joins_as_one_of};

/// Letters of the axes: (a) heads, (m) one or left out, (n, then k) keys, (k, then n) values of a head.
pub fn fuse(model: &TypedModel, node: &TypedNode, op: &EinSum) -> Patch {
    let softmax = model.node(node.inputs[0].node);
    let is_softmax = softmax.op_as::<Softmax>().is_some_and(|op| {
        op.axes[..] == [1] && op.kind == SoftmaxKind::Softmax && op.quant_output_dt.is_none()
    });
    if !is_softmax || !joins(op, "ak,akn->an")? {
        return Ok(None);
    }
    let scores = model.node(softmax.inputs[0].node);
    let Some(product) = scores.op_as::<EinSum>() else { return Ok(None) };
    if !joins_as_one_of(product, ["ak,akn->an", "amk,akn->an"])? {
        return Ok(None);
    }
    let mut patch = TypedModelPatch::default();
    let inputs = [scores.inputs[0], scores.inputs[1], node.inputs[1]];
    let inputs = patch.taps(model, &inputs)?;
    let output = patch.wire_node(&node.name, CrossAttention, &inputs)?;
    patch.shunt_outside(model, node.id.into(), output[0])?;
    Ok(Some(patch))
}
