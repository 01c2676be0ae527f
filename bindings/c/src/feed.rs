//! The source of a stream whose samples come from C.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mynah::audio::{ReadOutcome, Source};

/// Samples on their way into a session. Its clones are the same queue.
#[derive(Clone)]
pub struct Feed {
    rate: u32,
    queue: Arc<Mutex<Queue>>,
}

/// What has been given and not been read yet.
#[derive(Default)]
struct Queue {
    /// Samples lost before the others.
    lost: u64,
    samples: Vec<f32>,
    /// The samples of these that have been read.
    read: usize,
}

impl Feed {
    /// `rate`: samples per second.
    pub fn new(rate: u32) -> Self {
        Self { rate, queue: Arc::default() }
    }

    pub fn push(&self, samples: impl IntoIterator<Item = f32>) {
        self.queue().samples.extend(samples);
    }

    /// Reports samples that were lost before those to come.
    pub fn lose(&self, samples: u64) {
        let mut queue = self.queue();
        queue.lost = queue.lost.saturating_add(samples);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Feed {
    fn sample_rate(&self) -> u32 {
        self.rate
    }

    fn read(&mut self, buffer: &mut [f32]) -> mynah::Result<ReadOutcome> {
        let mut queue = self.queue();
        if queue.lost > 0 {
            return Ok(ReadOutcome::Gap(std::mem::take(&mut queue.lost)));
        }
        let waiting = queue.samples.get(queue.read..).unwrap_or_default();
        let count = waiting.len().min(buffer.len());
        buffer[..count].copy_from_slice(&waiting[..count]);
        queue.read += count;
        if queue.read == queue.samples.len() {
            queue.samples.clear();
            queue.read = 0;
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
    }
}
