//! Live captions on a processor so slow that a final takes seconds: no audio is lost, and partials go on.

#![cfg(all(unix, feature = "cli", feature = "builtin-model"))]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mynah::audio::{AudioFile, ReadOutcome as Samples, Source};
use serde_json::Value;

const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");

/// How often the process is stopped and continued.
const PERIOD: Duration = Duration::from_millis(200);

/// How long a final is to take.
const FINAL: f64 = 4.0;

/// An event and when it came.
struct Line {
    at: Instant,
    json: Value,
}

impl Line {
    fn is(&self, kind: &str, utterance: u64) -> bool {
        self.json["type"] == kind && self.json["utterance"] == utterance
    }
}

/// The example three times, with pauses that end utterances.
fn recording(path: &Path) {
    let mut file = AudioFile::open(SPEECH).unwrap();
    let (mut speech, mut block) = (Vec::new(), [0.0; 4096]);
    while let Samples::Samples(count @ 1..) = file.read(&mut block).unwrap() {
        speech.extend_from_slice(&block[..count]);
    }
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    let pause = vec![0.0; 16_000 * 2];
    for sample in [&speech[..], &pause, &speech, &pause, &speech].concat() {
        writer.write_sample((sample * 32_767.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

fn listen(file: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mynah"));
    command.args(["listen", "--format", "jsonl", "--partials", "--file"]).arg(file).args(more);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn signal(process: &Child, signal: &str) -> bool {
    let id = process.id().to_string();
    Command::new("kill").args([signal, &id]).stderr(Stdio::null()).status().unwrap().success()
}

/// Lets the process run for a share of the time until `stop`.
fn throttle(process: &Child, share: f64, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        signal(process, "-CONT");
        thread::sleep(PERIOD.mul_f64(share));
        signal(process, "-STOP");
        thread::sleep(PERIOD.mul_f64(1.0 - share));
    }
    signal(process, "-CONT");
}

fn lines(out: impl Read, first: impl FnOnce()) -> Vec<Line> {
    let (mut lines, mut first) = (Vec::new(), Some(first));
    for line in BufReader::new(out).lines() {
        let json = serde_json::from_str(&line.unwrap()).unwrap();
        lines.push(Line { at: Instant::now(), json });
        first.take().into_iter().for_each(|first| first());
    }
    lines
}

fn texts(lines: &[Line]) -> Vec<&str> {
    let finals = lines.iter().filter(|line| line.json["type"] == "final");
    finals.map(|line| line.json["text"].as_str().unwrap()).collect()
}

#[test]
fn a_slow_final_costs_neither_samples_nor_partials() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("speech.wav");
    recording(&file);
    // What a final takes unthrottled; a file that is not played waits for each.
    let alone = Command::new(env!("CARGO_BIN_EXE_mynah"))
        .args(["eval", "--json"])
        .arg(manifest(folder.path(), &file))
        .output()
        .unwrap();
    assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stderr));
    let report: Value = serde_json::from_slice(&alone.stdout).unwrap();
    let computing = &report["latency_seconds"]["endpoint_final"]["compute"]["p50"];
    let share = (computing.as_f64().unwrap() / FINAL).clamp(0.02, 1.0);
    let mut unhurried = listen(&file, &[]).spawn().unwrap();
    let expected = lines(unhurried.stdout.take().unwrap(), || {});
    assert!(unhurried.wait().unwrap().success());

    let stop = Arc::new(AtomicBool::new(false));
    let mut process = listen(&file, &["--realtime"]).spawn().unwrap();
    let (out, mut err) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
    let told = thread::scope(|scope| {
        // Loading the model is not what is to be slow.
        let throttled = || drop(scope.spawn(|| throttle(&process, share, &stop)));
        let told = lines(out, throttled);
        stop.store(true, Ordering::Relaxed);
        told
    });
    let mut warnings = String::new();
    err.read_to_string(&mut warnings).unwrap();
    assert!(process.wait().unwrap().success(), "{warnings}");
    assert!(!warnings.contains("lost"), "{warnings}");
    assert_eq!(texts(&told), texts(&expected));
    assert!(texts(&told).len() >= 3, "{:?}", texts(&told));

    let place = |kind, utterance| told.iter().position(|line| line.is(kind, utterance)).unwrap();
    let last = told.iter().rposition(|line| line.is("partial", 0)).unwrap();
    let (next, final_) = (place("partial", 1), place("final", 0));
    let took = told[final_].at - told[last].at;
    eprintln!(
        "{:.1} % of a core: the first final came {took:.1?} after its partial",
        share * 100.0
    );
    assert!(next < final_, "nothing was shown while the final was computed");
    assert!(
        told.iter().all(|line| line.json["type"] == "partial" || line.json["pass"] == "second")
    );
}

fn manifest(folder: &Path, file: &Path) -> std::path::PathBuf {
    let path = folder.join("speech.jsonl");
    let entry = serde_json::json!({ "audio": file, "text": "there is nothing" });
    std::fs::write(&path, format!("{entry}\n")).unwrap();
    path
}
