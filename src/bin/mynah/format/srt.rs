//! SubRip subtitles.

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

/// Writes numbered cues.
pub struct Srt {
    out: Box<dyn Write>,
    cues: Cues,
    written: u64,
}

impl Srt {
    pub fn new(out: Box<dyn Write>) -> Self {
        Self { out, cues: Cues::default(), written: 0 }
    }

    fn write(&mut self, cue: &Cue) -> io::Result<()> {
        self.written += 1;
        self.out.write_all(self::cue(self.written, cue).as_bytes())
    }
}

/// The cue with its number, from 1 on.
pub fn cue(number: u64, cue: &Cue) -> String {
    let (start, end) = (timestamp(cue.start, ','), timestamp(cue.end, ','));
    format!("{number}\n{start} --> {end}\n{}\n\n", cue.lines.join("\n"))
}

impl TranscriptWriter for Srt {
    fn utterance(&mut self, _: &Path, utterance: &Utterance) -> io::Result<()> {
        self.cues.push(utterance).iter().try_for_each(|cue| self.write(cue))
    }

    fn end_file(&mut self, _: &Path, _: Duration, _: Option<&str>) -> io::Result<()> {
        self.cues.finish().iter().try_for_each(|cue| self.write(cue))
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
        samples::{utterance, written},
    };

    #[test]
    fn cues_are_numbered_over_utterances() {
        let utterances = [utterance(1000, "GOOD MORNING"), utterance(5000, "YES")];
        assert_snapshot!(written(Format::Srt, &utterances), @r#"
        1
        00:00:01,000 --> 00:00:02,000
        GOOD MORNING

        2
        00:00:05,000 --> 00:00:06,000
        YES
        "#);
    }
}
