//! Grammars from the command line and in streams.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]
#![cfg(feature = "cli")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::{Command, cargo::cargo_bin};
use hound::{SampleFormat, WavSpec, WavWriter};
use serde_json::Value;
use tempfile::TempDir;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/random");
const LIST: &str = "# devices\nlamp\nkitchen light\n";
const RULES: &str = "#JSGF V1.0;\ngrammar home;\n\
    public <command> = turn (on | off) [the] <device>;\n<device> = lamp | fan;\n";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A sweep in bursts, loud and various enough for the random weights to name tokens.
    fn bursts(&self) -> PathBuf {
        let path = self.0.path().join("a.wav");
        let sample_format = SampleFormat::Int;
        let spec = WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        for i in 0..48_000 {
            let t = f64::from(i) / 16_000.0;
            let phase = std::f64::consts::TAU * (200.0 * t + 133.0 * t * t);
            let loudness = if ((4.0 * t) as u64).is_multiple_of(2) { 0.8 } else { 0.05 };
            writer.write_sample((loudness * phase.sin() * 32767.0) as i16).unwrap();
        }
        writer.finalize().unwrap();
        path
    }
}

/// What a command printed: standard output, standard error, exit code.
fn run(command: &str, file: &Path, grammar: &Path, options: &[&str]) -> (String, String, i32) {
    let mut mynah = Command::new(cargo_bin!("mynah"));
    mynah.arg(command).arg(file).arg("--grammar").arg(grammar).args(options).env_remove("RUST_LOG");
    let output = mynah.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn transcribe(file: &Path, grammar: &Path, options: &[&str]) -> String {
    let (stdout, stderr, code) =
        run("transcribe", file, grammar, &[&["--model", MODEL], options].concat());
    assert_eq!((stderr.as_str(), code), ("", 0));
    stdout
}

#[test]
fn nothing_but_phrases_is_written() {
    let folder = Folder::new();
    let file = folder.bursts();
    let list = folder.write("list.txt", LIST);
    let forced = transcribe(&file, &list, &["--grammar-threshold", "0"]);
    assert!(!forced.is_empty());
    assert!(forced.lines().all(|l| ["LAMP", "KITCHEN LIGHT"].contains(&l)), "{forced}");
    let rules = folder.write("rules.jsgf", RULES);
    let forced = transcribe(&file, &rules, &["--grammar-threshold", "0"]);
    assert!(forced.lines().all(|line| line.starts_with("TURN O")), "{forced}");
}

#[test]
fn out_of_grammar_is_said_so_in_text_and_json() {
    let folder = Folder::new();
    let (file, list) = (folder.bursts(), folder.write("list.txt", LIST));
    let text = transcribe(&file, &list, &["--grammar-threshold", "1"]);
    assert!(!text.is_empty());
    assert!(text.lines().all(|line| line == "[out of grammar]"), "{text}");
    let json = transcribe(&file, &list, &["--grammar-threshold", "1", "--format", "jsonl"]);
    let line: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((&line["outcome"], &line["text"]), (&"out_of_grammar".into(), &"".into()));
    let fit = line["fit"].as_f64().unwrap();
    assert!((0.0..1.0).contains(&fit), "{fit}");
    assert!(line["end"].as_f64().unwrap() > line["start"].as_f64().unwrap());
    let json = transcribe(&file, &list, &["--grammar-threshold", "0", "--format", "jsonl"]);
    let line: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(line["outcome"], "phrase");
}

#[test]
fn partials_are_beginnings_of_phrases() {
    let folder = Folder::new();
    let (file, list) = (folder.bursts(), folder.write("list.txt", LIST));
    let mut mynah = Command::new(cargo_bin!("mynah"));
    mynah.args(["listen", "--partials", "--no-gate", "--model", MODEL, "--grammar-threshold", "0"]);
    let output = mynah.arg("--grammar").arg(list).arg("--file").arg(file).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.lines().any(|line| line.ends_with('…')), "{shown}");
    let begins = |line: &str| {
        let text = line.trim_end_matches('…');
        "LAMP".starts_with(text) || "KITCHEN LIGHT".starts_with(text)
    };
    assert!(shown.lines().all(begins), "{shown}");
}

#[test]
fn what_is_wrong_in_a_grammar_is_named_with_its_place() {
    let folder = Folder::new();
    let file = folder.bursts();
    let error = |text: &str| {
        let grammar = folder.write("g", text);
        let (stdout, stderr, code) = run("transcribe", &file, &grammar, &["--model", MODEL]);
        assert_eq!((stdout.as_str(), code), ("", 1), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        stderr.trim_end().replace(&grammar.display().to_string(), "g")
    };
    assert_eq!(error("# none\n"), "error: g: there are no phrases; write one a line");
    assert_eq!(
        error("lamp\nroom 7\n"),
        "error: g: line 2, column 6: word \"7\": the model has no token for '7'; write words in its \
         letters"
    );
    let rules = |rules: &str| error(&format!("#JSGF V1.0;\ngrammar home;\n{rules}"));
    assert_eq!(
        rules("public <a> = turn on <b>;"),
        "error: g: line 3, column 22: <b> is not defined; add `<b> = …;` or correct the name"
    );
    assert_eq!(
        rules("public <a> = on [<b>];\n<b> = off <a>;"),
        "error: g: line 4, column 11: <a> refers to itself (<a> → <b> → <a>); a rule can't contain \
         itself, repeat with `*` or `+`"
    );
    assert!(rules("public <a> = <VOID>;").starts_with("error: g: nothing can be said"));
}

#[test]
fn options_that_contradict_a_grammar_are_wrong_usage() {
    let folder = Folder::new();
    let (file, list) = (folder.bursts(), folder.write("list.txt", LIST));
    let run = |options: &[&str]| run("transcribe", &file, &list, options);
    let (_, stderr, code) = run(&["--model", MODEL, "--decoding", "greedy"]);
    assert_eq!(code, 1);
    assert!(stderr.starts_with("error: --grammar has no effect on greedy decoding"), "{stderr}");
    assert_eq!(run(&["--model", MODEL, "--max-unstable", "1"]).2, 2);
    assert_eq!(run(&["--model", MODEL, "--grammar-threshold", "1.5"]).2, 2);
}

#[cfg(feature = "builtin-model")]
mod spoken {
    use mynah::{
        Event, Grammar, Model, Recognizer, RecognizerConfig, Stream, TextDeltas,
        audio::{AudioFile, ReadOutcome, Source},
        decode::{Decoding, GrammarConstraint, GrammarMatch, PrefixBeamConfig},
    };

    use super::*;

    const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");
    const SAID: &str =
        "there is nothing in the world that I should like better than to see you happy";

    fn samples() -> Vec<f32> {
        let mut file = AudioFile::open(SPEECH).unwrap();
        assert_eq!(file.sample_rate(), 16_000);
        let (mut samples, mut block) = (Vec::new(), vec![0.0; 16_000]);
        while let ReadOutcome::Samples(count) = file.read(&mut block).unwrap() {
            samples.extend_from_slice(&block[..count]);
        }
        samples
    }

    /// Plays the speech, with silence around it, and gives its events.
    fn play(stream: &mut Stream, samples: &[f32]) -> Vec<Event> {
        let silence = vec![0.0; 24_000];
        for part in [&silence, samples, &silence] {
            stream.accept_waveform(part).unwrap();
        }
        stream.finish().unwrap();
        std::iter::from_fn(|| stream.next_event()).collect()
    }

    #[test]
    fn what_was_said_is_found_among_phrases() {
        let folder = Folder::new();
        let with = folder.write("with", &format!("{SAID}\nturn off the lamp\n{SAID} indeed\n"));
        let (stdout, ..) = run("transcribe", Path::new(SPEECH), &with, &[]);
        assert_eq!(stdout.trim_end(), SAID.to_uppercase());
        let without = folder.write("without", "turn off the lamp\nthere is nothing\n");
        let (stdout, ..) = run("transcribe", Path::new(SPEECH), &without, &[]);
        assert_eq!(stdout, "[out of grammar]\n");
    }

    #[test]
    fn a_grammar_changes_between_utterances() {
        let constraint = |phrases: &[&str]| {
            let grammar = Grammar::from_phrases(phrases).unwrap();
            Some(GrammarConstraint::new(grammar))
        };
        let config = PrefixBeamConfig {
            constraint: constraint(&["stop", "turn off the lamp"]),
            ..PrefixBeamConfig::default()
        };
        let decoding = Decoding::PrefixBeam(config);
        let config = RecognizerConfig { decoding: Some(decoding), ..RecognizerConfig::default() };
        let recognizer = Recognizer::with_config(Model::builtin().unwrap(), config).unwrap();
        let mut stream = recognizer.stream();
        let samples = samples();
        let events = play(&mut stream, &samples);
        let last = events.last().unwrap();
        assert!(
            matches!(last, Event::Final { hypothesis: said, .. } if said.is_out_of_grammar()),
            "{events:?}"
        );
        assert_eq!(last.hypothesis().text, "");
        assert!(last.hypothesis().end > last.hypothesis().start);

        stream.set_grammar(constraint(&[SAID, "stop"]).as_ref()).unwrap();
        let events = play(&mut stream, &samples);
        let Some(Event::Final { hypothesis: said, .. }) = events.last() else {
            panic!("{events:?}")
        };
        assert_eq!(said.text, SAID.to_uppercase());
        assert!(matches!(said.outcome, GrammarMatch::Phrase { .. }));
        let partials = &events[..events.len() - 1];
        let begins = |event: &Event| said.text.starts_with(&event.hypothesis().text);
        assert!(partials.len() > 2 && partials.iter().all(begins), "{partials:?}");
        // Any utterance may turn out to be out of the grammar.
        assert!(partials.iter().all(|event| event.hypothesis().stable == 0));
        let mut deltas = TextDeltas::new();
        let stable: String = events.iter().map(|event| deltas.accept(event).stable).collect();
        assert_eq!(stable, said.text);

        let error = stream.set_grammar(constraint(&["room 7"]).as_ref()).unwrap_err();
        assert!(error.to_string().starts_with("line 1, column 6: word \"7\""), "{error}");
    }

    #[test]
    fn silence_is_no_event() {
        let constraint = Some(GrammarConstraint::new(Grammar::from_phrases(["stop"]).unwrap()));
        let config = PrefixBeamConfig { constraint, ..PrefixBeamConfig::default() };
        let decoding = Decoding::PrefixBeam(config);
        let config = RecognizerConfig { decoding: Some(decoding), ..RecognizerConfig::default() };
        let recognizer = Recognizer::with_config(Model::builtin().unwrap(), config).unwrap();
        assert_eq!(play(&mut recognizer.stream(), &[0.0; 80_000]), []);
    }

    #[test]
    fn an_evaluation_counts_what_is_in_the_grammar() {
        let folder = Folder::new();
        let text = SAID.to_uppercase();
        let lines = [text.as_str(), "HELLO"]
            .map(|text| serde_json::json!({ "audio": SPEECH, "text": text }).to_string());
        let manifest = folder.write("m.jsonl", &lines.join("\n"));
        let grammar = folder.write("g", &format!("{SAID}\nstop\n"));
        let (stdout, stderr, code) = run("eval", &manifest, &grammar, &["--json"]);
        assert_eq!(code, 0, "{stderr}");
        let report: Value = serde_json::from_str(&stdout).unwrap();
        let expected = serde_json::json!({
            "inside": { "recordings": 1, "right": 1, "wrong": 0, "rejected": 0 },
            "outside": { "recordings": 1, "accepted": 1 },
        });
        assert_eq!(report["grammar"], expected);
    }
}
