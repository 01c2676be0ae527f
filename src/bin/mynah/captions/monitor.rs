//! The view on a terminal: what has come becomes a state, at most 20 times a second a picture.

use std::time::{Duration, Instant};

use anyhow::Result;
use mynah::Event;

use super::{
    layout::Row,
    screen::{self, Screen},
    silence,
    state::{Action, Phase, State},
    transcript::{Partial, Piece},
    view::{self, Palette},
};
use crate::{failure, live::Live, logger, utterance::Utterance};

/// The time between two pictures.
const PERIOD: Duration = Duration::from_millis(50);

/// The time between two pictures that are drawn as a whole, while the microphone has gone.
const REPAINT_PERIOD: Duration = Duration::from_secs(1);

/// How long a warning stays.
const WARNING_STAYS: Duration = Duration::from_secs(10);

/// How much of the level is left after a picture without sound.
const LEVEL_DECAY: f32 = 0.8;

/// Warnings that are repeated on the normal screen at most.
const MAX_WARNINGS: usize = 20;

/// Captions drawn on a terminal.
pub struct Monitor {
    screen: Screen,
    state: State,
    palette: Palette,
    drawn_at: Option<Instant>,
    /// The end of the last word of any partial.
    shown_to: Duration,
    warned_at: Instant,
    repainted_at: Instant,
    /// For the normal screen afterwards.
    warnings: Vec<String>,
}

impl Monitor {
    /// Takes over the terminal.
    ///
    /// # Errors
    ///
    /// Those of [`Screen::open`].
    pub fn open(has_marks: bool) -> Result<Self> {
        let screen = Screen::open()?;
        logger::hold();
        let mut state = State::default();
        state.transcript.has_marks = has_marks;
        Ok(Self {
            screen,
            state,
            palette: Palette::of_environment(),
            drawn_at: None,
            shown_to: Duration::ZERO,
            warned_at: Instant::now(),
            repainted_at: Instant::now(),
            warnings: Vec::new(),
        })
    }

    /// Whether it is time for another picture.
    pub fn is_due(&self) -> bool {
        self.drawn_at.is_none_or(|drawn_at| drawn_at.elapsed() >= PERIOD)
    }

    /// Takes an event; `now` is the audio time that is being captured.
    pub fn show(&mut self, event: &Event, utterance: &Utterance, now: Duration) {
        let number = event.utterance();
        if event.is_final() {
            self.state.transcript.finalize(number, Piece::of(utterance));
            self.state.final_latency = Some(now.saturating_sub(utterance.end));
            return;
        }
        // The last word of the chunk may not have ended yet: the first new one has waited longest.
        if let Some(word) = utterance.words.iter().find(|word| word.end > self.shown_to) {
            self.state.partial_latency = Some(now.saturating_sub(word.end));
        }
        self.shown_to = self.shown_to.max(utterance.end);
        let hypothesis = event.hypothesis();
        let stable = hypothesis.stable_text().split_whitespace().count();
        let (stable, unstable) = split(utterance.shown(), stable);
        let (start, end) = (utterance.start, utterance.end);
        self.state.transcript.revise(number, Partial { start, end, stable, unstable });
    }

    /// Takes away what is shown of an utterance.
    pub fn withdraw(&mut self, utterance: u64) {
        self.state.transcript.revise(utterance, Partial::default());
    }

    /// Shows a warning for a while.
    pub fn warn(&mut self, warning: &str) {
        self.warned_at = Instant::now();
        self.state.warning = Some(warning.to_owned());
        if self.warnings.len() < MAX_WARNINGS && !self.warnings.iter().any(|w| w == warning) {
            self.warnings.push(warning.to_owned());
        }
    }

    /// Draws, if it is time, and does what keys ask for; waits for them until the next picture is due.
    ///
    /// # Errors
    ///
    /// The terminal has gone.
    pub fn refresh(&mut self, phase: Phase, live: &Live) -> Result<()> {
        if self.is_due() {
            self.repaint(&phase)?;
            self.update(phase, live);
            let Self { screen, state, palette, .. } = self;
            screen.draw(|frame| view::render(frame, state, *palette))?;
            self.drawn_at = Some(Instant::now());
        }
        let since = self.drawn_at.map_or(Duration::ZERO, |drawn_at| drawn_at.elapsed());
        let Some(action) = self.screen.next_action(PERIOD.saturating_sub(since))? else {
            return Ok(());
        };
        match action {
            Action::Quit => live.interrupt(),
            Action::Suspend => self.screen.suspend()?,
            action => self.state.apply(action),
        }
        self.drawn_at = None;
        Ok(())
    }

    /// Gives the terminal back and leaves the text, and the warnings, on its normal screen.
    ///
    /// # Errors
    ///
    /// The terminal can't be written.
    pub fn close(self) -> Result<()> {
        let rows = self.state.all_rows(self.screen.columns());
        let text: String = rows.iter().map(|row| text_of(row) + "\n").collect();
        let warnings = self.warnings.clone();
        drop(self);
        screen::print(&text)?;
        warnings.iter().for_each(|warning| failure::warn(warning));
        Ok(())
    }

    /// Draws over what others write to the terminal: ALSA's libraries report a device that has gone there.
    fn repaint(&mut self, phase: &Phase) -> Result<()> {
        let is_gone = *phase == Phase::Disconnected;
        let is_due = is_gone && self.repainted_at.elapsed() >= REPAINT_PERIOD;
        if is_due || is_gone != (self.state.phase == Phase::Disconnected) {
            self.repainted_at = Instant::now();
            self.screen.repaint()?;
        }
        Ok(())
    }

    fn update(&mut self, phase: Phase, live: &Live) {
        for line in logger::drain_held() {
            self.warn(line.trim_start_matches("warning: "));
        }
        let meter = &live.meter;
        let state = &mut self.state;
        state.level = meter.take_peak().max(state.level * LEVEL_DECAY);
        state.position = meter.position();
        let silent = match phase {
            Phase::Ending => None,
            _ => silence::warning(live.kind, meter.zeros(), meter.idle()),
        };
        state.phase = phase;
        if let Some(warning) = silent {
            state.warning = Some(warning);
        } else if self.warned_at.elapsed() > WARNING_STAYS {
            state.warning = None;
        } else {
            state.warning = self.warnings.last().cloned();
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        screen::restore();
        logger::release();
    }
}

/// Splits a text after so many words.
fn split(text: &str, words: usize) -> (String, String) {
    let all: Vec<_> = text.split_whitespace().collect();
    let (stable, unstable) = all.split_at(words.min(all.len()));
    (stable.join(" "), unstable.join(" "))
}

fn text_of(row: &Row) -> String {
    row.spans.iter().map(|(text, _)| text.as_str()).collect()
}
