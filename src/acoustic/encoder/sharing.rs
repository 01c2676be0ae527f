//! One copy in memory of what two graphs of the same weights hold.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::ops::matmul::optimized::{MatMulOperand, OptMatMul, ProtoFusedSpec};
use tract_onnx::tract_core::tract_linalg::mmm::EagerPackedInput;
use tract_onnx::tract_core::tract_linalg::pack::PackedFormat;

use super::linear::Linear;

/// Constants of fewer values are not worth a comparison.
const LARGE: usize = 1 << 14;

/// Gives the layers of `model` the weights of those of `other` that are the same.
///
/// Each graph's weights are packed anew and kept inside its operators. Layers in 8-bit integers share
/// them whatever the chunks; products in floating point do where tract packs them into the same bytes.
pub fn share_weights(model: &mut TypedModel, other: &TypedModel) {
    let theirs: Vec<_> = other.nodes.iter().filter_map(|node| node.op_as::<Linear>()).collect();
    for ours in model.nodes.iter_mut().filter_map(|node| node.op_as_mut::<Linear>()) {
        let ours = ours.weights_mut();
        if let Some(same) = theirs.iter().map(|l| l.weights()).find(|theirs| theirs.is_same(ours)) {
            *ours = same.clone();
        }
    }
    share_float_weights(model, other);
    share_constants(model, other);
}

/// Gives the constants of `model` the memory of those of `other` that are the same.
fn share_constants(model: &mut TypedModel, other: &TypedModel) {
    let theirs: Vec<_> = other.nodes.iter().filter_map(|node| node.op_as::<Const>()).collect();
    for node in &mut model.nodes {
        let Some(ours) = node.op_as::<Const>().map(|constant| constant.val().clone()) else {
            continue;
        };
        let same = theirs.iter().map(|constant| constant.val()).find(|theirs| **theirs == ours);
        let Some(same) = same.filter(|_| ours.len() >= LARGE) else { continue };
        if let Ok(op) = Const::new(same.clone()) {
            node.op = Box::new(op);
            node.outputs[0].fact.konst = Some(same.clone());
        }
    }
}

fn share_float_weights(model: &mut TypedModel, other: &TypedModel) {
    let products = other.nodes.iter().filter_map(|node| node.op_as::<OptMatMul>());
    let theirs: Vec<_> =
        products.flat_map(|product| &product.micro_ops).flat_map(weights).collect();
    let products = model.nodes.iter_mut().filter_map(|node| node.op_as_mut::<OptMatMul>());
    for micro_op in products.flat_map(|product| &mut product.micro_ops) {
        let ProtoFusedSpec::AddMatMul { a, b, .. } = micro_op else { continue };
        for ours in [a, b] {
            // The packed bytes are counted by their references, and a clone is one more.
            if let Some(&same) = theirs.iter().find(|theirs| is_same(theirs, ours)) {
                *ours = same.clone();
            }
        }
    }
}

/// Whether both are constants of the same values. Between panels tract leaves bytes as they were.
fn is_same(one: &MatMulOperand, other: &MatMulOperand) -> bool {
    one == other || have_same_panels(one, other)
}

/// Whether all of both's panels are full, and hold the same values.
fn have_same_panels(one: &MatMulOperand, other: &MatMulOperand) -> bool {
    let (Some((one, format)), Some((other, _))) = (panels(one), panels(other)) else {
        return false;
    };
    let values = one.fact.k * format.r * format.dt.size_of();
    let are_full = one.mn % format.r == 0 && values <= one.panel_bytes;
    let alike = one.fact == other.fact && one.mn == other.mn && are_full;
    let [one, other] =
        [one, other].map(|input| input.packed.as_bytes().chunks(input.panel_bytes.max(1)));
    alike && one.zip(other).all(|(one, other)| one.get(..values) == other.get(..values))
}

/// A constant that is packed panel by panel, and how.
fn panels(operand: &MatMulOperand) -> Option<(&EagerPackedInput, &PackedFormat)> {
    let MatMulOperand::Const(value) = operand else { return None };
    let value = value.downcast_ref::<EagerPackedInput>()?;
    Some((value, value.fact.format.downcast_ref::<PackedFormat>()?))
}

/// The operands that are constants.
fn weights(micro_op: &ProtoFusedSpec) -> impl Iterator<Item = &MatMulOperand> {
    let operands = match micro_op {
        ProtoFusedSpec::AddMatMul { a, b, .. } => [Some(a), Some(b)],
        _ => [None, None],
    };
    operands.into_iter().flatten().filter(|operand| matches!(operand, MatMulOperand::Const(_)))
}

/// Replaces values by those of `others` in the same place that equal them.
pub fn share_values(values: &mut [TValue], others: &[TValue]) {
    for (value, other) in values.iter_mut().zip(others) {
        if value == other {
            *value = other.clone();
        }
    }
}

/// Where the packed weights of each layer are in memory, and their bytes; and the large constants.
#[cfg(test)]
pub(crate) fn places(model: &TypedModel) -> std::collections::BTreeMap<usize, usize> {
    let nodes = || model.nodes.iter();
    let layers = nodes().filter_map(|node| node.op_as::<Linear>());
    let constants = nodes().filter_map(|node| node.op_as::<Const>()).map(|constant| constant.val());
    let large = constants.filter(|value| value.len() >= LARGE);
    let place = |value: &Arc<Tensor>| (Arc::as_ptr(value).addr(), value.len());
    layers.map(|layer| layer.weights().place()).chain(large.map(place)).collect()
}

#[cfg(all(test, repository))]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::acoustic::encoder::Encoder;
    use crate::model::{Chunk, LoadOptions, Model, Precision};

    fn weights_of(encoder: &Encoder) -> BTreeMap<usize, usize> {
        places(encoder.0.plan.model())
    }

    #[test]
    fn both_passes_read_the_same_weights_whatever_the_chunks() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/en-small");
        for millis in [320, 640, 1280] {
            let chunk = Chunk::Length(Duration::from_millis(millis));
            let options = LoadOptions { chunk, ..Precision::Int8.into() };
            let model = Model::load(&dir, options).unwrap();
            let kernels = model.encoder().matrix_kernels();
            eprintln!("chunks of {millis} ms on this processor: {kernels:?}");
            let first = weights_of(model.encoder());
            let mut encoders = model.final_pass_encoder().unwrap().get().unwrap();
            assert!(first.len() >= 40, "{kernels:?}: {}", first.len());
            assert_eq!(weights_of(encoders.next().unwrap()), first, "{kernels:?}");
        }
    }
}
