//! What the library does by default is what the command does.

#![cfg(all(feature = "builtin-model", feature = "cli"))]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

use std::process::Command;

use mynah::audio::{AudioFile, ReadOutcome, Source};
use mynah::{Event, LoadOptions, Model, Recognizer};
use serde_json::Value;

const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");

/// The finals of a file, by the shortest program.
fn finals(recognizer: &Recognizer) -> Vec<(String, f64)> {
    let mut file = AudioFile::open(SPEECH).unwrap();
    let (mut stream, mut block) = (recognizer.stream(), [0.0; 4096]);
    while let ReadOutcome::Samples(count @ 1..) = file.read(&mut block).unwrap() {
        stream.accept_waveform(&block[..count]).unwrap();
    }
    stream.finish().unwrap();
    let finals = std::iter::from_fn(|| stream.next_event()).filter_map(Event::into_final);
    finals.map(|hypothesis| (hypothesis.text, hypothesis.start.as_secs_f64())).collect()
}

fn command(args: &[&str]) -> Vec<(String, f64)> {
    let run = Command::new(env!("CARGO_BIN_EXE_mynah")).args(args).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let lines = String::from_utf8(run.stdout).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let final_ =
        |line: &Value| (line["text"].as_str().unwrap().to_owned(), line["start"].as_f64().unwrap());
    lines.map(|line| final_(&line)).collect()
}

#[test]
fn the_library_recognizes_what_the_command_does() {
    let by_library = finals(&Recognizer::builtin().unwrap());
    assert_eq!(by_library, command(&["listen", "--file", SPEECH, "--format", "jsonl"]));
    assert_eq!(by_library, command(&["transcribe", SPEECH, "--format", "jsonl"]));
    let said = std::fs::read_to_string(SPEECH.replace(".flac", ".txt")).unwrap();
    let text: Vec<_> = by_library.into_iter().map(|(text, _)| text.to_lowercase()).collect();
    assert_eq!(text.join(" "), said.trim().trim_end_matches('.').to_lowercase());
}

#[test]
fn presets_load_what_they_say() {
    let load = |options: &LoadOptions| Model::builtin_with(options).unwrap();
    let model = load(&LoadOptions::low_latency());
    let encoder = &model.config().encoder;
    assert_eq!(Some(&encoder.chunk_frames), encoder.chunk_choices.iter().min());
    assert!(!model.has_second_pass());
    let balanced = load(&LoadOptions::balanced());
    assert!(
        balanced.has_second_pass() && balanced.config().encoder.chunk_frames > encoder.chunk_frames
    );
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/models/en-decoder");
    assert!(load(&LoadOptions::accurate(folder)).has_second_pass());
}
