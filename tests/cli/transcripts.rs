//! Transcripts: their formats, order and places.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process,
    process::Stdio,
};

use assert_cmd::cargo::cargo_bin;
use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{
    Folder, MODEL, TRAINED, bursts, fail, json_lines, mynah, run, speech, succeed, texts,
    transcribe,
};

#[test]
fn the_transcript_is_all_that_standard_output_carries() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(3.0, 16_000));
    let transcript = succeed(transcribe(&[&file], &[]));
    assert_eq!(transcript.lines().count(), 1);
    assert!(!transcript.trim().is_empty());

    let (verbose, log, code) = run(transcribe(&[&file], &["-v"]));
    assert_eq!((verbose, code), (transcript, 0));
    assert!(log.starts_with("info: "), "{log}");
}

#[test]
fn json_lines_have_times_within_the_audio() {
    let folder = Folder::new();
    // The random weights name tokens in silence as well, and never end an utterance.
    let (speech, pause) = (speech(), vec![0.0; 48_000]);
    let samples = [speech.as_slice(), &pause, &speech].concat();
    let seconds = samples.len() as f64 / 16_000.0;
    let file = folder.wav("a.wav", &samples);
    let transcribe = |options: &[&str]| {
        let mut command = mynah(&["transcribe", "--model", TRAINED]);
        command.arg(&file).args(options);
        succeed(command)
    };
    let text = transcribe(&["--raw"]);
    let lines = json_lines(&transcribe(&["--format", "jsonl"]));
    assert_eq!(texts(&lines), text.lines().collect::<Vec<_>>());
    assert!(lines.len() >= 2, "{text}");
    let before = |pair: &[Value]| pair[0]["end"].as_f64() <= pair[1]["start"].as_f64();
    assert!(lines.windows(2).all(before), "{lines:?}");
    for line in &lines {
        assert_eq!(line["type"], "final");
        assert_eq!(line["file"], file.to_str().unwrap());
        let words = line["words"].as_array().unwrap();
        assert_eq!(texts(words).join(" "), line["text"].as_str().unwrap());
        let mut last = line["start"].as_f64().unwrap();
        for token in line["tokens"].as_array().unwrap() {
            let (start, end) = (token["start"].as_f64().unwrap(), token["end"].as_f64().unwrap());
            assert!(last <= start && start < end, "{token}");
            assert!(token["log_prob"].as_f64().unwrap() <= 0.0);
            last = start;
        }
        assert!(line["end"].as_f64().unwrap() <= seconds + 2.0);
    }
}

#[test]
fn json_is_one_document_of_all_files() {
    let folder = Folder::new();
    let good = folder.wav("good.wav", &bursts(2.0, 16_000));
    let bad = folder.write("bad.wav", "this is text");
    let (stdout, stderr, code) = run(transcribe(&[&good, &bad], &["--format", "json"]));
    let document: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(document["files"][0]["audio_seconds"], 2.0);
    assert!(document["files"][0]["utterances"][0]["text"].is_string());
    assert!(document["files"][0].get("error").is_none());
    let error = document["files"][1]["error"].as_str().unwrap();
    assert_eq!((stderr, code), (format!("error: {error}\n"), 1));
}

#[test]
fn subtitles_have_cues_of_a_readable_size() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(30.0, 16_000));
    let srt = succeed(transcribe(&[&file], &["--format", "srt"]));
    let vtt = succeed(transcribe(&[&file], &["--format", "vtt"]));
    assert!(srt.starts_with("1\n00:00:"), "{srt}");
    assert!(vtt.starts_with("WEBVTT\n\n00:00:"), "{vtt}");
    let cues: Vec<_> = srt.trim().split("\n\n").collect();
    assert!(cues.len() > 1);
    assert_eq!(vtt.trim().split("\n\n").count(), cues.len() + 1);
    for cue in cues {
        let lines: Vec<_> = cue.lines().skip(2).collect();
        assert!((1..=2).contains(&lines.len()), "{cue}");
        let one_word = |line: &str| !line.contains(' ');
        assert!(lines.iter().all(|line| line.len() <= 42 || one_word(line)), "{cue}");
    }
}

#[test]
fn several_files_are_written_in_the_order_given() {
    let folder = Folder::new();
    let long = folder.wav("long.wav", &bursts(6.0, 16_000));
    let short = folder.wav("short.wav", &bursts(2.0, 16_000));
    let bad = folder.write("bad.wav", "");
    let alone = |file: &Path| {
        let text = succeed(transcribe(&[file], &[]));
        text.lines().map(|line| format!("{}:{line}\n", file.display())).collect::<String>()
    };
    let expected = alone(&long) + &alone(&short) + &alone(&long);
    let files: &[&Path] = &[&long, &bad, &short, &long];
    for jobs in ["1", "3"] {
        let (stdout, stderr, code) = run(transcribe(files, &["--jobs", jobs]));
        assert_eq!((stdout.as_str(), code), (expected.as_str(), 1));
        assert!(stderr.contains("bad.wav") && stderr.lines().count() == 1, "{stderr}");
    }
    let unnamed = succeed(transcribe(&[&short, &short], &["--no-filename"]));
    let short_alone = succeed(transcribe(&[&short], &[]));
    assert_eq!(unnamed, short_alone.repeat(2));
    let named = succeed(transcribe(&[&short], &["--with-filename"]));
    assert_eq!(named, alone(&short));
}

#[test]
fn the_transcript_can_go_to_a_file() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(3.0, 16_000));
    let output = folder.path("a.txt");
    let to = |path: &Path| transcribe(&[&file], &["--output", path.to_str().unwrap()]);
    assert_eq!(succeed(to(&output)), "");
    assert_eq!(fs::read_to_string(&output).unwrap(), succeed(transcribe(&[&file], &[])));

    let before = fs::read(&file).unwrap();
    assert_snapshot!(folder.without_path(&fail(to(&file))), @"error: a.wav: is also read, as a.wav; write to another file");
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_snapshot!(folder.without_path(&fail(to(&folder.path("no/where.txt")))), @"error: no/where.txt: No such file or directory (os error 2)");
}

#[test]
fn json_lists_the_best_hypotheses() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(4.0, 16_000));
    let options = ["--decoding", "beam", "--beam", "8", "--nbest", "3", "--format", "jsonl"];
    for line in json_lines(&succeed(transcribe(&[&file], &options))) {
        let nbest = line["nbest"].as_array().unwrap();
        assert_eq!((nbest.len(), &nbest[0]["text"]), (3, &line["text"]));
        let score = |index: usize| nbest[index]["score"].as_f64().unwrap();
        assert!(score(0) >= score(1) && score(1) >= score(2));
    }
}

/// Runs a command whose reader leaves after the first line, or before it.
fn with_closed_pipe(arguments: &[&str], lines: usize) -> (String, i32) {
    let mut child = process::Command::new(cargo_bin!("mynah"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    (0..lines).for_each(|_| assert!(stdout.read_line(&mut String::new()).unwrap() > 0));
    drop(stdout);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (stderr, child.wait().unwrap().code().unwrap())
}

#[test]
fn a_closed_pipe_is_success() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(30.0, 16_000));
    let file = file.to_str().unwrap();
    let manifest = folder.write("m.jsonl", "{\"audio\": \"a.wav\", \"text\": \"A\"}\n");
    let manifest = manifest.to_str().unwrap();
    for format in ["text", "json", "jsonl", "srt", "vtt"] {
        let arguments = ["transcribe", "--model", MODEL, file, "--format", format];
        assert_eq!(with_closed_pipe(&arguments, 0), (String::new(), 0), "{format}");
    }
    let arguments = ["transcribe", "--model", MODEL, file, file, file];
    assert_eq!(with_closed_pipe(&arguments, 1), (String::new(), 0));
    let arguments = ["listen", "--model", MODEL, "--file", file];
    assert_eq!(with_closed_pipe(&arguments, 1), (String::new(), 0));
    let arguments = ["eval", "--model", MODEL, manifest];
    assert_eq!(with_closed_pipe(&arguments, 0), (String::new(), 0));
    assert_eq!(with_closed_pipe(&["--help"], 0), (String::new(), 0));
}
