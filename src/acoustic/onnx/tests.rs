//! Hostile files, made of a file of the tests.

use std::fs;

use prost::Message as _;
use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, StringStringEntryProto, TensorProto};
use tract_onnx::prelude::*;

use super::{MOST_NODES, REMEDY, decode, infer_types};

const INT64: i32 = 7;
/// A chunk and its lookahead, of the tests' model.
const FRAMES: [usize; 3] = [1, 65, 80];

fn graph() -> ModelProto {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/random/encoder.int8.onnx");
    ModelProto::decode(&*fs::read(path).unwrap()).unwrap()
}

/// Loads the tests' graph with a change, up to its types.
fn load(change: impl FnOnce(&mut ModelProto)) -> TractResult<()> {
    let mut proto = graph();
    change(&mut proto);
    let proto = decode(proto.encode_to_vec().into())?;
    let framework = tract_onnx::onnx();
    let framework = framework.with_ignore_output_shapes(true).with_ignore_value_info(true);
    let mut model = framework.model_for_proto_model(&proto)?;
    let inputs = model.input_outlets()?;
    let frames = inputs.iter().position(|input| model.node(input.node).name == "frames");
    model.set_input_fact(frames.unwrap(), InferenceFact::dt_shape(f32::datum_type(), FRAMES))?;
    infer_types(model).map(drop)
}

fn refusal(change: impl FnOnce(&mut ModelProto)) -> String {
    format!("{:#}", load(change).unwrap_err())
}

fn nodes(proto: &mut ModelProto) -> &mut Vec<NodeProto> {
    &mut proto.graph.as_mut().unwrap().node
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.to_owned(),
        name: output.to_owned(),
        input: inputs.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

/// Adds a constant of integers; without dimensions if `is_scalar`.
fn add_constant(proto: &mut ModelProto, name: &str, values: &[i64], is_scalar: bool) {
    let dims = if is_scalar { Vec::new() } else { vec![values.len() as i64] };
    let graph = proto.graph.as_mut().unwrap();
    graph.initializer.push(TensorProto {
        name: name.to_owned(),
        data_type: INT64,
        dims,
        int64_data: values.to_vec(),
        ..TensorProto::default()
    });
}

#[test]
fn the_graph_itself_is_taken() {
    load(|_| {}).unwrap();
}

#[test]
fn operators_of_no_model_are_refused_by_name() {
    for operator in ["Loop", "If", "Einsum", "ScatterND", "Resize"] {
        let reason = refusal(|proto| nodes(proto).push(node(operator, &["frames"], "hostile")));
        assert!(
            reason.contains(&format!("node hostile has the operator \"{operator}\"")),
            "{reason}"
        );
        assert!(reason.contains(REMEDY), "{reason}");
    }
    let reason = refusal(|proto| nodes(proto)[0].domain = "com.example".to_owned());
    assert!(reason.contains("com.example"), "{reason}");
}

#[test]
fn graphs_within_attributes_are_refused() {
    let reason = refusal(|proto| {
        let name = "body".to_owned();
        let g = Some(Default::default());
        nodes(proto)[0].attribute.push(AttributeProto { name, g, ..AttributeProto::default() });
    });
    assert!(reason.contains("the attribute body"), "{reason}");
}

#[test]
fn values_in_other_files_are_refused() {
    let reason = refusal(|proto| {
        let (key, value) = ("location".to_owned(), "/etc/passwd".to_owned());
        let tensor = &mut proto.graph.as_mut().unwrap().initializer[0];
        tensor.external_data.push(StringStringEntryProto { key, value });
    });
    assert!(reason.contains("another file"), "{reason}");
}

#[test]
fn tensors_and_graphs_too_large_are_refused() {
    for dims in [vec![1 << 40], vec![1 << 32, 1 << 32], vec![-1], vec![1; 9]] {
        let reason = refusal(|proto| proto.graph.as_mut().unwrap().initializer[0].dims = dims);
        assert!(reason.contains("has the dimensions"), "{reason}");
    }
    let many = |proto: &mut ModelProto| {
        nodes(proto).resize(MOST_NODES + 1, node("Identity", &["frames"], "x"));
    };
    assert!(refusal(many).contains("nodes; at most"));
}

#[test]
fn what_constants_make_is_bounded_before_it_is_made() {
    let zeros = |proto: &mut ModelProto| {
        add_constant(proto, "shape", &[1 << 20, 1 << 20], false);
        nodes(proto).push(node("ConstantOfShape", &["shape"], "hostile"));
    };
    let range = |proto: &mut ModelProto| {
        for (name, value) in [("from", 0), ("to", 1 << 40), ("by", 1)] {
            add_constant(proto, name, &[value], true);
        }
        nodes(proto).push(node("Range", &["from", "to", "by"], "hostile"));
    };
    let backwards = |proto: &mut ModelProto| {
        for (name, value) in [("from", 0), ("to", -(1 << 40)), ("by", -1)] {
            add_constant(proto, name, &[value], true);
        }
        nodes(proto).push(node("Range", &["from", "to", "by"], "hostile"));
    };
    let product = |proto: &mut ModelProto| {
        add_constant(proto, "row", &vec![1; 1 << 17], false);
        add_constant(proto, "axis", &[1], false);
        nodes(proto).push(node("Unsqueeze", &["row", "axis"], "column"));
        nodes(proto).push(node("Add", &["row", "column"], "hostile"));
    };
    let changes: [fn(&mut ModelProto); 4] = [zeros, range, backwards, product];
    for (number, change) in changes.into_iter().enumerate() {
        let reason = refusal(change);
        assert!(
            reason.contains("node hostile") || reason.contains("a range from"),
            "{number}: {reason}"
        );
    }
}

#[test]
fn what_frames_make_is_bounded() {
    let reason = refusal(|proto| {
        let mut last = "frames".to_owned();
        for number in 0..40 {
            let name = format!("twice{number}");
            let mut node = node("Concat", &[&last, &last], &name);
            let axis =
                AttributeProto { name: "axis".to_owned(), i: 1, r#type: 2, ..Default::default() };
            node.attribute.push(axis);
            nodes(proto).push(node);
            last = name;
        }
    });
    assert!(reason.contains("node twice"), "{reason}");
}

#[test]
fn a_file_that_says_much_without_weights_is_refused() {
    // A node of two bytes takes some hundred in memory.
    let nodes = [0x0A, 0].repeat(5 << 20);
    let length = nodes.len() as u32;
    let mut file = vec![0x3A];
    file.extend((0..5).map(|i| (length >> (7 * i) & 127) as u8 | if i < 4 { 128 } else { 0 }));
    file.extend(nodes);
    let reason = decode(file.into()).unwrap_err().to_string();
    assert!(reason.contains("bytes that are no weights"), "{reason}");
}
