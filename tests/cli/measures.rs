//! The measuring commands.

use std::{fs, path::Path};

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Folder, LM, MODEL, bursts, fail, json_lines, mynah, succeed, transcribe};

#[test]
fn an_evaluation_reports_rates_and_latencies() {
    let folder = Folder::new();
    folder.wav("a.wav", &bursts(4.0, 16_000));
    folder.wav("b.wav", &bursts(2.0, 16_000));
    let transcript = succeed(transcribe(&[&folder.path("a.wav")], &["--no-endpoint"]));
    let manifest = folder.write(
        "m.jsonl",
        format!(
            "{{\"audio\": \"a.wav\", \"text\": {:?}, \"speaker\": 7}}\n\n{}\n",
            transcript.trim().to_lowercase(),
            "{\"audio\": \"b.wav\", \"text\": \"\"}"
        ),
    );
    let hypotheses = folder.path("h.jsonl");
    let eval = |options: &[&str]| {
        let mut command =
            mynah(&["eval", "--model", MODEL, "--precision", "int8", "--no-endpoint"]);
        command.arg(&manifest).args(options);
        succeed(command)
    };

    let options = ["--json", "--limit", "1", "--hypotheses", hypotheses.to_str().unwrap()];
    let report: Value = serde_json::from_str(&eval(&options)).unwrap();
    assert_eq!((&report["model"], &report["precision"]), (&"random".into(), &"int8".into()));
    assert_eq!((&report["recordings"], &report["audio_seconds"]), (&1.into(), &4.0.into()));
    assert_eq!(report["words"]["error_rate"], 0.0);
    assert_eq!(report["characters"]["error_rate"], 0.0);
    assert!(report["words"]["reference"].as_u64().unwrap() > 0);
    assert!(report["real_time_factor"].as_f64().unwrap() > 0.0);
    let latency = &report["latency_seconds"];
    assert_eq!(latency["partial"]["count"], report["words"]["reference"]);
    assert_eq!(latency["flushed_final"]["count"], 1);
    assert!(latency["endpoint_final"].is_null());
    for kind in ["partial", "flushed_final"] {
        let [p50, p95, p99] = ["p50", "p95", "p99"].map(|p| latency[kind][p].as_f64().unwrap());
        assert!(0.0 <= p50 && p50 <= p95 && p95 <= p99, "{latency}");
        let [algorithmic, compute] = ["algorithmic", "compute"].map(|part| &latency[kind][part]);
        assert!(compute["p99"].as_f64() > Some(0.0), "{latency}");
        assert!(algorithmic["p99"].as_f64().unwrap() <= p99, "{latency}");
    }
    let lines = json_lines(&fs::read_to_string(&hypotheses).unwrap());
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["line"], &lines[0]["audio"]), (&1.into(), &"a.wav".into()));
    assert_eq!(lines[0]["reference"], lines[0]["hypothesis"]);
    let [first, last] =
        ["first_words_seconds", "end_latency_seconds"].map(|k| lines[0][k].as_f64().unwrap());
    assert!(0.0 < first && first <= 4.0 + last && last > 0.0, "{}", lines[0]);

    let all = eval(&["--jobs", "2"]);
    assert!(all.contains("6.0 s in 2 recordings"), "{all}");
    let insertions = json_lines(&{
        eval(&["--json", "--hypotheses", hypotheses.to_str().unwrap()]);
        fs::read_to_string(&hypotheses).unwrap()
    });
    assert_eq!(insertions[1]["line"], 3);
    assert!(insertions[1]["words"]["insertions"].as_u64().unwrap() > 0);
}

#[test]
fn an_evaluation_names_the_line_at_fault() {
    let folder = Folder::new();
    folder.wav("a.wav", &bursts(1.0, 16_000));
    let error = |manifest: &str| {
        let manifest = folder.write("m.jsonl", manifest);
        let mut command = mynah(&["eval", "--model", MODEL]);
        command.arg(manifest);
        folder.without_path(&fail(command))
    };
    let good = "{\"audio\": \"a.wav\", \"text\": \"A\"}\n";
    assert_snapshot!(error(&format!("{good}{{\"audio\": \"a.wav\"}}\n")), @r#"error: m.jsonl:2: missing field `text` at column 18; expected {"audio": …, "text": …}"#);
    assert_snapshot!(error(""), @"error: m.jsonl: no recordings; expected one JSON object per line");
}

#[test]
fn a_bench_measures_a_recording_and_silence() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(2.0, 16_000));
    let bench = |options: &[&str]| {
        let mut command =
            mynah(&["bench", "--model", MODEL, "--precision", "int8", "--seconds", "3"]);
        command.arg(&file).args(options);
        command
    };
    let report: Value = serde_json::from_str(&succeed(bench(&["--json"]))).unwrap();
    assert_eq!((&report["model"], &report["precision"]), (&"random".into(), &"int8".into()));
    // The recording twice, and of each the three whole chunks of 640 ms.
    assert_eq!(report["audio_seconds"], 4.0);
    assert_eq!(report["chunk_compute"]["count"], 6);
    let [p50, p99, most] =
        ["p50_ms", "p99_ms", "max_ms"].map(|p| report["chunk_compute"][p].as_f64().unwrap());
    assert!(0.0 < p50 && p50 <= p99 && p99 <= most, "{report}");
    assert!(report["real_time_factor"].as_f64().unwrap() > 0.0);
    assert!(report["silence_cpu_share"].as_f64().unwrap() > 0.0);
    #[cfg(target_os = "linux")]
    {
        let memory = &report["memory"];
        let [own, resident, peak] =
            ["own_mb", "resident_mb", "peak_mb"].map(|key| memory[key].as_f64().unwrap());
        assert!(own < resident && resident <= peak, "{memory}");
    }

    let table = succeed(bench(&[]));
    assert!(table.contains("4 s of audio") && table.contains("(6 chunks)"), "{table}");
}

#[test]
fn a_bench_without_audio_is_refused() {
    let folder = Folder::new();
    let empty = folder.wav("a.wav", &[]);
    let mut command = mynah(&["bench", "--model", MODEL]);
    command.arg(empty);
    assert_snapshot!(folder.without_path(&fail(command)), @"error: a.wav: holds no audio to measure with");
}

#[test]
fn tuning_prints_what_was_tried_and_a_section_for_the_model() {
    let folder = Folder::new();
    folder.wav("a.wav", &bursts(2.0, 16_000));
    let manifest = folder.write("m.jsonl", "{\"audio\": \"a.wav\", \"text\": \"THE CAT\"}\n");
    let mut command = mynah(&["tune", "--model", MODEL, "--lm", LM, "--beam", "4"]);
    command.arg(&manifest);
    let table = succeed(command);
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("weight  bonus  OOV penalty  word errors"), "{table}");
    assert!(lines[1].starts_with("greedy ") && lines.len() > 10, "{table}");

    // What it prints can be put into a model's folder.
    let section = lines[lines.len() - 1];
    let model = folder.subfolder("model");
    for name in ["tokens.txt", "encoder.int8.onnx"] {
        fs::copy(Path::new(MODEL).join(name), model.join(name)).unwrap();
    }
    let config = fs::read_to_string(Path::new(MODEL).join("config.json")).unwrap();
    fs::write(model.join("config.json"), config.replacen('{', &format!("{{{section},"), 1))
        .unwrap();
    let transcribe = || {
        let mut command = mynah(&["transcribe", "--model", model.to_str().unwrap()]);
        command.arg(folder.path("a.wav"));
        command
    };
    assert!(fail(transcribe()).contains("lm.bin: No such file"));
    fs::copy(LM, model.join("lm.bin")).unwrap();
    succeed(transcribe());
}
