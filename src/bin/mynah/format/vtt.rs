//! WebVTT captions.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use super::{
    TranscriptWriter,
    cues::{Cue, Cues, timestamp},
};
use crate::utterance::Utterance;

/// What a file begins with.
pub const HEADER: &str = "WEBVTT\n\n";

/// Writes the header, then cues.
pub struct Vtt {
    out: Box<dyn Write>,
    cues: Cues,
    header: Header,
}

#[derive(PartialEq)]
enum Header {
    Due,
    Written,
}

impl Vtt {
    pub fn new(out: Box<dyn Write>) -> Self {
        Self { out, cues: Cues::default(), header: Header::Due }
    }

    fn write_header(&mut self) -> io::Result<()> {
        if self.header == Header::Due {
            self.out.write_all(HEADER.as_bytes())?;
            self.header = Header::Written;
        }
        Ok(())
    }

    fn write(&mut self, cue: &Cue) -> io::Result<()> {
        self.write_header()?;
        self.out.write_all(self::cue(cue).as_bytes())
    }
}

/// The cue.
pub fn cue(cue: &Cue) -> String {
    let (start, end) = (timestamp(cue.start, '.'), timestamp(cue.end, '.'));
    format!("{start} --> {end}\n{}\n\n", escape(&cue.lines.join("\n")))
}

impl TranscriptWriter for Vtt {
    fn utterance(&mut self, _: &Path, utterance: &Utterance) -> io::Result<()> {
        self.cues.push(utterance).iter().try_for_each(|cue| self.write(cue))
    }

    fn end_file(&mut self, _: &Path, _: Duration, _: Option<&str>) -> io::Result<()> {
        self.cues.finish().iter().try_for_each(|cue| self.write(cue))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write_header()?;
        self.out.flush()
    }
}

/// Escapes what WebVTT would take for markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::format::{
        Format,
        samples::{utterance, written},
    };

    #[test]
    fn a_header_stands_before_the_cues() {
        let utterances = [utterance(1000, "GOOD MORNING"), utterance(5000, "YES")];
        assert_snapshot!(written(Format::Vtt, &utterances), @r#"
        WEBVTT

        00:00:01.000 --> 00:00:02.000
        GOOD MORNING

        00:00:05.000 --> 00:00:06.000
        YES
        "#);
    }

    #[test]
    fn silence_is_a_header_alone() {
        assert_eq!(written(Format::Vtt, &[]), "WEBVTT\n\n");
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("<unk> & Q"), "&lt;unk&gt; &amp; Q");
    }
}
