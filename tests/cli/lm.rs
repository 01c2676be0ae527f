//! `mynah lm`.

use std::fs;

use insta::assert_snapshot;

use crate::support::{Folder, LM, bursts, fail, mynah, succeed, transcribe};

/// A language model of five words that the random model's tokens can spell.
#[test]
fn a_language_model_can_be_made_compact() {
    let folder = Folder::new();
    let compact = folder.path("lm.bin");
    let mut command = mynah(&["lm", "convert", LM]);
    command.arg(&compact);
    let counts = succeed(command);
    assert!(counts.starts_with("1-grams  8\n2-grams  5\nbytes    "), "{counts}");

    let file = folder.wav("a.wav", &bursts(4.0, 16_000));
    let with = |lm: &str| succeed(transcribe(&[&file], &["--lm", lm]));
    assert_eq!(with(compact.to_str().unwrap()), with(LM));
    assert_ne!(with(LM), succeed(transcribe(&[&file], &[])));

    let bytes = fs::read(&compact).unwrap();
    let error = |name: &str, bytes: &[u8]| {
        let lm = folder.write(name, bytes);
        let options = ["--lm", lm.to_str().unwrap()];
        folder.without_path(&fail(transcribe(&[&file], &options)))
    };
    let half = error("half.bin", &bytes[..bytes.len() / 2]);
    assert!(half.starts_with("error: half.bin: is truncated: "), "{half}");
    assert_snapshot!(error("text.arpa", b"hello"), @r"error: text.arpa: has no line \data\; it is not an ARPA file");
}

/// The built-in model's n-grams are large: the random model's recordings serve for what `--lm` does with the file.
#[test]
fn a_language_model_is_made_of_texts() {
    let folder = Folder::new();
    let notes =
        folder.write("notes.md", b"# Notes\n\nMerge the branch at 7:30.\nThe branch is green!\n");
    let output = folder.path("notes.lm");
    let mut command = mynah(&["lm", "build", "--order", "2"]);
    command.arg(&notes).arg("--output").arg(&output);
    let report = succeed(command);
    assert!(
        report.starts_with("text     3 sentences, 11 words\n1-grams  12\n2-grams  "),
        "{report}"
    );
    let file = folder.wav("a.wav", &bursts(4.0, 16_000));
    succeed(transcribe(&[&file], &["--lm", output.to_str().unwrap()]));

    let build = |options: &[&str], text: &[u8]| {
        let mut command = mynah(&["lm", "build", "-o"]);
        command.arg(&output).arg(folder.write("text.txt", text)).args(options);
        folder.without_path(&fail(command))
    };
    assert_snapshot!(build(&[], b" ... "), @"error: text.txt: has no words");
    assert_snapshot!(build(&["--order", "9"], b"words"), @"error: n-grams of order 9; 2 to 5 can be had");
    assert_snapshot!(
        build(&["--interpolate"], b"Two words."),
        @"error: 1 sentences are too few to find a weight by; write one: `--interpolate=0.3`"
    );
}

#[cfg(feature = "builtin-model")]
#[test]
fn texts_are_mixed_with_the_models_ngrams() {
    let folder = Folder::new();
    let text = "Restart the kubelet before you drain the node. ".repeat(20);
    let text = folder.write("text.txt", text.as_bytes());
    let output = folder.path("mixed.lm");
    let mut command = mynah(&["lm", "build", "--interpolate", "-o"]);
    command.arg(&output).arg(&text);
    let report = succeed(command);
    let number = |name: &str| -> f32 {
        let line = report.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    assert!(number("weight") > 0.9, "{report}");
    // KUBELET among them.
    assert!(number("words") >= 1.0, "{report}");
}
