//! Models, chunks, devices, and options that are refused.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Folder, LM, MODEL, bursts, fail, mynah, run, succeed, transcribe};

#[test]
fn both_precisions_run() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(3.0, 16_000));
    for precision in ["int8", "f32"] {
        let transcript = succeed(transcribe(&[&file], &["--precision", precision]));
        assert!(!transcript.trim().is_empty(), "{precision}");
    }
}

#[test]
fn chunks_of_each_length_run_and_others_are_refused() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(3.0, 16_000));
    for chunk in ["320", "640", "1280"] {
        let transcript = succeed(transcribe(&[&file], &["--chunk", chunk]));
        assert!(!transcript.trim().is_empty(), "{chunk}");
    }
    let mut bench =
        mynah(&["bench", "--model", MODEL, "--seconds", "3", "--chunk", "320", "--json"]);
    bench.arg(&file);
    let report: Value = serde_json::from_str(&succeed(bench)).unwrap();
    assert_eq!(report["chunk_compute"]["chunk_ms"], 320.0);
    assert_snapshot!(fail(transcribe(&[&file], &["--chunk", "500"])), @"error: chunks of 500 ms; the model random takes 320, 640, 1280 ms");
}

#[test]
fn a_gpu_is_used_or_named_as_missing() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(3.0, 16_000));
    for run_on in ["auto", "cpu"] {
        assert!(!succeed(transcribe(&[&file], &["--run-on", run_on])).trim().is_empty());
    }
    let (_, error, code) = run(transcribe(&[&file], &["--run-on", "gpu"]));
    assert!(code == 0 || error.starts_with("error: no GPU can be used: "), "{error}");
    let error = fail(transcribe(&[&file], &["--run-on", "gpu", "--precision", "int8"]));
    assert_snapshot!(error, @"error: the GPU runs the f32 encoder; ask for int8 or for the GPU, not both");
}

#[test]
fn a_missing_model_is_named() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(1.0, 16_000));
    let model = folder.path("no-model");
    let (file, model) = (file.to_str().unwrap(), model.to_str().unwrap());
    for arguments in [["transcribe", file, "--model", model], ["listen", "--file", file, "--model"]]
    {
        let mut command = mynah(&arguments);
        if arguments[3] == "--model" && arguments[0] == "listen" {
            command.arg(model);
        }
        let error = fail(command);
        assert!(error.contains(model), "{error}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in [
        &["transcribe"][..],
        &["recite", "a.wav"],
        &["transcribe", "a.wav", "--format", "doc"],
        &["transcribe", "a.wav", "b.wav", "--format", "srt", "--output", "c.srt"],
        &["transcribe", "-", "-"],
        &["transcribe", "a.wav", "--jobs", "0"],
        &["transcribe", "a.wav", "--precision", "f32"],
        &["transcribe", "a.wav", "--run-on", "gpu"],
        &["transcribe", "a.wav", "--chunk", "0"],
        &["transcribe", "a.wav", "--early-final=0"],
        &["transcribe", "a.wav", "--early-final", "--no-endpoint"],
        &["transcribe", "a.wav", "--endpoint-silence", "0"],
        &["transcribe", "a.wav", "--endpoint-silence", "1", "--no-endpoint"],
        &["transcribe", "-", "--raw-channels", "0"],
        &["listen", "--realtime"],
        &["listen", "--file", "a.wav", "--device", "x"],
        &["eval"],
        &["eval", "m.jsonl", "--every", "0"],
    ] {
        let (stdout, stderr, code) = run(mynah(arguments));
        assert_eq!((stdout.as_str(), code), ("", 2), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
}

#[test]
fn options_that_do_nothing_are_refused() {
    let folder = Folder::new();
    let file = folder.wav("a.wav", &bursts(1.0, 16_000));
    let error = |options: &[&str]| fail(transcribe(&[&file], options));
    assert_snapshot!(error(&["--beam", "8"]), @"error: --beam has no effect on greedy decoding; add `--decoding beam` or leave it out");
    assert_snapshot!(error(&["--decoding", "greedy", "--lm", LM]), @"error: --lm has no effect on greedy decoding; add `--decoding beam` or leave it out");
    assert_snapshot!(error(&["--decoding", "greedy", "--rescored", "5"]), @"error: --rescored has no effect on greedy decoding; add `--decoding beam` or leave it out");
    assert_snapshot!(error(&["--lm", LM, "--rescored", "5"]), @"error: there is no recurrent language model to rank hypotheses by: only a model's folder may have one; leave `--rescored` out");
    assert_snapshot!(error(&["--decoding", "beam", "--lm-weight", "1"]), @"error: there is no language model to weigh; give one with `--lm FILE`");
    assert_snapshot!(error(&["--lm", LM, "--lm-weight", "-1"]), @"error: a language model weight of -1; it must be a number from 0 on");
}
