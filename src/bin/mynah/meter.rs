//! What arrives from a source, for those who watch: level, silence and position.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mynah::{
    Result,
    audio::{ReadOutcome, Source},
};

/// The time between two reads that counts as waiting at most: a stopped process has not waited.
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// What a [`MeteredSource`] publishes. Levels are amplitudes from 0 to 1.
#[derive(Debug, Default)]
pub struct Meter {
    sample_rate: AtomicU32,
    /// The bits of the largest amplitude since it was last taken.
    peak: AtomicU32,
    /// Samples so far, lost ones included.
    samples: AtomicU64,
    /// Samples up to now that are all zero.
    zeros: AtomicU64,
    /// Samples that have arrived and were not read.
    backlog: AtomicUsize,
    /// For how long nothing has arrived, in microseconds.
    idle: AtomicU64,
    disconnected: AtomicBool,
}

impl Meter {
    /// The largest amplitude since the last call.
    pub fn take_peak(&self) -> f32 {
        f32::from_bits(self.peak.swap(0, Ordering::Relaxed))
    }

    /// How much audio has been read, lost samples included.
    pub fn position(&self) -> Duration {
        self.time_of(self.samples.load(Ordering::Relaxed))
    }

    /// For how long there have been only zeros.
    pub fn zeros(&self) -> Duration {
        self.time_of(self.zeros.load(Ordering::Relaxed))
    }

    /// How much audio has arrived and waits to be read.
    pub fn backlog(&self) -> Duration {
        self.time_of(self.backlog.load(Ordering::Relaxed) as u64)
    }

    /// For how long nothing has arrived.
    pub fn idle(&self) -> Duration {
        Duration::from_micros(self.idle.load(Ordering::Relaxed))
    }

    /// Whether the device has gone and is waited for.
    pub fn is_disconnected(&self) -> bool {
        self.disconnected.load(Ordering::Relaxed)
    }

    /// Notes whether the device has gone and is waited for.
    #[cfg(feature = "mic")]
    pub fn set_disconnected(&self, disconnected: bool) {
        self.disconnected.store(disconnected, Ordering::Relaxed);
    }

    fn time_of(&self, samples: u64) -> Duration {
        let rate = self.sample_rate.load(Ordering::Relaxed).max(1);
        Duration::from_secs_f64(samples as f64 / f64::from(rate))
    }

    fn accept(&self, samples: &[f32]) {
        let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        // Amplitudes are not negative, and such floats are ordered as their bits are.
        self.peak.fetch_max(peak.to_bits(), Ordering::Relaxed);
        self.samples.fetch_add(samples.len() as u64, Ordering::Relaxed);
        let zeros = samples.iter().rev().take_while(|sample| **sample == 0.0).count();
        let before = if zeros < samples.len() { 0 } else { self.zeros.load(Ordering::Relaxed) };
        self.zeros.store(before + zeros as u64, Ordering::Relaxed);
    }
}

/// A source that publishes what it gives.
pub struct MeteredSource<S> {
    source: S,
    meter: Arc<Meter>,
    read_at: Instant,
    idle: Duration,
}

impl<S: Source> MeteredSource<S> {
    pub fn new(source: S, meter: &Arc<Meter>) -> Self {
        meter.sample_rate.store(source.sample_rate(), Ordering::Relaxed);
        Self { source, meter: Arc::clone(meter), read_at: Instant::now(), idle: Duration::ZERO }
    }

    /// Counts the time since the last read as idle, unless something came.
    fn note_arrival(&mut self, arrived: bool) {
        let now = Instant::now();
        self.idle += now.duration_since(self.read_at).min(LONGEST_WAIT);
        self.read_at = now;
        if arrived {
            self.idle = Duration::ZERO;
        }
        self.meter.idle.store(self.idle.as_micros() as u64, Ordering::Relaxed);
        self.meter.backlog.store(self.source.buffered_samples(), Ordering::Relaxed);
    }
}

impl<S: Source> Source for MeteredSource<S> {
    fn sample_rate(&self) -> u32 {
        self.source.sample_rate()
    }

    fn len_samples(&self) -> Option<u64> {
        self.source.len_samples()
    }

    fn buffered_samples(&self) -> usize {
        self.source.buffered_samples()
    }

    fn is_live(&self) -> bool {
        self.source.is_live()
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        let read = self.source.read(buffer)?;
        match read {
            ReadOutcome::Samples(count) => self.meter.accept(&buffer[..count]),
            ReadOutcome::Gap(lost) => {
                self.meter.samples.fetch_add(lost, Ordering::Relaxed);
            }
            ReadOutcome::End => {}
        }
        self.note_arrival(read != ReadOutcome::Samples(0));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives these reads.
    struct Script(std::vec::IntoIter<(ReadOutcome, f32)>);

    impl Source for Script {
        fn sample_rate(&self) -> u32 {
            1_000
        }

        fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
            let (read, value) = self.0.next().unwrap_or((ReadOutcome::End, 0.0));
            buffer.fill(value);
            Ok(read)
        }
    }

    #[test]
    fn level_position_and_silence_are_published() {
        let meter = Arc::new(Meter::default());
        let reads = vec![
            (ReadOutcome::Samples(100), -0.5),
            (ReadOutcome::Samples(200), 0.0),
            (ReadOutcome::Gap(700), 0.0),
            (ReadOutcome::Samples(300), 0.0),
            (ReadOutcome::Samples(1), 0.25),
        ];
        let mut source = MeteredSource::new(Script(reads.into_iter()), &meter);
        let mut read = || source.read(&mut [9.0; 500]).unwrap();
        read();
        assert_eq!((meter.take_peak(), meter.take_peak()), (0.5, 0.0));
        (0..3).for_each(|_| {
            read();
        });
        assert_eq!(meter.position(), Duration::from_millis(1_300));
        assert_eq!(meter.zeros(), Duration::from_millis(500));
        read();
        assert_eq!((meter.zeros(), meter.take_peak()), (Duration::ZERO, 0.25));
        assert!(meter.idle() < Duration::from_secs(1) && !meter.is_disconnected());
    }
}
