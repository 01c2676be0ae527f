//! What the tests of the command share: folders of recordings, and the command's output.

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::{Command, cargo::cargo_bin};
use hound::{SampleFormat, WavSpec, WavWriter};
use mynah::audio::{AudioFile, ReadOutcome::Samples, Source};
use serde_json::Value;
use tempfile::TempDir;

pub const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/random");

pub const TRAINED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/en-small");
/// An n-gram model of a few words.
pub const LM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lm.arpa");
pub const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");

/// A folder for one test's recordings.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn subfolder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).unwrap();
        path
    }

    /// Writes a 16-bit mono WAV file at 16 kHz.
    pub fn wav(&self, name: &str, samples: &[f32]) -> PathBuf {
        self.wav_as(name, samples, 16_000, 1)
    }

    /// Writes a 16-bit WAV file with the same samples in all channels.
    pub fn wav_as(&self, name: &str, samples: &[f32], sample_rate: u32, channels: u16) -> PathBuf {
        let path = self.path(name);
        let sample_format = SampleFormat::Int;
        let spec = WavSpec { channels, sample_rate, bits_per_sample: 16, sample_format };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        for &sample in samples {
            (0..channels).for_each(|_| writer.write_sample(as_i16(sample)).unwrap());
        }
        writer.finalize().unwrap();
        path
    }

    /// Replaces the folder's path, which differs in each run.
    pub fn without_path(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

pub fn as_i16(sample: f32) -> i16 {
    (sample * 32767.0) as i16
}

/// A sweep in bursts, loud and various enough for the random weights to name tokens.
pub fn bursts(seconds: f64, sample_rate: u32) -> Vec<f32> {
    let count = (seconds * f64::from(sample_rate)) as usize;
    let sample = |i: usize| {
        let t = i as f64 / f64::from(sample_rate);
        let phase = std::f64::consts::TAU * (200.0 * t + 400.0 * t * t / seconds);
        let loudness = if ((4.0 * t) as u64).is_multiple_of(2) { 0.8 } else { 0.05 };
        (loudness * phase.sin()) as f32
    };
    (0..count).map(sample).collect()
}

/// The samples of the example, at 16 kHz.
pub fn speech() -> Vec<f32> {
    let mut file = AudioFile::open(SPEECH).unwrap();
    assert_eq!(file.sample_rate(), 16_000);
    let (mut samples, mut block) = (Vec::new(), [0.0; 4_096]);
    while let Samples(count) = file.read(&mut block).unwrap() {
        samples.extend_from_slice(&block[..count]);
    }
    samples
}

pub fn mynah(arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin!("mynah"));
    // No configuration of whoever runs the tests.
    command.args(arguments).env_remove("RUST_LOG").env("MYNAH_CONFIG", "/dev/null");
    command
}

pub fn transcribe(files: &[&Path], options: &[&str]) -> Command {
    let mut command = mynah(&["transcribe", "--model", MODEL]);
    command.args(files).args(options);
    command
}

/// What a command printed: standard output, standard error, exit code.
pub fn run(mut command: Command) -> (String, String, i32) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// What a command printed that ended without an error and without a word on standard error.
pub fn succeed(command: Command) -> String {
    let (stdout, stderr, code) = run(command);
    assert_eq!((stderr.as_str(), code), ("", 0));
    stdout
}

/// What a command said on standard error in one line, when it exited with 1 and no transcript.
pub fn fail(command: Command) -> String {
    let (stdout, stderr, code) = run(command);
    assert_eq!((stdout.as_str(), code), ("", 1), "{stderr}");
    assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{stderr}");
    stderr
}

pub fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn texts(values: &[Value]) -> Vec<&str> {
    values.iter().map(|value| value["text"].as_str().unwrap()).collect()
}
