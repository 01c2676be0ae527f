//! Captions on standard output line by line: text, or JSON.

use std::io::{self, Write};

use mynah::{Event, TextDeltas};

use super::printer::Printer;
use crate::{
    args::{CaptionFormat, ListenArgs},
    format::{Change, DeltaLine, Line, LineKind, Origin, write_line},
    utterance::Utterance,
};

/// What stands after a partial on a line of its own.
const ELLIPSIS: &str = "…";

/// Writes events as they come. A reader that stalls gets every final, and fewer partials.
pub struct Lines {
    printer: Printer,
    format: CaptionFormat,
    /// Whether partials are written too.
    partials: bool,
    /// In JSON lines, writes what events add.
    deltas: Option<TextDeltas>,
    file: Option<String>,
}

impl Lines {
    /// Lines as the arguments ask for.
    ///
    /// # Errors
    ///
    /// The system gives no thread to write them.
    pub fn new(args: &ListenArgs) -> io::Result<Self> {
        Ok(Self {
            printer: Printer::new(io::stdout())?,
            format: args.format,
            partials: args.partials,
            deltas: args.deltas.then(TextDeltas::new),
            file: args.live.file.as_ref().map(|file| file.display().to_string()),
        })
    }

    /// Writes a final or, where they are wanted, a partial.
    ///
    /// # Errors
    ///
    /// Standard output can't be written.
    pub fn write(&mut self, event: &Event, utterance: &Utterance) -> io::Result<()> {
        // Before deltas are made: they start from what was written.
        if !event.is_final() && (!self.partials || self.printer.is_behind()) {
            return Ok(());
        }
        let mut line = Vec::new();
        match self.format {
            CaptionFormat::Text if event.is_final() => writeln!(line, "{}", utterance.shown())?,
            CaptionFormat::Text => writeln!(line, "{}{ELLIPSIS}", utterance.shown())?,
            CaptionFormat::Jsonl => self.write_json(event, utterance, &mut line)?,
        }
        self.printer.print(line)
    }

    /// Waits until all that was written has been read.
    ///
    /// # Errors
    ///
    /// As [`Lines::write`].
    pub fn finish(self) -> io::Result<()> {
        self.printer.finish()
    }

    fn write_json(
        &mut self,
        event: &Event,
        utterance: &Utterance,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let file = self.file.as_deref();
        if let Some(deltas) = &mut self.deltas {
            let change = &Change::new(event, deltas);
            return write_line(out, &DeltaLine { file, change });
        }
        let (kind, origin) = (LineKind::from(event), Some(Origin::from(event)));
        if event.is_final() {
            return write_line(out, &Line { file, kind, origin, utterance });
        }
        let utterance = &Utterance { formatted: None, ..utterance.clone() };
        write_line(out, &Line { file, kind, origin, utterance })
    }
}
