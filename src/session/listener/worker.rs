//! The thread of a listener: reads, recognizes, executes commands, and emits events.

use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError};

use super::backlog::Backlog;
use super::event::ListenEvent;
use super::handle::{Command, Shared};
use crate::audio::Source;
use crate::error::{Error, Result};
use crate::session::recognizer::Recognizer;
use crate::session::{Session, Step};

/// How long the worker rests when no samples have arrived, unless it knows better.
const REST: Duration = Duration::from_millis(10);

/// How long the worker rests at most: a source that had been held up may give much at a time.
const LONGEST_REST: Duration = Duration::from_millis(50);

/// What the worker begins with.
pub(super) struct Worker {
    pub recognizer: Recognizer,
    pub source: Box<dyn Source>,
    pub events: Sender<ListenEvent>,
    pub commands: Receiver<Command>,
    pub shared: Arc<Shared>,
}

/// A worker at work.
struct Running {
    session: Session,
    backlog: Backlog,
    commands: Receiver<Command>,
    shared: Arc<Shared>,
    /// Samples of the source since the worker last rested.
    arrived: usize,
}

impl Worker {
    /// Runs to its end, which is reported even if something panics: the source, which is the user's, or Mynah.
    pub fn run(self) {
        let (events, shared) = (self.events.clone(), Arc::clone(&self.shared));
        // What it leaves half done is dropped with it.
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| self.run_session()));
        let error = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some(Error::Worker("partial results")),
        };
        let mut backlog = Backlog::new(events, Arc::clone(&shared.reader));
        error.map(ListenEvent::Failed).into_iter().for_each(|failed| backlog.push(failed));
        backlog.push(ListenEvent::Ended);
        backlog.send_all();
        drop(backlog);
        // The channel has ended.
        shared.reader.wake();
    }

    fn run_session(self) -> Result<()> {
        let stream = self.recognizer.stream_with_worker(self.source.is_live());
        let rate = self.recognizer.sample_rate();
        let mut running = Running {
            session: Session::with_stream(stream, rate, self.source)?,
            backlog: Backlog::new(self.events, Arc::clone(&self.shared.reader)),
            commands: self.commands,
            shared: self.shared,
            arrived: 0,
        };
        // The source is the user's code; what was recognized before it panicked is reported.
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| running.advance_all()));
        let outcome = outcome.unwrap_or_else(|_| {
            running.session.stream_mut().finalize_by_first_pass();
            Err(Error::Worker("partial results"))
        });
        running.end(outcome)
    }
}

impl Running {
    /// Recognizes and executes commands until either ends it.
    fn advance_all(&mut self) -> Result<()> {
        loop {
            if self.execute_waiting()?.is_break() {
                return Ok(());
            }
            let step = self.session.advance();
            self.emit_step(&step);
            match step? {
                Step::Idle => self.rest(),
                Step::Advanced { samples } => self.arrived += samples,
                Step::Gap { .. } => {}
                Step::Ended => return Ok(()),
            }
        }
    }

    /// Waits for the finals that are still being computed.
    fn end(&mut self, outcome: Result<()>) -> Result<()> {
        if self.is_dropped() {
            return Ok(());
        }
        // After a failure of the encoder this fails too, and the first failure is the one reported.
        let finished = self.session.finish();
        self.emit_recognized();
        while !self.is_dropped() && self.session.stream_mut().wait_for_event() {
            self.emit_recognized();
        }
        self.backlog.send_all();
        outcome.and(finished).and(self.session.stream_mut().check())
    }

    fn rest(&mut self) {
        let arrived = std::mem::take(&mut self.arrived);
        // Not a wait for commands: those of crossbeam and of std spin before they sleep, which costs more
        // than all else in silence.
        thread::sleep(backoff(arrived, self.session.source().sample_rate()));
    }

    /// Executes the commands that have arrived.
    fn execute_waiting(&mut self) -> Result<ControlFlow<()>> {
        loop {
            if self.is_dropped() {
                return Ok(ControlFlow::Break(()));
            }
            match self.commands.try_recv() {
                Ok(command) => {
                    if self.execute(command)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
                    return Ok(ControlFlow::Continue(()));
                }
            }
        }
    }

    fn execute(&mut self, command: Command) -> Result<ControlFlow<()>> {
        match command {
            Command::Stop => {
                self.catch_up()?;
                return Ok(ControlFlow::Break(()));
            }
            Command::Flush => self.flush()?,
            Command::Reset => self.reset()?,
            Command::SetHotwords(hotwords) => self.session.stream_mut().set_hotwords(&hotwords)?,
            Command::SetGrammar(constraint) => {
                self.session.stream_mut().set_grammar(constraint.as_ref())?;
            }
            Command::SetKeywords(keywords) => self.session.stream_mut().set_keywords(&keywords)?,
            Command::SetRecognizer(recognizer) => self.replace(&recognizer)?,
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Recognizes what had been captured when a command came.
    fn catch_up(&mut self) -> Result<()> {
        let mut waiting = self.session.source().buffered_samples();
        let mut caught_up = Ok(());
        while waiting > 0 {
            let step = self.session.advance_by(waiting);
            self.emit_step(&step);
            match step {
                Ok(Step::Idle | Step::Ended) => break,
                Ok(Step::Advanced { samples }) => waiting -= samples.min(waiting),
                Ok(Step::Gap { .. }) => {}
                // A second pass that fails once leaves the rest to the first.
                Err(error) if caught_up.is_ok() => {
                    caught_up = Err(error);
                    waiting = self.session.source().buffered_samples().min(waiting);
                }
                Err(_) => break,
            }
        }
        caught_up
    }

    fn flush(&mut self) -> Result<()> {
        self.catch_up()?;
        let finished = self.session.finish();
        self.emit_recognized();
        finished
    }

    fn reset(&mut self) -> Result<()> {
        self.emit_pending_finals();
        self.session.stream_mut().withdraw_utterance();
        self.emit_recognized();
        self.session.stream_mut().check()?;
        self.session.reset_utterance()
    }

    fn replace(&mut self, recognizer: &Recognizer) -> Result<()> {
        self.flush()?;
        self.emit_pending_finals();
        let stream = recognizer.stream_with_worker(self.session.source().is_live());
        self.session.replace_stream(stream, recognizer.sample_rate())
    }

    /// Emits the finals of utterances that have ended: a live source does not wait for them.
    fn emit_pending_finals(&mut self) {
        if self.session.source().is_live() {
            self.session.stream_mut().finalize_by_first_pass();
        }
        while self.session.stream_mut().wait_for_event() {
            self.emit_recognized();
        }
    }

    fn emit_step(&mut self, step: &Result<Step>) {
        self.emit_recognized();
        if let Ok(Step::Gap { samples, at }) = *step {
            log::warn!("{samples} samples were lost at {at:.2?}");
            self.shared.gauges.samples_lost.add(samples);
            self.backlog.push(ListenEvent::Gap { samples, at });
        }
        self.update_gauges();
    }

    fn emit_recognized(&mut self) {
        let audio_position = self.session.audio_position();
        while let Some(event) = self.session.next_event() {
            let emitted_at = Instant::now();
            self.backlog.push(ListenEvent::Recognized { event, audio_position, emitted_at });
            self.send();
        }
        while let Some(hit) = self.session.next_keyword() {
            let emitted_at = Instant::now();
            self.backlog.push(ListenEvent::Keyword { hit, audio_position, emitted_at });
        }
        self.send();
    }

    /// Sends what there is room for; a source that is not live waits for its reader.
    fn send(&mut self) {
        if self.session.source().is_live() {
            self.backlog.send_waiting();
        } else {
            self.backlog.send_all();
        }
    }

    fn update_gauges(&self) {
        let gauges = &self.shared.gauges;
        let source = self.session.source();
        let lag = source.buffered_samples() as f64 / f64::from(source.sample_rate().max(1));
        gauges.audio_position.set_time(self.session.audio_position());
        gauges.lag.set_time(Duration::from_secs_f64(lag));
        gauges.compute_time.set_time(self.session.compute_time());
        gauges.finals_pending.set(self.session.stream().finals_pending() as u64);
    }

    fn is_dropped(&self) -> bool {
        self.shared.reader.is_dropped.load(Ordering::Relaxed)
    }
}

/// How long to rest after so many samples: devices deliver buffers of one length, so that the next
/// is not due before this one has lasted, give or take a quarter.
fn backoff(arrived: usize, sample_rate: u32) -> Duration {
    let lasts = Duration::from_secs_f64(arrived as f64 / f64::from(sample_rate));
    (lasts * 3 / 4).clamp(REST, LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_rests_until_the_next_device_buffer_is_due() {
        let rest_ms = |arrived| backoff(arrived, 48_000).as_millis();
        // Nothing, 10 ms, 40 ms, 2 s.
        assert_eq!([0, 480, 1920, 96_000].map(rest_ms), [10, 10, 30, 50]);
    }
}
