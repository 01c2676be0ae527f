//! Times of the stages and of the whole on four seconds of synthetic speech.
//!
//!     cargo bench

#![allow(clippy::unwrap_used, reason = "a panic ends the measurement")]
#![allow(missing_docs, reason = "criterion's macros define functions")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mynah::audio::{AudioFile, ReadOutcome, Source};
use mynah::decode::{Decoding, GrammarConstraint, Hotword, PrefixBeamConfig};
use mynah::features::Fbank;
use mynah::{
    Grammar, Model, Precision, PunctuationModel, Recognizer, RecognizerConfig, TextFormatter,
    TextFormatterConfig,
};

fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The example at 16 kHz.
fn speech() -> Vec<f32> {
    let mut file = AudioFile::open(in_repository("examples/speech.flac")).unwrap();
    let (mut samples, mut block) = (Vec::new(), vec![0.0; 16_000]);
    while let ReadOutcome::Samples(count) = file.read(&mut block).unwrap() {
        samples.extend_from_slice(&block[..count]);
    }
    samples
}

fn model(precision: Precision) -> Model {
    Model::load(in_repository("models/en-small"), precision).unwrap()
}

/// A second of samples to log-mel frames.
fn frames(c: &mut Criterion) {
    let model = model(Precision::Int8);
    let speech = speech();
    let mut fbank = Fbank::new(&model.config().features).unwrap();
    let mut frames = Vec::new();
    c.bench_function("frames of one second", |b| {
        b.iter(|| {
            frames.clear();
            fbank.accept(black_box(&speech[..16_000]), &mut frames);
        })
    });
}

/// One encoder call in mid-speech.
fn encoder_chunk(c: &mut Criterion) {
    let speech = speech();
    for (name, precision) in [("int8", Precision::Int8), ("f32", Precision::F32)] {
        let model = model(precision);
        let mut frames = Vec::new();
        Fbank::new(&model.config().features).unwrap().accept(&speech, &mut frames);
        let config = model.config();
        let input = &frames[..config.encoder.input_frames() * config.features.mel_bins];
        let mut state = model.encoder().state();
        c.bench_function(&format!("encoder chunk, {name}"), |b| {
            b.iter(|| state.encode_chunk(black_box(input)).unwrap().len())
        });
    }
}

/// The decoding of what an encoder call gives, on average over the example.
fn decoding_per_chunk(c: &mut Criterion) {
    let model = model(Precision::Int8);
    let chunk = model.config().encoder.chunk_encoder_frames() * model.output_dim();
    for (name, decoding) in decodings(&model) {
        let config = RecognizerConfig { decoding: Some(decoding), ..RecognizerConfig::default() };
        let recognizer = Recognizer::with_config(model.clone(), config).unwrap();
        let log_probs = recognizer.log_probs(&speech()).unwrap();
        let chunks = (log_probs.len() / chunk) as u32;
        c.bench_function(&format!("decoding of a chunk, {name}"), |b| {
            b.iter_custom(|times| {
                let began = Instant::now();
                (0..times).for_each(|_| _ = black_box(recognizer.decode(black_box(&log_probs))));
                began.elapsed() / chunks
            })
        });
    }
}

/// All at the model's beam.
fn decodings(model: &Model) -> [(&'static str, Decoding); 6] {
    let Decoding::PrefixBeam(beam) = model.default_decoding() else { panic!("no language model") };
    let plain = PrefixBeamConfig { language_model: None, ..beam.clone() };
    let biased = PrefixBeamConfig { hotwords: hotwords(100).into(), ..beam.clone() };
    let digits = "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine";
    let restricted = |list: &str| {
        let constraint = Some(GrammarConstraint::new(Grammar::parse(list).unwrap()));
        Decoding::PrefixBeam(PrefixBeamConfig { constraint, ..plain.clone() })
    };
    let said = std::fs::read_to_string(in_repository("examples/speech.txt")).unwrap();
    [
        ("greedy", Decoding::Greedy),
        ("beam", Decoding::PrefixBeam(plain.clone())),
        ("language model", model.default_decoding().clone()),
        ("language model and 100 hotwords", Decoding::PrefixBeam(biased)),
        ("grammar without the phrase", restricted(digits)),
        ("grammar with the phrase", restricted(&format!("{said}\n{digits}"))),
    ]
}

/// Long words of the licence.
fn hotwords(count: usize) -> Vec<Hotword> {
    let text = std::fs::read_to_string(in_repository("LICENSE-APACHE")).unwrap().to_lowercase();
    let words = text.split(|c: char| !c.is_ascii_lowercase()).filter(|word| word.len() > 7);
    words.collect::<BTreeSet<_>>().into_iter().take(count).map(Hotword::new).collect()
}

/// The example from samples to the final event.
fn end_to_end(c: &mut Criterion) {
    let speech = speech();
    let recognizer = Recognizer::new(model(Precision::Int8)).unwrap();
    c.bench_function("four seconds of speech", |b| {
        b.iter_batched(
            || recognizer.stream(),
            |mut stream| {
                stream.accept_waveform(black_box(&speech)).unwrap();
                stream.finish().unwrap();
                std::iter::from_fn(|| stream.next_event()).count()
            },
            BatchSize::LargeInput,
        )
    });
}

/// The model inside the library to a recognizer.
fn start_up(c: &mut Criterion) {
    c.bench_function("start-up", |b| {
        b.iter(|| Recognizer::new(Model::builtin().unwrap()).unwrap())
    });
}

/// A final of 30 words to punctuated text.
fn formatting(c: &mut Criterion) {
    let text = "I WANTED TO ASK WHETHER YOU ARE FREE ON TUESDAY AT SEVEN THIRTY P M BECAUSE ANN AND I ARE \
                GOING TO THE CITY AND WE COULD MEET YOU THERE";
    let file = in_repository("models/en-small/punctuation.bin");
    let punctuation = Some(PunctuationModel::load(file).unwrap());
    let config = TextFormatterConfig { punctuation, ..TextFormatterConfig::default() };
    let mut formatter = TextFormatter::new(config);
    c.bench_function("text of a final of 30 words", |b| b.iter(|| formatter.text(black_box(text))));
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(4)).sample_size(20);
    targets = frames, encoder_chunk, decoding_per_chunk, end_to_end, start_up, formatting
}
criterion_main!(benches);
