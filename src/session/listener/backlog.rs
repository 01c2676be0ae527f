//! Events on their way to a reader that may stall, in bounded memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender, TrySendError};

use super::event::ListenEvent;
use crate::session::event::Event;

/// Events that wait in the channel.
pub(super) const CHANNEL: usize = 64;

/// What the sending end and the reader share besides the channel.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub is_dropped: AtomicBool,
    /// Of the task that waits for an event.
    #[cfg(feature = "async")]
    pub waker: atomic_waker::AtomicWaker,
}

impl Reader {
    /// Wakes the task that waits for an event.
    pub fn wake(&self) {
        #[cfg(feature = "async")]
        self.waker.wake();
    }
}

/// The sending end of a bounded channel, and what does not fit into it.
///
/// A partial replaces an older one of its utterance that nobody fetched, a final replaces the partials of its
/// utterance, and gaps in a row become one. Finals are never dropped.
pub(super) struct Backlog {
    channel: Sender<ListenEvent>,
    waiting: VecDeque<ListenEvent>,
    reader: Arc<Reader>,
}

impl Backlog {
    pub fn new(channel: Sender<ListenEvent>, reader: Arc<Reader>) -> Self {
        Self { channel, waiting: VecDeque::new(), reader }
    }

    /// Sends an event, or keeps it until there is room.
    pub fn push(&mut self, event: ListenEvent) {
        self.replace_older(&event);
        match (self.waiting.back_mut(), event) {
            (Some(ListenEvent::Gap { samples, .. }), ListenEvent::Gap { samples: more, .. }) => {
                *samples = samples.saturating_add(more)
            }
            (_, event) => self.waiting.push_back(event),
        }
        self.send_waiting();
    }

    /// Sends what there is room for.
    pub fn send_waiting(&mut self) {
        while let Some(event) = self.waiting.pop_front() {
            match self.channel.try_send(event) {
                Ok(()) => self.reader.wake(),
                Err(TrySendError::Full(event)) => return self.waiting.push_front(event),
                // The listener is being dropped.
                Err(TrySendError::Disconnected(_)) => return self.waiting.clear(),
            }
        }
    }

    /// Sends what waits as the reader makes room, unless the listener is dropped.
    pub fn send_all(&mut self) {
        /// How long to wait for room before looking whether the reader still exists.
        const WAIT: Duration = Duration::from_millis(50);
        while let Some(mut event) = self.waiting.pop_front() {
            loop {
                if self.reader.is_dropped.load(Ordering::Relaxed) {
                    return self.waiting.clear();
                }
                match self.channel.send_timeout(event, WAIT) {
                    Ok(()) => {
                        self.reader.wake();
                        break;
                    }
                    Err(SendTimeoutError::Timeout(back)) => event = back,
                    Err(SendTimeoutError::Disconnected(_)) => return self.waiting.clear(),
                }
            }
        }
    }

    /// Removes the waiting partials that an event makes needless.
    fn replace_older(&mut self, event: &ListenEvent) {
        let ListenEvent::Recognized { event, .. } = event else { return };
        let newer = event.utterance();
        self.waiting.retain(|waiting| match waiting {
            ListenEvent::Recognized { event: Event::Partial { utterance, .. }, .. } => {
                *utterance != newer
            }
            _ => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use crossbeam_channel::{Receiver, bounded};

    use super::*;
    use crate::decode::Hypothesis;
    use crate::finalize::Pass;

    fn recognized(event: Event) -> ListenEvent {
        ListenEvent::Recognized {
            event,
            audio_position: Duration::ZERO,
            emitted_at: Instant::now(),
        }
    }

    fn partial(utterance: u64, text: &str) -> ListenEvent {
        let hypothesis = Hypothesis { text: text.to_owned(), ..Hypothesis::default() };
        recognized(Event::Partial { utterance, hypothesis })
    }

    fn last(utterance: u64) -> ListenEvent {
        let hypothesis = Hypothesis { text: "FINAL".to_owned(), ..Hypothesis::default() };
        recognized(Event::Final { utterance, hypothesis, pass: Pass::First })
    }

    fn texts(events: &Receiver<ListenEvent>) -> Vec<(u64, String)> {
        let text = |event: ListenEvent| match event {
            ListenEvent::Recognized { event, .. } => {
                Some((event.utterance(), event.hypothesis().text.clone()))
            }
            _ => None,
        };
        events.try_iter().filter_map(text).collect()
    }

    #[test]
    fn the_newest_partial_replaces_those_that_nobody_fetched() {
        let (sender, events) = bounded(1);
        let mut backlog = Backlog::new(sender, Arc::default());
        for text in ["A", "A B", "A B C"] {
            backlog.push(partial(0, text));
        }
        assert_eq!(backlog.waiting.len(), 1);
        assert_eq!(texts(&events), [(0, "A".to_owned())]);
        backlog.send_waiting();
        assert_eq!(texts(&events), [(0, "A B C".to_owned())]);
    }

    #[test]
    fn finals_stay_and_replace_the_partials_of_their_utterance_alone() {
        let (sender, events) = bounded(1);
        let mut backlog = Backlog::new(sender, Arc::default());
        backlog.push(ListenEvent::Ended);
        backlog.push(partial(0, "A"));
        backlog.push(partial(1, "B"));
        for utterance in 0..3 {
            backlog.push(last(utterance));
        }
        assert_eq!(backlog.waiting.len(), 3);
        drop(events.try_recv());
        let reader = std::thread::spawn(move || {
            let events: Vec<_> = events.iter().collect();
            events.len()
        });
        backlog.send_all();
        drop(backlog);
        assert_eq!(reader.join().unwrap(), 3);
    }

    #[test]
    fn gaps_in_a_row_become_one() {
        let (sender, events) = bounded(1);
        let mut backlog = Backlog::new(sender, Arc::default());
        for samples in 1..=4 {
            backlog.push(ListenEvent::Gap { samples, at: Duration::from_secs(samples) });
        }
        drop(events.try_recv());
        backlog.send_waiting();
        let Ok(ListenEvent::Gap { samples: 9, at }) = events.try_recv() else { panic!() };
        assert_eq!(at, Duration::from_secs(2));
    }

    #[test]
    fn a_stalled_reader_that_is_dropped_holds_up_nobody() {
        let (sender, events) = bounded(1);
        let reader = Arc::new(Reader::default());
        let mut backlog = Backlog::new(sender, Arc::clone(&reader));
        (0..3).for_each(|utterance| backlog.push(last(utterance)));
        reader.is_dropped.store(true, Ordering::Relaxed);
        backlog.send_all();
        assert!(backlog.waiting.is_empty());
        drop(events);
        backlog.push(last(3));
        assert!(backlog.waiting.is_empty());
    }
}
