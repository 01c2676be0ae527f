//! Recorded audio as a [`Source`]: files in the common formats, and raw PCM from any reader.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use symphonia::core::io::{MediaSource, ReadOnlySource};

use super::background::Background;
use super::container::Container;
use super::raw::{RawFormat, RawPcm};
use super::wav_header::WavHeader;
use super::{Input, Piece, Read, Source};
use crate::{Error, Result};

/// What to do about a file that can't be used.
const ADVICE: &str = "give WAV, FLAC, Ogg Vorbis, Opus or MP3, or convert it with \
                      `ffmpeg -i IN -ac 1 OUT.wav`";

/// How streams of WAV, FLAC and Ogg begin.
const MAGICS: [&[u8; 4]; 3] = [b"RIFF", b"fLaC", b"OggS"];

/// Recorded audio, decoded piece by piece and mixed down to mono.
///
/// Reads WAV (integer PCM of 8 to 32 bits, 32- and 64-bit float, A-law and µ-law), FLAC, Ogg
/// Vorbis, Opus and MP3 at any rate and with any number of channels. A damaged packet becomes a
/// [`Read::Gap`] of its length. A WAV file whose length is unknown, or was never filled in, is read
/// to its end. A file that is cut short is delivered up to the cut; then comes
/// the error, then the end.
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
        let path = path.as_ref();
        let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
        let metadata = file.metadata().map_err(|e| Error::io(path, e))?;
        if metadata.is_dir() {
            return Err(Error::audio(path, "is a folder; name a file in it"));
        }
        if metadata.is_file() && metadata.len() == 0 {
            return Err(Error::audio(path, "is empty; record it again"));
        }
        let header = WavHeader::read(&mut file).map_err(|e| Error::io(path, e))?;
        let follows = metadata.len() > header.bytes.len() as u64;
        if header.mended && follows {
            log::warn!("{}: its header says 0 samples; read to the end", path.display());
        }
        if header.mended || !metadata.is_file() {
            return Self::demux(io::Cursor::new(header.bytes).chain(file), path);
        }
        file.rewind().map_err(|e| Error::io(path, e))?;
        Ok(Self::new(path, Box::new(Self::contained(file, path)?)))
    }

    /// Takes a whole audio file that is in memory; `name` stands for its path in errors.
    ///
    /// # Errors
    ///
    /// [`Error::Audio`] if it is no audio of a known kind.
    pub fn from_bytes(bytes: Vec<u8>, name: impl AsRef<Path>) -> Result<Self> {
        let name = name.as_ref();
        if bytes.is_empty() {
            return Err(Error::audio(name, "is empty; record it again"));
        }
        let mut bytes = io::Cursor::new(bytes);
        let header = WavHeader::read(&mut bytes).map_err(|e| Error::io(name, e))?;
        if header.mended {
            return Self::demux(io::Cursor::new(header.bytes).chain(bytes), name);
        }
        bytes.set_position(0);
        Ok(Self::new(name, Box::new(Self::contained(bytes, name)?)))
    }

    /// Takes what can be read once only, and may block.
    fn demux(reader: impl io::Read + Send + Sync + 'static, path: &Path) -> Result<Self> {
        let input = Self::contained(ReadOnlySource::new(reader), path)?;
        let input = Background::new(input).map_err(|reason| Error::audio(path, reason))?;
        Ok(Self::new(path, Box::new(input)))
    }

    fn contained(source: impl MediaSource + 'static, path: &Path) -> Result<Container> {
        Container::open(source, path)
            .map_err(|reason| Error::audio(path, format!("{reason}; {ADVICE}")))
    }

    /// Takes raw PCM from a reader, up to its end; messages call it `-`.
    ///
    /// A thread of its own reads, so that [`Source::read`] never waits for more than 10 ms.
    ///
    /// # Errors
    ///
    /// [`Error::Audio`] for a format without rate or channels.
    pub fn from_reader(reader: impl io::Read + Send + 'static, format: RawFormat) -> Result<Self> {
        let path = Path::new("-");
        let input = RawPcm::new(reader, format).map_err(|reason| Error::audio(path, reason))?;
        Ok(Self::new(path, Box::new(input)))
    }

    /// Takes raw PCM from standard input.
    ///
    /// # Errors
    ///
    /// As [`AudioFile::from_reader`].
    pub fn stdin_raw(format: RawFormat) -> Result<Self> {
        Self::from_reader(io::stdin(), format)
    }

    /// Takes a WAV, FLAC or Ogg stream from a reader if it begins as one, else raw PCM.
    ///
    /// Waits for the first bytes, and for the header of a stream. A thread of its own reads the rest, so
    /// that [`Source::read`] never waits for more than 10 ms.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the first bytes can't be read, [`Error::Audio`] if a stream's header is
    /// damaged or cut short, or `format` has no rate or channels.
    pub fn from_stream(
        mut reader: impl io::Read + Send + Sync + 'static,
        format: RawFormat,
    ) -> Result<Self> {
        let path = Path::new("-");
        let mut begin = Vec::new();
        let magic_bytes = MAGICS[0].len() as u64;
        let taken = reader.by_ref().take(magic_bytes).read_to_end(&mut begin);
        taken.map_err(|e| Error::io(path, e))?;
        let is_stream = MAGICS.iter().any(|magic| begin == **magic);
        let mut reader = io::Cursor::new(begin).chain(reader);
        if !is_stream {
            return Self::from_reader(reader, format);
        }
        let header = WavHeader::read(&mut reader).map_err(|e| Error::io(path, e))?;
        Self::demux(io::Cursor::new(header.bytes).chain(reader), path)
    }

    fn new(path: &Path, input: Box<dyn Input>) -> Self {
        Self { path: path.to_owned(), input, mono: Vec::new(), next: 0, before: 0, stop: None }
    }

    /// Decodes the next piece into `mono`. Gives what is to be told at once, if anything.
    fn decode(&mut self) -> Option<Read> {
        self.before += self.mono.len() as u64;
        self.mono.clear();
        self.next = 0;
        match self.input.next(&mut self.mono) {
            Ok(Piece::Samples) if self.mono.is_empty() => return Some(Read::Samples(0)),
            Ok(Piece::Samples) => self.check(),
            Ok(Piece::Lost(0)) => {}
            Ok(Piece::Lost(samples)) => {
                log::warn!("{}: {samples} samples are damaged; left out", self.path.display());
                self.before += samples;
                return Some(Read::Gap(samples));
            }
            Ok(Piece::End) => self.stop = Some(Ok(())),
            Err(reason) => self.stop = Some(Err(Error::audio(&self.path, reason))),
        }
        None
    }

    /// Stops the file before the first sample that is not a finite number.
    fn check(&mut self) {
        if let Some(at) = self.mono.iter().position(|sample| !sample.is_finite()) {
            let (value, index) = (self.mono[at], self.before + at as u64);
            self.mono.truncate(at);
            self.stop = Some(Err(Error::audio(
                &self.path,
                format!("sample {index} is {value}, which is no sound; export the file again"),
            )));
        }
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

    fn read(&mut self, buffer: &mut [f32]) -> Result<Read> {
        if buffer.is_empty() {
            return Ok(Read::Samples(0));
        }
        while self.next == self.mono.len() {
            if let Some(stop) = self.stop.take() {
                self.stop = Some(Ok(()));
                return stop.map(|()| Read::End);
            }
            if let Some(read) = self.decode() {
                return Ok(read);
            }
        }
        let ready = &self.mono[self.next..];
        let n = ready.len().min(buffer.len());
        buffer[..n].copy_from_slice(&ready[..n]);
        self.next += n;
        Ok(Read::Samples(n))
    }
}

#[cfg(test)]
mod tests;
