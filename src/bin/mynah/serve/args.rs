//! What can be typed after `mynah serve`.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::ValueEnum;
use mynah::{Chunk, Finals};

use crate::{
    args::parse_seconds, formatting_args::FormattingArgs, recognizer_args::RecognizerArgs,
};

/// Serve recognition to other programs
///
/// One address serves a WebSocket in the protocol of Vosk's server (`/` and `/ws`), transcription of files
/// as OpenAI's API has it (`/v1/audio/transcriptions`), `/health`, `/metrics`, and a page of live captions.
/// Live streams are recognized by the preset, files in the model's longest chunks in one pass.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Serve HTTP and WebSocket at this address; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:2700")]
    pub listen: SocketAddr,

    /// Serve the Wyoming protocol too [default without a value: 127.0.0.1:10300]
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:10300")]
    pub wyoming: Option<SocketAddr>,

    /// How live streams are recognized
    #[arg(long, value_enum, default_value_t = Preset::LowLatency)]
    pub preset: Preset,

    /// Give the WebSocket's clients formatted text unless they ask for words
    #[arg(long)]
    pub formatted: bool,

    /// Take the secret that clients must send as `Authorization: Bearer` from this file
    /// [default: the environment variable MYNAH_TOKEN; without one everybody is served]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Serve web pages of this origin too, as in `https://example.org`; others than the server's own
    /// are refused
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,

    #[command(flatten)]
    pub limits: LimitArgs,

    #[command(flatten)]
    pub formatting: FormattingArgs,

    #[command(flatten)]
    pub recognizer: RecognizerArgs,
}

/// What clients may take of the machine.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Threads that recognize [default: the number of cores]
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,

    /// Live streams at the same time; others are refused [default: 12 a worker]
    #[arg(long, value_name = "N")]
    pub max_streams: Option<NonZeroUsize>,

    /// Files at the same time, those still arriving included; others are refused [default: 2 a worker]
    #[arg(long, value_name = "N")]
    pub max_uploads: Option<NonZeroUsize>,

    /// Audio of one stream or file
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, default_value = "14400")]
    pub max_audio: Duration,

    /// Audio of one stream that waits for a worker; more stays in the client's socket
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, default_value = "10")]
    pub max_queue: Duration,

    /// Time from a stream's beginning to its end
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, default_value = "14400")]
    pub max_time: Duration,

    /// Time without a message from a client
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, default_value = "60")]
    pub max_idle: Duration,

    /// Bytes of one message
    #[arg(long, value_name = "BYTES", default_value = "1048576")]
    #[arg(value_parser = clap::value_parser!(u32).range(1_024..=67_108_864))]
    pub max_message: u32,

    /// Bytes of one file
    #[arg(long, value_name = "BYTES", default_value = "67108864")]
    #[arg(value_parser = clap::value_parser!(u32).range(1_024..))]
    pub max_upload: u32,

    /// Time that streams have for their finals when the server is stopped
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, default_value = "10")]
    pub shutdown_time: Duration,
}

/// How live streams are recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// The model's shortest chunks in a single pass: the most streams, the soonest text
    LowLatency,
    /// The model's chunks for live audio, and finals of a second pass
    Balanced,
}

impl Preset {
    pub fn chunk(self) -> Chunk {
        match self {
            Self::LowLatency => Chunk::Shortest,
            Self::Balanced => Chunk::Streaming,
        }
    }

    pub fn finals(self) -> Finals {
        match self {
            Self::LowLatency => Finals::FirstPass,
            Self::Balanced => Finals::SecondPass,
        }
    }
}
