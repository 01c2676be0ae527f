//! One copy in memory of what two graphs of the same weights hold.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::matmul::optimized::{MatMulOperand, OptMatMul, ProtoFusedSpec};

/// Gives the matrix products of `model` the weights of those of `other` that are packed into the same
/// bytes.
///
/// tract packs each graph's weights anew and keeps them inside its operators.
pub fn share_weights(model: &mut TypedModel, other: &TypedModel) {
    let products = other.nodes.iter().filter_map(|node| node.op_as::<OptMatMul>());
    let theirs: Vec<_> =
        products.flat_map(|product| &product.micro_ops).flat_map(weights).collect();
    let products = model.nodes.iter_mut().filter_map(|node| node.op_as_mut::<OptMatMul>());
    for micro_op in products.flat_map(|product| &mut product.micro_ops) {
        let ProtoFusedSpec::AddMatMul { a, b, .. } = micro_op else { continue };
        for ours in [a, b] {
            // The packed bytes are counted by their references, and a clone is one more.
            if let Some(&same) = theirs.iter().find(|theirs| **theirs == ours) {
                *ours = same.clone();
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use tract_onnx::tract_core::tract_linalg::mmm::EagerPackedInput;

    use super::*;
    use crate::encoder::Encoder;
    use crate::{LoadOptions, Model, Precision};

    /// Where the packed weights of each matrix product are in memory.
    fn places(encoder: &Encoder) -> BTreeSet<usize> {
        let products = encoder.0.plan.model().nodes.iter();
        let micro_ops = products.filter_map(|n| n.op_as::<OptMatMul>()).flat_map(|p| &p.micro_ops);
        let packed = micro_ops.flat_map(weights).filter_map(|operand| match operand {
            MatMulOperand::Const(value) => value.downcast_ref::<EagerPackedInput>(),
            MatMulOperand::Input(_) => None,
        });
        packed.map(|value| value.packed.as_ptr() as usize).collect()
    }

    #[test]
    fn both_passes_read_the_same_weights() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/en-small");
        let options = LoadOptions { second_pass: true, ..Precision::Int8.into() };
        let model = Model::load(dir, options).unwrap();
        let first = places(model.encoder());
        let mut encoders = model.second_encoder().unwrap().get().unwrap();
        let second = places(encoders.next().unwrap());
        assert!(first.len() >= 40, "{}", first.len());
        assert_eq!(first, second);
    }
}
