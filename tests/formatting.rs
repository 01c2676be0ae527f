//! Formatted text and deltas as the `mynah` command writes them, of the example recording.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]
#![cfg(all(feature = "cli", feature = "builtin-model"))]

use assert_cmd::Command;
use mynah::{PunctuationModel, TextFormatter, TextFormatterConfig};
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

const RAW: &str = "THERE IS NOTHING IN THE WORLD THAT I SHOULD LIKE BETTER THAN TO SEE YOU HAPPY";
const FORMATTED: &str =
    "There is nothing in the world that I should like better than to see you happy.";

#[test]
fn a_transcript_is_formatted_unless_it_is_to_be_raw() {
    assert_eq!(printed(&["transcribe", SPEECH]), format!("{FORMATTED}\n"));
    assert_eq!(printed(&["transcribe", SPEECH, "--readable"]), format!("{FORMATTED}\n"));
    assert_eq!(printed(&["transcribe", SPEECH, "--raw"]), format!("{RAW}\n"));
}

#[test]
fn subtitles_are_formatted_unless_they_are_to_be_raw() {
    for format in ["srt", "vtt"] {
        // A cue lasts as long as its text takes to be read.
        let text = |options: &[&str]| {
            let command = [&["transcribe", SPEECH, "--format", format], options].concat();
            let lines = printed(&command);
            lines.lines().filter(|line| !line.contains("-->")).collect::<Vec<_>>().join("\n")
        };
        let (raw, formatted) = (text(&["--raw"]), text(&[]));
        assert_ne!(raw, formatted);
        // The example has one mark, and no numbers.
        assert_eq!(raw.to_lowercase(), formatted.to_lowercase().replace("happy.", "happy"));
    }
}

#[test]
fn json_holds_both_texts() {
    let lines = json_lines(&["transcribe", SPEECH, "--format", "jsonl"]);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["text"], RAW);
    assert_eq!(lines[0]["formatted"], FORMATTED);
    assert_eq!(lines[0]["words"][0]["text"], "THERE");
    assert!(lines[0].get("formatted_words").is_none());
    let raw = json_lines(&["transcribe", SPEECH, "--format", "jsonl", "--raw"]);
    assert!(raw.iter().all(|line| line.get("formatted").is_none()));
}

#[test]
fn captions_are_formatted_and_partials_have_no_marks() {
    let captions = printed(&["listen", "--file", SPEECH, "--partials"]);
    let (partials, finals): (Vec<_>, Vec<_>) = captions.lines().partition(|l| l.ends_with('…'));
    assert!(!partials.is_empty(), "{captions}");
    for partial in partials {
        assert!(partial.starts_with("There"), "{partial}");
        assert!(!partial.contains(['.', ',', '?']), "{partial}");
    }
    assert_eq!(finals, [FORMATTED]);
    let raw = printed(&["listen", "--file", SPEECH, "--partials", "--raw"]);
    assert_eq!(raw, raw.to_uppercase());
}

/// A formatter with the model that ships.
fn formatter() -> TextFormatter {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/models/en-small/punctuation.bin");
    let punctuation = Some(PunctuationModel::load(file).unwrap());
    TextFormatter::new(TextFormatterConfig { punctuation, ..TextFormatterConfig::default() })
}

#[test]
fn sentences_have_marks_capitals_and_digits() {
    for (recognized, written) in [
        ("SET A TIMER FOR TEN MINUTES", "Set a timer for 10 minutes."),
        (
            "SO ARE YOU FREE ON TUESDAY I COULD SHOW YOU THE A P I",
            "So, are you free on Tuesday? I could show you the API.",
        ),
        (
            "DOCTOR SMITH MET MISSUS JONES IN WASHINGTON D C LAST WEEK",
            "Dr. Smith met Mrs. Jones in Washington, DC last week.",
        ),
        ("LET'S MEET AT SEVEN THIRTY P M ON FRIDAY", "Let's meet at 7:30 p.m. on Friday."),
        (
            "I'M NOT SURE ARE YOU COMING TO THE PARTY TONIGHT",
            "I'm not sure. Are you coming to the party tonight?",
        ),
    ] {
        assert_eq!(formatter().text(recognized), written);
    }
}

#[test]
fn spoken_marks_are_distinguished_from_nouns() {
    for (recognized, written) in [
        ("IT WAS THE PERIOD BETWEEN THE TWO WARS", "It was the period between the two wars."),
        ("HE HAS COLON CANCER", "He has colon cancer."),
        ("PLEASE BUY MILK COMMA BREAD COMMA AND EGGS PERIOD", "Please buy milk, bread, and eggs."),
        ("CALL ME TOMORROW PERIOD NEW PARAGRAPH THANKS", "Call me tomorrow.\n\nThanks"),
    ] {
        assert_eq!(formatter().text(recognized), written);
    }
}

#[test]
fn a_sentence_goes_on_in_the_next_utterance() {
    let mut formatter = formatter();
    let written = ["WE WENT TO THE", "STORE AND BOUGHT SOME MILK"].map(|text| formatter.text(text));
    assert_eq!(written, ["We went to the", "store and bought some milk."]);
}

#[test]
fn phrases_of_a_grammar_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let grammar = folder.path().join("phrases.txt");
    std::fs::write(&grammar, RAW).unwrap();
    let grammar = grammar.to_str().unwrap();
    let transcribe = ["transcribe", SPEECH, "--grammar", grammar];
    assert_eq!(printed(&transcribe), format!("{RAW}\n"));
    let formatted = printed(&[&transcribe[..], &["--readable"]].concat());
    assert_eq!(formatted, format!("{FORMATTED}\n"));
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
    let mut stable = vec![String::new()];
    let deltas = json_lines(&[listen, &["--deltas"]].concat());
    assert!(deltas.len() > finals.len(), "{deltas:?}");
    for line in deltas {
        *stable.last_mut().unwrap() += line["stable"].as_str().unwrap();
        if line["type"] == "final" {
            assert_eq!(line["unstable"], "");
            stable.push(String::new());
        }
    }
    assert_eq!(stable.pop().as_deref(), Some(""));
    assert_eq!(stable, finals);
}

#[test]
fn what_does_not_go_together_is_refused() {
    for (args, reason) in [
        (&["transcribe", SPEECH, "--deltas"][..], "--format jsonl"),
        (&["transcribe", SPEECH, "--deltas", "--readable", "--format", "jsonl"], "--readable"),
        (&["transcribe", SPEECH, "--raw", "--no-spoken-punctuation"], "--raw"),
        (&["listen", "--file", SPEECH, "--partials", "--deltas"], "--format jsonl"),
        (&["listen", "--file", SPEECH, "--deltas"], "--partials"),
    ] {
        let output = mynah(args).assert().code(2).get_output().stderr.clone();
        let message = String::from_utf8(output).unwrap();
        assert!(message.contains(reason), "{message}");
    }
}
