//! The worker thread: a source in, events out.
//!
//! One thread owns the whole way from [`Source`] over [`Resampler`] to [`Stream`]. It looks for
//! samples every 10 ms while there are none, but not before the next can have come; nothing wakes it
//! from the audio callback. Finals are computed on a thread of their own, so that this one goes on
//! draining the source.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, unbounded};

use crate::audio::{Read, Resampler, Source};
use crate::{Error, Event, KeywordHit, Recognizer, Result, Stream};

/// How long the worker rests when no samples have arrived, unless it knows better.
const REST: Duration = Duration::from_millis(10);

/// How long the worker rests at most: a source that had been held up may give much at a time.
const LONGEST_REST: Duration = Duration::from_millis(50);

/// How long dropping a listener waits for its thread.
const LONGEST_DROP: Duration = Duration::from_millis(500);
const DROP_POLL: Duration = Duration::from_millis(2);

/// Source buffers per second: as much as is read at a time.
const READS_PER_SECOND: u32 = 20;

/// Commands that wait at most.
const COMMANDS_WAITING: usize = 16;

/// What a [`Listener`] can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// End the utterance with what has arrived by now.
    Flush,
    /// Forget the utterance so far. The audio clock runs on.
    Reset,
    /// End the utterance with what has arrived by now, give its final, and end.
    Stop,
}

/// What a [`Listener`] reports.
#[derive(Debug)]
pub enum ListenEvent {
    /// Something was recognized.
    Recognized {
        /// What.
        event: Event,
        /// The audio time that had been accepted by then.
        audio_position: Duration,
        /// When the event was emitted.
        emitted_at: Instant,
    },
    /// A keyword of the recognizer's configuration was found.
    Keyword {
        /// Which, and when.
        hit: KeywordHit,
        /// The audio time that had been accepted by then.
        audio_position: Duration,
        /// When the event was emitted.
        emitted_at: Instant,
    },
    /// Samples were lost. Once per burst.
    Gap {
        /// How many, at the model's rate.
        samples: u64,
        /// The audio time of the first of them.
        at: Duration,
    },
    /// The source or the encoder failed. What was recognized was reported before.
    Failed(Error),
    /// The source has ended, or [`Command::Stop`] was obeyed, or after [`ListenEvent::Failed`]. The last event.
    Ended,
}

/// A recognizer that listens to a source in a thread of its own.
///
/// Dropping it stops the thread, without reporting what was being said, and waits for it half a second at most,
/// so that a source that does not return holds up nobody. To get the last final
/// send [`Command::Stop`] and wait for [`ListenEvent::Ended`].
#[derive(Debug)]
pub struct Listener {
    events: Receiver<ListenEvent>,
    commands: Sender<Command>,
    dropped: Arc<AtomicBool>,
    worker: Option<JoinHandle<()>>,
}

impl Listener {
    /// Starts to listen.
    ///
    /// A source whose rate can't be used, or a system without a thread to spare, is reported as
    /// [`ListenEvent::Failed`].
    pub fn spawn(recognizer: &Recognizer, source: impl Source + 'static) -> Self {
        // Events are small and a few per second, so they may queue up without bound: a slow reader
        // then costs neither samples nor events. Commands come from people.
        let (event_sender, events) = unbounded();
        let (commands, command_receiver) = bounded(COMMANDS_WAITING);
        let dropped = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            stream: recognizer.stream_with_worker(source.is_live()),
            source: Box::new(source),
            sample_rate: recognizer.sample_rate(),
            source_samples: 0,
            events: event_sender.clone(),
            commands: command_receiver,
            dropped: Arc::clone(&dropped),
        };
        let spawned = thread::Builder::new()
            .name("mynah-listener".to_owned())
            .spawn(move || worker.run_whole());
        let worker = match spawned {
            Ok(worker) => Some(worker),
            Err(e) => {
                let failed = Error::Config(format!("no thread to listen with: {e}"));
                // The receiver is at hand, so that sending can't fail.
                let _ = event_sender.send(ListenEvent::Failed(failed));
                let _ = event_sender.send(ListenEvent::Ended);
                None
            }
        };
        Self { events, commands, dropped, worker }
    }

    /// Where to receive events.
    pub fn events(&self) -> &Receiver<ListenEvent> {
        &self.events
    }

    /// Where to send commands. Sending fails once the listener has ended.
    pub fn commands(&self) -> &Sender<Command> {
        &self.commands
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Relaxed);
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

/// The thread's side.
struct Worker {
    source: Box<dyn Source>,
    stream: Stream,
    /// The model's rate in Hz.
    sample_rate: u32,
    /// Samples of the source so far, lost ones included.
    source_samples: u64,
    events: Sender<ListenEvent>,
    commands: Receiver<Command>,
    dropped: Arc<AtomicBool>,
}

/// From the source's samples to the stream's.
struct Intake {
    resampler: Resampler,
    /// At the source's rate.
    buffer: Vec<f32>,
    /// At the model's rate.
    samples: Vec<f32>,
    /// Samples of the source since the worker last rested.
    arrived: usize,
}

/// Whether the worker goes on.
#[derive(PartialEq)]
enum Then {
    GoOn,
    End,
}

impl Worker {
    /// Runs to its end, which is reported even if something panics: the source, which is the user's, or Mynah.
    fn run_whole(self) {
        let events = self.events.clone();
        // What it leaves half done is dropped with it.
        if panic::catch_unwind(AssertUnwindSafe(|| self.run())).is_err() {
            let _ = events.send(ListenEvent::Failed(Error::Worker("partial results")));
            let _ = events.send(ListenEvent::Ended);
        }
    }

    fn run(mut self) {
        // The source is the user's code; what was recognized before it panicked is reported.
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| self.listen()));
        let outcome = outcome.unwrap_or_else(|_| {
            self.stream.finalize_by_first_pass();
            Err(Error::Worker("partial results"))
        });
        if !self.dropped.load(Ordering::Relaxed) {
            // After a failure of the encoder this fails too, and the first failure is the one reported.
            let finished = self.stream.finish();
            self.emit_recognized();
            while !self.dropped.load(Ordering::Relaxed) && self.stream.wait_for_event() {
                self.emit_recognized();
            }
            if let Err(e) = outcome.and(finished).and(self.stream.check()) {
                self.emit(ListenEvent::Failed(e));
            }
        }
        self.emit(ListenEvent::Ended);
    }

    fn listen(&mut self) -> Result<()> {
        let source_rate = self.source.sample_rate();
        let mut intake = Intake {
            resampler: Resampler::new(source_rate, self.sample_rate)?,
            buffer: vec![0.0; (source_rate / READS_PER_SECOND).max(1) as usize],
            samples: Vec::new(),
            arrived: 0,
        };
        let outcome = self.take_all(&mut intake);
        let drained = self.drain(&mut intake.resampler);
        outcome.and(drained)
    }

    /// Takes samples and obeys commands until either ends it.
    fn take_all(&mut self, intake: &mut Intake) -> Result<()> {
        loop {
            if self.obey_all(intake)? == Then::End {
                return Ok(());
            }
            match self.take(usize::MAX, intake)? {
                Read::Samples(0) => {
                    self.accept(&[])?;
                    let arrived = std::mem::take(&mut intake.arrived);
                    // Not a wait for commands: those of crossbeam and of std spin before they sleep,
                    // which costs more than all else in silence.
                    thread::sleep(rest_after(arrived, self.source.sample_rate()));
                }
                Read::End => return Ok(()),
                Read::Samples(_) | Read::Gap(_) => {}
            }
        }
    }

    /// Reads once, `limit` samples at most, and recognizes what came.
    fn take(&mut self, limit: usize, intake: &mut Intake) -> Result<Read> {
        let limit = limit.min(intake.buffer.len());
        let read = self.source.read(&mut intake.buffer[..limit])?;
        match read {
            Read::Samples(n) => {
                self.source_samples += n as u64;
                intake.arrived += n;
                intake.samples.clear();
                intake.resampler.process(&intake.buffer[..n], &mut intake.samples);
                self.accept(&intake.samples)?;
            }
            Read::Gap(lost) => self.skip(lost, &mut intake.resampler)?,
            Read::End => {}
        }
        Ok(read)
    }

    /// Recognizes what had arrived by now: it was said before the command came.
    fn catch_up(&mut self, intake: &mut Intake) -> Result<()> {
        let mut waiting = self.source.waiting_samples();
        let mut caught_up = Ok(());
        while waiting > 0 {
            match self.take(waiting, intake) {
                Ok(Read::Samples(0) | Read::End) => break,
                Ok(Read::Samples(n)) => waiting -= n.min(waiting),
                Ok(Read::Gap(_)) => {}
                // A second pass that fails once leaves the rest to the first.
                Err(error) if caught_up.is_ok() => {
                    caught_up = Err(error);
                    waiting = self.source.waiting_samples().min(waiting);
                }
                Err(_) => break,
            }
        }
        caught_up
    }

    /// Obeys the commands that have arrived.
    fn obey_all(&mut self, intake: &mut Intake) -> Result<Then> {
        loop {
            if self.dropped.load(Ordering::Relaxed) {
                return Ok(Then::End);
            }
            match self.commands.try_recv() {
                Ok(command) => {
                    if self.obey(command, intake)? == Then::End {
                        return Ok(Then::End);
                    }
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(Then::GoOn),
            }
        }
    }

    fn obey(&mut self, command: Command, intake: &mut Intake) -> Result<Then> {
        match command {
            Command::Stop => {
                self.catch_up(intake)?;
                return Ok(Then::End);
            }
            Command::Flush => {
                self.catch_up(intake)?;
                self.drain(&mut intake.resampler)?;
                self.stream.finish()?;
                self.emit_recognized();
            }
            Command::Reset => {
                self.emit_pending_finals();
                self.stream.withdraw_utterance();
                self.emit_recognized();
                self.stream.check()?;
                intake.resampler.reset();
                self.stream.reset_utterance();
                self.stream.skip(self.samples_due())?;
            }
        }
        Ok(Then::GoOn)
    }

    /// Emits the finals of utterances that have ended: a live source does not wait for them.
    fn emit_pending_finals(&mut self) {
        if self.source.is_live() {
            self.stream.finalize_by_first_pass();
        }
        while self.stream.wait_for_event() {
            self.emit_recognized();
        }
    }

    /// Hands over what the resampler still holds.
    fn drain(&mut self, resampler: &mut Resampler) -> Result<()> {
        let mut tail = Vec::new();
        resampler.finish(&mut tail);
        self.accept(&tail)
    }

    fn accept(&mut self, samples: &[f32]) -> Result<()> {
        let accepted = self.stream.accept_waveform(samples);
        self.emit_recognized();
        accepted
    }

    /// Moves the clock over lost samples, to where the source's own clock is.
    fn skip(&mut self, lost: u64, resampler: &mut Resampler) -> Result<()> {
        self.drain(resampler)?;
        self.source_samples += lost;
        let at = self.audio_position();
        let samples = self.samples_due().saturating_sub(self.stream.samples_accepted());
        let skipped = self.stream.skip(samples);
        log::warn!("{samples} samples were lost at {at:.2?}");
        self.emit_recognized();
        self.emit(ListenEvent::Gap { samples, at });
        skipped
    }

    /// The samples that the source has given so far, at the model's rate.
    fn samples_due(&self) -> u64 {
        let (from, to) = (u128::from(self.source.sample_rate()), u128::from(self.sample_rate));
        ((u128::from(self.source_samples) * to + from / 2) / from) as u64
    }

    fn audio_position(&self) -> Duration {
        let nanos = u128::from(self.stream.samples_accepted()) * 1_000_000_000;
        Duration::from_nanos((nanos / u128::from(self.sample_rate)) as u64)
    }

    fn emit_recognized(&mut self) {
        while let Some(event) = self.stream.next_event() {
            let audio_position = self.audio_position();
            self.emit(ListenEvent::Recognized {
                event,
                audio_position,
                emitted_at: Instant::now(),
            });
        }
        while let Some(hit) = self.stream.next_keyword() {
            let audio_position = self.audio_position();
            self.emit(ListenEvent::Keyword { hit, audio_position, emitted_at: Instant::now() });
        }
    }

    fn emit(&self, event: ListenEvent) {
        // Fails only while the listener is being dropped.
        let _ = self.events.send(event);
    }
}

/// How long to rest after so many samples: devices deliver buffers of one length, so that the next
/// is not due before this one has lasted, give or take a quarter.
fn rest_after(arrived: usize, sample_rate: u32) -> Duration {
    let lasts = Duration::from_secs_f64(arrived as f64 / f64::from(sample_rate));
    (lasts * 3 / 4).clamp(REST, LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_rests_until_the_next_device_buffer_is_due() {
        let rest_ms = |arrived| rest_after(arrived, 48_000).as_millis();
        // Nothing, 10 ms, 40 ms, 2 s.
        assert_eq!([0, 480, 1920, 96_000].map(rest_ms), [10, 10, 30, 50]);
    }
}
