//! Captions on standard output line by line: text, or JSON.

use std::io::{self, Write};

use mynah::{Event, TextDeltas};

use crate::{
    args::{CaptionFormat, ListenArgs},
    format::{Change, DeltaLine, Line, LineKind, Origin, write_line},
    utterance::Utterance,
};

/// What stands after a partial on a line of its own.
const ELLIPSIS: &str = "…";

/// Writes events as they come.
pub struct Lines {
    format: CaptionFormat,
    /// Whether partials are written too.
    partials: bool,
    /// In JSON lines, writes what events add.
    deltas: Option<TextDeltas>,
    file: Option<String>,
}

impl Lines {
    /// Lines as the arguments ask for.
    pub fn new(args: &ListenArgs) -> Self {
        Self {
            format: args.format,
            partials: args.partials,
            deltas: args.deltas.then(TextDeltas::new),
            file: args.live.file.as_ref().map(|file| file.display().to_string()),
        }
    }

    /// Writes a final or, where they are wanted, a partial.
    ///
    /// # Errors
    ///
    /// Standard output can't be written.
    pub fn write(&mut self, event: &Event, utterance: &Utterance) -> io::Result<()> {
        if !event.is_final() && !self.partials {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match self.format {
            CaptionFormat::Text if event.is_final() => writeln!(out, "{}", utterance.shown()),
            CaptionFormat::Text => writeln!(out, "{}{ELLIPSIS}", utterance.shown()),
            CaptionFormat::Jsonl => self.write_json(event, utterance, &mut out),
        }
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
