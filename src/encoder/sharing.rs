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
        let operands = micro_ops.flat_map(|micro_op| match micro_op {
            ProtoFusedSpec::AddMatMul { a, b, .. } => vec![a, b],
            _ => Vec::new(),
        });
        let packed = operands.filter_map(|operand| match operand {
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
        let second = places(model.second_encoder().unwrap().get().unwrap());
        assert!(first.len() >= 40, "{}", first.len());
        assert_eq!(first, second);
    }
}
