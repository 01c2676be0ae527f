//! Grammars and lists of phrases, keywords and hotwords, and searches that keep to them.
//!
//! Input: a byte of the kind, the text up to a zero, an utterance up to a zero, and log-probabilities.

use std::sync::LazyLock;

use crate::input::Input;
use crate::tiny_model::TinyModel;
use mynah::decode::{Decoding, GrammarConstraint, Hotword, PrefixBeamConfig};
use mynah::{Grammar, Keyword, KeywordSpotter, Recognizer, RecognizerConfig, UserWord};

const MOST_ROWS: usize = 64;

static MODEL: LazyLock<TinyModel> = LazyLock::new(TinyModel::load);

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (kind, text, utterance) = (input.byte(), input.text(), input.text());
    let recognizer = if kind & 8 == 0 { &MODEL.by_tokens } else { &MODEL.by_phones };
    let model = recognizer.model();
    let Decoding::PrefixBeam(beam) = model.default_decoding() else { return };
    let beam = match kind % 8 {
        0..4 => {
            let grammar = if kind % 8 < 3 {
                Grammar::parse(&text)
            } else {
                Grammar::from_phrases(text.lines())
            };
            let Ok(grammar) = grammar else { return };
            let _ = (grammar.accepts(&utterance), grammar.check_spelling(model.tokens()));
            let constraint = Some(GrammarConstraint::new(grammar));
            PrefixBeamConfig { constraint, nbest: 2, ..beam.clone() }
        }
        4 => {
            let Ok(hotwords) = Hotword::parse_list(&text, model.tokens()) else { return };
            PrefixBeamConfig { hotwords: hotwords.into(), ..beam.clone() }
        }
        5 => {
            let Ok((model, hotwords)) = model.with_hotword_list(&text) else { return };
            let Decoding::PrefixBeam(beam) = model.default_decoding() else { return };
            let beam = PrefixBeamConfig { hotwords: hotwords.into(), ..beam.clone() };
            return decode(Recognizer::with_config(model, with(beam)), input);
        }
        6 => {
            let Ok(keywords) = Keyword::parse_list(&text) else { return };
            let keywords: Vec<_> = keywords.into_iter().map(|(_, keyword)| keyword).collect();
            let pronunciations = model.lexicon();
            let spotter = match pronunciations {
                Some(said) => KeywordSpotter::with_pronunciations(&keywords, model.tokens(), said),
                None => KeywordSpotter::new(&keywords, model.tokens()),
            };
            let Ok(mut spotter) = spotter else { return };
            let log_probs = input.log_probs(model.output_dim(), MOST_ROWS);
            for (place, row) in (0..).zip(log_probs.chunks_exact(model.output_dim())) {
                spotter.accept(place, row);
                while spotter.next_hit().is_some() {}
            }
            return spotter.finish();
        }
        _ => {
            let Ok(words) = UserWord::parse_list(&text) else { return };
            let Ok(model) = model.with_user_words(&words) else { return };
            return decode(Recognizer::new(model), input);
        }
    };
    decode(Recognizer::with_config(model.clone(), with(beam)), input);
}

fn with(beam: PrefixBeamConfig) -> RecognizerConfig {
    RecognizerConfig { decoding: Some(Decoding::PrefixBeam(beam)), ..Default::default() }
}

fn decode(recognizer: mynah::Result<Recognizer>, mut input: Input) {
    if let Ok(recognizer) = recognizer {
        let log_probs = input.log_probs(recognizer.model().output_dim(), MOST_ROWS);
        let _ = recognizer.decode(&log_probs);
    }
}
