//! A device that may go away and come back.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use mynah::{
    Error, Result,
    audio::{BootInstant, ReadOutcome, Resampler, Source},
};

use crate::meter::Meter;

/// The time between two attempts: at first, and at most.
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(8);

/// So much lost audio ends the utterance; see `Stream::skip`.
const FIRST_GAP: Duration = Duration::from_millis(250);

/// Opens the device anew.
pub type Open = Arc<dyn Fn() -> Result<Box<dyn Source>> + Send + Sync>;

/// A source that waits for its device when that goes away. What was not recorded is a gap.
pub struct ReconnectingSource {
    open: Open,
    meter: Arc<Meter>,
    sample_rate: u32,
    state: State,
    delay: Duration,
    /// When samples last came.
    arrived: BootInstant,
}

enum State {
    Connected(Connection),
    Disconnected(Outage),
}

struct Connection {
    source: Box<dyn Source>,
    /// From the rate of a device that came back with another.
    resampler: Option<Box<Resampler>>,
    resampled: Vec<f32>,
}

struct Outage {
    /// Up to when the clock has been moved.
    since: BootInstant,
    has_reported: bool,
    next: Instant,
    /// An attempt under way.
    opening: Option<Receiver<Result<Box<dyn Source>>>>,
}

impl ReconnectingSource {
    /// Opens the device.
    ///
    /// # Errors
    ///
    /// It can't be opened: only a device that was there is waited for.
    pub fn new(open: Open, meter: &Arc<Meter>) -> Result<Self> {
        let source = open()?;
        let sample_rate = source.sample_rate();
        let connection = Connection { source, resampler: None, resampled: Vec::new() };
        let (meter, delay, arrived) = (Arc::clone(meter), FIRST_DELAY, BootInstant::now());
        Ok(Self { open, meter, sample_rate, state: State::Connected(connection), delay, arrived })
    }

    fn disconnect(&mut self, error: &Error) {
        log::warn!("{error}; waiting for it");
        self.meter.set_disconnected(true);
        let (since, next) = (self.arrived, Instant::now() + self.delay);
        self.state =
            State::Disconnected(Outage { since, has_reported: false, next, opening: None });
    }

    fn connect(&mut self, source: Box<dyn Source>) -> Result<()> {
        let rate = source.sample_rate();
        let resampler = (rate != self.sample_rate).then(|| Resampler::new(rate, self.sample_rate));
        let resampler = resampler.transpose()?.map(Box::new);
        log::warn!("the microphone is back");
        self.meter.set_disconnected(false);
        // The outage up to here has been reported.
        self.arrived = BootInstant::now();
        self.state = State::Connected(Connection { source, resampler, resampled: Vec::new() });
        Ok(())
    }

    /// Moves the clock and tries to open the device, when it is time for that.
    fn wait(&mut self) -> Result<ReadOutcome> {
        let State::Disconnected(outage) = &mut self.state else {
            return Ok(ReadOutcome::Samples(0));
        };
        if !outage.has_reported && outage.since.elapsed() >= FIRST_GAP {
            outage.has_reported = true;
            return Ok(outage.gap(self.sample_rate));
        }
        let Some(opening) = &outage.opening else {
            if Instant::now() >= outage.next {
                outage.opening = Some(attempt(&self.open));
            }
            return Ok(ReadOutcome::Samples(0));
        };
        match opening.try_recv() {
            Err(TryRecvError::Empty) => Ok(ReadOutcome::Samples(0)),
            Ok(Ok(source)) => {
                let gap = outage.gap(self.sample_rate);
                self.connect(source)?;
                Ok(gap)
            }
            Ok(Err(error)) => {
                log::debug!("{error}; another attempt in {:?}", self.delay);
                self.try_later();
                Ok(ReadOutcome::Samples(0))
            }
            Err(TryRecvError::Disconnected) => {
                self.try_later();
                Ok(ReadOutcome::Samples(0))
            }
        }
    }

    fn try_later(&mut self) {
        if let State::Disconnected(outage) = &mut self.state {
            outage.opening = None;
            outage.next = Instant::now() + self.delay;
            self.delay = (self.delay * 2).min(LONGEST_DELAY);
        }
    }
}

impl Outage {
    /// What was not recorded since the clock was last moved.
    fn gap(&mut self, sample_rate: u32) -> ReadOutcome {
        let now = BootInstant::now();
        let lost = now.saturating_duration_since(std::mem::replace(&mut self.since, now));
        ReadOutcome::Gap((lost.as_secs_f64() * f64::from(sample_rate)).round() as u64)
    }
}

/// Opens the device on a thread of its own: a sound server that has ended may hold it up.
fn attempt(open: &Open) -> Receiver<Result<Box<dyn Source>>> {
    let (sender, opened) = bounded(1);
    let open = Arc::clone(open);
    let attempt = move || {
        // Without a receiver nobody waits any more.
        let _ = sender.send(open());
    };
    // Without a thread to spare the receiver is disconnected, which is an attempt that failed.
    let _ = thread::Builder::new().name("mynah-reconnect".to_owned()).spawn(attempt);
    opened
}

impl Connection {
    /// Reads samples at the rate `to`.
    fn read(&mut self, buffer: &mut [f32], to: u32) -> Result<ReadOutcome> {
        let Some(resampler) = &mut self.resampler else { return self.source.read(buffer) };
        // The resampler gives whole blocks.
        while self.resampled.is_empty() {
            match self.source.read(buffer)? {
                ReadOutcome::Samples(0) => return Ok(ReadOutcome::Samples(0)),
                ReadOutcome::Samples(count) => {
                    resampler.process(&buffer[..count], &mut self.resampled)
                }
                ReadOutcome::Gap(lost) => {
                    let from = u64::from(self.source.sample_rate().max(1));
                    return Ok(ReadOutcome::Gap(lost.saturating_mul(u64::from(to)) / from));
                }
                ReadOutcome::End => return Ok(ReadOutcome::End),
            }
        }
        let count = self.resampled.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.resampled[..count]);
        self.resampled.drain(..count);
        Ok(ReadOutcome::Samples(count))
    }

    /// The samples that wait, at the rate `to`.
    fn waiting(&self, to: u32) -> usize {
        let waiting = self.source.buffered_samples();
        if self.resampler.is_none() {
            return waiting;
        }
        let from = u64::from(self.source.sample_rate().max(1));
        self.resampled.len() + (waiting as u64 * u64::from(to) / from) as usize
    }
}

impl Source for ReconnectingSource {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn buffered_samples(&self) -> usize {
        match &self.state {
            State::Connected(connection) => connection.waiting(self.sample_rate),
            State::Disconnected(_) => 0,
        }
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        let State::Connected(connection) = &mut self.state else { return self.wait() };
        match connection.read(buffer, self.sample_rate) {
            Err(error @ Error::Device(_)) => {
                self.disconnect(&error);
                Ok(ReadOutcome::Samples(0))
            }
            Ok(read) => {
                if matches!(read, ReadOutcome::Samples(count) if count > 0) {
                    (self.delay, self.arrived) = (FIRST_DELAY, BootInstant::now());
                }
                Ok(read)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Gives one buffer and then fails.
    struct Unplugged {
        rate: u32,
        reads: usize,
    }

    impl Source for Unplugged {
        fn sample_rate(&self) -> u32 {
            self.rate
        }

        fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
            self.reads += 1;
            buffer.fill(0.5);
            match self.reads {
                1 => Ok(ReadOutcome::Samples(100)),
                _ => Err(Error::Device("the microphone has gone".to_owned())),
            }
        }
    }

    #[test]
    fn a_device_that_comes_back_goes_on_after_a_gap() {
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let open: Open = Arc::new(move || match count.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(Box::new(Unplugged { rate: 8_000, reads: 0 })),
            1 => Err(Error::Device("there is no microphone".to_owned())),
            _ => Ok(Box::new(Unplugged { rate: 16_000, reads: 0 })),
        });
        let meter = Arc::new(Meter::default());
        let mut source = ReconnectingSource::new(open, &meter).unwrap();
        let (mut reads, mut outages) = (Vec::new(), 0);
        let began = Instant::now();
        while outages < 2 && began.elapsed() < Duration::from_secs(20) {
            let was = meter.is_disconnected();
            match source.read(&mut [0.0; 100]).unwrap() {
                ReadOutcome::Samples(0) => thread::sleep(Duration::from_millis(5)),
                read => reads.push(read),
            }
            outages += usize::from(!was && meter.is_disconnected());
        }
        assert_eq!(outages, 2, "{reads:?}");
        assert_eq!((source.sample_rate(), opened.load(Ordering::Relaxed)), (8_000, 3));
        assert_eq!(reads[0], ReadOutcome::Samples(100));
        let lost = |read: &ReadOutcome| if let ReadOutcome::Gap(lost) = read { *lost } else { 0 };
        assert!(lost(&reads[1]) >= 2_000, "{reads:?}");
        // Two delays of half a second, and the second device's samples at the first one's rate.
        assert!(reads.iter().map(lost).sum::<u64>() >= 8_000, "{reads:?}");
    }

    #[test]
    fn a_device_that_was_never_there_is_an_error() {
        let open: Open = Arc::new(|| Err(Error::Device("there is no microphone".to_owned())));
        assert!(ReconnectingSource::new(open, &Arc::default()).is_err());
    }
}
