//! Text formatting: utterances in a row, with pauses between words, user words and a partial result of each.
//!
//! Input: a byte of options, user words up to a zero, and utterances with zeros between.

use std::time::Duration;

use crate::input::Input;
use crate::memory_file::MemoryFile;
use mynah::{SpokenWord, TextFormatter, TextFormatterConfig, UserWord, format_text};

const PUNCTUATION: &[u8] = include_bytes!("../../../tests/data/punctuation.bin");

thread_local! {
    static MODEL: mynah::PunctuationModel =
        mynah::PunctuationModel::load(MemoryFile::new(PUNCTUATION).path()).expect("the tests' model");
}

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let options = input.byte();
    let user_words = UserWord::parse_list(&input.text()).unwrap_or_default();
    let mut formatter = TextFormatter::new(TextFormatterConfig {
        punctuation: (options & 1 != 0).then(|| MODEL.with(Clone::clone)),
        spoken_punctuation: options & 2 == 0,
        user_words: user_words.into(),
    });
    while !input.is_empty() {
        let text = input.text();
        let words: Vec<_> = text.split_whitespace().collect();
        let _ = formatter.partial_text(words.iter().copied());
        if options & 4 == 0 {
            let _ = (formatter.text(&text), format_text(&text));
            continue;
        }
        let millis = |at: usize| Duration::from_millis(at as u64 * u64::from(options) * 3);
        let timed = (0..).zip(&words).map(|(at, word)| (*word, millis(at)..millis(at + at % 2)));
        for piece in formatter.words(SpokenWord::timed(timed)) {
            assert!(piece.words.end <= words.len());
        }
    }
}
