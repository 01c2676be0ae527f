//! Finals of a second pass, with the shipped model: those of its longest chunks, for any split.

#![cfg(feature = "files")]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod golden;

use std::path::{Path, PathBuf};
use std::time::Duration;

use golden::shipped_model_dir;
use mynah::audio::{AudioFile, ReadOutcome, Source};
use mynah::decode::{
    Decoding, GrammarConstraint, GrammarMatch, Hotword, Hypothesis, PrefixBeamConfig,
};
use mynah::{
    Chunk, EndpointConfig, Event, Finals, GateConfig, Grammar, LoadOptions, Model, Precision,
    Recognizer, RecognizerConfig, Stream,
};
use proptest::prelude::*;

const SAMPLE_RATE: usize = 16_000;

fn random_decoder_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/random-decoder")
}

fn speech() -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");
    let mut file = AudioFile::open(path).unwrap();
    let mut samples = vec![0.0; file.len_samples().unwrap() as usize];
    let mut read = 0;
    while let ReadOutcome::Samples(n @ 1..) = file.read(&mut samples[read..]).unwrap() {
        read += n;
    }
    samples
}

fn silence(seconds: usize) -> Vec<f32> {
    vec![0.0; seconds * SAMPLE_RATE]
}

fn recognizer(options: LoadOptions, config: RecognizerConfig) -> Recognizer {
    let options = LoadOptions { precision: Precision::Int8, ..options };
    let model = Model::load(shipped_model_dir(), options).unwrap();
    Recognizer::with_config(model, config).unwrap()
}

fn single_pass() -> LoadOptions {
    LoadOptions { finals: Finals::FirstPass, ..LoadOptions::default() }
}

fn two_passes(config: RecognizerConfig) -> Recognizer {
    recognizer(LoadOptions::default(), config)
}

/// Without endpoints.
fn whole() -> RecognizerConfig {
    let endpoint = EndpointConfig { enabled: false, ..EndpointConfig::default() };
    RecognizerConfig { endpoint, ..RecognizerConfig::default() }
}

fn events(stream: &mut Stream, samples: &[f32]) -> Vec<Event> {
    stream.accept_waveform(samples).unwrap();
    stream.finish().unwrap();
    std::iter::from_fn(|| stream.next_event()).collect()
}

fn finals(events: &[Event]) -> Vec<&Hypothesis> {
    events.iter().filter(|e| matches!(e, Event::Final { .. })).map(Event::hypothesis).collect()
}

/// What the events show, finals apart.
fn partial_texts(events: &[Event]) -> Vec<&str> {
    let partials = events.iter().filter(|event| !event.is_final());
    partials.map(|event| event.hypothesis().text.as_str()).collect()
}

#[test]
fn a_final_is_that_of_the_longest_chunks() {
    let offline = LoadOptions { chunk: Chunk::Offline, ..LoadOptions::default() };
    let expected = events(&mut recognizer(offline, whole()).stream(), &speech());
    let both = events(&mut two_passes(whole()).stream(), &speech());
    let (expected, found) = (finals(&expected), finals(&both));
    assert_eq!((expected.len(), found.len()), (1, 1));
    assert_eq!(found[0].tokens, expected[0].tokens);
    assert_eq!(found[0].words, expected[0].words);

    // Before the second pass has decoded a chunk, partials are those of the first, of which all may change.
    let single = recognizer(single_pass(), whole());
    let alone = events(&mut single.stream(), &speech());
    assert_eq!(partial_texts(&both)[..4], partial_texts(&alone)[..4]);
    assert!(both.iter().take(4).all(|event| event.hypothesis().stable == 0));
}

#[test]
fn words_are_committed_before_the_final_which_begins_with_them() {
    let long = [speech(), speech(), speech()].concat();
    let events = events(&mut two_passes(whole()).stream(), &long);
    let mut stable = String::new();
    for event in &events {
        let hypothesis = event.hypothesis();
        let committed = hypothesis.stable_text();
        assert!(committed.starts_with(&stable), "{stable:?} became {committed:?}");
        stable = committed.to_owned();
    }
    let (last, before) = events.split_last().unwrap();
    assert_eq!(last.hypothesis().stable_text(), before.last().unwrap().hypothesis().stable_text());
    assert!(stable.split_whitespace().count() > 10, "{stable:?}");
}

#[test]
fn finals_are_ranked_anew_where_nothing_was_stable() {
    /// The final's score, and whether anything was stable before it.
    fn told(chunk: Chunk, edit: fn(&mut PrefixBeamConfig)) -> (f64, bool) {
        let options = LoadOptions { chunk, precision: Precision::Int8, ..single_pass() };
        let model = Model::load(shipped_model_dir(), options).unwrap();
        let Decoding::PrefixBeam(mut beam) = model.default_decoding().clone() else {
            panic!("greedy")
        };
        edit(&mut beam);
        let config = RecognizerConfig { decoding: Some(Decoding::PrefixBeam(beam)), ..whole() };
        let recognizer = Recognizer::with_config(model, config).unwrap();
        let events = events(&mut recognizer.stream(), &speech());
        (finals(&events)[0].score, events.iter().any(|event| event.hypothesis().stable > 0))
    }
    let not: fn(&mut PrefixBeamConfig) = |beam| {
        beam.language_model.as_mut().unwrap().rescoring = None;
    };
    let (by_both, stable) = told(Chunk::Offline, |_| {});
    assert!(!stable && by_both != told(Chunk::Offline, not).0);
    assert_eq!(told(Chunk::Streaming, |_| {}), told(Chunk::Streaming, not));
    let settled: fn(&mut PrefixBeamConfig) = |beam| beam.max_unstable_frames = Some(10);
    let settled_alone: fn(&mut PrefixBeamConfig) = |beam| {
        beam.max_unstable_frames = Some(10);
        beam.language_model.as_mut().unwrap().rescoring = None;
    };
    assert_eq!(told(Chunk::Offline, settled), told(Chunk::Offline, settled_alone));
}

#[test]
fn there_is_none_where_chunks_are_the_longest_already() {
    let options = LoadOptions { chunk: Chunk::Offline, ..Default::default() };
    assert!(!recognizer(options, whole()).model().has_second_pass());
    assert!(two_passes(whole()).model().has_second_pass());
}

#[test]
fn another_model_may_hear_the_finals() {
    let by_other = recognizer(LoadOptions::accurate(shipped_model_dir()), whole());
    let expected = events(&mut two_passes(whole()).stream(), &speech());
    assert_eq!(events(&mut by_other.stream(), &speech()), expected);
}

#[test]
fn finals_are_of_both_models() {
    // The same model, in f32.
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "tokens.txt", "phones.txt"] {
        std::fs::copy(shipped_model_dir().join(file), folder.path().join(file)).unwrap();
    }
    let encoder = shipped_model_dir().join("encoder.onnx");
    std::fs::copy(encoder, folder.path().join("encoder.int8.onnx")).unwrap();
    let options = LoadOptions::accurate(folder.path());
    let both = events(&mut recognizer(options, whole()).stream(), &speech());
    let alone = events(&mut two_passes(whole()).stream(), &speech());
    assert_eq!(both.len(), alone.len());
    assert_eq!(partial_texts(&both), partial_texts(&alone));
    let (last, alone) = (finals(&both)[0], finals(&alone)[0]);
    assert_eq!(last.text, alone.text);
    assert_ne!(last.score, alone.score);
}

fn with_decoder(dir: &Path) -> LoadOptions {
    LoadOptions::accurate(dir)
}

#[test]
fn a_decoder_changes_finals_alone_whatever_the_split() {
    let recognizer = recognizer(with_decoder(&shipped_model_dir().join("../en-decoder")), whole());
    let alone = events(&mut two_passes(whole()).stream(), &speech());
    let expected = events(&mut recognizer.stream(), &speech());
    assert_eq!(partial_texts(&expected), partial_texts(&alone));
    // What the decoder may still change is not committed.
    assert!(expected.iter().all(|event| event.hypothesis().stable == 0));
    let (last, alone) = (finals(&expected)[0], finals(&alone)[0]);
    assert_eq!(last.text, alone.text);
    assert_ne!(last.score, alone.score);

    let mut stream = recognizer.stream();
    for piece in speech().chunks(1_777) {
        stream.accept_waveform(piece).unwrap();
    }
    stream.finish().unwrap();
    assert_eq!(std::iter::from_fn(|| stream.next_event()).collect::<Vec<_>>(), expected);
}

#[test]
fn an_utterance_too_long_for_the_decoder_goes_without() {
    let recognizer = recognizer(with_decoder(&random_decoder_dir()), whole());
    let long = [speech(), speech()].concat();
    let mut stream = recognizer.stream();
    let (with, without) =
        (events(&mut stream, &long), events(&mut two_passes(whole()).stream(), &long));
    assert_eq!(finals(&with)[0].tokens, finals(&without)[0].tokens);
    assert_eq!(finals(&with)[0].score, finals(&without)[0].score);
    // The next utterance has one again.
    let with = events(&mut stream, &speech());
    let without = events(&mut two_passes(whole()).stream(), &speech());
    assert_ne!(finals(&with)[0].score, finals(&without)[0].score);
}

#[test]
fn a_grammar_leaves_no_choice_to_the_decoder() {
    let model = Model::load(shipped_model_dir(), with_decoder(&random_decoder_dir())).unwrap();
    let grammar = Grammar::from_phrases(["lights off"]).unwrap();
    let constraint = GrammarConstraint::new(grammar);
    let final_of = |recognizer: &Recognizer| {
        let mut stream = recognizer.stream();
        stream.set_grammar(Some(&constraint)).unwrap();
        finals(&events(&mut stream, &speech()))[0].clone()
    };
    let with = Recognizer::with_config(model, whole()).unwrap();
    assert_eq!(final_of(&with), final_of(&two_passes(whole())));
}

#[test]
fn a_decoder_must_fit() {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(random_decoder_dir()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let path = folder.path().join("config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let refusal = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        let refused = Model::load(shipped_model_dir(), with_decoder(folder.path()));
        refused.map(drop).unwrap_err().to_string()
    };
    let cases = [
        ("\"low_hz\": 0.0", "\"low_hz\": 20.0", "its features are not those of en-small"),
        ("\"weight\": 2.0", "\"weight\": 0.0", "decoder: weight is 0; it must be a number above 0"),
        (
            "\"heads\": 2",
            "\"heads\": 3",
            "decoder: heads is 3; it must divide the caches' 128 values",
        ),
        ("\"end\": 2", "\"end\": 57", "decoder: piece 57; pieces.txt has 57"),
        (
            "\"chunk_frames\": 128",
            "\"chunk_frames\": 64",
            "the model's other files say [1, 65, 80]",
        ),
        ("\"weight\"", "\"wieght\"", "missing field `weight`"),
    ];
    for (from, to, expected) in cases {
        let refusal = refusal(from, to);
        assert!(refusal.contains(expected), "{refusal}");
    }
    std::fs::remove_file(folder.path().join("pieces.txt")).unwrap();
    assert!(refusal("2.0", "2.0").contains("pieces.txt: "));
}

#[test]
fn another_model_must_have_the_same_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = shipped_model_dir();
    for file in ["config.json", "tokens.txt", "phones.txt"] {
        std::fs::copy(shipped.join(file), folder.path().join(file)).unwrap();
    }
    for (file, odd) in [("tokens.txt", "tokens"), ("phones.txt", "phones")] {
        let text = std::fs::read_to_string(shipped.join(file)).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        let last = lines.len() - 1;
        lines.swap(last, last - 1);
        let path = folder.path().join(file);
        std::fs::write(&path, lines.join("\n")).unwrap();
        let options = LoadOptions::accurate(folder.path());
        let refusal = Model::load(&shipped, options).map(drop).unwrap_err().to_string();
        assert!(refusal.contains(&format!("its {odd} are not those of en-small")), "{refusal}");
        std::fs::write(&path, text).unwrap();
    }
}

#[test]
fn each_utterance_is_heard_alone_and_keeps_its_times() {
    let recognizer = two_passes(RecognizerConfig::default());
    let once = events(&mut recognizer.stream(), &speech());
    let pause = 7;
    let samples = [speech(), silence(pause), speech()].concat();
    let twice = events(&mut recognizer.stream(), &samples);
    let (once, twice) = (finals(&once), finals(&twice));
    assert_eq!(twice.len(), 2 * once.len());
    let shift =
        Duration::from_secs(pause as u64) + Duration::from_secs_f64(speech().len() as f64 / 16e3);
    for (alone, again) in once.iter().zip(&twice[once.len()..]) {
        let expected = alone.start + shift;
        let (later, sooner) = (again.start.max(expected), again.start.min(expected));
        assert!(later - sooner < Duration::from_millis(200), "{:?}, not {expected:?}", again.start);
        let same = alone.words.iter().filter(|word| again.text.contains(&word.text)).count();
        assert!(same * 10 >= alone.words.len() * 8, "{} became {}", alone.text, again.text);
    }
}

#[test]
fn silence_before_and_the_gate_lose_no_word() {
    let samples = [silence(12), speech()].concat();
    let at_once = events(&mut two_passes(RecognizerConfig::default()).stream(), &samples);
    let config = RecognizerConfig { gate: Some(GateConfig::default()), ..Default::default() };
    let gated = events(&mut two_passes(config).stream(), &samples);
    let first = |events: &[Event]| finals(events)[0].words[0].clone();
    assert_eq!(first(&gated).text, first(&at_once).text);
    assert!(first(&gated).start > Duration::from_secs(12));
}

#[test]
fn hotwords_set_inside_an_utterance_wait_for_the_next() {
    let recognizer = two_passes(whole());
    let expected = events(&mut recognizer.stream(), &speech());
    let mut stream = recognizer.stream();
    let (before, after) = (&speech()[..4 * SAMPLE_RATE], &speech()[4 * SAMPLE_RATE..]);
    stream.accept_waveform(before).unwrap();
    let word = &finals(&expected)[0].words.last().unwrap().text;
    // So strong that it changes what it may change.
    stream
        .set_hotwords(&[Hotword::new("zebra"), Hotword { boost: 9.0, ..Hotword::new(word) }])
        .unwrap();
    assert_eq!(finals(&events(&mut stream, after)), finals(&expected));
    assert_ne!(finals(&events(&mut stream, &speech())), finals(&expected));
    assert!(matches!(recognizer.model().default_decoding(), Decoding::PrefixBeam(_)));
}

#[test]
fn other_hotwords_between_utterances_count_in_the_next() {
    let recognizer = two_passes(whole());
    let strong = |word: &str| vec![Hotword { boost: 9.0, ..Hotword::new(word) }];
    let [first, second] = [strong("happy"), strong("nothing")];
    let alone = |hotwords: &[Hotword]| {
        let mut stream = recognizer.stream();
        stream.set_hotwords(hotwords).unwrap();
        finals(&events(&mut stream, &speech()))[0].score
    };
    let expected = [&first, &second, &first].map(|hotwords| alone(hotwords));
    assert_ne!(expected[0], expected[1]);
    let mut stream = recognizer.stream();
    let found = [&first, &second, &first].map(|hotwords| {
        stream.set_hotwords(hotwords).unwrap();
        finals(&events(&mut stream, &speech()))[0].score
    });
    assert_eq!(found, expected);
}

/// Before the first word has ended the search may have begun it without anything to show.
#[test]
fn both_passes_keep_to_the_same_grammar() {
    let recognizers = [recognizer(single_pass(), whole()), two_passes(whole())];
    let constraint = GrammarConstraint::new(Grammar::parse("zebra\ngiraffe\n").unwrap());
    let samples = speech();
    let is_free = |recognizer: &Recognizer, tenths: usize| {
        let mut stream = recognizer.stream();
        let (before, after) = samples.split_at(tenths * SAMPLE_RATE / 10);
        stream.accept_waveform(before).unwrap();
        stream.set_grammar(Some(&constraint)).unwrap();
        let events = events(&mut stream, after);
        finals(&events)[0].outcome == GrammarMatch::Unrestricted
    };
    let free: Vec<[bool; 2]> = (0..30)
        .step_by(5)
        .map(|tenths| recognizers.each_ref().map(|recognizer| is_free(recognizer, tenths)))
        .collect();
    assert!(free.iter().all(|[single, both]| single == both), "{free:?}");
    assert!(free.contains(&[true; 2]) && free.contains(&[false; 2]), "{free:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn any_split_gives_the_same_events(cuts in prop::collection::vec(0usize..40_000, 0..12)) {
        let recognizer = two_passes(RecognizerConfig::default());
        let samples = [speech(), silence(3)].concat();
        let expected = events(&mut recognizer.stream(), &samples);
        let mut stream = recognizer.stream();
        let mut rest = &samples[..];
        for cut in cuts {
            let (piece, left) = rest.split_at(cut.min(rest.len()));
            stream.accept_waveform(piece).unwrap();
            rest = left;
        }
        prop_assert_eq!(events(&mut stream, rest), expected);
    }
}
