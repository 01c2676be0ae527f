//! ONNX files as far as they are let in: a model comes from anywhere, and tract allocates what a graph asks for.
//!
//! ```text
//! bytes → sizes of the encoding (`structure`) → protobuf → operators, tensors (`check`)
//!       → tract's graph → shapes, node by node (`infer_types`) → typed graph → memory in all
//! ```
//!
//! Each check comes before what it bounds is allocated.

mod structure;

use std::panic::{AssertUnwindSafe, catch_unwind};

use prost::Message;
use prost::bytes::Bytes;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::{bail, ensure};
use tract_onnx::tract_core::model::order::eval_order_for_nodes;
use tract_onnx::tract_hir::infer::{Factoid, InferenceOp};

/// The operators that the recipe's exports have. Others may read files, loop, or take what memory they want.
const OPERATORS: [&str; 35] = [
    "Add",
    "Cast",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "Cos",
    "Div",
    "Erf",
    "Floor",
    "Gather",
    "Identity",
    "LayerNormalization",
    "LogSoftmax",
    "MatMul",
    "MatMulInteger",
    "Mul",
    "Neg",
    "Pow",
    "QuantizeLinear",
    "Range",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Shape",
    "Sigmoid",
    "Sin",
    "Slice",
    "Softmax",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Tanh",
    "Transpose",
    "Unsqueeze",
];

/// The most nodes. tract compares each with all others.
const MOST_NODES: usize = 10_000;
/// The most bytes of one tensor.
const MOST_TENSOR_BYTES: usize = 1 << 28;
/// The most bytes of all tensors that nodes give, and of the weights that they read.
const MOST_BYTES: usize = 1 << 30;
/// The most dimensions of a tensor.
const MOST_DIMENSIONS: usize = 8;
/// What to do about a graph that is refused.
const REMEDY: &str = "export the model with models/recipe/export.py";

/// Decodes a file, and refuses what can't be of a model for this program.
pub(super) fn decode(onnx: Bytes) -> TractResult<ModelProto> {
    structure::check(&onnx)?;
    let proto = ModelProto::decode(onnx)?;
    if let Some(graph) = &proto.graph {
        check(graph)?;
    }
    Ok(proto)
}

/// The typed graph, in which every tensor has its type and shape.
pub(super) fn infer_types(mut model: InferenceModel) -> TractResult<TypedModel> {
    bound_shapes(&mut model)?;
    let model = model.into_typed()?;
    let mut all = 0_usize;
    for node in &model.nodes {
        let weights = model.node_input_facts(node.id)?.into_iter().filter(|f| f.konst.is_some());
        for fact in weights.chain(node.outputs.iter().map(|output| &output.fact)) {
            let Some(shape) = fact.shape.as_concrete() else { continue };
            let bytes = tensor_bytes(shape, fact.datum_type.size_of());
            all = all.saturating_add(bytes);
            ensure!(
                bytes <= MOST_TENSOR_BYTES && all <= MOST_BYTES,
                "node {} ({}) needs a tensor of {shape:?}, and with it the graph needs {all} bytes; at most \
                 {MOST_TENSOR_BYTES} are taken for one tensor and {MOST_BYTES} for all; {REMEDY}",
                node.name,
                node.op.name()
            );
        }
    }
    Ok(model)
}

/// Runs a graph. Where an operator panics, on a place beyond the end of what it gathers from, say, it is an error.
pub(super) fn run(
    session: &mut TypedSimpleState,
    inputs: TVec<TValue>,
) -> TractResult<TVec<TValue>> {
    let run = AssertUnwindSafe(|| session.run(inputs));
    catch_unwind(run).unwrap_or_else(|_| bail!("an operator of the graph panicked"))
}

fn check(graph: &GraphProto) -> TractResult<()> {
    let nodes = graph.node.len();
    ensure!(nodes <= MOST_NODES, "the graph has {nodes} nodes; at most {MOST_NODES} are taken");
    graph.initializer.iter().try_for_each(check_tensor)?;
    graph.node.iter().try_for_each(check_node)
}

fn check_node(node: &NodeProto) -> TractResult<()> {
    let NodeProto { name, op_type, domain, .. } = node;
    ensure!(
        domain.is_empty() && OPERATORS.contains(&op_type.as_str()),
        "node {name} has the operator {op_type:?} of the domain {domain:?}, which no model for this program has; \
         {REMEDY}"
    );
    node.attribute.iter().try_for_each(|attribute| check_attribute(node, attribute))
}

fn check_attribute(node: &NodeProto, attribute: &AttributeProto) -> TractResult<()> {
    let has_others = attribute.g.is_some()
        || attribute.sparse_tensor.is_some()
        || !attribute.graphs.is_empty()
        || !attribute.sparse_tensors.is_empty();
    ensure!(
        !has_others,
        "the attribute {} of node {} ({}) is a graph or a sparse tensor; {REMEDY}",
        attribute.name,
        node.name,
        node.op_type
    );
    attribute.t.iter().chain(&attribute.tensors).try_for_each(check_tensor)
}

fn check_tensor(tensor: &TensorProto) -> TractResult<()> {
    let TensorProto { name, dims, .. } = tensor;
    ensure!(
        tensor.external_data.is_empty() && tensor.data_location.unwrap_or_default() == 0,
        "the tensor {name:?} has its values in another file; save the model as one file"
    );
    let sizes: Option<Vec<usize>> = dims.iter().map(|&size| usize::try_from(size).ok()).collect();
    let fits = sizes.is_some_and(|sizes| {
        sizes.len() <= MOST_DIMENSIONS && tensor_bytes(&sizes, 1) <= MOST_TENSOR_BYTES
    });
    ensure!(fits, "the tensor {name:?} has the dimensions {dims:?}, which are too large; {REMEDY}");
    Ok(())
}

/// Infers the shapes of what nodes give, one node after another, and refuses those that are too large. tract
/// computes at once what follows from constants alone: where this is done first, nothing is allocated for it.
fn bound_shapes(model: &mut InferenceModel) -> TractResult<()> {
    let inputs: Vec<usize> = model.input_outlets()?.iter().map(|outlet| outlet.node).collect();
    let all: Vec<usize> = (0..model.nodes.len()).collect();
    for id in eval_order_for_nodes(&model.nodes, &inputs, &all, &[])? {
        let (inputs, outputs) = model.node_facts(id)?;
        let inputs: TVec<_> = inputs.into_iter().cloned().collect();
        let outputs: TVec<_> = outputs.into_iter().cloned().collect();
        let node = model.node(id);
        let observed = node.op.observe_outlets(model, node)?.into_iter();
        let observed = observed.map(|outlet| model.outlet_fact(outlet).cloned());
        let observed = observed.collect::<TractResult<TVec<_>>>()?;
        if node.op.name() == "Range" {
            bound_range(&inputs)?;
        }
        let (mut op, name) = (node.op.clone(), node.name.clone());
        let facts =
            || (inputs.iter().collect(), outputs.iter().collect(), observed.iter().collect());
        let (given, known, seen) = facts();
        let (inferred_inputs, mut inferred, _) = op.infer_facts(given, known, seen)?;
        inferred.iter().try_for_each(|fact| bound_shape(&name, &*op, fact))?;
        let is_constant = |fact: &InferenceFact| fact.value.concretize().is_some();
        if inferred_inputs.iter().all(is_constant) {
            // This computes the value.
            let (given, known, seen) = facts();
            inferred = op.infer(given, known, seen)?.1;
        }
        for (slot, fact) in inferred.into_iter().enumerate() {
            model.set_outlet_fact(OutletId::new(id, slot), fact)?;
        }
    }
    Ok(())
}

fn bound_shape(name: &str, op: &dyn InferenceOp, fact: &InferenceFact) -> TractResult<()> {
    let Some(shape) = fact.shape.concretize() else { return Ok(()) };
    let sizes: Option<TVec<usize>> = shape
        .iter()
        .map(|size| size.as_i64().map(|size| usize::try_from(size).unwrap_or(0)))
        .collect();
    let value_bytes = fact.datum_type.concretize().map_or(8, |kind| kind.size_of());
    if let Some(sizes) = sizes
        && tensor_bytes(&sizes, value_bytes) > MOST_TENSOR_BYTES
    {
        bail!(
            "node {name} ({}) gives a tensor of {sizes:?}; at most {MOST_TENSOR_BYTES} bytes are taken; {REMEDY}",
            op.name()
        );
    }
    Ok(())
}

/// Refuses a range whose length is not plain from its bounds.
fn bound_range(bounds: &[InferenceFact]) -> TractResult<()> {
    let mut numbers = [0.0; 3];
    for (number, fact) in numbers.iter_mut().zip(bounds) {
        let Some(value) = fact.value.concretize() else { return Ok(()) };
        *number = value.cast_to_scalar::<f64>()?;
    }
    let [start, limit, step] = numbers;
    let length = (limit - start) / step;
    let is_plain = step >= 1.0 && (0.0..MOST_TENSOR_BYTES as f64 / 8.0).contains(&length);
    ensure!(is_plain, "a range from {start} to {limit} in steps of {step} is too long; {REMEDY}");
    Ok(())
}

/// The bytes of a tensor; the most that there can be if they are more.
fn tensor_bytes(shape: &[usize], value_bytes: usize) -> usize {
    shape.iter().fold(value_bytes, |bytes, &size| bytes.saturating_mul(size))
}

#[cfg(all(test, repository))]
mod tests;
