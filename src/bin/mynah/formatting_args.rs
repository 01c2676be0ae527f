//! Whether and how text is formatted, as it can be typed.

use mynah::{Recognizer, TextFormatter, TextFormatterConfig};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Text")]
pub struct FormattingArgs {
    /// Write the recognizer's words, in capitals and without marks
    #[arg(long)]
    pub raw: bool,

    /// Format text with a grammar too, and by rules where the model can't punctuate
    #[arg(long, conflicts_with = "raw")]
    pub readable: bool,

    /// Write `comma`, `full stop` and the like as words
    #[arg(long, conflicts_with = "raw")]
    pub no_spoken_punctuation: bool,
}

impl FormattingArgs {
    /// What formats a stream's text, if something is to. A grammar's phrases stay as they are written
    /// in it unless `--readable` asks for more.
    pub fn formatter(&self, recognizer: &Recognizer, has_grammar: bool) -> Option<TextFormatter> {
        let punctuation = recognizer.model().punctuation().cloned();
        let is_formatted = self.readable || punctuation.is_some() && !has_grammar && !self.raw;
        let spoken_punctuation = !self.no_spoken_punctuation;
        let user_words = recognizer.model().user_words().into();
        let config = TextFormatterConfig { punctuation, spoken_punctuation, user_words };
        is_formatted.then(|| TextFormatter::new(config))
    }
}
