//! A model of one matrix product: all that a stream has, in microseconds a chunk.

use std::fs;
use std::path::Path;

use mynah::{Chunk, Finals, LoadOptions, Model, Recognizer, RecognizerConfig};

use crate::onnx::Graph;

const TOKENS: &str = include_str!("../../tests/data/random/tokens.txt");
const WORDS: &str = include_str!("../../tests/data/lm.arpa");
const RECURRENT: &[u8] = include_bytes!("../../tests/data/words.rnn");
const PUNCTUATION: &[u8] = include_bytes!("../../tests/data/punctuation.bin");
const PHONES: &str = "<blank>\nAH\nK\nAE\nT\nD\nG\nS\n";
const PRONUNCIATIONS: &str = "A\tA\nCAT\tBCD\nDOG\tEAF GAF\nSAT\tGCD\nTHE\tEA\n";
const RULES: &str = "unit\nunit AH\nunit K\nunit AE\nunit T\nunit D\nunit G\nunit S\nletter A\n+1_\n@\nB\n\
                     letter C\nA\nletter D\nD\nletter G\nE\nletter S\nF\nletter T\nC\n";

const MEL_BINS: usize = 8;
/// Frames of a chunk, and of the second pass's.
const CHUNKS: [usize; 2] = [8, 32];

/// The model, loaded.
pub struct TinyModel {
    /// Decodes tokens, with a second pass.
    pub by_tokens: Recognizer,
    /// Decodes phones, with a second pass.
    pub by_phones: Recognizer,
    /// Decodes greedily, in the first pass alone.
    pub greedy: Recognizer,
}

impl TinyModel {
    /// # Panics
    ///
    /// If it can't be loaded, which no input can cause.
    pub fn load() -> Self {
        let load = |has_phones, finals| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            write_folder(folder.path(), has_phones);
            let options = LoadOptions { finals, chunk: Chunk::Streaming, ..Default::default() };
            Model::load(folder.path(), options).expect("the tiny model")
        };
        let recognizer = |model| Recognizer::new(model).expect("a recognizer of the tiny model");
        let config = RecognizerConfig {
            decoding: Some(mynah::decode::Decoding::Greedy),
            ..RecognizerConfig::default()
        };
        let greedy = Recognizer::with_config(load(false, Finals::FirstPass), config);
        Self {
            by_tokens: recognizer(load(false, Finals::SecondPass)),
            by_phones: recognizer(load(true, Finals::SecondPass)),
            greedy: greedy.expect("a greedy recognizer of the tiny model"),
        }
    }
}

/// Writes the model's files.
///
/// # Panics
///
/// If the folder can't be written.
pub fn write_folder(folder: &Path, has_phones: bool) {
    let phones = if has_phones { PHONES.lines().count() } else { 0 };
    let files: [(&str, &[u8]); 9] = [
        ("config.json", &config(has_phones).into_bytes()),
        ("tokens.txt", TOKENS.as_bytes()),
        ("phones.txt", PHONES.as_bytes()),
        ("pronunciations.txt", PRONUNCIATIONS.as_bytes()),
        ("letter-to-sound.txt", RULES.as_bytes()),
        ("words.arpa", WORDS.as_bytes()),
        ("words.rnn", RECURRENT),
        ("punctuation.bin", PUNCTUATION),
        ("encoder.onnx", &encoder(TOKENS.lines().count() + phones)),
    ];
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).expect("room for the tiny model");
    }
}

fn config(has_phones: bool) -> String {
    let phones = if has_phones {
        r#""phones": {"file": "phones.txt", "pronunciations": "pronunciations.txt",
                      "letter_to_sound": "letter-to-sound.txt"},"#
    } else {
        ""
    };
    let [short, long] = CHUNKS;
    format!(
        r#"{{"name": "tiny", "language": "en", "tokens": "tokens.txt", "blank": 0, {phones}
        "features": {{"sample_rate": 16000, "frame_length_samples": 64, "frame_shift_samples": 32,
            "mel_bins": {MEL_BINS}, "low_hz": 0.0, "high_hz": 8000.0, "energy_floor": 1e-7}},
        "encoder": {{"int8": "encoder.onnx", "chunk_frames": {short}, "chunk_choices": [{short}, {long}],
            "offline_chunk_frames": {long}, "lookahead_frames": 0, "subsampling_factor": 1,
            "left_context_frames": 1,
            "caches": [{{"name": "last_cache", "shape": [1, 1, {MEL_BINS}], "initial": -16.0}}]}},
        "language_model": {{"file": "words.arpa", "weight": 0.5, "word_insertion_bonus": 1.0, "oov_penalty": 0.5,
            "beam": 16, "rescoring": {{"file": "words.rnn", "share": 0.5, "hypotheses": 8}}}},
        "punctuation": "punctuation.bin"}}"#
    )
}

/// Each output frame is a product of the frame before, which the cache carries from chunk to chunk.
fn encoder(columns: usize) -> Vec<u8> {
    let weight = |i: usize| ((i * 7919 + 13) % 101) as f32 / 101.0 - 0.5;
    let weights: Vec<f32> = (0..MEL_BINS * columns).map(weight).collect();
    let (mel, columns) = (MEL_BINS as i64, columns as i64);
    let mut graph = Graph::default();
    graph
        .input("frames", &[1, -1, mel])
        .input("last_cache", &[1, 1, mel])
        .integers("zero", &[1], &[0])
        .integers("last", &[1], &[-1])
        .integers("end", &[1], &[i64::MAX])
        .integers("rows", &[1], &[1])
        .floats("weight", &[mel, columns], &weights)
        .node("Concat", &["last_cache", "frames"], "all", &[("axis", &[1])])
        .node("Slice", &["all", "zero", "last", "rows"], "before", &[])
        .node("Slice", &["all", "last", "end", "rows"], "new_last_cache", &[])
        .node("MatMul", &["before", "weight"], "scores", &[])
        .node("LogSoftmax", &["scores"], "log_probs", &[("axis", &[-1])])
        .output("log_probs")
        .output("new_last_cache");
    graph.encode()
}
