//! What clients may take of the machine.

use std::{thread::available_parallelism, time::Duration};

use super::args::LimitArgs;

/// Live streams that a worker serves, unless told otherwise. Where they are too many for the processor,
/// streams are refused before that.
const STREAMS_PER_WORKER: usize = 12;
const UPLOADS_PER_WORKER: usize = 2;
/// Bytes per second of the audio that waits, as 16-bit samples at 16 kHz.
const BYTES_PER_SECOND: f64 = 32_000.0;

/// The limits in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub workers: usize,
    pub streams: usize,
    pub uploads: usize,
    /// Audio of a stream or a file.
    pub audio: Duration,
    /// Bytes of a stream's audio that wait for a worker.
    pub queue_bytes: usize,
    /// From a stream's beginning to its end.
    pub time: Duration,
    pub idle: Duration,
    pub message_bytes: usize,
    pub upload_bytes: usize,
    pub shutdown: Duration,
}

impl From<&LimitArgs> for Limits {
    fn from(args: &LimitArgs) -> Self {
        let cores = || available_parallelism().map_or(1, usize::from);
        let workers = args.workers.map_or_else(cores, usize::from);
        let queue_bytes = (args.max_queue.as_secs_f64() * BYTES_PER_SECOND) as usize;
        Self {
            workers,
            streams: args.max_streams.map_or(workers * STREAMS_PER_WORKER, usize::from),
            uploads: args.max_uploads.map_or(workers * UPLOADS_PER_WORKER, usize::from),
            audio: args.max_audio,
            queue_bytes: queue_bytes.clamp(1 << 12, 1 << 28),
            time: args.max_time,
            idle: args.max_idle,
            message_bytes: args.max_message as usize,
            upload_bytes: args.max_upload as usize,
            shutdown: args.shutdown_time,
        }
    }
}
