//! Keywords through the recognizer and the `mynah spot` command, with the random-weight model: the
//! phrases are what it writes of the tests' recordings.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

use mynah::{
    EndpointConfig, Event, Keyword, KeywordHit, Model, Precision, Recognizer, RecognizerConfig,
    Stream,
};
use proptest::prelude::*;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/random");

/// Sweeps in bursts, loud and various enough for the random weights to name tokens.
fn bursts(seconds: f64) -> Vec<f32> {
    let sample = |i: usize| {
        let t = i as f64 / 16_000.0;
        let phase = std::f64::consts::TAU * (200.0 * t + 400.0 * t * t / seconds);
        let loudness = if ((4.0 * t) as u64).is_multiple_of(2) { 0.8 } else { 0.05 };
        (loudness * phase.sin()) as f32
    };
    (0..(seconds * 16_000.0) as usize).map(sample).collect()
}

fn recognizer(keywords: Vec<Keyword>) -> Recognizer {
    let endpoint = EndpointConfig { enabled: false, ..EndpointConfig::default() };
    let config = RecognizerConfig { endpoint, keywords, ..RecognizerConfig::default() };
    Recognizer::with_config(Model::load(MODEL, Precision::Int8).unwrap(), config).unwrap()
}

/// What the model writes of the samples.
fn transcript(samples: &[f32]) -> String {
    let mut stream = recognizer(Vec::new()).stream();
    stream.accept_waveform(samples).unwrap();
    stream.finish().unwrap();
    let finals = std::iter::from_fn(|| stream.next_event()).filter_map(|event| match event {
        Event::Final { hypothesis, .. } => Some(hypothesis.text),
        Event::Partial { .. } => None,
    });
    finals.collect::<Vec<_>>().join(" ")
}

fn hits(stream: &mut Stream, samples: &[f32], cuts: &[usize]) -> Vec<KeywordHit> {
    let mut rest = samples;
    for &cut in cuts {
        let (piece, after) = rest.split_at(cut.min(rest.len()));
        stream.accept_waveform(piece).unwrap();
        rest = after;
    }
    stream.accept_waveform(rest).unwrap();
    stream.finish().unwrap();
    std::iter::from_fn(|| stream.next_keyword()).collect()
}

fn keyword(phrase: &str) -> Keyword {
    Keyword { threshold: 0.01, ..Keyword::new(phrase) }
}

#[test]
fn what_is_recognized_is_spotted_too() {
    let samples = bursts(6.0);
    let text = transcript(&samples);
    let recognizer = recognizer(vec![keyword(&text.to_lowercase())]);
    let found = hits(&mut recognizer.stream(), &samples, &[]);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    assert_eq!((found[0].index, found[0].phrase.as_str()), (0, text.to_lowercase().as_str()));
    assert!(found[0].start < found[0].end && found[0].end.as_secs_f64() <= 7.5, "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_split_gives_the_same_keywords(cuts in prop::collection::vec(0usize..20_000, 0..20)) {
        let samples = bursts(6.0);
        let text = transcript(&samples);
        let mut keywords: Vec<_> = text.split(' ').map(keyword).collect();
        keywords.dedup();
        let recognizer = recognizer(keywords);
        let mut stream = recognizer.stream();
        let whole = hits(&mut stream, &samples, &[]);
        prop_assert!(!whole.is_empty(), "{}", text);
        stream.reset();
        prop_assert_eq!(hits(&mut stream, &samples, &cuts), whole);
    }
}

#[test]
fn a_stream_goes_on_after_finish_with_later_times() {
    let samples = bursts(6.0);
    let recognizer = recognizer(vec![keyword(&transcript(&samples))]);
    let mut stream = recognizer.stream();
    let first = hits(&mut stream, &samples, &[]);
    let second = hits(&mut stream, &samples, &[]);
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(second[0].confidence, first[0].confidence);
    assert_eq!(second[0].start - first[0].start, std::time::Duration::from_secs(6));
}

#[test]
fn a_recognizer_refuses_a_keyword_that_its_model_can_not_spell() {
    let model = Model::load(MODEL, Precision::Int8).unwrap();
    let keywords = vec![Keyword::new("hello"), Keyword::new("route 66")];
    let config = RecognizerConfig { keywords, ..RecognizerConfig::default() };
    let error = Recognizer::with_config(model, config).err().unwrap().to_string();
    assert!(error.starts_with("keyword \"route 66\": the model has no token for '6'"), "{error}");
}

#[cfg(feature = "cli")]
mod command {
    use std::{fs, path::Path, process::Output};

    use assert_cmd::{Command, cargo::cargo_bin};
    use hound::{SampleFormat, WavSpec, WavWriter};
    use insta::assert_snapshot;
    use serde_json::Value;
    use tempfile::TempDir;

    use super::*;

    fn wav(folder: &TempDir, name: &str, samples: &[f32]) {
        let sample_format = SampleFormat::Int;
        let spec = WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format };
        let mut writer = WavWriter::create(folder.path().join(name), spec).unwrap();
        samples.iter().for_each(|x| writer.write_sample((x * 32767.0) as i16).unwrap());
        writer.finalize().unwrap();
    }

    fn spot(folder: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(cargo_bin!("mynah"));
        command.args(["spot", "--model", MODEL]).args(arguments).env_remove("RUST_LOG");
        command.current_dir(folder).output().unwrap()
    }

    fn succeed(folder: &Path, arguments: &[&str]) -> String {
        let output = spot(folder, arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((error.as_str(), output.status.code()), ("", Some(0)));
        String::from_utf8(output.stdout).unwrap()
    }

    fn fail(folder: &Path, arguments: &[&str]) -> String {
        let output = spot(folder, arguments);
        assert_eq!((output.stdout.len(), output.status.code()), (0, Some(1)));
        String::from_utf8(output.stderr).unwrap()
    }

    /// A folder with a recording, and what the model writes of it with a threshold behind.
    fn recording() -> (TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        wav(&folder, "a.wav", &bursts(6.0));
        wav(&folder, "silence.wav", &[0.0; 48_000]);
        (folder, format!("{}:0.1", transcript(&bursts(6.0)).to_lowercase()))
    }

    #[test]
    fn files_and_a_played_file_give_the_same_hits() {
        let (folder, phrase) = recording();
        let words = phrase.trim_end_matches(":0.1");
        let lines = succeed(folder.path(), &["--keyword", &phrase, "a.wav"]);
        let fields: Vec<_> = lines.trim().split('\t').collect();
        assert_eq!((lines.lines().count(), fields.len(), fields[1]), (1, 3, words), "{lines}");
        let played = succeed(folder.path(), &["--keyword", &phrase, "--file", "a.wav"]);
        assert_eq!(played, lines);

        let both = succeed(folder.path(), &["--keyword", &phrase, "silence.wav", "a.wav"]);
        assert_eq!(both, format!("a.wav:{lines}"));
        let options = ["--keyword", &phrase, "--format", "jsonl", "a.wav"];
        let json: Value = serde_json::from_str(&succeed(folder.path(), &options)).unwrap();
        assert_eq!((&json["type"], &json["file"]), (&"keyword".into(), &"a.wav".into()));
        assert_eq!(json["phrase"], words);
        assert!(json["start"].as_f64() < json["end"].as_f64(), "{json}");
    }

    #[test]
    fn phrases_come_from_a_file_too() {
        let (folder, phrase) = recording();
        let list = format!("# what to listen for\n\n  {phrase}\nqqqq\n");
        fs::write(folder.path().join("words.txt"), list).unwrap();
        let from_file = succeed(folder.path(), &["--keywords", "words.txt", "a.wav"]);
        assert_eq!(from_file, succeed(folder.path(), &["--keyword", &phrase, "a.wav"]));
    }

    #[test]
    fn wrong_phrases_are_named_with_their_place() {
        let (folder, _) = recording();
        let of_options = |phrases: &[&str]| {
            let options: Vec<_> = phrases.iter().flat_map(|p| ["--keyword", *p]).collect();
            fail(folder.path(), &[&options[..], &["a.wav"]].concat())
        };
        assert_snapshot!(of_options(&["lights 2"]), @r#"error: --keyword "lights 2": keyword "lights 2": the model has no token for '2'; write words in its letters"#);
        assert_snapshot!(of_options(&[""]), @r#"error: --keyword "": there is no phrase; write words, as in `lights off`"#);
        assert_snapshot!(of_options(&["lights off:loud"]), @r#"error: --keyword "lights off:loud": "loud" follows the last colon, where a number belongs, as in `lights off:0.4`"#);
        assert_snapshot!(of_options(&["lights off", "LIGHTS  off:0.5"]), @r#"error: --keyword "LIGHTS off:0.5": the same phrase as --keyword "lights off"; remove one of them"#);
        let of_file = |list: &str| {
            fs::write(folder.path().join("w.txt"), list).unwrap();
            fail(folder.path(), &["--keywords", "w.txt", "a.wav"])
        };
        assert_snapshot!(of_file("# rooms\nkitchen\nroom 7\n"), @r#"error: w.txt:3: keyword "room 7": the model has no token for '7'; write words in its letters"#);
        assert_snapshot!(of_file("kitchen\nhall:3\n"), @r#"error: w.txt: line 2: the threshold is 3; it must be above 0 and at most 1"#);
        assert_snapshot!(of_file("kitchen\n# and again\nKitchen:0.5\n"), @r#"error: w.txt:3: the same phrase as w.txt:1; remove one of them"#);
        assert_snapshot!(of_file("# nothing\n"), @r#"error: w.txt: no phrases; write one a line, as in `lights off`"#);
        assert_snapshot!(fail(folder.path(), &["--keywords", "none.txt", "a.wav"]), @r#"error: none.txt: No such file or directory (os error 2)"#);
        assert_eq!(spot(folder.path(), &["a.wav"]).status.code(), Some(2));
    }

    #[test]
    fn a_file_that_fails_does_not_keep_the_others_from_being_heard() {
        let (folder, phrase) = recording();
        let output = spot(folder.path(), &["--keyword", &phrase, "none.wav", "a.wav"]);
        assert!(output.stdout.starts_with(b"a.wav:"));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_snapshot!(error, @r#"error: none.wav: No such file or directory (os error 2)"#);
        assert_eq!(output.status.code(), Some(1));
    }

    #[test]
    fn an_evaluation_counts_misses_and_false_alarms_and_draws_them() {
        let (folder, phrase) = recording();
        let words = phrase.trim_end_matches(":0.1");
        let line = |audio, text| format!("{{\"audio\": {audio:?}, \"text\": {text:?}}}\n");
        let manifest = line("a.wav", words) + &line("silence.wav", "");
        fs::write(folder.path().join("m.jsonl"), manifest).unwrap();
        let eval = ["--keyword", &phrase, "--eval", "m.jsonl", "--plot", "det.svg"];
        let table = succeed(folder.path(), &eval);
        let row: Vec<_> = table.lines().nth(2).unwrap().split_whitespace().collect();
        assert_eq!((row[0], row[1]), (words, "1"), "{table}");
        // Silence has a hit at no threshold at which the recording has none.
        assert_eq!(&row[4..6], ["0.0", "%"], "{table}");
        let svg = fs::read_to_string(folder.path().join("det.svg")).unwrap();
        assert!(svg.contains("random, no noise added"), "{svg}");
        // Noise is the same each time.
        let noisy = [&eval[..], &["--noise-snr", "-5"]].concat();
        let first = succeed(folder.path(), &noisy);
        assert_eq!(succeed(folder.path(), &noisy), first);
        let svg = fs::read_to_string(folder.path().join("det.svg")).unwrap();
        assert!(svg.contains("random, white noise at -5 dB"), "{svg}");

        fs::write(folder.path().join("m.jsonl"), line("silence.wav", "")).unwrap();
        assert_snapshot!(fail(folder.path(), &["--keyword", "abc", "--eval", "m.jsonl"]), @r#"error: no recording's text contains "abc"; add recordings of it"#);
        fs::write(folder.path().join("m.jsonl"), line("a.wav", "abc")).unwrap();
        assert_snapshot!(fail(folder.path(), &["--keyword", "abc", "--eval", "m.jsonl"]), @r#"error: every recording's text contains "abc"; add recordings without it"#);
    }
}
