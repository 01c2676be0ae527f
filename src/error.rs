//! The library's one error type, its variants cut by what the user can do about them.

use std::path::{Path, PathBuf};

/// What the library's fallible functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done, in one line that says what, where and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file, or standard input, does not hold audio that can be decoded.
    #[error("{}: {reason}", path.display())]
    Audio {
        /// The file; `-` for standard input.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A model's file is missing, broken, or contradicts another of its files.
    #[error("{}: {reason}", path.display())]
    Model {
        /// The file or folder at fault.
        path: PathBuf,
        /// What is wrong, with both numbers where two disagree.
        reason: String,
    },
    /// Samples that are not finite numbers were handed in.
    #[error("sample {index} is {value}; samples must be finite numbers in [-1, 1]")]
    Samples {
        /// The position of the first such sample in the slice handed in.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// A configuration value is out of its range.
    #[error("{0}")]
    Config(String),
    /// The encoder or the attention decoder could not be run. The sources say why.
    #[error("the encoder failed: {0}")]
    Encoder(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A thread has panicked: in the source's code, or by a defect of Mynah. The value names what it computed.
    #[error(
        "the thread that computes {0} has panicked; unless the source is your own code, this is a defect of \
         Mynah, please report it"
    )]
    Worker(&'static str),
    /// A listener has ended, or can't execute a command.
    #[error("{0}")]
    Listener(&'static str),
    /// The microphone is missing, busy, unplugged or of a kind that can't be used.
    #[error("{0}")]
    Device(String),
}

impl Error {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    #[cfg(feature = "files")]
    pub(crate) fn audio(path: &Path, reason: impl Into<String>) -> Self {
        Self::Audio { path: path.to_owned(), reason: reason.into() }
    }

    pub(crate) fn model(path: &Path, reason: impl Into<String>) -> Self {
        Self::Model { path: path.to_owned(), reason: reason.into() }
    }
}
