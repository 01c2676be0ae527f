//! A model's folder: `config.json`, tokens, phones, pronunciations, letter-to-sound rules, and the frames that a
//! configuration asks for. The encoder's file is the tiny model's.
//!
//! Input: a byte of the kind and texts with zeros between.

use std::fs;
use std::sync::LazyLock;

use crate::input::Input;
use crate::tiny_model::write_folder;
use mynah::features::{Fbank, FbankConfig};
use mynah::{Chunk, Finals, Lexicon, LoadOptions, Model, Recognizer, TokenId, TokenTable};

/// Larger frames take longer than they tell.
const MOST_FRAME_SAMPLES: usize = 4_000;

/// Holds the tiny model with phones; files of an input take the places of its own.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_folder(folder.path(), true);
    folder
});

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() {
        0 => table(&mut input),
        1 => pronunciations(&mut input),
        2 => frames(&mut input),
        kind => folder(&mut input, kind),
    }
}

fn table(input: &mut Input) {
    let blank = TokenId(u32::from(input.byte()));
    let Ok(table) = TokenTable::parse(&input.text(), blank) else { return };
    let ids = input.rest().iter().map(|&id| TokenId(u32::from(id)));
    let _ = table.text(ids.filter(|id| (id.0 as usize) < table.len()));
}

fn pronunciations(input: &mut Input) {
    let phones = input.text();
    let Ok(said) = Lexicon::parse(&phones, input.text()) else { return };
    let (rules, word) = (input.text(), input.text());
    let _ = (said.len(), said.is_empty(), said.phone_count());
    let said = said.clone().with_letter_to_sound(&rules).unwrap_or(said);
    let words = mynah::UserWord::parse_list(&word).unwrap_or_default();
    let _ = said.with_user_words(&words);
}

fn frames(input: &mut Input) {
    let Ok(config) = serde_json::from_str::<FbankConfig>(&input.text()) else { return };
    if config.frame_length_samples > MOST_FRAME_SAMPLES {
        return;
    }
    let Ok(mut fbank) = Fbank::new(&config) else { return };
    let samples: Vec<f32> =
        input.rest().iter().map(|&byte| f32::from(byte) / 128.0 - 1.0).collect();
    let mut frames = Vec::new();
    fbank.accept(&samples, &mut frames);
    assert!(frames.len().is_multiple_of(fbank.dim()));
}

fn folder(input: &mut Input, kind: u8) {
    for name in
        ["config.json", "tokens.txt", "phones.txt", "pronunciations.txt", "letter-to-sound.txt"]
    {
        let text = input.section();
        if !text.is_empty() {
            fs::write(FOLDER.path().join(name), text).expect("room for a model");
        }
    }
    let options = LoadOptions {
        chunk: [Chunk::Streaming, Chunk::Offline, Chunk::Shortest][usize::from(kind) % 3],
        finals: match kind & 64 {
            0 => Finals::SecondPass,
            _ => Finals::WithModel(FOLDER.path().to_owned()),
        },
        ..LoadOptions::default()
    };
    let model = Model::load(FOLDER.path(), options);
    write_folder(FOLDER.path(), true);
    let Ok(model) = model else { return };
    let _ = (model.has_second_pass(), model.finish_loading(), model.punctuation().is_some());
    let Ok(recognizer) = Recognizer::new(model) else { return };
    let mut stream = recognizer.stream();
    let _ = stream.accept_waveform(&[0.25; 4_000]);
    let _ = stream.finish();
    while stream.next_event().is_some() {}
}
