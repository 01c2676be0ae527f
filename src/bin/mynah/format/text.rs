//! Plain text: one line per utterance.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use super::{FileNames, TranscriptWriter};
use crate::utterance::Utterance;

/// Writes `text`, or `file:text` as grep does with several files.
pub struct Text {
    out: Box<dyn Write>,
    names: FileNames,
}

impl Text {
    pub fn new(out: Box<dyn Write>, names: FileNames) -> Self {
        Self { out, names }
    }
}

impl TranscriptWriter for Text {
    fn utterance(&mut self, file: &Path, utterance: &Utterance) -> io::Result<()> {
        match self.names {
            FileNames::Shown => utterance
                .shown()
                .split('\n')
                .try_for_each(|line| writeln!(self.out, "{}:{line}", file.display())),
            FileNames::Hidden => writeln!(self.out, "{}", utterance.shown()),
        }
    }

    fn end_file(&mut self, _: &Path, _: Duration, _: Option<&str>) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{
        Format,
        samples::{Shared, out_of_grammar, utterance, written},
    };

    #[test]
    fn an_utterance_is_a_line() {
        let text = written(Format::Text, &[utterance(0, "HELLO THERE"), utterance(3000, "YES")]);
        assert_eq!(text, "HELLO THERE\nYES\n");
    }

    #[test]
    fn out_of_grammar_is_a_line_too() {
        assert_eq!(written(Format::Text, &[out_of_grammar()]), "[out of grammar]\n");
    }

    #[test]
    fn spoken_line_breaks_are_lines() {
        let mut formatter = mynah::TextFormatter::default();
        let texts = ["ONE NEW LINE", "TWO NEW PARAGRAPH", "NEW LINE THREE NEW LINE FOUR"];
        let utterances = texts.map(|text| {
            let mut utterance = utterance(0, text);
            utterance.format(&mut formatter);
            utterance
        });
        assert_eq!(written(Format::Text, &utterances), "One\nTwo\n\nThree\nFour\n");
        let out = Shared::default();
        let mut text = Text::new(Box::new(out.clone()), FileNames::Shown);
        text.utterance(Path::new("a.wav"), &utterances[2]).unwrap();
        assert_eq!(out.text(), "a.wav:Three\na.wav:Four\n");
    }

    #[test]
    fn shown_names_stand_before_a_colon() {
        let out = Shared::default();
        let mut text = Text::new(Box::new(out.clone()), FileNames::Shown);
        text.utterance(Path::new("b/a.wav"), &utterance(0, "YES")).unwrap();
        assert_eq!(out.text(), "b/a.wav:YES\n");
    }
}
