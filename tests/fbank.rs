//! The log-mel frames against the trainer's, and that splitting the samples changes nothing.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod golden;

use std::sync::LazyLock;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use golden::{Signal, random_model};
use mynah::features::{Fbank, FbankConfig};
use proptest::prelude::*;

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

static CONFIG: LazyLock<FbankConfig> = LazyLock::new(|| random_model().config().features.clone());

fn frames_in_pieces(fbank: &mut Fbank, samples: &[f32], cuts: &[usize]) -> Vec<f32> {
    let (mut frames, mut rest) = (Vec::new(), samples);
    for &cut in cuts {
        let (piece, left) = rest.split_at(cut.min(rest.len()));
        fbank.accept(piece, &mut frames);
        rest = left;
    }
    fbank.accept(rest, &mut frames);
    frames
}

#[test]
fn frames_equal_the_trainers() {
    let signals = Signal::load_all();
    assert!(signals.iter().any(|signal| signal.name == "digital silence"));
    for signal in signals {
        let mut frames = Vec::new();
        Fbank::new(&CONFIG).unwrap().accept(&signal.samples(), &mut frames);
        let expected = signal.frames.concat();
        assert_eq!(frames.len(), expected.len(), "{}", signal.name);
        for (index, (value, expected)) in frames.iter().zip(expected).enumerate() {
            let (frame, mel) = (index / CONFIG.mel_bins, index % CONFIG.mel_bins);
            let error = (value - expected).abs();
            assert!(error < 1e-3, "{}: [{frame}, {mel}] {value}, not {expected}", signal.name);
        }
    }
}

#[test]
fn single_samples_give_the_same_frames() {
    let samples = Signal::load_all()[3].samples();
    let mut fbank = Fbank::new(&CONFIG).unwrap();
    let whole = frames_in_pieces(&mut fbank, &samples, &[]);
    fbank.reset();
    assert_eq!(frames_in_pieces(&mut fbank, &samples, &vec![1; samples.len()]), whole);
}

#[test]
fn frames_are_computed_without_allocating() {
    let samples = Signal::load_all()[2].samples();
    let mut fbank = Fbank::new(&CONFIG).unwrap();
    let mut frames = Vec::with_capacity(samples.len());
    assert_no_alloc(|| {
        for piece in samples.chunks(97) {
            fbank.accept(piece, &mut frames);
        }
    });
    assert_eq!(frames.len(), 48 * fbank.dim());
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(
        samples in prop::collection::vec(-1.0f32..1.0, 0..3000),
        cuts in prop::collection::vec(0usize..700, 0..20),
    ) {
        let mut fbank = Fbank::new(&CONFIG).unwrap();
        let whole = frames_in_pieces(&mut fbank, &samples, &[]);
        fbank.reset();
        prop_assert_eq!(frames_in_pieces(&mut fbank, &samples, &cuts), whole);
    }
}
