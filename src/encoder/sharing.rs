//! One copy in memory of what two graphs of the same weights hold.

use std::collections::HashMap;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::matmul::optimized::{MatMulOperand, OptMatMul, ProtoFusedSpec};

/// Gives the matrix products of `model` the weights of those of `other` that have the same name, where
/// both are packed into the same bytes.
///
/// tract packs each graph's weights anew and keeps them inside its operators.
pub fn share_weights(model: &mut TypedModel, other: &TypedModel) {
    let nodes = other.nodes.iter();
    let products = nodes.filter_map(|node| Some((&*node.name, node.op_as::<OptMatMul>()?)));
    let products: HashMap<&str, &OptMatMul> = products.collect();
    for node in &mut model.nodes {
        let Some(theirs) = products.get(node.name.as_str()) else { continue };
        let Some(ours) = node.op_as_mut::<OptMatMul>() else { continue };
        for (ours, theirs) in ours.micro_ops.iter_mut().zip(&theirs.micro_ops) {
            share_operands(ours, theirs);
        }
    }
}

fn share_operands(ours: &mut ProtoFusedSpec, theirs: &ProtoFusedSpec) {
    use ProtoFusedSpec::AddMatMul;
    let (AddMatMul { a, b, .. }, AddMatMul { a: their_a, b: their_b, .. }) = (ours, theirs) else {
        return;
    };
    for (ours, theirs) in [(a, their_a), (b, their_b)] {
        // The packed bytes are counted by their references, and a clone is one more.
        if matches!(theirs, MatMulOperand::Const(_)) && ours == theirs {
            *ours = theirs.clone();
        }
    }
}

/// Replaces values by those of `others` in the same place that equal them.
pub fn share_values(values: &mut [TValue], others: &[TValue]) {
    for (value, other) in values.iter_mut().zip(others) {
        if value == other {
            *value = other.clone();
        }
    }
}
