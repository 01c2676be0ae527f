//! N-gram models as ARPA text and in the compact form, recurrent models and texts to estimate models of, with all that
//! a search asks of them.
//!
//! Input: a byte of the kind, the number of bytes of log-probabilities in 16s, these, and the file.

use std::sync::LazyLock;

use crate::input::Input;
use crate::memory_file::MemoryFile;
use crate::sealed;
use crate::tiny_model::TinyModel;
use mynah::decode::{Decoding, LmFusion, PrefixBeamConfig, Rescoring};
use mynah::lm::{Interpolation, NgramModel, RecurrentModel, sentences};
use mynah::{Recognizer, RecognizerConfig};

const MOST_ROWS: usize = 64;

static MODEL: LazyLock<TinyModel> = LazyLock::new(TinyModel::load);

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (kind, rows) = (input.byte(), input.byte());
    let rows = input.take(16 * usize::from(rows));
    match kind % 4 {
        0 | 1 => {
            let file = sealed(input.rest());
            if let Ok(model) = NgramModel::load(MemoryFile::new(&file).path()) {
                use_ngrams(&model, kind, rows);
            }
        }
        2 => {
            let file = sealed(input.rest());
            if let Ok(recurrent) = RecurrentModel::load(MemoryFile::new(&file).path()) {
                use_recurrent(recurrent, kind, rows);
            }
        }
        _ => {
            let (order, text) = (input.below(7), input.text());
            let lines = sentences(&text, |word| word.len() % 2 == 0);
            if let Ok(model) = NgramModel::estimate(lines.iter().map(String::as_str), order) {
                use_ngrams(&model, kind, rows);
                let added = default_ngrams();
                let mixed = Interpolation::fitted(&model, &added, text.lines());
                assert!((0.0..=1.0).contains(&mixed.weight()));
            }
        }
    }
}

/// Saves, mixes and searches.
fn use_ngrams(model: &NgramModel, kind: u8, rows: &[u8]) {
    let counts: Vec<_> = model.counts().collect();
    for word in ["", "A", "THE", "CAT'S", "<s>", "</s>", "<unk>", "\u{e9}"] {
        let _ = model.contains(word);
    }
    let file = MemoryFile::new(b"");
    model.save(file.path()).expect("a model can be saved");
    let saved = NgramModel::load(file.path()).expect("a saved model can be loaded");
    assert_eq!(saved.counts().collect::<Vec<_>>(), counts);
    if counts.iter().sum::<usize>() < 1_000 {
        let added = default_ngrams();
        for (base, added) in [(model, &added), (&added, model)] {
            if let Ok(mixed) = Interpolation::new(base, added, 0.5).and_then(|mixed| mixed.model())
            {
                assert!(mixed.counts().count() > 0);
            }
        }
    }
    search(model.clone(), None, kind, rows);
}

fn use_recurrent(recurrent: RecurrentModel, kind: u8, rows: &[u8]) {
    let rescoring = Rescoring { recurrent, share: 0.5, hypotheses: 10 };
    search(default_ngrams(), Some(rescoring), kind, rows);
}

fn default_ngrams() -> NgramModel {
    match beam(&MODEL.by_tokens).language_model {
        Some(model) => model.ngrams,
        None => unreachable!("the tiny model has n-grams"),
    }
}

fn beam(recognizer: &Recognizer) -> PrefixBeamConfig {
    match recognizer.model().default_decoding() {
        Decoding::PrefixBeam(config) => config.clone(),
        _ => unreachable!("the tiny model has n-grams"),
    }
}

fn search(ngrams: NgramModel, rescoring: Option<Rescoring>, kind: u8, rows: &[u8]) {
    let recognizer = if kind & 4 == 0 { &MODEL.by_tokens } else { &MODEL.by_phones };
    let (weight, word_insertion_bonus, oov_penalty) =
        if kind & 8 == 0 { (0.7, 1.0, 0.5) } else { (0.0, -3.0, 50.0) };
    let language_model =
        Some(LmFusion { ngrams, weight, word_insertion_bonus, oov_penalty, rescoring });
    let config = PrefixBeamConfig {
        language_model,
        nbest: 3,
        max_unstable_frames: (kind & 16 != 0).then_some(5),
        ..beam(recognizer)
    };
    let config =
        RecognizerConfig { decoding: Some(Decoding::PrefixBeam(config)), ..Default::default() };
    let model = recognizer.model();
    let Ok(recognizer) = Recognizer::with_config(model.clone(), config) else { return };
    let log_probs = Input::new(rows).log_probs(model.output_dim(), MOST_ROWS);
    for hypothesis in recognizer.decode(&log_probs) {
        assert!(hypothesis.alternatives.len() < 3);
    }
    // A stream ranks finals anew.
    let mut stream = recognizer.stream();
    let samples: Vec<f32> =
        rows.iter().flat_map(|&byte| [(f32::from(byte) - 128.0) / 128.0; 8]).collect();
    let _ = stream.accept_waveform(&samples);
    let _ = stream.finish();
    while stream.next_event().is_some() {}
}
