//! Finals of a second pass, with the shipped model: those of its longest chunks, for any split.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod golden;

use std::time::Duration;

use golden::shipped_model_dir;
use mynah::audio::{AudioFile, Read, Source};
use mynah::ctc::{Decoding, Hotword, Hypothesis, Outcome, Restriction};
use mynah::{
    Chunk, EndpointConfig, Event, GateConfig, Grammar, LoadOptions, Model, Precision, Recognizer,
    RecognizerConfig, Stream,
};
use proptest::prelude::*;

const SAMPLE_RATE: usize = 16_000;

fn speech() -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");
    let mut file = AudioFile::open(path).unwrap();
    let mut samples = vec![0.0; file.len_samples().unwrap() as usize];
    let mut read = 0;
    while let Read::Samples(n @ 1..) = file.read(&mut samples[read..]).unwrap() {
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
    let decoding = model.decoding().clone();
    Recognizer::new(model, RecognizerConfig { decoding, ..config }).unwrap()
}

fn two_passes(config: RecognizerConfig) -> Recognizer {
    recognizer(LoadOptions { second_pass: true, ..LoadOptions::default() }, config)
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
    events.iter().filter(|e| matches!(e, Event::Final(_))).map(Event::hypothesis).collect()
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

    // Partials are those of the first pass, of which all may change.
    let single = recognizer(LoadOptions::default(), whole());
    let texts = |events: &[Event]| -> Vec<String> {
        let partials = events.iter().filter(|event| matches!(event, Event::Partial(_)));
        partials.map(|event| event.hypothesis().text.clone()).collect()
    };
    assert_eq!(texts(&both), texts(&events(&mut single.stream(), &speech())));
    assert!(both.iter().all(|event| event.hypothesis().stable == 0));
}

#[test]
fn there_is_none_where_chunks_are_the_longest_already() {
    let options = LoadOptions { chunk: Chunk::Offline, second_pass: true, ..Default::default() };
    assert!(!recognizer(options, whole()).model().has_second_pass());
    assert!(two_passes(whole()).model().has_second_pass());
}

#[test]
fn another_model_may_hear_the_finals() {
    let other = Some(shipped_model_dir());
    let options =
        LoadOptions { second_pass: true, second_model: other.clone(), ..Default::default() };
    let by_other = recognizer(options, whole());
    let expected = events(&mut two_passes(whole()).stream(), &speech());
    assert_eq!(events(&mut by_other.stream(), &speech()), expected);

    let single = LoadOptions { second_model: other, ..Default::default() };
    assert!(!recognizer(single, whole()).model().has_second_pass());
}

#[test]
fn finals_are_of_both_models() {
    let other = Some(shipped_model_dir().join("../en-base"));
    let options = LoadOptions { second_pass: true, second_model: other, ..Default::default() };
    let both = events(&mut recognizer(options, whole()).stream(), &speech());
    let alone = events(&mut two_passes(whole()).stream(), &speech());
    assert_eq!(both.len(), alone.len());
    let (last, partials) = both.split_last().unwrap();
    assert_eq!(partials, &alone[..alone.len() - 1]);
    let (last, alone) = (last.hypothesis(), alone.last().unwrap().hypothesis());
    assert_eq!(last.text, alone.text);
    assert_ne!(last.score, alone.score);
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
        let options = LoadOptions {
            second_pass: true,
            second_model: Some(folder.path().to_owned()),
            ..Default::default()
        };
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
    assert!(matches!(recognizer.model().decoding(), Decoding::PrefixBeam(_)));
}

/// Before the first word has ended the search may have begun it without anything to show.
#[test]
fn both_passes_keep_to_the_same_grammar() {
    let recognizers = [recognizer(LoadOptions::default(), whole()), two_passes(whole())];
    let restriction = Restriction::new(Grammar::parse("zebra\ngiraffe\n").unwrap());
    let samples = speech();
    let is_free = |recognizer: &Recognizer, tenths: usize| {
        let mut stream = recognizer.stream();
        let (before, after) = samples.split_at(tenths * SAMPLE_RATE / 10);
        stream.accept_waveform(before).unwrap();
        stream.set_restriction(Some(&restriction)).unwrap();
        let events = events(&mut stream, after);
        finals(&events)[0].outcome == Outcome::Unrestricted
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
