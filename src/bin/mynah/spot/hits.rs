//! Hits on standard output, a line each.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use mynah::KeywordHit;
use serde::Serialize;

use crate::{args::SpotFormat, format::write_line, utterance::seconds};

/// Writes the hits of one file or, without one, of a microphone.
pub struct HitWriter {
    format: SpotFormat,
    file: Option<String>,
    /// Whether lines of text begin with the file's name.
    names_file: bool,
}

/// A line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    r#type: &'static str,
    phrase: &'a str,
    #[serde(serialize_with = "seconds")]
    start: Duration,
    #[serde(serialize_with = "seconds")]
    end: Duration,
    confidence: f64,
}

impl HitWriter {
    pub fn new(format: SpotFormat, file: Option<&Path>, names_file: bool) -> Self {
        Self { format, file: file.map(|file| file.display().to_string()), names_file }
    }

    /// Writes a hit as it comes.
    pub fn write(&mut self, hit: &KeywordHit) -> io::Result<()> {
        let line = self.line(hit)?;
        let mut out = io::stdout().lock();
        out.write_all(&line)?;
        out.flush()
    }

    fn line(&self, hit: &KeywordHit) -> io::Result<Vec<u8>> {
        let KeywordHit { phrase, start, end, confidence, .. } = hit;
        let mut line = Vec::new();
        match self.format {
            SpotFormat::Text => {
                if let Some(file) = self.file.as_ref().filter(|_| self.names_file) {
                    write!(line, "{file}:")?;
                }
                writeln!(line, "{:.2}\t{phrase}\t{confidence:.2}", start.as_secs_f64())?;
            }
            SpotFormat::Jsonl => {
                let confidence = (f64::from(*confidence) * 1e3).round() / 1e3;
                let (file, r#type) = (self.file.as_deref(), "keyword");
                let (start, end) = (*start, *end);
                write_line(&mut line, &Line { file, r#type, phrase, start, end, confidence })?;
            }
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn line(format: SpotFormat, file: Option<&str>, names_file: bool) -> String {
        let hit = KeywordHit {
            index: 0,
            phrase: "lights off".to_owned(),
            start: Duration::from_millis(3240),
            end: Duration::from_millis(3960),
            confidence: 0.8349,
        };
        let writer = HitWriter::new(format, file.map(Path::new), names_file);
        String::from_utf8(writer.line(&hit).unwrap()).unwrap()
    }

    #[test]
    fn a_hit_is_one_line() {
        assert_eq!(line(SpotFormat::Text, None, false), "3.24\tlights off\t0.83\n");
        assert_eq!(line(SpotFormat::Text, Some("a.wav"), true), "a.wav:3.24\tlights off\t0.83\n");
        assert_snapshot!(line(SpotFormat::Jsonl, None, false), @r#"{"type":"keyword","phrase":"lights off","start":3.24,"end":3.96,"confidence":0.835}"#);
        assert_snapshot!(line(SpotFormat::Jsonl, Some("a.wav"), false), @r#"{"file":"a.wav","type":"keyword","phrase":"lights off","start":3.24,"end":3.96,"confidence":0.835}"#);
    }
}
