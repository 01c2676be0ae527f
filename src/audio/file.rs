//! Recorded audio as a [`Source`]: files in the common formats, and raw PCM from any reader.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::appended::WatchedFlac;
use super::background::Background;
use super::byte_source::ByteSource;
use super::container::{Container, Length};
use super::downmix::Channel;
use super::ebml::{Cut, WholeElements};
use super::kind::{Found, Kind};
use super::raw::{RawFormat, RawPcm};
use super::riff::Riff;
use super::tags::{self, WithoutTags};
use super::{Input, Piece, ReadOutcome, Source, mp4};
use crate::error::{Error, Result};

/// What to do about a file that can't be used.
const ADVICE: &str = "give WAV, FLAC, Ogg, MP3, M4A, AAC, MP4, WebM, AIFF or CAF, or convert it with \
                      `ffmpeg -i IN -ac 1 OUT.wav`";

/// How standard input is called in messages.
const STDIN: &str = "-";

/// How a recording is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileOptions {
    /// Which of several channels are recognized.
    pub channel: Channel,
    /// What the samples are if the content is of no known kind. Without it, an unknown file is an
    /// error; an unknown stream is read as [`RawFormat::default`] if it may be that.
    pub raw: Option<RawFormat>,
}

/// Recorded audio, decoded piece by piece and mixed down to mono.
///
/// The content decides on the kind: WAV, RF64, BW64 and W64 (PCM, float, A-law, µ-law, ADPCM), FLAC,
/// Ogg (Vorbis, Opus, FLAC), MP3, MP2, AAC, MP4 and M4A (AAC, ALAC, MP3), Matroska and WebM (Opus,
/// Vorbis, AAC), AIFF and CAF. Of a video the first audio track is taken. Tags before and behind the
/// recording are left out. [`FileOptions::channel`] says how channels are mixed.
///
/// | the recording | what comes of it |
/// |---|---|
/// | a damaged packet | a [`ReadOutcome::Gap`] of its length |
/// | a change of rate or channels within it | the rate of its beginning |
/// | a wrong length in its header | a warning in the log, and all samples |
/// | cut short | what is there, then the error, then the end |
pub struct AudioFile {
    path: PathBuf,
    input: Box<dyn Input>,
    /// Decoded samples, the ones before `next` delivered already.
    mono: Vec<f32>,
    next: usize,
    /// Samples decoded before `mono`.
    before: u64,
    /// What stops the file after `mono` is delivered.
    stop: Option<Result<()>>,
}

impl AudioFile {
    /// Opens an audio file; its content decides on the format, not its name.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file can't be read, [`Error::Audio`] if it is no audio of a known kind.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &FileOptions::default())
    }

    /// Opens an audio file as the options say.
    ///
    /// # Errors
    ///
    /// As [`AudioFile::open`]; also [`Error::Audio`] if the file lacks the channel.
    pub fn open_with(path: impl AsRef<Path>, options: &FileOptions) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        let metadata = file.metadata().map_err(|e| Error::io(path, e))?;
        if metadata.is_dir() {
            return Err(Error::audio(path, "is a folder; name a file in it"));
        }
        let source = ByteSource::file(file).map_err(|e| Error::io(path, e))?;
        Opening { path, options, implies_raw: false }.open(source)
    }

    /// Takes a whole recording that is in memory; `name` stands for its path in errors.
    ///
    /// # Errors
    ///
    /// [`Error::Audio`] if it is no audio of a known kind.
    pub fn from_bytes(bytes: Vec<u8>, name: impl AsRef<Path>) -> Result<Self> {
        let (path, options) = (name.as_ref(), &FileOptions::default());
        Opening { path, options, implies_raw: false }.open(ByteSource::memory(bytes))
    }

    /// Takes raw PCM from a reader, up to its end; messages call it `-`.
    ///
    /// A thread of its own reads, so that [`Source::read`] never waits for more than 10 ms.
    ///
    /// # Errors
    ///
    /// [`Error::Audio`] for a format without rate or channels.
    pub fn from_reader(reader: impl io::Read + Send + 'static, format: RawFormat) -> Result<Self> {
        let path = Path::new(STDIN);
        let input = RawPcm::new(reader, format, Channel::default()).and_then(Background::spawn);
        Ok(Self::new(path, Box::new(input.map_err(|reason| Error::audio(path, reason))?)))
    }

    /// Takes raw PCM from standard input.
    ///
    /// # Errors
    ///
    /// As [`AudioFile::from_reader`].
    pub fn stdin_raw(format: RawFormat) -> Result<Self> {
        Self::from_reader(io::stdin(), format)
    }

    /// Takes a recording of any kind from a reader, or raw PCM of this format if it is of none.
    ///
    /// # Errors
    ///
    /// As [`AudioFile::from_stream_with`].
    pub fn from_stream(
        reader: impl io::Read + Send + Sync + 'static,
        format: RawFormat,
    ) -> Result<Self> {
        Self::from_stream_with(reader, &FileOptions { raw: Some(format), ..FileOptions::default() })
    }

    /// Takes a recording of any kind from a reader; messages call it `-`.
    ///
    /// Waits for the first 8 kB. From then on a thread of its own reads, so that [`Source::read`]
    /// never waits for more than 10 ms. MP4 whose index is at its end is taken into memory first, up
    /// to 256 MiB.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the first bytes can't be read; [`Error::Audio`] if they are none or no audio,
    /// if a header is damaged or cut short, or if the format has no rate or channels.
    pub fn from_stream_with(
        reader: impl io::Read + Send + Sync + 'static,
        options: &FileOptions,
    ) -> Result<Self> {
        let path = Path::new(STDIN);
        Opening { path, options, implies_raw: true }.open(ByteSource::stream(reader))
    }

    /// Takes a recording of any kind from standard input, which may be a file.
    ///
    /// # Errors
    ///
    /// As [`AudioFile::from_stream_with`].
    pub fn stdin(options: &FileOptions) -> Result<Self> {
        let path = Path::new(STDIN);
        let source = stdin_source().map_err(|e| Error::io(path, e))?;
        Opening { path, options, implies_raw: true }.open(source)
    }

    fn new(path: &Path, input: Box<dyn Input>) -> Self {
        Self { path: path.to_owned(), input, mono: Vec::new(), next: 0, before: 0, stop: None }
    }

    /// Decodes the next piece into `mono`. Gives what has to be reported at once, if anything.
    fn decode(&mut self) -> Option<ReadOutcome> {
        self.before = self.before.saturating_add(self.mono.len() as u64);
        self.mono.clear();
        self.next = 0;
        match self.input.next(&mut self.mono) {
            Ok(Piece::Samples) if self.mono.is_empty() => return Some(ReadOutcome::Samples(0)),
            Ok(Piece::Samples) => self.check(),
            Ok(Piece::Lost(0)) => {}
            Ok(Piece::Lost(samples)) => {
                log::warn!("{}: {samples} samples are damaged; left out", self.path.display());
                self.before = self.before.saturating_add(samples);
                return Some(ReadOutcome::Gap(samples));
            }
            Ok(Piece::End) => self.stop = Some(Ok(())),
            Err(reason) => self.stop = Some(Err(Error::audio(&self.path, reason))),
        }
        None
    }

    /// Stops the file before the first sample that is not a finite number.
    fn check(&mut self) {
        if let Some(at) = self.mono.iter().position(|sample| !sample.is_finite()) {
            let (value, index) = (self.mono[at], self.before.saturating_add(at as u64));
            self.mono.truncate(at);
            self.stop = Some(Err(Error::audio(
                &self.path,
                format!("sample {index} is {value}, which is no sound; export the file again"),
            )));
        }
    }
}

/// Standard input as a file, which can be read at any position if it is redirected from one.
#[cfg(unix)]
fn stdin_source() -> io::Result<ByteSource> {
    use std::os::fd::AsFd;

    ByteSource::file(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

#[cfg(not(unix))]
fn stdin_source() -> io::Result<ByteSource> {
    Ok(ByteSource::stream(io::stdin()))
}

/// A recording on its way to its decoder.
struct Opening<'a> {
    path: &'a Path,
    options: &'a FileOptions,
    /// Whether what is of no known kind may be raw samples even if nothing says so.
    implies_raw: bool,
}

impl Opening<'_> {
    /// Finds out what the bytes are, and opens their decoder.
    fn open(&self, mut source: ByteSource) -> Result<AudioFile> {
        let is_stream = source.is_stream();
        if self.io(source.peek(0, 1))?.is_empty() {
            return Err(self.refused("is empty; record it again"));
        }
        let skipped = self.io(tags::skip_front(&mut source))?;
        self.io(tags::cut_back(&mut source))?;
        let with_frames = self.options.raw.is_none() || skipped > 0;
        match self.io(Found::of(&mut source, with_frames))? {
            Found::Kind(kind, at) => {
                self.io(source.skip(at))?;
                if at > 0 {
                    self.warn(&format!("{at} bytes before its first frame are left out"));
                }
                let container = self.contained(kind, source)?;
                self.ready(container, is_stream)
            }
            Found::Other(what) => Err(self.refused(&format!("is {what}; {ADVICE}"))),
            Found::Unknown => self.raw(source, is_stream),
        }
    }

    fn contained(&self, kind: Kind, mut source: ByteSource) -> Result<Container> {
        let (mut kind, mut prefix, mut length) = (kind, Vec::new(), Length::default());
        let cut = Cut::default();
        match kind {
            Kind::Wav => {
                let riff = self.io(Riff::read(&mut source))?;
                let riff = riff.map_err(|reason| self.unusable(&reason))?;
                if let Some(what) = &riff.mended {
                    self.warn(&format!("its header is wrong and was mended: {what}"));
                }
                self.warn_of_a_second(&riff, &mut source)?;
                self.io(source.skip(riff.data_at))?;
                riff.data_len.iter().for_each(|len| source.truncate(*len));
                let frames = |len: Option<u64>| len.and_then(|len| riff.frames_in(len));
                length = Length {
                    frames: frames(riff.promised_len.or(riff.data_len)),
                    promised: frames(riff.promised_len),
                };
                if riff.is_mpeg() {
                    kind = Kind::Mpeg;
                } else {
                    prefix = riff.plain_header();
                }
            }
            Kind::Flac => {
                let name = self.path.display().to_string();
                source = self.io(source.into_stream())?.wrap(WithoutTags::new);
                source = source.wrap(|reader| WatchedFlac::new(reader, name));
            }
            Kind::Mp4 | Kind::Caf => {
                let arranged = match kind {
                    Kind::Mp4 => mp4::arranged(source),
                    _ => mp4::in_memory(source),
                };
                source = self.io(arranged)?.map_err(|reason| self.refused(&reason))?;
            }
            // As files their demuxers look for what a cut has taken.
            Kind::Matroska => {
                let cut = cut.clone();
                source = self.io(source.into_stream())?;
                source = source.wrap(|reader| WholeElements::new(reader, cut));
            }
            Kind::Aiff => source = self.io(source.into_stream())?,
            _ => {}
        }
        let media = self.io(source.into_media(prefix))?;
        let name = self.path.display().to_string();
        Container::open(kind, media, length, self.options.channel, name)
            .map(|container| container.watching(cut))
            .map_err(|reason| self.unusable(&reason))
    }

    /// Warns of a second recording behind the first, which is not read.
    fn warn_of_a_second(&self, riff: &Riff, source: &mut ByteSource) -> Result<()> {
        if let (Some(len), false) = (riff.data_len, source.is_stream()) {
            let end = riff.data_at + len;
            let behind = self.io(source.peek(end + len % 2, 12))?;
            if Riff::is_riff(&behind) {
                self.warn("a second recording behind the first one is left out; split the file");
            }
        }
        Ok(())
    }

    fn raw(&self, mut source: ByteSource, is_stream: bool) -> Result<AudioFile> {
        let begin = self.io(source.peek(0, 8 << 10))?;
        let implied = self.implies_raw && RawFormat::is_plausible(&begin);
        let Some(format) = self.options.raw.or(implied.then(RawFormat::default)) else {
            let how = "if it is raw samples, give --raw-rate and --raw-format";
            return Err(self.unusable(&format!("is not an audio file of a known kind; {how}")));
        };
        let reader = self.io(source.into_reader())?;
        let input = RawPcm::new(reader, format, self.options.channel);
        self.ready(input.map_err(|reason| self.refused(&reason))?, is_stream)
    }

    fn ready(&self, input: impl Input + 'static, is_stream: bool) -> Result<AudioFile> {
        if is_stream {
            let input = Background::spawn(input).map_err(|reason| self.refused(&reason))?;
            return Ok(AudioFile::new(self.path, Box::new(input)));
        }
        Ok(AudioFile::new(self.path, Box::new(input)))
    }

    fn io<T>(&self, result: io::Result<T>) -> Result<T> {
        result.map_err(|e| Error::io(self.path, e))
    }

    fn unusable(&self, reason: &str) -> Error {
        self.refused(&format!("{reason}; {ADVICE}"))
    }

    fn refused(&self, reason: &str) -> Error {
        Error::audio(self.path, reason)
    }

    fn warn(&self, what: &str) {
        log::warn!("{}: {what}", self.path.display());
    }
}

impl Source for AudioFile {
    fn sample_rate(&self) -> u32 {
        self.input.sample_rate()
    }

    fn len_samples(&self) -> Option<u64> {
        self.input.len_samples()
    }

    fn is_live(&self) -> bool {
        false
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        if buffer.is_empty() {
            return Ok(ReadOutcome::Samples(0));
        }
        while self.next == self.mono.len() {
            if let Some(stop) = self.stop.take() {
                self.stop = Some(Ok(()));
                return stop.map(|()| ReadOutcome::End);
            }
            if let Some(read) = self.decode() {
                return Ok(read);
            }
        }
        let ready = &self.mono[self.next..];
        let n = ready.len().min(buffer.len());
        buffer[..n].copy_from_slice(&ready[..n]);
        self.next += n;
        Ok(ReadOutcome::Samples(n))
    }
}

#[cfg(test)]
mod tests;
