//! Punctuation models, and what a formatter asks of them.
//!
//! Input: words up to a zero, and the file.

use crate::input::Input;
use crate::memory_file::MemoryFile;
use crate::sealed;
use mynah::{PunctuationModel, TextFormatter, TextFormatterConfig};

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (text, file) = (input.text(), sealed(input.rest()));
    let Ok(model) = PunctuationModel::load(MemoryFile::new(&file).path()) else { return };
    let config = TextFormatterConfig { punctuation: Some(model), ..Default::default() };
    let mut formatter = TextFormatter::new(config);
    for utterance in text.lines() {
        let _ = formatter.partial_text(utterance.split_whitespace());
        let _ = formatter.text(utterance);
    }
}
