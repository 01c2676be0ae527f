//! Where transcripts go: all into one place, or each into a file beside its recording.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{
    args::TranscribeArgs,
    audio_input::STDIN,
    failure,
    format::{Change, FileNames, Format, TranscriptWriter},
    output::{self, Output},
    utterance::Utterance,
};

/// Takes the transcripts of files, one after the other.
pub enum Destination {
    Together(Transcript),
    Beside { format: Format, current: Option<Transcript> },
}

/// A transcript that is being written.
pub struct Transcript {
    writer: Box<dyn TranscriptWriter>,
    output: Output,
    is_begun: bool,
}

impl Transcript {
    fn new(format: Format, output: Output, names: FileNames) -> Self {
        let writer = format.writer(Box::new(output.clone()), names);
        Self { writer, output, is_begun: false }
    }

    fn begin(&mut self) -> Result<()> {
        self.is_begun = true;
        self.output.open()
    }

    fn commit(&mut self) -> Result<()> {
        self.writer.finish()?;
        self.output.commit()
    }

    fn leave(&mut self) -> Result<()> {
        self.writer.finish()?;
        if let Some(part) = self.output.leave()? {
            failure::warn(&format!("interrupted; what was recognized is in {}", part.display()));
        }
        Ok(())
    }
}

impl Destination {
    /// That of the arguments. Opens nothing yet.
    ///
    /// # Errors
    ///
    /// An output is also read, or two recordings have the same one.
    pub fn new(args: &TranscribeArgs) -> Result<Self> {
        if args.format.is_single_file() && args.files.len() > 1 {
            let outputs = beside_all(&args.files, args.format)?;
            outputs.iter().try_for_each(|path| output::refuse_read(path, args.read_files()))?;
            return Ok(Self::Beside { format: args.format, current: None });
        }
        let output = Output::new(args.output.as_deref(), args.read_files())?;
        Ok(Self::Together(Transcript::new(args.format, output, args.file_names())))
    }

    /// A recording has been opened: now its output can be.
    pub fn begin_file(&mut self, file: &Path) -> Result<()> {
        if let Self::Beside { format, current } = self {
            let output = Output::new(Some(&beside(file, *format)), [])?;
            *current = Some(Transcript::new(*format, output, FileNames::Hidden));
        }
        self.current().map_or(Ok(()), Transcript::begin)
    }

    pub fn change(&mut self, file: &Path, change: &Change) -> Result<()> {
        self.current().map_or(Ok(()), |to| Ok(to.writer.change(file, change)?))
    }

    pub fn utterance(&mut self, file: &Path, utterance: &Utterance) -> Result<()> {
        self.current().map_or(Ok(()), |to| Ok(to.writer.utterance(file, utterance)?))
    }

    /// Ends a file, with the length of its audio and what went wrong, if anything did.
    pub fn end_file(&mut self, file: &Path, audio: Duration, error: Option<&str>) -> Result<()> {
        self.current().map_or(Ok(()), |to| Ok(to.writer.end_file(file, audio, error)?))
    }

    /// Ends what concerns one file: its own output is complete, or stays beside if interrupted.
    pub fn close_file(&mut self, is_interrupted: bool) -> Result<()> {
        let Self::Beside { current, .. } = self else { return Ok(()) };
        match current.take() {
            Some(mut transcript) if is_interrupted => transcript.leave(),
            Some(mut transcript) => transcript.commit(),
            None => Ok(()),
        }
    }

    /// Ends the transcript. Of recordings none of which could be opened, no file is written.
    pub fn finish(&mut self, is_interrupted: bool) -> Result<()> {
        match self {
            Self::Together(transcript) if is_interrupted => transcript.leave(),
            Self::Together(transcript) if transcript.is_begun || transcript.output.is_stdout() => {
                transcript.commit()
            }
            _ => Ok(()),
        }
    }

    fn current(&mut self) -> Option<&mut Transcript> {
        match self {
            Self::Together(transcript) => Some(transcript),
            Self::Beside { current, .. } => current.as_mut(),
        }
    }
}

/// The subtitles' file of each recording.
fn beside_all(files: &[PathBuf], format: Format) -> Result<Vec<PathBuf>> {
    let mut outputs: Vec<PathBuf> = Vec::new();
    for file in files {
        if file.as_os_str() == STDIN {
            bail!("`-` has no name to call its subtitles by; transcribe it alone");
        }
        let output = beside(file, format);
        if outputs.contains(&output) {
            bail!("{}: two recordings would have it; run once per FILE", output.display());
        }
        outputs.push(output);
    }
    Ok(outputs)
}

fn beside(file: &Path, format: Format) -> PathBuf {
    file.with_extension(format.extension())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtitles_are_called_as_their_recordings() {
        let files = ["a/talk.mp3", "b/talk.wav", "c"].map(PathBuf::from);
        let outputs = beside_all(&files, Format::Srt).unwrap();
        assert_eq!(outputs, ["a/talk.srt", "b/talk.srt", "c.srt"].map(PathBuf::from));
        let same = ["a/talk.mp3", "a/talk.wav"].map(PathBuf::from);
        assert!(beside_all(&same, Format::Vtt).unwrap_err().to_string().contains("a/talk.vtt"));
        assert!(beside_all(&[PathBuf::from("-")], Format::Vtt).is_err());
    }
}
