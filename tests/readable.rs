//! Readable text and deltas as the `mynah` command writes them, of the example recording.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]
#![cfg(all(feature = "cli", feature = "builtin-model"))]

use assert_cmd::Command;
use serde_json::Value;

const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");

fn mynah(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("mynah").unwrap();
    command.args(args);
    command
}

/// What a run that succeeds prints.
fn printed(args: &[&str]) -> String {
    String::from_utf8(mynah(args).assert().success().get_output().stdout.clone()).unwrap()
}

fn json_lines(args: &[&str]) -> Vec<Value> {
    printed(args).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_transcript_is_readable_where_asked_for() {
    let plain = printed(&["transcribe", SPEECH]);
    let expected: String = plain.lines().map(|line| mynah::readable(line) + "\n").collect();
    assert_ne!(plain, expected);
    assert_eq!(printed(&["transcribe", SPEECH, "--readable"]), expected);
}

#[test]
fn subtitles_are_readable_where_asked_for() {
    for format in ["srt", "vtt"] {
        let plain = printed(&["transcribe", SPEECH, "--format", format]);
        let readable = printed(&["transcribe", SPEECH, "--format", format, "--readable"]);
        assert_ne!(plain, readable);
        // The example has no numbers: but for case the cues are the same.
        assert_eq!(plain.to_lowercase(), readable.to_lowercase());
    }
}

#[test]
fn json_holds_both_texts() {
    for line in json_lines(&["transcribe", SPEECH, "--readable", "--format", "jsonl"]) {
        let text = line["text"].as_str().unwrap();
        assert_eq!(line["readable"], mynah::readable(text));
        assert!(line.get("readable_words").is_none());
        assert_eq!(line["words"][0]["text"], text.split(' ').next().unwrap());
    }
    let plain = json_lines(&["transcribe", SPEECH, "--format", "jsonl"]);
    assert!(plain.iter().all(|line| line.get("readable").is_none()));
}

#[test]
fn captions_are_readable_and_partials_in_lower_case() {
    let captions = printed(&["listen", "--file", SPEECH, "--partials", "--readable"]);
    let (partials, finals): (Vec<_>, Vec<_>) = captions.lines().partition(|l| l.ends_with('…'));
    assert!(!partials.is_empty() && !finals.is_empty(), "{captions}");
    for partial in partials {
        assert_eq!(partial, partial.to_lowercase());
    }
    assert!(finals[0].starts_with(char::is_uppercase), "{captions}");
}

#[test]
fn deltas_make_up_the_finals() {
    deltas_of(&["listen", "--file", SPEECH, "--partials", "--format", "jsonl"]);
    deltas_of(&["transcribe", SPEECH, "--format", "jsonl"]);
    deltas_of(&["transcribe", SPEECH, "--format", "jsonl", "--max-unstable", "0.4"]);
}

/// Checks that a run's deltas together are the finals of the same run without them.
fn deltas_of(listen: &[&str]) {
    let whole = json_lines(listen);
    let finals = whole.iter().filter(|line| line["type"] == "final");
    let finals: Vec<_> = finals.map(|line| line["text"].as_str().unwrap()).collect();
    let mut settled = vec![String::new()];
    let deltas = json_lines(&[listen, &["--deltas"]].concat());
    assert!(deltas.len() > finals.len(), "{deltas:?}");
    for line in deltas {
        *settled.last_mut().unwrap() += line["settled"].as_str().unwrap();
        if line["type"] == "final" {
            assert_eq!(line["unstable"], "");
            settled.push(String::new());
        }
    }
    assert_eq!(settled.pop().as_deref(), Some(""));
    assert_eq!(settled, finals);
}

#[test]
fn what_does_not_go_together_is_refused() {
    for (args, reason) in [
        (&["transcribe", SPEECH, "--deltas"][..], "--format jsonl"),
        (&["transcribe", SPEECH, "--deltas", "--readable", "--format", "jsonl"], "--readable"),
        (&["listen", "--file", SPEECH, "--partials", "--deltas"], "--format jsonl"),
        (&["listen", "--file", SPEECH, "--deltas"], "--partials"),
    ] {
        let output = mynah(args).assert().code(2).get_output().stderr.clone();
        let message = String::from_utf8(output).unwrap();
        assert!(message.contains(reason), "{message}");
    }
}
