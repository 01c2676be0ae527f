//! Any source played in real time through the capture ring: a microphone without a device.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::ring::{CaptureSink, CaptureSource, capture_ring};
use super::{ReadOutcome, Source};
use crate::error::{Error, Result};

/// Device buffers per second: 10 ms each, as sound cards deliver them.
const BUFFERS_PER_SECOND: u32 = 100;

/// Device buffers that the ring holds: two seconds.
const RING_BUFFERS: u32 = 2 * BUFFERS_PER_SECOND;

/// Plays a source at the pace of real time, in device buffers of 10 ms, from its own thread.
///
/// What reads from here has the conditions of a microphone: samples come when they come, and who
/// is more than two seconds late loses the newest ones and learns so from a [`ReadOutcome::Gap`].
/// Playing starts at once; dropping it stops the thread.
pub struct RealtimeSource {
    captured: CaptureSource,
    len_samples: Option<u64>,
    stop: Arc<AtomicBool>,
    player: Option<JoinHandle<Result<()>>>,
}

impl RealtimeSource {
    /// Starts to play `source`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the system gives no thread.
    pub fn new(source: impl Source + 'static) -> Result<Self> {
        let sample_rate = source.sample_rate();
        let len_samples = source.len_samples();
        let buffer_samples = (sample_rate / BUFFERS_PER_SECOND).max(1);
        let capacity = buffer_samples as usize * RING_BUFFERS as usize;
        let (sink, captured) = capture_ring(sample_rate, 1, capacity);
        let stop = Arc::new(AtomicBool::new(false));
        let player = Player {
            source,
            sink,
            buffer: vec![0.0; buffer_samples as usize],
            sample_rate,
            stop: Arc::clone(&stop),
        };
        let player = thread::Builder::new()
            .name("mynah-player".to_owned())
            .spawn(move || player.run())
            .map_err(|e| Error::Config(format!("no thread to play a source with: {e}")))?;
        Ok(Self { captured, len_samples, stop, player: Some(player) })
    }
}

impl Source for RealtimeSource {
    fn sample_rate(&self) -> u32 {
        self.captured.sample_rate()
    }

    fn len_samples(&self) -> Option<u64> {
        self.len_samples
    }

    fn buffered_samples(&self) -> usize {
        self.captured.buffered_samples()
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        let read = self.captured.read(buffer)?;
        if read == ReadOutcome::End
            && let Some(Ok(Err(e))) = self.player.take().map(JoinHandle::join)
        {
            return Err(e);
        }
        Ok(read)
    }
}

impl Drop for RealtimeSource {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(player) = self.player.take() {
            // What became of the source interests nobody any more.
            let _ = player.join();
        }
    }
}

/// The thread's side.
struct Player<S> {
    source: S,
    sink: CaptureSink,
    buffer: Vec<f32>,
    sample_rate: u32,
    stop: Arc<AtomicBool>,
}

impl<S: Source> Player<S> {
    fn run(mut self) -> Result<()> {
        let start = Instant::now();
        let mut played = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let (samples, gap, ended) = self.fill()?;
            played += samples as u64 + gap;
            // A device hands a buffer over once its last sample was captured.
            self.wait_until(start + duration_of(played, self.sample_rate));
            self.sink.push_interleaved(&self.buffer[..samples]);
            self.sink.lose(gap);
            if ended {
                break;
            }
            if samples == 0 && gap == 0 {
                thread::sleep(Duration::from_secs(1) / BUFFERS_PER_SECOND);
            }
        }
        Ok(())
    }

    /// Reads one device buffer, or less before a gap, the end, or what has not arrived yet.
    fn fill(&mut self) -> Result<(usize, u64, bool)> {
        let mut filled = 0;
        while filled < self.buffer.len() {
            match self.source.read(&mut self.buffer[filled..]) {
                Ok(ReadOutcome::Samples(0)) => break,
                Ok(ReadOutcome::Samples(n)) => filled += n,
                Ok(ReadOutcome::Gap(lost)) => return Ok((filled, lost, false)),
                Ok(ReadOutcome::End) => return Ok((filled, 0, true)),
                Err(e) => {
                    self.sink.push_interleaved(&self.buffer[..filled]);
                    return Err(e);
                }
            }
        }
        Ok((filled, 0, false))
    }

    fn wait_until(&self, due: Instant) {
        const NAP: Duration = Duration::from_millis(100);
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stop.load(Ordering::Relaxed) {
                return;
            }
            thread::sleep(left.min(NAP));
        }
    }
}

fn duration_of(samples: u64, sample_rate: u32) -> Duration {
    let nanos = u128::from(samples) * 1_000_000_000 / u128::from(sample_rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a script, one entry per read.
    struct Script(std::vec::IntoIter<Result<ReadOutcome>>);

    impl Script {
        fn new(script: Vec<Result<ReadOutcome>>) -> Self {
            Self(script.into_iter())
        }
    }

    impl Source for Script {
        fn sample_rate(&self) -> u32 {
            8_000
        }

        fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
            buffer.fill(0.5);
            self.0.next().unwrap_or(Ok(ReadOutcome::End))
        }
    }

    /// What the source gave until its end or error, silence between reads left out.
    fn collect(source: &mut RealtimeSource) -> (Vec<ReadOutcome>, Option<Error>) {
        let mut reads = Vec::new();
        let mut buffer = [0.0; 4_096];
        loop {
            match source.read(&mut buffer) {
                Ok(ReadOutcome::Samples(0)) => thread::sleep(Duration::from_millis(1)),
                Ok(ReadOutcome::Samples(n)) => match reads.last_mut() {
                    Some(ReadOutcome::Samples(all)) => *all += n,
                    _ => reads.push(ReadOutcome::Samples(n)),
                },
                Ok(read) => {
                    reads.push(read);
                    if read == ReadOutcome::End {
                        return (reads, None);
                    }
                }
                Err(e) => return (reads, Some(e)),
            }
        }
    }

    #[test]
    fn a_source_plays_in_its_own_time_and_completely() {
        let start = Instant::now();
        let script =
            (0..25).map(|_| Ok(ReadOutcome::Samples(80))).chain([Ok(ReadOutcome::Samples(7))]);
        let mut source = RealtimeSource::new(Script::new(script.collect())).unwrap();
        let (reads, error) = collect(&mut source);
        assert!(error.is_none());
        assert_eq!(reads, [ReadOutcome::Samples(2_007), ReadOutcome::End]);
        assert!(start.elapsed() >= Duration::from_millis(250), "{:?}", start.elapsed());
        assert_eq!(source.read(&mut [0.0; 8]).unwrap(), ReadOutcome::End);
    }

    #[test]
    fn a_gap_takes_its_time_and_is_passed_on() {
        let start = Instant::now();
        let script = vec![
            Ok(ReadOutcome::Samples(80)),
            Ok(ReadOutcome::Gap(800)),
            Ok(ReadOutcome::Samples(80)),
        ];
        let (reads, _) = collect(&mut RealtimeSource::new(Script::new(script)).unwrap());
        assert_eq!(
            reads,
            [
                ReadOutcome::Samples(80),
                ReadOutcome::Gap(800),
                ReadOutcome::Samples(80),
                ReadOutcome::End
            ]
        );
        assert!(start.elapsed() >= Duration::from_millis(120), "{:?}", start.elapsed());
    }

    #[test]
    fn an_error_comes_after_what_was_played_before_it() {
        let script = vec![Ok(ReadOutcome::Samples(80)), Err(Error::Device("unplugged".to_owned()))];
        let mut source = RealtimeSource::new(Script::new(script)).unwrap();
        let (reads, error) = collect(&mut source);
        assert_eq!(reads, [ReadOutcome::Samples(80)]);
        assert_eq!(error.unwrap().to_string(), "unplugged");
        assert_eq!(source.read(&mut [0.0; 8]).unwrap(), ReadOutcome::End);
    }

    #[test]
    fn dropping_it_stops_the_player_at_once() {
        let hour = Ok(ReadOutcome::Gap(8_000 * 3_600));
        let source = RealtimeSource::new(Script::new(vec![hour])).unwrap();
        let start = Instant::now();
        drop(source);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }
}
