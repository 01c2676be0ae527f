//! The forms in which transcripts are written.

mod cues;
mod json;
mod jsonl;
mod live_subtitles;
mod phrasing;
mod srt;
mod text;
mod vtt;

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use clap::ValueEnum;

use self::{json::Json, jsonl::Jsonl, srt::Srt, text::Text, vtt::Vtt};
pub use self::{
    jsonl::{Change, DeltaLine, Line, LineKind, Origin, write_line},
    live_subtitles::LiveSubtitles,
};
use crate::utterance::Utterance;

/// How a transcript is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One line per utterance
    Text,
    /// One JSON document with all files
    Json,
    /// One JSON object per utterance and line, as they come
    Jsonl,
    /// SubRip subtitles
    Srt,
    /// WebVTT captions
    Vtt,
}

/// Whether lines of text begin with the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileNames {
    Shown,
    Hidden,
}

/// Writes transcripts: for each file its utterances, then how it ended.
pub trait TranscriptWriter {
    /// Writes one utterance of a file. The utterances of a file come in order and together.
    fn utterance(&mut self, file: &Path, utterance: &Utterance) -> io::Result<()>;

    /// Writes what an event adds to the file's utterance. Only JSON lines have room for that.
    fn change(&mut self, _: &Path, _: &Change) -> io::Result<()> {
        Ok(())
    }

    /// Ends a file, with the length of its audio and what went wrong, if anything did.
    fn end_file(&mut self, file: &Path, audio: Duration, error: Option<&str>) -> io::Result<()>;

    /// Ends the transcript.
    fn finish(&mut self) -> io::Result<()>;
}

impl Format {
    /// The writer of this format into `out`.
    pub fn writer(self, out: Box<dyn Write>, names: FileNames) -> Box<dyn TranscriptWriter> {
        match self {
            Self::Text => Box::new(Text::new(out, names)),
            Self::Json => Box::new(Json::new(out)),
            Self::Jsonl => Box::new(Jsonl::new(out)),
            Self::Srt => Box::new(Srt::new(out)),
            Self::Vtt => Box::new(Vtt::new(out)),
        }
    }

    /// Whether the format has room for alternatives of an utterance.
    pub fn has_alternatives(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
    }

    /// How the names of such files end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Srt => "srt",
            Self::Vtt => "vtt",
        }
    }

    /// Whether the format has room for one file only.
    pub fn is_single_file(self) -> bool {
        matches!(self, Self::Srt | Self::Vtt)
    }
}

#[cfg(test)]
pub mod samples {
    use super::*;
    use crate::utterance::{Judgement, Kind, TimedToken, Word};

    /// An utterance of words that last 300 ms, one every 400 ms, the first at `start`.
    pub fn utterance(start_ms: u64, text: &str) -> Utterance {
        let word = |(i, text): (usize, &str)| {
            let start = Duration::from_millis(start_ms + 400 * i as u64);
            let end = start + Duration::from_millis(300);
            Word { text: text.to_owned(), start, end, confidence: 0.75 }
        };
        let words: Vec<_> = text.split(' ').enumerate().map(word).collect();
        let tokens = words
            .iter()
            .map(|w| TimedToken {
                text: w.text.clone(),
                start: w.start,
                end: w.end,
                log_prob: -0.25,
            })
            .collect();
        Utterance {
            text: text.to_owned(),
            formatted: None,
            start: words[0].start,
            end: words[words.len() - 1].end,
            words,
            formatted_words: Vec::new(),
            tokens,
            nbest: Vec::new(),
            grammar: None,
        }
    }

    /// An utterance that is not in the grammar.
    pub fn out_of_grammar() -> Utterance {
        let judgement = Judgement { outcome: Kind::OutOfGrammar, fit: 0.0123 };
        Utterance {
            text: String::new(),
            words: Vec::new(),
            tokens: Vec::new(),
            grammar: Some(judgement),
            ..utterance(1000, "YES")
        }
    }

    /// A sink that can be read after the writer has taken it.
    #[derive(Clone, Default)]
    pub struct Shared(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);

    impl Shared {
        pub fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a format writes of one file.
    pub fn written(format: Format, utterances: &[Utterance]) -> String {
        let out = Shared::default();
        let mut writer = format.writer(Box::new(out.clone()), FileNames::Hidden);
        let file = Path::new("a.wav");
        utterances.iter().for_each(|u| writer.utterance(file, u).unwrap());
        writer.end_file(file, Duration::from_millis(2500), None).unwrap();
        writer.finish().unwrap();
        out.text()
    }
}
