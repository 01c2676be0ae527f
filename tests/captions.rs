//! `mynah listen` beside its lines on standard output: files that are saved, and keywords that begin captions.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]
#![cfg(feature = "cli")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use assert_cmd::cargo::cargo_bin;

const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");
const SENTENCE: &str =
    "There is nothing in the world that I should like better than to see you happy.\n";

fn mynah(arguments: &[&str]) -> Output {
    let mut command = Command::new(cargo_bin!("mynah"));
    command.args(arguments).env_remove("RUST_LOG").output().unwrap()
}

fn listen(options: &[&str]) -> Output {
    mynah(&[&["listen", "--file", SPEECH], options].concat())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The program's error, after the captions were written none the less.
fn fails_after_captions(output: &Output) -> &str {
    assert_eq!((text(&output.stdout), output.status.code()), (SENTENCE, Some(1)));
    text(&output.stderr)
}

#[test]
fn captions_are_saved_as_they_are_transcribed() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["text", "srt", "vtt"] {
        let path = folder.path().join(format!("captions.{format}"));
        let output = listen(&["-o", path.to_str().unwrap()]);
        assert_eq!((text(&output.stdout), text(&output.stderr)), (SENTENCE, ""));
        let transcript = mynah(&["transcribe", SPEECH, "--format", format]);
        assert_eq!(fs::read_to_string(&path).unwrap(), text(&transcript.stdout), "{format}");
    }
    let path = folder.path().join("captions");
    listen(&["-o", path.to_str().unwrap(), "--output-format", "jsonl"]);
    let lines = listen(&["--format", "jsonl"]).stdout;
    assert_eq!(fs::read_to_string(&path).unwrap(), text(&lines));
}

#[test]
fn a_file_is_not_lost_to_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("notes.txt"), "notes").unwrap();
    let output = mynah(&["listen", "--file", &path("none.wav"), "-o", &path("notes.txt")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_to_string(path("notes.txt")).unwrap(), "notes");

    fs::copy(SPEECH, path("speech.flac")).unwrap();
    fs::hard_link(path("speech.flac"), path("link.txt")).unwrap();
    for command in [&["listen", "--file"][..], &["transcribe"]] {
        let options = [&path("speech.flac"), "-o", &path("link.txt")];
        let output = mynah(&[command, &options].concat());
        assert_eq!((text(&output.stdout), output.status.code()), ("", Some(1)));
        assert!(text(&output.stderr).contains("link.txt: is also read"), "{output:?}");
    }
    assert_eq!(fs::read(path("speech.flac")).unwrap(), fs::read(SPEECH).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported_and_captions_go_on() {
    let output = listen(&["-o", "/dev/full"]);
    let error = fails_after_captions(&output);
    assert!(error.starts_with("warning: /dev/full: can't be written"), "{error}");
    assert!(error.contains("No space left on device"), "{error}");
}

#[test]
fn captions_begin_after_a_keyword() {
    let output = listen(&["--after", "there is nothing"]);
    let shown = text(&output.stdout).to_lowercase();
    assert!(shown.starts_with("in the world") && shown.ends_with("happy.\n"), "{shown:?}");
    assert_eq!(text(&listen(&["--after", "good evening"]).stdout), "");
    let error = listen(&["--after", "lights 2"]);
    assert!(text(&error.stderr).starts_with("error: --after \"lights 2\": "), "{error:?}");
}

#[cfg(unix)]
#[test]
fn a_program_runs_for_each_hit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hits");
    let script = r#"echo "$MYNAH_KEYWORD $MYNAH_TIME $MYNAH_CONFIDENCE" >>"$0"; echo noise"#;
    let file = path.to_str().unwrap();
    let keyword = ["spot", "--keyword", "nothing in the world", "--exec"];
    let options = [&keyword[..], &["sh", "-c", script, file, ";", SPEECH]].concat();
    let output = mynah(&options);
    let hit: Vec<_> = text(&output.stdout).trim().split('\t').collect();
    assert_eq!((hit.len(), output.status.code()), (3, Some(0)), "{output:?}");
    let expected = format!("{} {} {}\n", hit[1], hit[0], hit[2]);
    let written = || fs::read_to_string(Path::new(file)).unwrap_or_default();
    let began = std::time::Instant::now();
    while written() != expected && began.elapsed().as_secs() < 10 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(written(), expected);

    let output = mynah(&[&keyword[..], &["/no/such/program", ";", SPEECH]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/no/such/program: can't be run"), "{output:?}");
    assert!(!output.stdout.is_empty());
}
