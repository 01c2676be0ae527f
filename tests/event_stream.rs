//! A listener's events as a stream of futures, by an executor of ten lines.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod golden;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_core::Stream;
use golden::{Signal, random_model};
use mynah::audio::capture_ring;
use mynah::{ListenEvent, Listener, Recognizer};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread, which sleeps until it is woken; a wake-up that is lost fails the test.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let asleep = std::time::Instant::now();
        thread::park_timeout(Duration::from_secs(60));
        assert!(asleep.elapsed() < Duration::from_secs(60), "nobody woke the task");
    }
}

#[test]
fn a_task_is_woken_by_each_event_and_by_the_end() {
    let recognizer = Recognizer::new(random_model()).unwrap();
    let (mut sink, source) = capture_ring(16_000, 1, 16_000 * 30);
    let mut events = Listener::spawn(&recognizer, source).into_stream();
    let control = events.clone();
    let speaker = thread::spawn(move || {
        for signal in Signal::load_all() {
            thread::sleep(Duration::from_millis(50));
            sink.push_interleaved(&signal.samples());
        }
        thread::sleep(Duration::from_millis(50));
        control.stop().unwrap();
    });
    let mut received = Vec::new();
    while let Some(event) = block_on(poll_fn(|context| Pin::new(&mut events).poll_next(context))) {
        received.push(event);
    }
    speaker.join().unwrap();
    assert!(matches!(received.last(), Some(ListenEvent::Ended)), "{received:?}");
    let is_final = |event: &ListenEvent| matches!(event, ListenEvent::Recognized { event, .. } if event.is_final());
    assert!(received.iter().any(is_final), "{received:?}");
}
