//! The configuration file, `mynah config`, `mynah doctor`, completions and manual pages.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]
#![cfg(feature = "cli")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::{Command, cargo::cargo_bin};
use serde_json::Value;
use tempfile::TempDir;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/random");
const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");

/// A home with a configuration file.
struct Home(TempDir);

impl Home {
    fn new(config: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(home.file().parent().unwrap()).unwrap();
        fs::write(home.file(), config).unwrap();
        home
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("mynah/config.toml")
    }

    fn mynah(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin!("mynah"));
        command.args(arguments).env_remove("RUST_LOG").env_remove("MYNAH_CONFIG");
        command.env("XDG_CONFIG_HOME", self.0.path()).env("HOME", self.0.path());
        command
    }

    /// Standard output, standard error and exit status.
    fn run(&self, arguments: &[&str]) -> (String, String, i32) {
        output(self.mynah(arguments))
    }
}

fn output(mut command: Command) -> (String, String, i32) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn line_of<'a>(text: &'a str, option: &str) -> &'a str {
    text.lines().find(|line| line.starts_with(option)).unwrap_or_else(|| panic!("{option}: {text}"))
}

#[test]
fn the_file_says_how_a_file_is_transcribed() {
    let home =
        Home::new(&format!("[defaults]\nmodel = \"{MODEL}\"\n[transcribe]\nformat = \"json\"\n"));
    let (json, stderr, code) = home.run(&["transcribe", SPEECH]);
    assert_eq!((stderr.as_str(), code), ("", 0));
    let value: Value = serde_json::from_str(&json).unwrap();
    assert!(value.is_array() || value.is_object());
    let (lines, _, code) = home.run(&["transcribe", SPEECH, "--format", "srt"]);
    assert!(code == 0 && lines.contains(" --> "), "{lines}");
    let (text, _, code) = home.run(&["transcribe", SPEECH, "--no-config", "--model", MODEL]);
    assert!(code == 0 && !text.contains('{') && !text.contains(" --> "), "{text}");
}

#[test]
fn a_broken_file_is_named_and_nothing_runs() {
    let home = Home::new("[transcribe]\nnbst = 3\njobs = \"many\"\n");
    let (stdout, stderr, code) = home.run(&["transcribe", SPEECH]);
    assert_eq!((stdout.as_str(), code), ("", 1));
    let file = home.file();
    let expected = format!(
        "error: {}:2: `transcribe` has no option `nbst`; did you mean `nbest`?",
        file.display()
    );
    assert_eq!(stderr.lines().next(), Some(expected.as_str()));
    assert!(stderr.lines().nth(1).unwrap().contains(":3: `jobs` can't be `many`"), "{stderr}");
    // What helps to mend it runs.
    for arguments in
        [&["--help"][..], &["config", "--path"], &["config", "--example"], &["completions", "bash"]]
    {
        assert_eq!(home.run(arguments).2, 0, "{arguments:?}");
    }
    assert_eq!(home.run(&["config"]).2, 1);
    assert_eq!(home.run(&["--no-config", "config"]).2, 0);
}

#[test]
fn a_named_file_must_exist() {
    let home = Home::new("");
    let missing = home.0.path().join("missing.toml");
    let missing = missing.to_str().unwrap();
    let mut by_variable = home.mynah(&["transcribe", SPEECH]);
    by_variable.env("MYNAH_CONFIG", missing);
    for command in [home.mynah(&["transcribe", SPEECH, "--config", missing]), by_variable] {
        let (stdout, stderr, code) = output(command);
        assert_eq!((stdout.as_str(), code), ("", 1));
        assert!(stderr.starts_with(&format!("error: {missing}: ")), "{stderr}");
    }
}

#[test]
fn the_origin_of_each_value_is_shown() {
    let home = Home::new("[defaults]\nbeam = 100\n[listen]\nearly-final = 0.3\nlm = \"a.lm\"\n");
    let mut command = home.mynah(&["config", "listen", "--chunk", "320", "--grammar", "g"]);
    command.env("MYNAH_LISTEN_ENDPOINT_SILENCE", "2");
    let (shown, stderr, code) = output(command);
    assert_eq!((stderr.as_str(), code), ("", 0));
    let file = home.file();
    let at = |line: usize| format!("# {}:{line}", file.display());
    for (option, value, origin) in [
        ("beam", "100", at(2)),
        ("early-final", "0.3", at(4)),
        ("chunk", "320", "# command line".to_owned()),
        ("endpoint-silence", "2", "# MYNAH_LISTEN_ENDPOINT_SILENCE".to_owned()),
        ("format", "\"text\"", "# default".to_owned()),
        ("partials", "false", "# default".to_owned()),
    ] {
        let line = line_of(&shown, &format!("{option} = "));
        assert!(
            line.starts_with(&format!("{option} = {value} ")) && line.ends_with(&origin),
            "{line}"
        );
    }
    assert!(
        shown.contains(&format!("`lm` of {}:5 is left out: conflicts", file.display())),
        "{shown}"
    );
}

#[test]
fn the_example_is_a_valid_file() {
    let home = Home::new("");
    let (example, _, code) = home.run(&["config", "--example"]);
    assert_eq!(code, 0);
    assert!(
        example.contains("\n[listen]\n") && example.contains("\n# early-final = "),
        "{example}"
    );
    let home = Home::new(&example);
    let (_, stderr, code) = home.run(&["config"]);
    assert_eq!((stderr.as_str(), code), ("", 0));
}

#[test]
fn a_doctor_without_microphone_finds_the_model_intact() {
    let home = Home::new("");
    let (json, _, code) = home.run(&["doctor", "--no-microphone", "--json"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    let status = |check: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|found| found["check"] == check).unwrap()["status"].as_str().unwrap()
    };
    for check in ["configuration", "checksums", "model"] {
        assert_eq!(status(check), "ok", "{json}");
    }
    assert_eq!(code == 0, report["status"] != "problem");
    assert!(["ok", "warning", "problem"].contains(&status("headroom")));
}

#[test]
fn a_doctor_finds_a_broken_file_and_a_damaged_model() {
    let home = Home::new("[listen]\nbeem = 1\n");
    let model = home.0.path().join("model");
    fs::create_dir(&model).unwrap();
    for file in fs::read_dir(MODEL).unwrap().flatten() {
        fs::copy(file.path(), model.join(file.file_name())).unwrap();
    }
    fs::write(model.join("SHA256SUMS"), format!("{:064}  config.json\n", 0)).unwrap();
    let (report, _, code) =
        home.run(&["doctor", "--no-microphone", "--model", model.to_str().unwrap()]);
    assert_eq!(code, 1, "{report}");
    let configuration = line_of(&report, "problem  configuration");
    assert!(configuration.contains("did you mean `beam`?"), "{configuration}");
    assert!(line_of(&report, "problem  checksums").contains("config.json"), "{report}");
}

#[test]
fn every_command_has_a_manual_page() {
    let home = Home::new("");
    let folder = home.0.path().to_str().unwrap();
    assert_eq!(home.run(&["man", folder]), (String::new(), String::new(), 0));
    for page in ["mynah", "mynah-transcribe", "mynah-doctor", "mynah-lm-build"] {
        let text = fs::read_to_string(Path::new(folder).join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".SH NAME") && text.contains(".SH OPTIONS"), "{page}");
    }
    assert!(!Path::new(folder).join("mynah-man.1").exists());
}

#[test]
fn completions_list_the_commands() {
    let home = Home::new("");
    for shell in ["bash", "zsh", "fish"] {
        let (script, _, code) = home.run(&["completions", shell]);
        assert!(
            code == 0 && script.contains("transcribe") && script.contains("early-final"),
            "{shell}"
        );
    }
    assert_eq!(home.run(&["completions", "csh"]).2, 2);
    let (help, _, _) = home.run(&["--help"]);
    assert!(!help.contains("completions") && help.contains("doctor"), "{help}");
}
