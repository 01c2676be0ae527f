//! A stream of the tiny model: any split of samples, numbers that are none, gaps, and hotwords, grammars and keywords
//! that change in between.
//!
//! Input: a byte of the recognizer, then commands of a byte each with what they take.

use std::sync::LazyLock;

use crate::input::Input;
use crate::tiny_model::TinyModel;
use mynah::decode::{GrammarConstraint, Hotword};
use mynah::{Grammar, Keyword, Stream, TextDeltas};

/// Seconds of audio of one execution, about.
const MOST_SAMPLES: usize = 1 << 16;

static MODEL: LazyLock<TinyModel> = LazyLock::new(TinyModel::load);

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let recognizer = match input.byte() % 3 {
        0 => &MODEL.by_tokens,
        1 => &MODEL.by_phones,
        _ => &MODEL.greedy,
    };
    let (mut stream, mut deltas, mut taken) = (recognizer.stream(), TextDeltas::new(), 0);
    while !input.is_empty() && taken < MOST_SAMPLES {
        execute(&mut stream, &mut input, &mut taken);
        while let Some(event) = stream.next_event() {
            let _ = deltas.accept(&event);
            let hypothesis = event.hypothesis();
            let whole = [hypothesis.stable_text(), hypothesis.unstable_text()].concat();
            assert_eq!(whole, hypothesis.text);
            assert!(hypothesis.start <= hypothesis.end);
        }
        while stream.next_keyword().is_some() {}
    }
    let _ = stream.finish();
    let _ = (stream.audio_position(), stream.samples_accepted(), stream.stage_times());
}

fn execute(stream: &mut Stream, input: &mut Input, taken: &mut usize) {
    match input.byte() % 12 {
        0 => drop(stream.finish()),
        1 => stream.reset(),
        2 => {
            let _ = stream.skip(1_u64 << (input.byte() % 64));
        }
        3 => {
            let boost = number(input);
            let hotwords: Vec<_> =
                input.text().lines().map(|line| Hotword { boost, ..Hotword::new(line) }).collect();
            let _ = stream.set_hotwords(&hotwords);
        }
        4 => {
            let threshold = number(input);
            if let Ok(grammar) = Grammar::parse(&input.text()) {
                let _ = stream.set_grammar(Some(&GrammarConstraint { grammar, threshold }));
            }
        }
        5 => {
            let _ = stream.set_grammar(None);
        }
        6 => {
            let threshold = number(input);
            let text = input.text();
            let keywords: Vec<_> = text
                .lines()
                .map(|phrase| Keyword { phrase: phrase.to_owned(), threshold })
                .collect();
            let _ = stream.set_keywords(&keywords);
        }
        7 => {
            // A single number, whatever it is.
            let mut bits = [0; 4];
            bits.iter_mut().for_each(|byte| *byte = input.byte());
            *taken += 1;
            let _ = stream.accept_waveform(&[f32::from_le_bytes(bits)]);
        }
        8 => {
            // A tone.
            let (step, count) = (f32::from(input.byte()) * 0.01, 16 * usize::from(input.byte()));
            let samples: Vec<f32> = (0..count).map(|i| (i as f32 * step).sin() * 0.9).collect();
            *taken += count;
            let _ = stream.accept_waveform(&samples);
        }
        _ => {
            let count = 2 * usize::from(input.byte());
            let samples: Vec<f32> = input.take(count).iter().map(sample).collect();
            *taken += count;
            let _ = stream.accept_waveform(&samples);
        }
    }
}

/// Finite for all but two of the bytes, some of them denormal or far out of range.
fn sample(byte: &u8) -> f32 {
    match byte {
        1 => 1e-40,
        2 => f32::MAX,
        3 => f32::NAN,
        4 => f32::NEG_INFINITY,
        5 => -0.0,
        byte => (f32::from(*byte) - 128.0) / 128.0,
    }
}

fn number(input: &mut Input) -> f32 {
    match input.byte() {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 => -1.0,
        byte => f32::from(byte) / 64.0,
    }
}
