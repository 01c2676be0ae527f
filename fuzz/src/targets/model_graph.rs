//! An encoder's ONNX file, loaded and run: as it is, put together node by node, and the tests' encoder with changes.
//!
//! Input: a byte of the kind, and the file, the nodes or the changes.

use std::fs;
use std::panic::{catch_unwind, set_hook};
use std::process::abort;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::input::Input;
use crate::onnx::Graph;
use crate::tiny_model::write_folder;
use mynah::{Finals, LoadOptions, Model};

/// What the library loads and others that it is to refuse.
const OPERATORS: [&str; 48] = [
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
    "QuantizeLinear",
    "Range",
    "Reshape",
    "Shape",
    "Sigmoid",
    "Sin",
    "Slice",
    "Softmax",
    "Sub",
    "Transpose",
    "Unsqueeze",
    "ArgMax",
    "Clip",
    "Einsum",
    "Equal",
    "Expand",
    "Flatten",
    "GatherElements",
    "If",
    "Loop",
    "LSTM",
    "Pad",
    "Pow",
    "ReduceMean",
    "Resize",
    "Scan",
    "ScatterND",
    "Split",
    "Squeeze",
    "Tile",
    "Where",
];

/// Attributes of whole numbers.
const ATTRIBUTES: [&str; 14] = [
    "axis",
    "to",
    "perm",
    "axes",
    "pads",
    "strides",
    "dilations",
    "group",
    "kernel_shape",
    "keepdims",
    "epsilon",
    "allowzero",
    "batch_dims",
    "num_outputs",
];

const NUMBERS: [i64; 16] =
    [0, 1, -1, 2, 3, 4, 7, 8, 36, 64, 1 << 12, 1 << 20, 1 << 31, 1 << 40, i64::MAX, i64::MIN];

/// The last panic of this process; loading makes errors of those within tract.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// The tiny model's folder, in which an input's file takes the encoder's place.
static TINY: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_folder(folder.path(), true);
    folder
});

/// The tests' model, with the same.
static RANDOM: LazyLock<(tempfile::TempDir, Vec<u8>)> = LazyLock::new(|| {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/random");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["config.json", "tokens.txt"] {
        fs::copy(format!("{source}/{name}"), folder.path().join(name)).expect("the tests' model");
    }
    (folder, fs::read(format!("{source}/encoder.int8.onnx")).expect("the tests' model"))
});

/// Has panics remembered instead of told at once: those within tract become errors.
pub fn prepare() {
    set_hook(Box::new(|panic| {
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
    }));
}

pub fn run(data: &[u8]) {
    if catch_unwind(|| load_and_encode(data)).is_err() {
        eprintln!("{}", PANIC.lock().unwrap_or_else(PoisonError::into_inner));
        abort();
    }
}

fn load_and_encode(data: &[u8]) {
    let mut input = Input::new(data);
    let (folder, onnx) = match input.byte() % 8 {
        0..3 => (TINY.path(), input.rest().to_vec()),
        3..7 => (TINY.path(), generated(&mut input)),
        _ => (RANDOM.0.path(), changed(&RANDOM.1, &mut input)),
    };
    for name in ["encoder.onnx", "encoder.int8.onnx"] {
        fs::write(folder.join(name), &onnx).expect("room for a graph");
    }
    let options = LoadOptions {
        finals: Finals::FirstPass,
        precision: mynah::Precision::Int8,
        ..LoadOptions::default()
    };
    let Ok(model) = Model::load(folder, options) else { return };
    let config = model.config();
    let frames = vec![-3.0; config.encoder.input_frames() * config.features.mel_bins];
    let mut state = model.encoder().state();
    for _ in 0..2 {
        let _ = state.encode_chunk(&frames).map(<[f32]>::len);
    }
}

/// A chain of nodes from the frames to the output, each after the one before and perhaps with others.
fn generated(input: &mut Input) -> Vec<u8> {
    let mut graph = Graph::default();
    graph.input("frames", &[1, -1, 8]).input("last_cache", &[1, 1, 8]);
    let weights: Vec<f32> = (0..8 * 37).map(|i| (i % 11) as f32 - 5.0).collect();
    graph.floats("weight", &[8, 37], &weights);
    let mut names: Vec<String> = ["frames", "last_cache", "weight"].map(str::to_owned).into();
    for number in 0..input.below(6) {
        let (name, count) = (format!("constant{number}"), input.below(4));
        let dims: Vec<_> = (0..count).map(|_| self::number(input)).collect();
        let values: Vec<_> = (0..input.below(5)).map(|_| self::number(input)).collect();
        match input.byte() % 4 {
            0 => graph.floats(&name, &dims, &values.iter().map(|&v| v as f32).collect::<Vec<_>>()),
            1 => graph.integers(&name, &dims, &values),
            2 => graph.integers(&name, &[values.len() as i64], &values),
            _ => {
                let kind = i32::from(input.byte() % 20);
                let count = input.below(64);
                graph.tensor(&name, &dims, kind, input.take(count).to_vec())
            }
        };
        names.push(name);
    }
    let mut last = "frames".to_owned();
    for number in 0..input.below(10) {
        let operator = OPERATORS[input.below(OPERATORS.len())];
        let mut inputs = vec![last.clone()];
        for _ in 0..input.below(4) {
            let at = input.below(names.len());
            inputs.push(names[at].clone());
        }
        if input.byte() % 4 == 0 {
            inputs.rotate_left(1);
        }
        let attributes: Vec<(&str, Vec<i64>)> = (0..input.below(3))
            .map(|_| {
                let name = ATTRIBUTES[input.below(ATTRIBUTES.len())];
                (name, (0..1 + input.below(3)).map(|_| self::number(input)).collect())
            })
            .collect();
        let attributes: Vec<(&str, &[i64])> =
            attributes.iter().map(|(name, values)| (*name, &values[..])).collect();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        last = format!("node{number}");
        graph.node(operator, &inputs, &last, &attributes);
        names.push(last.clone());
    }
    graph
        .node("MatMul", &[&last, "weight"], "scores", &[])
        .node("LogSoftmax", &["scores"], "log_probs", &[("axis", &[-1])])
        .node("Identity", &["last_cache"], "new_last_cache", &[])
        .output("log_probs")
        .output("new_last_cache");
    graph.encode()
}

fn number(input: &mut Input) -> i64 {
    match input.byte() {
        small @ 0..128 => i64::from(small % 40),
        large => NUMBERS[usize::from(large) % NUMBERS.len()],
    }
}

/// The file with some bytes changed; most of its bytes are weights, so that places are dense at its begin.
fn changed(file: &[u8], input: &mut Input) -> Vec<u8> {
    let mut file = file.to_vec();
    while !input.is_empty() {
        let place = u32::from_le_bytes([input.byte(), input.byte(), input.byte(), 0]) as usize;
        let place = place % file.len();
        file[place] = input.byte();
    }
    file
}
