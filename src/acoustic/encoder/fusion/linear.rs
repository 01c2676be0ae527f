//! The form that a linear layer in 8-bit integers takes in tract 0.23.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::axes::AxesMapping;
use tract_onnx::tract_core::internal::InOut;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::math::{Add, Mul};

use super::super::linear::Linear;
use super::{Patch, concrete, next_by_channel, replace};

/// A product of 8-bit integers with constant weights, its scale and its bias.
pub fn fuse(model: &TypedModel, node: &TypedNode, op: &EinSum) -> Patch {
    if !is_plain_product(model, node, op)? {
        return Ok(None);
    }
    let Some(weights) = weights(model, node, &op.axes)? else { return Ok(None) };
    let Some(shape) = concrete(model, node.id.into())? else { return Ok(None) };
    let Some(cast) = model.single_succ(node.id)? else { return Ok(None) };
    if cast.op_as::<Cast>().is_none_or(|cast| cast.to != f32::datum_type()) {
        return Ok(None);
    }
    let Some((mul, steps)) = next_by_channel::<Mul>(model, cast)? else { return Ok(None) };
    let (last, bias) = match next_by_channel::<Add>(model, mul)? {
        Some((add, bias)) => (add, bias),
        None => (mul, Tensor::zero::<f32>(&[steps.len()])?.into_arc_tensor()),
    };
    replace(model, node.inputs[0], node, last, Linear::new(&weights, steps, bias, shape)?)
}

/// Whether the product has no zero points, bias and scales; tract gives it inputs for these.
fn is_plain_product(model: &TypedModel, node: &TypedNode, op: &EinSum) -> TractResult<bool> {
    let facts = model.node_input_facts(node.id)?;
    let is_i32 = op.q_params == Some(i32::datum_type()) && op.operating_dt == i32::datum_type();
    let is_i8 = |place: usize| facts[place].datum_type == i8::datum_type();
    if !is_i32 || node.inputs.len() != 9 || !is_i8(0) || !is_i8(1) {
        return Ok(false);
    }
    let is_all = |places: &[usize], value: f32| {
        places.iter().all(|&place| {
            let constant = facts[place].konst.as_ref();
            constant.is_some_and(|c| c.cast_to_scalar::<f32>().is_ok_and(|c| c == value))
        })
    };
    // The places of the bias and the zero points, then those of the scales.
    Ok(is_all(&[2, 3, 5, 7], 0.0) && is_all(&[4, 6, 8], 1.0))
}

/// The weights `[depth, channels]`, if they are constant and the product is one of matrices as they lie in
/// memory: values `[rows, depth]` to `[rows, channels]`, each of which may be several axes.
///
/// tract moves heads and axes of length one into the product.
fn weights(
    model: &TypedModel,
    node: &TypedNode,
    axes: &AxesMapping,
) -> TractResult<Option<Tensor>> {
    let Some(weights) = &model.outlet_fact(node.inputs[1])?.konst else { return Ok(None) };
    let Some(values) = concrete(model, node.inputs[0])? else { return Ok(None) };
    let Some(output) = concrete(model, node.id.into())? else { return Ok(None) };
    let letters = |side, shape: &[usize]| -> Vec<char> {
        let long = axes.axes(side).zip(shape).filter(|(_, length)| **length != 1);
        long.map(|(axis, _)| axis.repr).collect()
    };
    let (values, output) = (letters(InOut::In(0), values), letters(InOut::Out(0), output));
    let all_weights: Vec<char> = axes.axes(InOut::In(1)).map(|axis| axis.repr).collect();
    let (rows, depth): (Vec<char>, Vec<char>) = values.iter().partition(|c| output.contains(c));
    let channels: Vec<char> = output.iter().filter(|c| !rows.contains(c)).copied().collect();
    let order: Option<Vec<usize>> = [&depth[..], &channels]
        .concat()
        .iter()
        .map(|letter| all_weights.iter().position(|axis| axis == letter))
        .collect();
    let Some(order) = order.filter(|order| order.len() == weights.rank()) else { return Ok(None) };
    if values != [&rows[..], &depth].concat() || output != [&rows[..], &channels].concat() {
        return Ok(None);
    }
    let weights = (**weights).clone().permute_axes(&order)?;
    let depth: usize = weights.shape()[..depth.len()].iter().product();
    let channels = weights.len() / depth.max(1);
    Ok(Some(weights.into_shape(&[depth, channels])?))
}
