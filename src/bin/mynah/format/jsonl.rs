//! JSON lines: one object per utterance, written as it comes.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use mynah::{Event, Pass, TextDelta, TextDeltas};
use serde::Serialize;

use super::TranscriptWriter;
use crate::utterance::{Judgement, Utterance};

/// One line: what it is, of which file, and the hypothesis.
#[derive(Serialize)]
pub struct Line<'a> {
    /// Missing when the audio comes from a microphone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    #[serde(rename = "type")]
    pub kind: LineKind,
    /// Missing where finals come in order and there are no partials.
    #[serde(flatten)]
    pub origin: Option<Origin>,
    #[serde(flatten)]
    pub utterance: &'a Utterance,
}

/// What an event is of.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Origin {
    /// The number of the utterance.
    utterance: u64,
    /// That of a final.
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<&'static str>,
}

impl From<&Event> for Origin {
    fn from(event: &Event) -> Self {
        let pass = match event {
            Event::Final { pass: Pass::First, .. } => Some("first"),
            Event::Final { pass: Pass::Second, .. } => Some("second"),
            _ => None,
        };
        Self { utterance: event.utterance(), pass }
    }
}

/// A line of what an event adds.
#[derive(Serialize)]
pub struct DeltaLine<'a> {
    /// Missing when the audio comes from a microphone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    #[serde(flatten)]
    pub change: &'a Change,
}

/// What an event adds to its utterance.
#[derive(Serialize)]
pub struct Change {
    #[serde(rename = "type")]
    kind: LineKind,
    #[serde(flatten)]
    origin: Origin,
    stable: String,
    unstable: String,
    #[serde(flatten)]
    grammar: Option<Judgement>,
}

impl Change {
    /// That of a stream's next event.
    pub fn new(event: &Event, deltas: &mut TextDeltas) -> Self {
        let TextDelta { stable, unstable, .. } = deltas.accept(event);
        let grammar = Judgement::of(event.hypothesis());
        Self { kind: LineKind::from(event), origin: Origin::from(event), stable, unstable, grammar }
    }
}

/// Whether the hypothesis may still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    Partial,
    Final,
}

impl From<&Event> for LineKind {
    fn from(event: &Event) -> Self {
        if event.is_final() { Self::Final } else { Self::Partial }
    }
}

/// Writes one object as a line.
pub fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    writeln!(out)
}

/// Writes each utterance as a [`Line`].
pub struct Jsonl {
    out: Box<dyn Write>,
}

impl Jsonl {
    pub fn new(out: Box<dyn Write>) -> Self {
        Self { out }
    }
}

impl TranscriptWriter for Jsonl {
    fn utterance(&mut self, file: &Path, utterance: &Utterance) -> io::Result<()> {
        let file = file.display().to_string();
        let (file, kind) = (Some(&*file), LineKind::Final);
        write_line(&mut self.out, &Line { file, kind, origin: None, utterance })
    }

    fn change(&mut self, file: &Path, change: &Change) -> io::Result<()> {
        let file = file.display().to_string();
        write_line(&mut self.out, &DeltaLine { file: Some(&file), change })
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
    use insta::assert_snapshot;

    use crate::format::{
        Format,
        samples::{out_of_grammar, utterance, written},
    };

    #[test]
    fn out_of_grammar_has_no_words_but_times() {
        assert_snapshot!(written(Format::Jsonl, &[out_of_grammar()]), @r#"{"file":"a.wav","type":"final","text":"","start":1.0,"end":1.3,"words":[],"tokens":[],"outcome":"out_of_grammar","fit":0.012}"#);
    }

    #[test]
    fn an_utterance_is_one_object() {
        assert_snapshot!(written(Format::Jsonl, &[utterance(1000, "YES"), utterance(2000, "NO")]), @r#"
        {"file":"a.wav","type":"final","text":"YES","start":1.0,"end":1.3,"words":[{"text":"YES","start":1.0,"end":1.3,"confidence":0.75}],"tokens":[{"text":"YES","start":1.0,"end":1.3,"log_prob":-0.25}]}
        {"file":"a.wav","type":"final","text":"NO","start":2.0,"end":2.3,"words":[{"text":"NO","start":2.0,"end":2.3,"confidence":0.75}],"tokens":[{"text":"NO","start":2.0,"end":2.3,"log_prob":-0.25}]}
        "#);
    }
}
