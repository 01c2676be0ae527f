//! The `mynah` command on recordings that the tests make, with the random-weight model: what it
//! says is noise, but the same noise each time.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]
#![cfg(feature = "cli")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{self, Stdio},
};

use assert_cmd::{Command, cargo::cargo_bin};
use hound::{SampleFormat, WavSpec, WavWriter};
use insta::assert_snapshot;
use mynah::audio::{AudioFile, Read::Samples, Source};
use serde_json::Value;
use tempfile::TempDir;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/random");

const TRAINED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/en-small");
const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");

/// A folder for one test's recordings.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn subfolder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).unwrap();
        path
    }

    /// Writes a 16-bit mono WAV file at 16 kHz.
    fn wav(&self, name: &str, samples: &[f32]) -> PathBuf {
        self.wav_as(name, samples, 16_000, 1)
    }

    /// Writes a 16-bit WAV file with the same samples in all channels.
    fn wav_as(&self, name: &str, samples: &[f32], sample_rate: u32, channels: u16) -> PathBuf {
        let path = self.path(name);
        let sample_format = SampleFormat::Int;
        let spec = WavSpec { channels, sample_rate, bits_per_sample: 16, sample_format };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        for &sample in samples {
            (0..channels).for_each(|_| writer.write_sample(as_i16(sample)).unwrap());
        }
        writer.finalize().unwrap();
        path
    }

    /// Replaces the folder's path, which differs in each run.
    fn without_path(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn as_i16(sample: f32) -> i16 {
    (sample * 32767.0) as i16
}

/// A sweep in bursts, loud and various enough for the random weights to name tokens.
fn bursts(seconds: f64, sample_rate: u32) -> Vec<f32> {
    let count = (seconds * f64::from(sample_rate)) as usize;
    let sample = |i: usize| {
        let t = i as f64 / f64::from(sample_rate);
        let phase = std::f64::consts::TAU * (200.0 * t + 400.0 * t * t / seconds);
        let loudness = if ((4.0 * t) as u64).is_multiple_of(2) { 0.8 } else { 0.05 };
        (loudness * phase.sin()) as f32
    };
    (0..count).map(sample).collect()
}

/// The samples of the example, at 16 kHz.
fn speech() -> Vec<f32> {
    let mut file = AudioFile::open(SPEECH).unwrap();
    assert_eq!(file.sample_rate(), 16_000);
    let (mut samples, mut block) = (Vec::new(), [0.0; 4_096]);
    while let Samples(count) = file.read(&mut block).unwrap() {
        samples.extend_from_slice(&block[..count]);
    }
    samples
}

fn mynah(arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin!("mynah"));
    // No configuration of whoever runs the tests.
    command.args(arguments).env_remove("RUST_LOG").env("MYNAH_CONFIG", "/dev/null");
    command
}

fn transcribe(files: &[&Path], options: &[&str]) -> Command {
    let mut command = mynah(&["transcribe", "--model", MODEL]);
    command.args(files).args(options);
    command
}

/// What a command printed: standard output, standard error, exit code.
fn run(mut command: Command) -> (String, String, i32) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// What a command printed that ended without an error and without a word on standard error.
fn succeed(command: Command) -> String {
    let (stdout, stderr, code) = run(command);
    assert_eq!((stderr.as_str(), code), ("", 0));
    stdout
}

/// What a command said on standard error in one line, when it exited with 1 and no transcript.
fn fail(command: Command) -> String {
    let (stdout, stderr, code) = run(command);
    assert_eq!((stdout.as_str(), code), ("", 1), "{stderr}");
    assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{stderr}");
    stderr
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn texts(values: &[Value]) -> Vec<&str> {
    values.iter().map(|value| value["text"].as_str().unwrap()).collect()
}

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
fn any_rate_and_channels_are_taken() {
    let folder = Folder::new();
    for (rate, channels) in [(8_000, 1), (44_100, 2), (48_000, 6), (96_000, 1)] {
        let file = folder.wav_as("a.wav", &bursts(3.0, rate), rate, channels);
        let transcript = succeed(transcribe(&[&file], &[]));
        assert!(!transcript.trim().is_empty(), "{rate} Hz, {channels} channels");
    }
}

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
fn standard_input_is_raw_samples_or_a_wav_file() {
    let folder = Folder::new();
    let samples: Vec<_> = bursts(3.0, 16_000).into_iter().map(as_i16).collect();
    let file = folder.wav("a.wav", &bursts(3.0, 16_000));
    let expected = succeed(transcribe(&[&file], &[]));
    let stdin = |bytes: Vec<u8>, options: &[&str]| {
        let mut command = transcribe(&[Path::new("-")], options);
        command.write_stdin(bytes);
        succeed(command)
    };
    let s16le: Vec<_> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let stereo_f32le: Vec<_> = samples
        .iter()
        .flat_map(|&sample| [f32::from(sample) / 32768.0; 2])
        .flat_map(f32::to_le_bytes)
        .collect();
    assert_eq!(stdin(s16le, &[]), expected);
    assert_eq!(stdin(stereo_f32le, &["--raw-format", "f32le", "--raw-channels", "2"]), expected);
    assert_eq!(stdin(fs::read(&file).unwrap(), &[]), expected);
}

#[test]
fn no_samples_give_an_empty_transcript() {
    let folder = Folder::new();
    let none = folder.wav("none.wav", &[]);
    assert_eq!(succeed(transcribe(&[&none], &[])), "");
    assert_eq!(succeed(transcribe(&[&none], &["--format", "jsonl"])), "");
}

#[test]
fn a_recorder_that_was_switched_off_leaves_a_transcript() {
    let folder = Folder::new();
    let whole = folder.wav("whole.wav", &bursts(3.0, 16_000));
    let expected = succeed(transcribe(&[&whole], &[]));
    let mut bytes = fs::read(&whole).unwrap();
    bytes[4..8].fill(0);
    bytes[40..44].fill(0);
    let switched_off = folder.write("switched-off.wav", &bytes);
    let (stdout, stderr, code) = run(transcribe(&[&switched_off], &[]));
    assert_eq!((stdout, code), (expected.clone(), 0));
    assert_snapshot!(folder.without_path(&stderr), @"warning: switched-off.wav: its header is wrong and was mended: it gives 0 bytes of samples; read to the end");
    let mut stdin = transcribe(&[Path::new("-")], &[]);
    stdin.write_stdin(bytes);
    assert_eq!(run(stdin).0, expected);
}

#[test]
fn silence_gives_an_empty_transcript() {
    let folder = Folder::new();
    let silence = folder.wav("silence.wav", &[0.0; 160_000]);
    let mut command = mynah(&["transcribe", "--model", TRAINED]);
    command.arg(&silence);
    assert_eq!(succeed(command), "");
}

#[test]
fn a_file_that_holds_no_audio_is_named_with_the_reason() {
    let folder = Folder::new();
    let error = |name: &str, bytes: &[u8]| {
        let file = folder.write(name, bytes);
        folder.without_path(&fail(transcribe(&[&file], &[])))
    };
    assert_snapshot!(error("empty.wav", b""), @"error: empty.wav: is empty; record it again");
    assert_snapshot!(error("text.wav", b"Dear diary, today I recorded nothing.\n"), @"error: text.wav: is text; give WAV, FLAC, Ogg, MP3, M4A, AAC, MP4, WebM, AIFF or CAF, or convert it with `ffmpeg -i IN -ac 1 OUT.wav`");
    let wav = fs::read(folder.wav("whole.wav", &bursts(1.0, 16_000))).unwrap();
    assert_snapshot!(error("header.wav", &wav[..20]), @"error: header.wav: its format chunk is too short; give WAV, FLAC, Ogg, MP3, M4A, AAC, MP4, WebM, AIFF or CAF, or convert it with `ffmpeg -i IN -ac 1 OUT.wav`");
    let mut no_channels = wav.clone();
    no_channels[22..24].copy_from_slice(&[0, 0]);
    assert_snapshot!(error("no-channels.wav", &no_channels), @"error: no-channels.wav: its header gives 16000 Hz and 0 channels; give WAV, FLAC, Ogg, MP3, M4A, AAC, MP4, WebM, AIFF or CAF, or convert it with `ffmpeg -i IN -ac 1 OUT.wav`");
    assert_snapshot!(folder.without_path(&fail(transcribe(&[&folder.path("missing.wav")], &[]))), @"error: missing.wav: No such file or directory (os error 2)");
    assert_snapshot!(folder.without_path(&fail(transcribe(&[&folder.subfolder("takes")], &[]))), @"error: takes: is a folder; name a file in it");
}

#[test]
fn a_truncated_file_is_transcribed_up_to_its_end() {
    let folder = Folder::new();
    let wav = fs::read(folder.wav("whole.wav", &bursts(4.0, 16_000))).unwrap();
    let half = folder.write("half.wav", &wav[..44 + 64_000]);
    let same = folder.wav("same.wav", &bursts(4.0, 16_000)[..32_000]);
    let (stdout, stderr, code) = run(transcribe(&[&half], &[]));
    assert_eq!((stdout, code), (succeed(transcribe(&[&same], &[])), 1));
    assert_snapshot!(folder.without_path(&stderr), @"error: half.wav: the file is cut short: 2.00 of 4.00 s are there");
}

#[test]
fn samples_that_are_not_numbers_are_refused_after_what_came_before() {
    let folder = Folder::new();
    let path = folder.path("nan.wav");
    let sample_format = SampleFormat::Float;
    let spec = WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 32, sample_format };
    let mut writer = WavWriter::create(&path, spec).unwrap();
    let good = bursts(3.0, 16_000);
    good.iter().chain([&f32::NAN]).for_each(|&s| writer.write_sample(s).unwrap());
    writer.finalize().unwrap();
    let (stdout, stderr, code) = run(transcribe(&[&path], &[]));
    assert!(!stdout.trim().is_empty());
    assert_eq!(code, 1);
    assert_snapshot!(folder.without_path(&stderr), @"error: nan.wav: sample 48000 is NaN, which is no sound; export the file again");
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

/// A language model of five words that the random model's tokens can spell.
const LM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lm.arpa");

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

#[test]
fn json_tells_the_best_hypotheses() {
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
