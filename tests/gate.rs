//! The gate before the encoder, with the shipped model: what it keeps from it, and that no word is.

#![cfg(feature = "files")]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod golden;

use std::time::Duration;

use golden::shipped_model_dir;
use mynah::audio::{AudioFile, ReadOutcome, Source};
use mynah::decode::Hypothesis;
use mynah::{
    Event, Finals, GateConfig, LoadOptions, Model, Precision, Recognizer, RecognizerConfig,
};

const UTTERANCES: usize = 200;
const SAMPLE_RATE: usize = 16_000;

/// Numbers between 0 and 1, always the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }
}

/// The first words of the example, which last a second.
fn utterance() -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/speech.flac");
    let mut file = AudioFile::open(path).unwrap();
    let mut samples = vec![0.0; SAMPLE_RATE];
    let mut read = 0;
    while let ReadOutcome::Samples(n @ 1..) = file.read(&mut samples[read..]).unwrap() {
        read += n;
    }
    assert_eq!(read, samples.len());
    samples
}

/// Utterances between silences of random length, at levels of 0 to −30 dB, over noise of −70 dBFS.
fn many_utterances() -> Vec<f32> {
    let (utterance, mut random) = (utterance(), Random(1));
    let mut samples = vec![0.0; 9 * SAMPLE_RATE];
    for _ in 0..UTTERANCES {
        let gain = 10f32.powf(-1.5 * random.next());
        samples.extend(utterance.iter().map(|sample| gain * sample));
        let silence = 2.5 + 3.0 * random.next();
        samples.resize(samples.len() + (silence * SAMPLE_RATE as f32) as usize, 0.0);
    }
    samples.iter().map(|sample| sample + 5e-4 * (2.0 * random.next() - 1.0)).collect()
}

fn finals(gate: Option<GateConfig>, samples: &[f32]) -> Vec<Hypothesis> {
    let options = LoadOptions { finals: Finals::FirstPass, ..Precision::Int8.into() };
    let model = Model::load(shipped_model_dir(), options).unwrap();
    let config = RecognizerConfig { gate, ..RecognizerConfig::default() };
    let mut stream = Recognizer::with_config(model, config).unwrap().stream();
    stream.accept_waveform(samples).unwrap();
    stream.finish().unwrap();
    let events = std::iter::from_fn(|| stream.next_event());
    events.filter(|e| matches!(e, Event::Final { .. })).map(|e| e.hypothesis().clone()).collect()
}

#[test]
fn no_first_word_is_lost_across_200_gated_utterances() {
    let samples = many_utterances();
    let (all, gated) = (finals(None, &samples), finals(Some(GateConfig::default()), &samples));
    assert_eq!(all.len(), UTTERANCES);
    assert_eq!(gated.len(), UTTERANCES);
    for (with, without) in gated.iter().zip(&all) {
        let late = with.start.saturating_sub(without.start);
        assert!(late <= Duration::from_millis(120), "{with:?} instead of {without:?}");
    }
    // Letters may change, since the encoder remembers less silence; not more often for the worse.
    let right = |hypotheses: &[Hypothesis]| {
        let first = |hypothesis: &&Hypothesis| hypothesis.text.starts_with("THERE ");
        hypotheses.iter().filter(first).count()
    };
    let (with, without) = (right(&gated), right(&all));
    println!("first words that are right: {with} gated, {without} not");
    assert!(with + UTTERANCES / 50 >= without, "{with} first words are right, not {without}");
}
