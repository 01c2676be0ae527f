//! One session of captions: events from the listener to lines, file and view, until the end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use mynah::{Event, ListenEvent, Recognizer, TextFormatter};

use super::{lines::Lines, monitor::Monitor, state::Phase, wake::Wake};
use crate::{
    failure,
    live::{self, Live},
    transcript_file::TranscriptFile,
    utterance::Utterance,
};

/// How often a keyword's silence is looked at without events.
const TICK: Duration = Duration::from_millis(200);

/// Where captions go.
pub struct Session<'a> {
    pub recognizer: &'a Recognizer,
    pub live: &'a Live,
    /// Formats finals, and lightly partials.
    pub formatter: Option<TextFormatter>,
    pub wake: Option<Wake>,
    /// On standard output.
    pub lines: Option<Lines>,
    pub file: Option<TranscriptFile>,
    /// On a terminal.
    pub monitor: Option<Monitor>,
    /// Whether the terminal has failed.
    pub has_lost_view: bool,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With the last final.
    Complete,
    /// With the last final, but something could not be written.
    Incomplete,
    /// Before the last final, which the user did not want to wait for.
    Interrupted,
}

impl Session<'_> {
    /// Shows captions until the source ends, or is to end.
    ///
    /// # Errors
    ///
    /// The source or recognition failed, or standard output can't be written. What was recognized before has
    /// been written, and stays on the terminal's normal screen.
    pub fn run(mut self) -> Result<Ending> {
        let outcome = self.show_all();
        let monitored = self.monitor.take().map_or(Ok(()), Monitor::close);
        // Before standard output, whose reader may stall.
        let is_saved = self.finish_file(outcome.is_err() || monitored.is_err());
        let is_interrupted = matches!(outcome, Ok(Ending::Interrupted));
        let lines = self.lines.take().filter(|_| !is_interrupted);
        let printed = lines.map_or(Ok(()), Lines::finish);
        let ending = outcome?;
        monitored?;
        printed?;
        let lacks_view = self.has_lost_view && ending == Ending::Complete;
        Ok(if lacks_view || !is_saved { Ending::Incomplete } else { ending })
    }

    /// Writes what the file still lacks, if there is one, and reports what can't be written; gives whether nothing is missing.
    fn finish_file(&mut self, has_failed: bool) -> bool {
        let finish = if has_failed { TranscriptFile::retry } else { TranscriptFile::finish };
        let finished = self.file.as_mut().map_or(Ok(()), finish);
        finished.inspect_err(failure::report).is_ok()
    }

    fn show_all(&mut self) -> Result<Ending> {
        let mut failed = None;
        loop {
            match self.live.receive(self.patience()) {
                None if self.patience().is_none() => bail!("recognition stopped before its end"),
                None => {}
                Some(ListenEvent::Ended) => {
                    return failed
                        .map_or(Ok(Ending::Complete), |error: mynah::Error| Err(error.into()));
                }
                Some(ListenEvent::Failed(error)) => failed = Some(error),
                Some(event) => {
                    self.accept(event)?;
                    // The next event may be there, and drawing can wait for a while.
                    if self.monitor.as_ref().is_some_and(|monitor| !monitor.is_due()) {
                        continue;
                    }
                }
            }
            if let Some(wake) = &mut self.wake {
                wake.advance(self.live.meter.position());
            }
            if self.refresh() {
                return Ok(Ending::Interrupted);
            }
        }
    }

    /// How long to wait for an event: until something else has to be done.
    fn patience(&self) -> Option<Duration> {
        match (&self.monitor, &self.wake) {
            // The view waits for keys instead.
            (Some(_), _) => Some(Duration::ZERO),
            (None, Some(_)) => Some(TICK),
            (None, None) => None,
        }
    }

    /// Draws, and obeys keys; gives whether to end at once. A terminal that fails leaves captions without a view,
    /// and is no reason to lose what is being said.
    fn refresh(&mut self) -> bool {
        let Some(monitor) = &mut self.monitor else { return false };
        let phase = match &self.wake {
            _ if self.live.interrupts() > 0 => Phase::Ending,
            _ if self.live.meter.is_disconnected() => Phase::Disconnected,
            Some(wake) if !wake.is_awake() => Phase::Waiting(wake.phrase().to_owned()),
            _ => Phase::Listening,
        };
        if let Err(error) = monitor.refresh(phase, self.live) {
            if let Some(monitor) = self.monitor.take() {
                // What the terminal still takes of the text.
                let _ = monitor.close();
            }
            self.has_lost_view = true;
            self.live.watch_interrupts(false);
            failure::report(&error.context("the terminal has gone; ending"));
            self.live.interrupt();
        }
        self.live.interrupts() > 1 && self.monitor.is_some()
    }

    fn accept(&mut self, event: ListenEvent) -> Result<()> {
        match event {
            ListenEvent::Recognized { event, audio_position, emitted_at, .. } => {
                self.accept_recognized(event, audio_position, emitted_at)
            }
            ListenEvent::Keyword { hit, .. } => {
                if let Some(wake) = &mut self.wake {
                    wake.hit(&hit);
                }
                Ok(())
            }
            ListenEvent::Gap { samples, at } => {
                self.warn(&live::gap(samples, self.recognizer.sample_rate(), at));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn accept_recognized(
        &mut self,
        mut event: Event,
        position: Duration,
        emitted_at: Instant,
    ) -> Result<()> {
        if let Some(wake) = &mut self.wake
            && !wake.filter(&mut event)
        {
            if let Some(monitor) = &mut self.monitor {
                monitor.withdraw(event.utterance());
            }
            return Ok(());
        }
        let utterance = self.utterance(&event);
        if let Some(monitor) = &mut self.monitor {
            let now = position + self.live.meter.backlog() + emitted_at.elapsed();
            monitor.show(&event, &utterance, now);
        }
        let saved = match &mut self.file {
            Some(file) if event.is_final() => file.write(&event, &utterance),
            _ => Ok(()),
        };
        if let Err(error) = saved {
            self.warn(&failure::one_line(&error));
        }
        match &mut self.lines {
            Some(lines) => Ok(lines.write(&event, &utterance)?),
            None => Ok(()),
        }
    }

    /// The event's words with their times, and its text as it is to be read.
    fn utterance(&mut self, event: &Event) -> Utterance {
        let (hypothesis, model) = (event.hypothesis(), self.recognizer.model());
        if event.is_final() {
            return Utterance::of_final(hypothesis, model, self.formatter.as_mut());
        }
        let words = hypothesis.text.split_whitespace();
        let formatted = self.formatter.as_ref().map(|formatter| formatter.partial_text(words));
        Utterance { formatted, ..Utterance::new(hypothesis, model) }
    }

    fn warn(&mut self, warning: &str) {
        match &mut self.monitor {
            Some(monitor) => monitor.warn(warning),
            None => failure::warn(warning),
        }
    }
}
