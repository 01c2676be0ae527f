//! A session on a thread of its own: a source in, events out.
//!
//! ```text
//! Source → Session ─ events → Backlog → bounded channel → Listener::recv
//!              ↑ commands, checked by ListenerHandle
//! ```
//!
//! The worker looks for samples every 10 ms while there are none, but not before the next can have come; nothing
//! wakes it from the audio callback. Finals are computed on a thread of their own, so that this one goes on
//! draining the source. A reader that stalls costs neither samples nor finals nor memory.

mod backlog;
mod event;
mod handle;
mod metrics;
#[cfg(feature = "async")]
mod stream;
mod worker;

pub use event::ListenEvent;
pub use handle::ListenerHandle;
pub use metrics::ListenerMetrics;
#[cfg(feature = "async")]
pub use stream::ListenEventStream;

use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use crate::audio::Source;
use crate::error::Error;
use crate::session::recognizer::Recognizer;
use backlog::{Backlog, CHANNEL};
use handle::Shared;
use metrics::Gauges;
use worker::Worker;

/// How long dropping a listener waits for its thread.
const LONGEST_DROP: Duration = Duration::from_millis(500);
const DROP_POLL: Duration = Duration::from_millis(2);

/// Commands that wait at most.
const COMMANDS: usize = 64;

/// A recognizer that listens to a source on a thread of its own.
///
/// Events are fetched by [`Listener::recv`] and its relatives, or by iterating over `&listener`. All methods of
/// [`ListenerHandle`] can be called on it too.
///
/// Dropping it stops the thread, without the final of the utterance, and waits for it half a second at most,
/// so that a source that does not return holds up nobody. To get the last final call [`ListenerHandle::stop`] and
/// receive up to [`ListenEvent::Ended`].
#[derive(Debug)]
pub struct Listener {
    events: Receiver<ListenEvent>,
    handle: ListenerHandle,
    worker: Option<JoinHandle<()>>,
}

impl Listener {
    /// Starts to listen.
    ///
    /// A source whose rate can't be used, or a system without a thread to spare, is reported as
    /// [`ListenEvent::Failed`].
    pub fn spawn(recognizer: &Recognizer, source: impl Source + 'static) -> Self {
        let (event_sender, events) = bounded(CHANNEL);
        let (commands, command_receiver) = bounded(COMMANDS);
        let shared = Arc::new(Shared {
            recognizer: Mutex::new(recognizer.clone()),
            reader: Arc::default(),
            gauges: Gauges::default(),
        });
        let worker = Worker {
            recognizer: recognizer.clone(),
            source: Box::new(source),
            events: event_sender.clone(),
            commands: command_receiver,
            shared: Arc::clone(&shared),
        };
        let spawned =
            thread::Builder::new().name("mynah-listener".to_owned()).spawn(move || worker.run());
        let worker = spawned.map_err(|error| {
            let failed = Error::Config(format!("no thread to listen with: {error}"));
            let mut backlog = Backlog::new(event_sender, Arc::clone(&shared.reader));
            backlog.push(ListenEvent::Failed(failed));
            backlog.push(ListenEvent::Ended);
        });
        Self { events, handle: ListenerHandle { commands, shared }, worker: worker.ok() }
    }

    /// Waits for the next event. `None` after [`ListenEvent::Ended`].
    pub fn recv(&self) -> Option<ListenEvent> {
        self.events.recv().ok()
    }

    /// Waits for the next event no longer than `timeout`. `None` if none has come, and after
    /// [`ListenEvent::Ended`].
    pub fn recv_timeout(&self, timeout: Duration) -> Option<ListenEvent> {
        self.events.recv_timeout(timeout).ok()
    }

    /// The next event, if one is there.
    pub fn try_recv(&self) -> Option<ListenEvent> {
        self.events.try_recv().ok()
    }

    /// The events up to [`ListenEvent::Ended`], each waited for.
    pub fn iter(&self) -> ListenEvents<'_> {
        ListenEvents(self)
    }

    /// The events for an asynchronous program.
    #[cfg(feature = "async")]
    #[must_use]
    pub fn into_stream(self) -> ListenEventStream {
        ListenEventStream(self)
    }

    /// Controls the listener from another thread.
    #[must_use]
    pub fn handle(&self) -> ListenerHandle {
        self.handle.clone()
    }
}

impl Deref for Listener {
    type Target = ListenerHandle;

    fn deref(&self) -> &ListenerHandle {
        &self.handle
    }
}

impl<'a> IntoIterator for &'a Listener {
    type Item = ListenEvent;
    type IntoIter = ListenEvents<'a>;

    fn into_iter(self) -> ListenEvents<'a> {
        self.iter()
    }
}

/// The events of a [`Listener`] up to [`ListenEvent::Ended`]. Each call waits for the next one.
#[derive(Debug)]
pub struct ListenEvents<'a>(&'a Listener);

impl Iterator for ListenEvents<'_> {
    type Item = ListenEvent;

    fn next(&mut self) -> Option<ListenEvent> {
        self.0.recv()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.handle.shared.reader.is_dropped.store(true, Ordering::Relaxed);
        let Some(worker) = self.worker.take() else { return };
        let began = Instant::now();
        while !worker.is_finished() {
            if began.elapsed() > LONGEST_DROP {
                log::warn!("the source does not return; its thread is left to itself");
                return;
            }
            thread::sleep(DROP_POLL);
        }
        let _ = worker.join();
    }
}
