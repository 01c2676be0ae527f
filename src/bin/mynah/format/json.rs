//! One JSON document: `{"files": [{"file", "audio_seconds", "utterances", "error"?}]}`.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use serde::Serialize;

use super::TranscriptWriter;
use crate::utterance::{Utterance, seconds};

/// Gathers all files and writes them when the transcript ends.
pub struct Json {
    out: Box<dyn Write>,
    document: Document,
    utterances: Vec<Utterance>,
}

#[derive(Default, Serialize)]
struct Document {
    files: Vec<File>,
}

#[derive(Serialize)]
struct File {
    file: String,
    #[serde(serialize_with = "seconds")]
    audio_seconds: Duration,
    utterances: Vec<Utterance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Json {
    pub fn new(out: Box<dyn Write>) -> Self {
        Self { out, document: Document::default(), utterances: Vec::new() }
    }
}

impl TranscriptWriter for Json {
    fn utterance(&mut self, _: &Path, utterance: &Utterance) -> io::Result<()> {
        self.utterances.push(utterance.clone());
        Ok(())
    }

    fn end_file(&mut self, file: &Path, audio: Duration, error: Option<&str>) -> io::Result<()> {
        self.document.files.push(File {
            file: file.display().to_string(),
            audio_seconds: audio,
            utterances: std::mem::take(&mut self.utterances),
            error: error.map(str::to_owned),
        });
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, &self.document)?;
        writeln!(self.out)?;
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
    fn a_document_holds_the_files_and_their_utterances() {
        assert_snapshot!(written(Format::Json, &[utterance(1000, "YES")]), @r#"
        {
          "files": [
            {
              "file": "a.wav",
              "audio_seconds": 2.5,
              "utterances": [
                {
                  "text": "YES",
                  "start": 1.0,
                  "end": 1.3,
                  "words": [
                    {
                      "text": "YES",
                      "start": 1.0,
                      "end": 1.3,
                      "confidence": 0.75
                    }
                  ],
                  "tokens": [
                    {
                      "text": "YES",
                      "start": 1.0,
                      "end": 1.3,
                      "log_prob": -0.25
                    }
                  ]
                }
              ]
            }
          ]
        }
        "#);
    }

    #[test]
    fn silence_is_a_file_without_utterances() {
        assert_snapshot!(written(Format::Json, &[]), @r#"
        {
          "files": [
            {
              "file": "a.wav",
              "audio_seconds": 2.5,
              "utterances": []
            }
          ]
        }
        "#);
    }
}
