//! Captions on standard output: redrawn in place on a terminal, else line by line.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

use console::{Term, measure_text_width};
use mynah::{Deltas, Event, Model, TextFormatter};

use crate::{
    args::CaptionFormat,
    failure,
    format::{Change, DeltaLine, Line, LineKind, Origin, write_line},
    utterance::Utterance,
};

/// What stands before a partial cut to the terminal's width, and after one on a line of its own.
const ELLIPSIS: &str = "…";

/// How captions are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The partial in the terminal's last line, finals above it.
    Redrawn,
    /// Lines of text.
    Lines(Partials),
    /// JSON lines.
    JsonLines(Partials),
}

/// Whether partials are written as lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partials {
    Written,
    Omitted,
}

impl Style {
    /// Redraws text on a terminal, and writes lines elsewhere.
    pub fn new(format: CaptionFormat, partials: bool, terminal: bool) -> Self {
        let partials = if partials { Partials::Written } else { Partials::Omitted };
        match format {
            CaptionFormat::Text if terminal => Self::Redrawn,
            CaptionFormat::Text => Self::Lines(partials),
            CaptionFormat::Jsonl => Self::JsonLines(partials),
        }
    }
}

/// Writes events as they come.
pub struct Captions<'a> {
    /// Formats finals, and lightly partials.
    pub formatter: Option<TextFormatter>,
    /// In JSON lines, writes what events add.
    pub deltas: Option<Deltas>,
    style: Style,
    file: Option<String>,
    model: &'a Model,
    term: Term,
    /// On a terminal, the text of each utterance without a final.
    open: BTreeMap<u64, String>,
}

impl<'a> Captions<'a> {
    /// Captions of a file or, without one, of a microphone.
    pub fn new(style: Style, file: Option<&Path>, model: &'a Model) -> Self {
        let file = file.map(|file| file.display().to_string());
        let term = Term::buffered_stdout();
        let open = BTreeMap::new();
        Self { formatter: None, deltas: None, style, file, model, term, open }
    }

    /// Draws or writes an event.
    pub fn show(&mut self, event: &Event) -> io::Result<()> {
        match (self.style, event) {
            (Style::Redrawn, event) => self.draw(event),
            (Style::Lines(Partials::Omitted) | Style::JsonLines(Partials::Omitted), event)
                if !event.is_final() =>
            {
                Ok(())
            }
            (Style::Lines(_), event) if event.is_final() => print_line(&self.shown(event)),
            (Style::Lines(_), event) => print_line(&format!("{}{ELLIPSIS}", self.shown(event))),
            (Style::JsonLines(_), event) => self.print_json(event),
        }
    }

    /// Draws a final above the utterances that have none yet.
    fn draw(&mut self, event: &Event) -> io::Result<()> {
        let text = self.shown(event).into_owned();
        if event.is_final() {
            self.open.remove(&event.utterance());
            self.redraw(&text)?;
            self.term.write_line("")?;
        } else if text.is_empty() {
            self.open.remove(&event.utterance());
        } else {
            self.open.insert(event.utterance(), text);
        }
        self.redraw_open()
    }

    /// Draws the utterances that have no final yet.
    fn redraw_open(&mut self) -> io::Result<()> {
        let open: Vec<&str> = self.open.values().map(|text| text.trim()).collect();
        let columns = usize::from(self.term.size().1);
        self.redraw(&newest(&open.join(" "), columns.saturating_sub(1)))
    }

    /// Prints a warning on standard error, above the partial.
    pub fn warn(&mut self, warning: &str) -> io::Result<()> {
        self.clear()?;
        failure::warn(warning);
        Ok(())
    }

    /// Removes the partial from the terminal.
    pub fn clear(&mut self) -> io::Result<()> {
        if self.style == Style::Redrawn { self.redraw("") } else { Ok(()) }
    }

    fn redraw(&mut self, text: &str) -> io::Result<()> {
        self.term.clear_line()?;
        self.term.write_str(text)?;
        self.term.flush()
    }

    /// The event's text as it is to be read.
    fn shown<'e>(&mut self, event: &'e Event) -> Cow<'e, str> {
        let hypothesis = event.hypothesis();
        match &mut self.formatter {
            formatter if event.is_final() => {
                let formatter = formatter.as_mut();
                Utterance::of_final(hypothesis, self.model, formatter).shown().to_owned().into()
            }
            None => (&hypothesis.text).into(),
            Some(formatter) => formatter.partial_text(hypothesis.text.split_whitespace()).into(),
        }
    }

    fn print_json(&mut self, event: &Event) -> io::Result<()> {
        let (file, mut out) = (self.file.as_deref(), io::stdout().lock());
        let (kind, origin) = (LineKind::from(event), Some(Origin::from(event)));
        if let Some(deltas) = &mut self.deltas {
            let change = &Change::new(event, deltas);
            return write_line(&mut out, &DeltaLine { file, change });
        }
        let formatter = self.formatter.as_mut().filter(|_| kind == LineKind::Final);
        let utterance = &Utterance::of_final(event.hypothesis(), self.model, formatter);
        write_line(&mut out, &Line { file, kind, origin, utterance })
    }
}

fn print_line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Cuts a text on the left to so many columns, so that its newest words show.
fn newest(text: &str, columns: usize) -> String {
    if measure_text_width(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(measure_text_width(ELLIPSIS));
    let mut start = text.len();
    for (index, character) in text.char_indices().rev() {
        let width = measure_text_width(character.encode_utf8(&mut [0; 4]));
        if width > left {
            break;
        }
        left -= width;
        start = index;
    }
    format!("{ELLIPSIS}{}", &text[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_fits_stays_whole() {
        assert_eq!(newest("GOOD DAY", 8), "GOOD DAY");
        assert_eq!(newest("", 0), "");
    }

    #[test]
    fn a_long_text_shows_its_end() {
        assert_eq!(newest("GOOD MORNING", 8), "…MORNING");
        assert_eq!(newest("GOOD MORNING", 1), "…");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(newest("早上好你们", 6), "…你们");
    }

    #[test]
    fn only_text_on_a_terminal_is_redrawn() {
        assert_eq!(Style::new(CaptionFormat::Text, false, true), Style::Redrawn);
        assert_eq!(Style::new(CaptionFormat::Text, true, false), Style::Lines(Partials::Written));
        let lines = Style::JsonLines(Partials::Omitted);
        assert_eq!(Style::new(CaptionFormat::Jsonl, false, true), lines);
    }
}
