//! `mynah listen`, of files and devices.

use std::{
    io::{BufRead, BufReader},
    process,
    process::Stdio,
};

use assert_cmd::cargo::cargo_bin;

use crate::support::{Folder, MODEL, bursts, fail, json_lines, mynah, succeed, texts, transcribe};

#[test]
fn captions_of_a_file_end_as_its_transcript() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(30.0, 16_000));
    let transcript = succeed(transcribe(&[&file], &[]));
    let listen = |options: &[&str]| {
        let mut command = mynah(&["listen", "--model", MODEL, "--file"]);
        command.arg(&file).args(options);
        succeed(command)
    };
    assert_eq!(listen(&[]), transcript);

    let with_partials = listen(&["--partials"]);
    let (partials, finals): (Vec<_>, Vec<_>) =
        with_partials.lines().partition(|line| line.ends_with('…'));
    assert!(partials.len() > finals.len());
    assert_eq!(finals, transcript.lines().collect::<Vec<_>>());

    let lines = json_lines(&listen(&["--partials", "--format", "jsonl"]));
    let of_type = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert_eq!((of_type("partial"), of_type("final")), (partials.len(), finals.len()));
    let lines = json_lines(&listen(&["--format", "jsonl"]));
    assert_eq!(texts(&lines), finals);
}

#[test]
fn real_time_takes_as_long_as_the_audio() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(3.0, 16_000));
    let mut command = mynah(&["listen", "--model", MODEL, "--realtime", "--file"]);
    command.arg(&file);
    let began = std::time::Instant::now();
    assert_eq!(succeed(command), succeed(transcribe(&[&file], &[])));
    assert!(began.elapsed().as_secs_f64() > 2.5, "{:?}", began.elapsed());
}

#[cfg(unix)]
#[test]
fn an_interrupt_prints_the_last_final() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(60.0, 16_000));
    let mut child = process::Command::new(cargo_bin!("mynah"))
        .args(["listen", "--model", MODEL, "--realtime", "--partials", "--no-endpoint", "--file"])
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let partial = lines.next().unwrap().unwrap();
    assert!(partial.ends_with('…'), "{partial}");
    // The shell's own `kill`: a minimal system has no other.
    let kill = format!("kill -INT {}", child.id());
    assert!(process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let last = lines.map(Result::unwrap).last().unwrap();
    assert!(!last.ends_with('…'), "{last}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(feature = "mic")]
#[test]
fn a_missing_device_is_named() {
    let error = fail(mynah(&["listen", "--model", MODEL, "--device", "no such device"]));
    assert!(error.contains("no such device"), "{error}");
}

#[cfg(not(feature = "mic"))]
#[test]
fn a_build_without_microphone_says_so() {
    for arguments in [&["listen", "--model", MODEL][..], &["listen", "--list-devices"]] {
        let error = fail(mynah(arguments));
        assert!(error.contains("built without the microphone"), "{error}");
    }
}
