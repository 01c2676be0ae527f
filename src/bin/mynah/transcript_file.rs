//! A transcript on disk that grows with each final, and is well-formed at any moment.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use mynah::Event;

use crate::{
    file_identity,
    format::{Line, LineKind, LiveSubtitles, Origin, write_line},
    utterance::Utterance,
};

/// The forms of a file that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// One line per utterance
    Text,
    /// One JSON object per utterance and line
    Jsonl,
    /// SubRip subtitles
    Srt,
    /// WebVTT captions
    Vtt,
}

/// Writes finals to a file as they come. What is in the file before the first final stays until then.
pub struct TranscriptFile {
    path: PathBuf,
    file: File,
    content: Content,
    /// Whether what was in the file before has been removed.
    is_emptied: bool,
    /// The bytes that stay as they are.
    settled: u64,
    /// What belongs behind them: all that could not be written, and a cue whose end may change.
    rest: Vec<u8>,
    /// Whether something could not be written, by the last attempt.
    failure: Option<String>,
    /// Whether the path leads elsewhere.
    is_lost: bool,
}

/// Makes bytes of utterances.
enum Content {
    Text,
    Jsonl { audio: Option<String> },
    Subtitles(LiveSubtitles),
}

impl FileFormat {
    /// That of the file's suffix, or text.
    pub fn of(path: &Path) -> Self {
        let suffix = path.extension().and_then(|suffix| suffix.to_str());
        match suffix.map(str::to_ascii_lowercase).as_deref() {
            Some("srt") => Self::Srt,
            Some("vtt") => Self::Vtt,
            Some("jsonl" | "ndjson" | "json") => Self::Jsonl,
            _ => Self::Text,
        }
    }
}

impl TranscriptFile {
    /// Opens the file. `audio` is the file that is listened to, if one is.
    ///
    /// # Errors
    ///
    /// It can't be written, or is the audio.
    pub fn open(path: &Path, format: FileFormat, audio: Option<&Path>) -> Result<Self> {
        let file = open_file(path, audio.as_slice())?;
        let content = match format {
            FileFormat::Text => Content::Text,
            FileFormat::Jsonl => Content::Jsonl { audio: audio.map(|a| a.display().to_string()) },
            FileFormat::Srt => Content::Subtitles(LiveSubtitles::srt()),
            FileFormat::Vtt => Content::Subtitles(LiveSubtitles::vtt()),
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            content,
            is_emptied: false,
            settled: 0,
            rest: Vec::new(),
            failure: None,
            is_lost: false,
        })
    }

    /// Writes a final, and what could not be written before.
    ///
    /// # Errors
    ///
    /// It can't be written; it is kept, and written with the next final if that is possible then. The file is
    /// no longer at its path; told once.
    pub fn write(&mut self, event: &Event, utterance: &Utterance) -> Result<()> {
        let (complete, tail) = self.content.bytes(event, utterance)?;
        self.replace_tail(&complete, &tail)
    }

    /// Writes again what could not be written.
    ///
    /// # Errors
    ///
    /// It still can't be.
    pub fn retry(&mut self) -> Result<()> {
        if self.failure.is_some() { self.replace_tail(&[], &[]) } else { Ok(()) }
    }

    /// Writes what could not be written.
    ///
    /// # Errors
    ///
    /// Something is missing in the file, or it is no longer at its path.
    pub fn finish(&mut self) -> Result<()> {
        let header = if self.is_emptied { Vec::new() } else { self.content.header() };
        if self.failure.is_some() || !self.is_emptied {
            self.replace_tail(&header, &[])?;
        }
        if self.is_lost { Err(self.lost()) } else { Ok(()) }
    }

    /// Puts bytes that stay, and bytes that may change, in the place of those that might have changed.
    fn replace_tail(&mut self, complete: &[u8], tail: &[u8]) -> Result<()> {
        if self.failure.is_none() {
            self.rest.clear();
        }
        self.rest.extend_from_slice(complete);
        let settled = self.rest.len();
        self.rest.extend_from_slice(tail);
        let written = self.write_rest();
        // What may change is made anew by the next final.
        self.rest.truncate(settled);
        self.failure = written.as_ref().err().map(ToString::to_string);
        let kept = "; the transcript is kept, and written with the next caption if there is room";
        written.with_context(|| format!("{}: can't be written{kept}", self.path.display()))?;
        self.settled += settled as u64;
        self.rest.clear();
        if !self.is_lost && self.is_gone() {
            self.is_lost = true;
            return Err(self.lost());
        }
        Ok(())
    }

    fn write_rest(&mut self) -> io::Result<()> {
        if !self.is_emptied {
            empty(&self.file)?;
            self.is_emptied = true;
        }
        if self.file.metadata()?.is_file() {
            self.file.seek(SeekFrom::Start(self.settled))?;
        }
        self.file.write_all(&self.rest)?;
        self.file.flush()
    }

    fn is_gone(&self) -> bool {
        let is_file = self.file.metadata().is_ok_and(|metadata| metadata.is_file());
        is_file && !file_identity::leads_to(&self.path, &self.file)
    }

    fn lost(&self) -> anyhow::Error {
        let path = self.path.display();
        anyhow!("{path}: was removed or replaced; captions are not saved there any more")
    }
}

impl Content {
    fn header(&self) -> Vec<u8> {
        match self {
            Self::Subtitles(subtitles) => subtitles.header().into(),
            Self::Text | Self::Jsonl { .. } => Vec::new(),
        }
    }

    /// What a final adds: what stays, and what the next one replaces.
    fn bytes(&mut self, event: &Event, utterance: &Utterance) -> io::Result<(Vec<u8>, Vec<u8>)> {
        match self {
            Self::Text => Ok((format!("{}\n", utterance.shown()).into(), Vec::new())),
            Self::Jsonl { audio } => {
                let mut line = Vec::new();
                let (file, origin) = (audio.as_deref(), Some(Origin::from(event)));
                write_line(&mut line, &Line { file, kind: LineKind::Final, origin, utterance })?;
                Ok((line, Vec::new()))
            }
            Self::Subtitles(subtitles) => {
                let (complete, tail) = subtitles.push(utterance);
                Ok((complete.into(), tail.into()))
            }
        }
    }
}

/// Opens a file for writing and leaves in it what is there.
///
/// # Errors
///
/// The file can't be written, or is one of the `inputs`, which would be lost.
fn open_file(path: &Path, inputs: &[impl AsRef<Path>]) -> Result<File> {
    let opened = File::options().write(true).create(true).truncate(false).open(path);
    let file = opened.with_context(|| path.display().to_string())?;
    if file_identity::is_any_of(&file, inputs) {
        bail!("{}: is also read; write to another file", path.display());
    }
    Ok(file)
}

/// Removes what is in a file; a pipe or a device has nothing to remove.
///
/// # Errors
///
/// The system refuses.
fn empty(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() { file.set_len(0) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::format::samples::utterance;

    /// A file of this name in a folder of its own, with something in it.
    fn open(name: &str) -> (tempfile::TempDir, PathBuf, TranscriptFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, "what was there before, and is longer than what comes").unwrap();
        let file = TranscriptFile::open(&path, FileFormat::of(&path), None).unwrap();
        (folder, path, file)
    }

    impl TranscriptFile {
        fn add(&mut self, start_ms: u64, text: &str) -> Result<()> {
            let utterance = utterance(start_ms, text);
            let (complete, tail) = match &mut self.content {
                Content::Subtitles(subtitles) => subtitles.push(&utterance),
                _ => (format!("{}\n", utterance.shown()), String::new()),
            };
            self.replace_tail(complete.as_bytes(), tail.as_bytes())
        }
    }

    #[test]
    fn what_was_there_stays_until_the_first_final() {
        let (_folder, path, mut file) = open("a.txt");
        assert!(fs::read_to_string(&path).unwrap().starts_with("what was there"));
        file.add(0, "ONE").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "ONE\n");
        file.add(5_000, "TWO").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "ONE\nTWO\n");
    }

    #[test]
    fn subtitles_are_whole_after_each_final() {
        let (_folder, path, mut file) = open("a.srt");
        file.add(1_000, "GOOD MORNING").unwrap();
        let first = "1\n00:00:01,000 --> 00:00:02,000\nGOOD MORNING\n\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        file.add(1_800, "YES").unwrap();
        let both = "1\n00:00:01,000 --> 00:00:01,717\nGOOD MORNING\n\n2\n00:00:01,800 --> \
                    00:00:02,800\nYES\n\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), both);
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), both);
    }

    #[test]
    fn captions_without_text_are_a_header() {
        let (_folder, path, mut file) = open("a.vtt");
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "WEBVTT\n\n");
    }

    #[test]
    fn a_removed_file_is_reported_once_and_at_the_end() {
        let (_folder, path, mut file) = open("a.txt");
        file.add(0, "ONE").unwrap();
        fs::remove_file(&path).unwrap();
        assert!(file.add(1_000, "TWO").unwrap_err().to_string().contains("was removed"));
        file.add(2_000, "THREE").unwrap();
        assert!(file.finish().is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_can_not_be_written_is_kept() {
        let full = Path::new("/dev/full");
        let mut file = TranscriptFile::open(full, FileFormat::Text, None).unwrap();
        let error = file.add(0, "ONE").unwrap_err();
        assert!(crate::failure::one_line(&error).contains("No space left"), "{error:#}");
        assert_eq!(file.rest, b"ONE\n");
        file.add(0, "TWO").unwrap_err();
        assert_eq!(file.rest, b"ONE\nTWO\n");
        file.finish().unwrap_err();
    }

    #[test]
    fn suffixes_choose_the_format() {
        let format = |name: &str| FileFormat::of(Path::new(name));
        assert_eq!(
            ["a.SRT", "a.vtt", "a.jsonl", "a.txt", "a"].map(format),
            [
                FileFormat::Srt,
                FileFormat::Vtt,
                FileFormat::Jsonl,
                FileFormat::Text,
                FileFormat::Text,
            ]
        );
    }

    #[test]
    fn the_audio_is_not_written_to() {
        let (_folder, path, _) = open("a.txt");
        let error = TranscriptFile::open(&path, FileFormat::Text, Some(&path)).err().unwrap();
        assert!(error.to_string().contains("is also read"), "{error}");
        assert!(fs::read_to_string(&path).unwrap().starts_with("what was there"));
    }
}
