//! What a stream promises: the same events for any split, nothing lost at its end, a true clock.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod golden;

use std::time::Duration;

use golden::{Signal, random_model};
use mynah::decode::{Decoding, Hypothesis, LmFusion, PrefixBeamConfig, Token};
use mynah::lm::NgramModel;
use mynah::{EndpointConfig, Event, Recognizer, RecognizerConfig, Stream};
use proptest::prelude::*;

/// The samples of one encoder frame of the random model.
const ENCODER_FRAME: u64 = 640;

/// 7.5 seconds of all that the golden signals have.
fn samples() -> Vec<f32> {
    let signals: Vec<Vec<f32>> = Signal::load_all().iter().map(Signal::samples).collect();
    signals.concat().repeat(3)
}

/// Ends utterances often.
fn short_utterances() -> EndpointConfig {
    let mut endpoint = EndpointConfig::default();
    endpoint.rule3.trailing_silence = Duration::ZERO;
    endpoint.rule3.utterance_length = Duration::from_millis(1000);
    endpoint
}

fn recognizer(endpoint: EndpointConfig) -> Recognizer {
    let config = RecognizerConfig { endpoint, ..RecognizerConfig::default() };
    Recognizer::with_config(random_model(), config).unwrap()
}

/// Searches with a beam and a language model of five words.
fn beam_recognizer(endpoint: EndpointConfig) -> Recognizer {
    let ngrams = NgramModel::load(golden::root().join("tests/data/lm.arpa")).unwrap();
    let language_model = LmFusion { oov_penalty: 0.1, ..LmFusion::new(ngrams) };
    let beam = PrefixBeamConfig {
        beam: 8,
        nbest: 3,
        language_model: Some(language_model),
        ..PrefixBeamConfig::default()
    };
    let decoding = Decoding::PrefixBeam(beam);
    let config =
        RecognizerConfig { endpoint, decoding: Some(decoding), ..RecognizerConfig::default() };
    Recognizer::with_config(random_model(), config).unwrap()
}

fn drain(stream: &mut Stream) -> Vec<Event> {
    std::iter::from_fn(|| stream.next_event()).collect()
}

fn run(stream: &mut Stream, samples: &[f32], cuts: &[usize]) -> Vec<Event> {
    let mut rest = samples;
    for &cut in cuts {
        let (piece, left) = rest.split_at(cut.min(rest.len()));
        stream.accept_waveform(piece).unwrap();
        rest = left;
    }
    stream.accept_waveform(rest).unwrap();
    stream.finish().unwrap();
    drain(stream)
}

fn finals(events: &[Event]) -> Vec<&Hypothesis> {
    events.iter().filter(|e| matches!(e, Event::Final { .. })).map(Event::hypothesis).collect()
}

fn tokens(events: &[Event]) -> Vec<Token> {
    finals(events).iter().flat_map(|hypothesis| hypothesis.tokens.clone()).collect()
}

fn shifted(tokens: &[Token], frames: u64) -> Vec<Token> {
    tokens.iter().map(|&token| Token { frame: token.frame + frames, ..token }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_gives_the_same_events(cuts in prop::collection::vec(0usize..30_000, 0..30)) {
        let recognizer = recognizer(short_utterances());
        let mut stream = recognizer.stream();
        let whole = run(&mut stream, &samples(), &[]);
        prop_assert!(finals(&whole).len() > 3);
        stream.reset();
        prop_assert_eq!(run(&mut stream, &samples(), &cuts), whole);
    }

    #[test]
    fn any_split_gives_the_same_events_by_beam(cuts in prop::collection::vec(0usize..30_000, 0..30)) {
        let recognizer = beam_recognizer(short_utterances());
        let mut stream = recognizer.stream();
        let whole = run(&mut stream, &samples(), &[]);
        prop_assert!(finals(&whole).len() > 3);
        stream.reset();
        prop_assert_eq!(run(&mut stream, &samples(), &cuts), whole);
    }
}

#[test]
fn log_probs_decode_to_the_finals_of_a_stream() {
    for recognizer in [recognizer(short_utterances()), beam_recognizer(short_utterances())] {
        let log_probs = recognizer.log_probs(&samples()).unwrap();
        let decoded = recognizer.decode(&log_probs);
        let events = run(&mut recognizer.stream(), &samples(), &[]);
        assert_eq!(decoded.iter().collect::<Vec<_>>(), finals(&events));
        assert!(recognizer.log_probs(&[]).unwrap().is_empty());
        assert_eq!(recognizer.decode(&[]), []);
    }
}

#[test]
fn alternatives_have_other_texts_and_lower_scores() {
    let events = run(&mut beam_recognizer(short_utterances()).stream(), &samples(), &[]);
    for hypothesis in finals(&events) {
        assert_eq!(hypothesis.alternatives.len(), 2);
        let all: Vec<_> = std::iter::once(hypothesis).chain(&hypothesis.alternatives).collect();
        assert!(all.is_sorted_by(|a, b| a.score >= b.score));
        assert!(all[0].text != all[1].text && all[1].text != all[2].text);
    }
    let partials = events.iter().filter(|event| matches!(event, Event::Partial { .. }));
    assert!(partials.map(Event::hypothesis).all(|h| h.alternatives.is_empty()));
}

#[test]
fn single_samples_give_the_same_events() {
    let recognizer = recognizer(short_utterances());
    let samples = samples();
    let whole = run(&mut recognizer.stream(), &samples, &[]);
    assert_eq!(run(&mut recognizer.stream(), &samples, &vec![1; samples.len()]), whole);
}

#[test]
fn reset_in_the_middle_equals_a_new_stream() {
    let recognizer = recognizer(short_utterances());
    let mut stream = recognizer.stream();
    stream.skip(12_345).unwrap();
    stream.accept_waveform(&samples()[..50_001]).unwrap();
    stream.reset();
    assert_eq!((stream.samples_accepted(), stream.next_event()), (0, None));
    assert_eq!(run(&mut stream, &samples(), &[]), run(&mut recognizer.stream(), &samples(), &[]));
}

#[test]
fn streams_of_one_recognizer_do_not_disturb_each_other() {
    let recognizer = recognizer(short_utterances());
    let (one, other) = (samples(), samples().into_iter().rev().collect::<Vec<f32>>());
    let (mut a, mut b) = (recognizer.stream(), recognizer.stream());
    for (x, y) in one.chunks(5000).zip(other.chunks(5000)) {
        a.accept_waveform(x).unwrap();
        b.accept_waveform(y).unwrap();
    }
    a.finish().unwrap();
    b.finish().unwrap();
    assert_eq!(drain(&mut a), run(&mut recognizer.stream(), &one, &[]));
    assert_eq!(drain(&mut b), run(&mut recognizer.stream(), &other, &[]));
}

#[test]
fn endpoints_cut_the_tokens_and_change_none() {
    let cut = run(&mut recognizer(short_utterances()).stream(), &samples(), &[]);
    let endpoint = EndpointConfig { enabled: false, ..EndpointConfig::default() };
    let whole = run(&mut recognizer(endpoint).stream(), &samples(), &[]);
    assert_eq!(finals(&whole).len(), 1);
    assert!(finals(&cut).len() > 3);
    assert_eq!(tokens(&cut), tokens(&whole));
}

#[test]
fn partials_tell_changes_and_finals_close_utterances() {
    let events = run(&mut recognizer(short_utterances()).stream(), &samples(), &[]);
    let mut shown = String::new();
    let mut end = Duration::ZERO;
    for event in &events {
        let Hypothesis { text, tokens, start, .. } = event.hypothesis();
        assert!(!text.is_empty() && !tokens.is_empty());
        assert!(*start >= end);
        match event {
            Event::Partial { .. } => assert_ne!(*text, shown),
            Event::Final { hypothesis, .. } => end = hypothesis.end,
        }
        shown = if matches!(event, Event::Final { .. }) { String::new() } else { text.clone() };
    }
    assert!(events.len() > finals(&events).len(), "no partials");
    assert!(matches!(events.last(), Some(Event::Final { .. })));
}

#[test]
fn times_follow_from_token_frames() {
    let events = run(&mut recognizer(short_utterances()).stream(), &samples(), &[]);
    for hypothesis in finals(&events) {
        let (first, last) = (hypothesis.tokens[0], hypothesis.tokens[hypothesis.tokens.len() - 1]);
        assert_eq!(hypothesis.start, Duration::from_millis(40 * first.frame));
        assert_eq!(hypothesis.end, Duration::from_millis(40 * (last.frame + 1)));
        assert!(hypothesis.tokens.iter().all(|token| token.log_prob <= 0.0));
    }
}

#[test]
fn audio_shorter_than_a_chunk_is_recognized_at_the_end() {
    let vowel = Signal::load_all()[3].samples();
    let mut stream = recognizer(EndpointConfig::default()).stream();
    stream.accept_waveform(&vowel[..4000]).unwrap();
    assert_eq!(stream.next_event(), None);
    stream.finish().unwrap();
    assert!(!tokens(&drain(&mut stream)).is_empty());
}

/// Checks that stable text stays, and that what was stable before a final is in it. Gives the share
/// of the partials' text that was stable.
fn stable_share(decoding: Decoding, endpoint: EndpointConfig) -> f64 {
    let config =
        RecognizerConfig { endpoint, decoding: Some(decoding), ..RecognizerConfig::default() };
    let mut stream = Recognizer::with_config(random_model(), config).unwrap().stream();
    let (mut stable, mut bytes) = (String::new(), [0, 0]);
    for event in run(&mut stream, &samples(), &[]) {
        let hypothesis = event.hypothesis();
        let (before, after) = (hypothesis.stable_text(), hypothesis.unstable_text());
        assert_eq!(format!("{before}{after}"), hypothesis.text);
        assert!(hypothesis.text.starts_with(&stable), "{stable:?} became {:?}", hypothesis.text);
        stable = before.to_owned();
        if let Event::Partial { .. } = event {
            bytes[0] += before.len();
            bytes[1] += hypothesis.text.len();
        } else {
            stable.clear();
        }
    }
    bytes[0] as f64 / bytes[1] as f64
}

#[test]
fn stable_text_never_changes() {
    let one_utterance = || EndpointConfig { enabled: false, ..EndpointConfig::default() };
    assert!(stable_share(Decoding::Greedy, one_utterance()) > 0.0);
    stable_share(Decoding::Greedy, short_utterances());
    let beam = |max_unstable_frames, endpoint| {
        let config = PrefixBeamConfig { max_unstable_frames, ..PrefixBeamConfig::default() };
        stable_share(Decoding::PrefixBeam(config), endpoint)
    };
    let shares = [None, Some(25), Some(0)].map(|age| beam(age, one_utterance()));
    assert!(shares[0] < shares[1] && shares[0] < shares[2], "{shares:?}");
    beam(None, short_utterances());
    beam(Some(5), short_utterances());
}

/// Every sample is decoded: the tokens of a signal are the first of the signal with silence after.
#[test]
fn finish_loses_nothing() {
    let recognizer = recognizer(EndpointConfig { enabled: false, ..EndpointConfig::default() });
    for length in [1, 399, 400, 10_239, 10_240, 10_400, 20_481, 31_000] {
        let samples = &samples()[..length];
        let long = [samples, &[0.0; 40_000]].concat();
        let short_tokens = tokens(&run(&mut recognizer.stream(), samples, &[]));
        let long_tokens = tokens(&run(&mut recognizer.stream(), &long, &[]));
        // A chunk of silence after the last sample is decoded at least.
        let end = (length as u64).div_ceil(ENCODER_FRAME) + 16;
        let heard = long_tokens.iter().filter(|token| token.frame < end).count();
        assert!(short_tokens.len() >= heard, "{length}: {} < {heard}", short_tokens.len());
        assert_eq!(short_tokens[..], long_tokens[..short_tokens.len()], "{length}");
    }
}

#[test]
fn finishing_again_or_without_audio_does_nothing() {
    let mut stream = recognizer(short_utterances()).stream();
    stream.finish().unwrap();
    assert_eq!(stream.next_event(), None);
    assert!(!run(&mut stream, &samples(), &[]).is_empty());
    stream.finish().unwrap();
    assert_eq!((stream.next_event(), stream.samples_accepted()), (None, 120_000));
}

#[test]
fn audio_after_finish_is_recognized_anew_on_the_same_clock() {
    let mut stream = recognizer(short_utterances()).stream();
    let first = tokens(&run(&mut stream, &samples()[..64_000], &[]));
    let second = tokens(&run(&mut stream, &samples()[..64_000], &[]));
    assert!(!first.is_empty());
    assert_eq!(second, shifted(&first, 64_000 / ENCODER_FRAME));
    assert_eq!(stream.samples_accepted(), 128_000);
}

#[test]
fn a_short_gap_shifts_what_comes_later() {
    let recognizer = recognizer(short_utterances());
    let expected = tokens(&run(&mut recognizer.stream(), &samples(), &[]));
    let (gap_at, gap_frames) = (64_000, 5);
    let mut stream = recognizer.stream();
    stream.accept_waveform(&samples()[..gap_at]).unwrap();
    stream.skip(gap_frames * ENCODER_FRAME).unwrap();
    let found = tokens(&run(&mut stream, &samples()[gap_at..], &[]));

    let before = expected.iter().filter(|t| t.frame < gap_at as u64 / ENCODER_FRAME).count();
    assert!(before > 0 && before < expected.len());
    assert_eq!(found[..before], expected[..before]);
    assert_eq!(found[before..], shifted(&expected[before..], gap_frames));
    assert_eq!(stream.samples_accepted(), 120_000 + gap_frames * ENCODER_FRAME);
}

#[test]
fn a_long_gap_ends_the_utterance() {
    let recognizer = recognizer(EndpointConfig { enabled: false, ..EndpointConfig::default() });
    let samples = &samples()[..64_000];
    let minute = 16_000 * 60;
    let alone = run(&mut recognizer.stream(), samples, &[]);
    let mut stream = recognizer.stream();
    stream.accept_waveform(samples).unwrap();
    stream.skip(minute).unwrap();
    let events = run(&mut stream, samples, &[]);
    let finals: Vec<&Event> = events.iter().filter(|event| event.is_final()).collect();
    assert_eq!(finals.iter().map(|event| event.utterance()).collect::<Vec<_>>(), [0, 1]);
    let (first, second) = (finals[0].hypothesis(), finals[1].hypothesis());
    assert_eq!(first, alone.last().unwrap().hypothesis());
    let shift = (64_000 + minute) / ENCODER_FRAME;
    assert_eq!(second.tokens, shifted(&first.tokens, shift));
    // The random model names tokens in the silence behind the samples too.
    assert!(first.end < Duration::from_secs(10) && second.start > Duration::from_secs(60));
}

#[test]
fn samples_that_are_no_numbers_are_refused_before_any_is_taken() {
    let recognizer = recognizer(short_utterances());
    let mut stream = recognizer.stream();
    let expected = run(&mut recognizer.stream(), &samples(), &[]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut samples = samples();
        samples[777] = bad;
        let error = stream.accept_waveform(&samples).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("sample 777 is {bad}; samples must be finite numbers in [-1, 1]")
        );
        assert_eq!(stream.samples_accepted(), 0);
    }
    assert_eq!(run(&mut stream, &samples(), &[]), expected);
}

#[cfg(feature = "builtin-model")]
#[test]
fn the_shipped_model_hears_nothing_in_silence() {
    let model = mynah::Model::builtin().unwrap();
    let recognizer = Recognizer::new(model).unwrap();
    assert_eq!(run(&mut recognizer.stream(), &[0.0; 16_000 * 6], &[]), []);
}
