//! A listener's events for asynchronous programs.

use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use crossbeam_channel::TryRecvError;

use super::{ListenEvent, Listener, ListenerHandle};

/// The events of a [`Listener`] as a stream of futures, which ends after [`ListenEvent::Ended`]. Dropping it drops
/// the listener.
///
/// It needs no particular executor: the listener's thread wakes the task.
#[derive(Debug)]
pub struct ListenEventStream(pub(super) Listener);

impl futures_core::Stream for ListenEventStream {
    type Item = ListenEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ListenEvent>> {
        let listener = &self.0;
        if let Ok(event) = listener.events.try_recv() {
            return Poll::Ready(Some(event));
        }
        listener.handle.shared.reader.waker.register(context.waker());
        // One that came before the waker was registered has woken nobody.
        match listener.events.try_recv() {
            Ok(event) => Poll::Ready(Some(event)),
            Err(TryRecvError::Empty) => Poll::Pending,
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
        }
    }
}

impl Deref for ListenEventStream {
    type Target = ListenerHandle;

    fn deref(&self) -> &ListenerHandle {
        &self.0
    }
}
