//! Model folders, and the golden data in them that `models/recipe/fixtures.py` writes.
#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::fs;
use std::path::{Path, PathBuf};

use mynah::{Model, ModelConfig, Precision};
use serde::Deserialize;

/// What PyTorch (`f32`) and ONNX Runtime (`int8`) give for ten chunks of [`synthetic_frames`],
/// `[encoder frames, tokens]`.
#[derive(Deserialize)]
pub struct Golden {
    f32: Vec<Vec<f32>>,
    int8: Vec<Vec<f32>>,
}

/// A signal and the trainer's log-mel frames of it.
#[derive(Deserialize)]
pub struct Signal {
    pub name: String,
    samples: Vec<i16>,
    pub frames: Vec<Vec<f32>>,
}

impl Golden {
    /// That of the model's own chunks, or of chunks of so many frames.
    pub fn load(model_dir: &Path, chunk_frames: Option<usize>) -> Self {
        let name =
            chunk_frames.map_or("golden.json".to_owned(), |frames| format!("golden-{frames}.json"));
        parse(&model_dir.join(name))
    }

    pub fn log_probs(&self, precision: Precision) -> Vec<f32> {
        match precision {
            Precision::F32 => self.f32.concat(),
            _ => self.int8.concat(),
        }
    }
}

impl Signal {
    pub fn load_all() -> Vec<Self> {
        parse(&root().join("tests/data/frames.json"))
    }

    pub fn samples(&self) -> Vec<f32> {
        self.samples.iter().map(|&sample| f32::from(sample) / 32768.0).collect()
    }
}

/// The small model of the true architecture with random weights.
pub fn random_model_dir() -> PathBuf {
    root().join("tests/data/random")
}

/// The model that the library ships.
pub fn shipped_model_dir() -> PathBuf {
    root().join("models/en-small")
}

pub fn random_model() -> Model {
    Model::load(random_model_dir(), Precision::F32).unwrap()
}

/// `synthetic_frames` of `fixtures.py`: −6 + 3·sin(0.1·t·(1 + m / 7)) at frame t and mel bin m.
pub fn synthetic_frames(config: &ModelConfig, chunks: usize) -> Vec<f32> {
    let frames = chunks * config.encoder.chunk_frames + config.encoder.lookahead_frames;
    let mel_bins = config.features.mel_bins;
    let value = |t: usize, m: usize| -6.0 + 3.0 * (0.1 * t as f64 * (1.0 + m as f64 / 7.0)).sin();
    (0..frames).flat_map(|t| (0..mel_bins).map(move |m| value(t, m) as f32)).collect()
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
