//! The list of recordings and what is said in them.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// A recording, its reference, and the manifest's line that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counted from 1.
    pub line: usize,
    /// As the manifest has it.
    pub audio: PathBuf,
    /// From the working directory.
    pub path: PathBuf,
    pub text: String,
    /// What is preferred in this recording; `PHRASE` or `PHRASE:BOOST`.
    pub hotwords: Option<Vec<String>>,
    /// The words whose errors are counted apart.
    pub rare_words: Option<Vec<String>>,
}

/// Which entries are taken: each `every`th, the first included, and of those the first `limit`.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    pub every: NonZeroUsize,
    pub limit: Option<NonZeroUsize>,
}

impl Selection {
    /// All of them.
    pub const ALL: Self = Self { every: NonZeroUsize::MIN, limit: None };
}

/// A line of the file; further keys are ignored.
#[derive(Deserialize)]
struct Line {
    audio: PathBuf,
    text: String,
    hotwords: Option<Vec<String>>,
    rare_words: Option<Vec<String>>,
}

/// Reads a manifest: one JSON object per line, empty lines skipped.
///
/// # Errors
///
/// The file can't be read, a line can't be parsed (named by its number), or no entry is left.
pub fn read(manifest: &Path, selection: Selection) -> Result<Vec<Entry>> {
    let text = fs::read_to_string(manifest).with_context(|| format!("{}", manifest.display()))?;
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let entries = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            let line_number = index + 1;
            let Line { audio, text, hotwords, rare_words } =
                parse(line).with_context(|| format!("{}:{line_number}", manifest.display()))?;
            let path = folder.join(&audio);
            Ok(Entry { line: line_number, path, audio, text, hotwords, rare_words })
        })
        .collect::<Result<Vec<_>>>()?;
    if entries.is_empty() {
        bail!("{}: no recordings; expected one JSON object per line", manifest.display());
    }
    let limit = selection.limit.map_or(usize::MAX, NonZeroUsize::get);
    Ok(entries.into_iter().step_by(selection.every.get()).take(limit).collect())
}

fn parse(line: &str) -> Result<Line> {
    serde_json::from_str(line).map_err(|error| {
        // serde_json calls each line "line 1".
        let reason = error.to_string().replace(" at line 1 column ", " at column ");
        anyhow::anyhow!("{reason}; expected {{\"audio\": …, \"text\": …}}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str, every: usize, limit: Option<usize>) -> Result<Vec<Entry>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.jsonl");
        fs::write(&path, text).unwrap();
        let selection = Selection {
            every: NonZeroUsize::new(every).unwrap(),
            limit: limit.and_then(NonZeroUsize::new),
        };
        let prefix = format!("{}", folder.path().display());
        read(&path, selection).map_err(|e| format!("{e:#}").replace(&prefix, ""))
    }

    fn lines(count: usize) -> String {
        let line = |i| format!("{{\"audio\": \"{i}.wav\", \"text\": \"T\", \"speaker\": {i}}}\n");
        (0..count).map(line).collect()
    }

    #[test]
    fn audio_is_relative_to_the_manifest() {
        let entries = entries(&format!("\n{}", lines(1)), 1, None).unwrap();
        assert_eq!(entries[0].line, 2);
        assert_eq!(entries[0].audio, Path::new("0.wav"));
        assert!(entries[0].path.is_absolute());
    }

    #[test]
    fn a_selection_takes_every_nth_up_to_the_limit() {
        let numbers: Vec<_> =
            entries(&lines(10), 3, Some(3)).unwrap().iter().map(|e| e.line).collect();
        assert_eq!(numbers, [1, 4, 7]);
    }

    #[test]
    fn errors_name_the_line() {
        let error = entries(&format!("{}{{\"audio\": 3}}", lines(1)), 1, None).unwrap_err();
        assert!(error.starts_with("/m.jsonl:2: invalid type: integer `3`"), "{error}");
        let error = entries("{\"audio\": \"a\"}", 1, None).unwrap_err();
        assert!(error.starts_with("/m.jsonl:1: missing field `text` at column"), "{error}");
        assert_eq!(
            entries("\n", 1, None).unwrap_err(),
            "/m.jsonl: no recordings; expected one JSON object per line"
        );
    }
}
