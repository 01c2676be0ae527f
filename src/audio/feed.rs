//! A source whose samples the program pushes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::audio::{ReadOutcome, Source};
use crate::error::Result;

/// A queue of samples on their way into a [`Session`](crate::session::Session). Its clones are the same queue.
///
/// A read of an empty queue gives [`ReadOutcome::Samples`] of zero; it never ends and never waits. The queue grows until
/// it is read.
///
/// ```no_run
/// use mynah::audio::Feed;
/// use mynah::{Recognizer, Session, Step};
///
/// let feed = Feed::new(44_100);
/// let mut session = Session::new(&Recognizer::builtin()?, feed.clone())?;
/// feed.push([0.0; 441]);
/// while session.advance()? != Step::Idle {}
/// # Ok::<(), mynah::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Feed {
    rate: u32,
    queue: Arc<Mutex<Queue>>,
}

/// What has been given and not been read yet.
#[derive(Debug, Default)]
struct Queue {
    /// Samples lost before the others.
    lost: u64,
    samples: VecDeque<f32>,
}

impl Feed {
    /// An empty queue of samples at `rate` per second.
    #[must_use]
    pub fn new(rate: u32) -> Self {
        Self { rate, queue: Arc::default() }
    }

    /// Appends mono samples in `[-1, 1]`. What is not finite is refused when it is recognized.
    pub fn push(&self, samples: impl IntoIterator<Item = f32>) {
        self.queue().samples.extend(samples);
    }

    /// Reports samples that were lost before those to come.
    pub fn lose(&self, samples: u64) {
        let mut queue = self.queue();
        queue.lost = queue.lost.saturating_add(samples);
    }

    /// Removes what has been pushed and not been read, and lost samples with it.
    pub fn clear(&self) {
        *self.queue() = Queue::default();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Feed {
    fn sample_rate(&self) -> u32 {
        self.rate
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        let mut queue = self.queue();
        if queue.lost > 0 {
            return Ok(ReadOutcome::Gap(std::mem::take(&mut queue.lost)));
        }
        let count = queue.samples.len().min(buffer.len());
        for (place, sample) in buffer.iter_mut().zip(queue.samples.drain(..count)) {
            *place = sample;
        }
        Ok(ReadOutcome::Samples(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_read_in_order_after_what_was_lost() {
        let feed = Feed::new(8_000);
        feed.push([0.1, 0.2, 0.3]);
        feed.lose(5);
        feed.lose(2);
        let (mut source, mut buffer) = (feed.clone(), [0.0; 2]);
        assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::Gap(7));
        assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::Samples(2));
        assert_eq!(buffer, [0.1, 0.2]);
        feed.push([0.4]);
        assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::Samples(2));
        assert_eq!(buffer, [0.3, 0.4]);
        assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::Samples(0));
        feed.lose(1);
        feed.push([0.5]);
        feed.clear();
        assert_eq!(source.read(&mut buffer).unwrap(), ReadOutcome::Samples(0));
    }
}
