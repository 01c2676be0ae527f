//! Many streams on one model: who is admitted, and where they compute.
//!
//! ```text
//! connection (tokio) → bounded queue → LiveTask ┐
//!                                               ├ Pool: a fixed number of threads → Output → connection
//! upload (tokio) ────────────────→ UploadTask ──┘
//! ```

mod failure;
mod live;
mod metrics;
mod pool;
mod stream_config;
mod upload;

use std::{fmt, io, sync::Arc, time::Duration};

use mynah::{Recognizer, RecognizerConfig, TextFormatter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use self::{
    failure::{Failure, FailureKind},
    live::{LiveStream, Output},
    metrics::{Metrics, Protocol},
    stream_config::StreamConfig,
    upload::{Upload, UploadOutput},
};
use self::{
    pool::{Class, Pool},
    upload::UploadTask,
};
use super::limits::Limits;

/// New streams are refused while admitted ones wait so long for a thread.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// What all streams share.
pub struct Engine {
    pool: Pool,
    /// Of live streams, and what it is configured with.
    live: Recognizer,
    live_config: RecognizerConfig,
    /// Of files.
    files: Recognizer,
    /// What formats text, as at the beginning of a stream; `None` where words stay as recognized.
    formatter: Option<TextFormatter>,
    live_places: Arc<Semaphore>,
    upload_places: Arc<Semaphore>,
    pub limits: Limits,
    pub metrics: Metrics,
}

/// A place among the streams, given back when it is dropped.
pub struct Admission {
    engine: Arc<Engine>,
    protocol: Protocol,
    _place: OwnedSemaphorePermit,
}

/// Why a stream is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// So many are served already.
    Full(usize, Protocol),
    /// The processor does not keep up with those that are served.
    Busy,
}

impl Engine {
    /// Starts the workers.
    ///
    /// # Errors
    ///
    /// The system has no thread to spare.
    pub fn new(
        (live, live_config): (Recognizer, RecognizerConfig),
        files: Recognizer,
        formatter: Option<TextFormatter>,
        limits: Limits,
    ) -> io::Result<Self> {
        Ok(Self {
            pool: Pool::new(limits.workers)?,
            live,
            live_config,
            files,
            formatter,
            live_places: Arc::new(Semaphore::new(limits.streams)),
            upload_places: Arc::new(Semaphore::new(limits.uploads)),
            limits,
            metrics: Metrics::new(),
        })
    }

    /// Gives a place to a stream, or refuses it at once.
    ///
    /// # Errors
    ///
    /// All places are taken, or the workers do not keep up.
    pub fn admit(self: &Arc<Self>, protocol: Protocol) -> Result<Admission, Refusal> {
        let admitted = self.place(protocol);
        if admitted.is_err() {
            self.metrics.refuse(protocol);
        }
        admitted
    }

    fn place(self: &Arc<Self>, protocol: Protocol) -> Result<Admission, Refusal> {
        let (places, count) = match protocol {
            Protocol::upload => (&self.upload_places, self.limits.uploads),
            Protocol::websocket | Protocol::wyoming => (&self.live_places, self.limits.streams),
        };
        if protocol != Protocol::upload && self.pool.wait() > BUSY_WAIT {
            return Err(Refusal::Busy);
        }
        let place = Arc::clone(places).try_acquire_owned();
        let place = place.map_err(|_| Refusal::Full(count, protocol))?;
        self.metrics.start(protocol);
        Ok(Admission { engine: Arc::clone(self), protocol, _place: place })
    }

    /// What formats a stream's text.
    fn formatter(&self, is_wanted: bool) -> Option<TextFormatter> {
        self.formatter.clone().filter(|_| is_wanted)
    }

    /// What recognizes a stream with these choices.
    fn live_recognizer(&self, config: &StreamConfig) -> Result<Recognizer, Failure> {
        if !config.has_decoding() {
            return Ok(self.live.clone());
        }
        let model = self.live.model();
        let config = config.configure(&self.live_config, model)?;
        Ok(Recognizer::with_config(model.clone(), config)?)
    }
}

impl Admission {
    /// Begins a live stream.
    pub fn stream(self, config: StreamConfig) -> LiveStream {
        LiveStream::new(self, config)
    }

    /// Recognizes a file.
    pub fn file(self, bytes: Vec<u8>, name: String, formatted: bool) -> Upload {
        UploadTask::start(self, bytes, name, formatted)
    }

    /// Counts what arrived.
    pub fn receive(&self, bytes: usize) {
        self.engine.metrics.receive(self.protocol, bytes);
    }

    fn fail(&self) {
        self.engine.metrics.fail(self.protocol);
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.engine.metrics.end(self.protocol);
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(count, Protocol::upload) => {
                write!(
                    f,
                    "the limit of files at the same time, {count}, is reached; try again later"
                )
            }
            Self::Full(count, _) => {
                write!(
                    f,
                    "the limit of streams at the same time, {count}, is reached; try again later"
                )
            }
            Self::Busy => write!(f, "the server's processor is busy; try again later"),
        }
    }
}
