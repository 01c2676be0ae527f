//! A stream's way from samples to events.

use mynah::audio::Feed;
use mynah::decode::{GrammarConstraint, Hotword};
use mynah::{Session, Step, TextFormatter};

use crate::errors::Failure;
use crate::event::Event;
use crate::options::{constraint, keywords, within};
use crate::recognizer::Recognizer;

/// So many blocks of 10 ms are recognized before Python's signals are looked at.
const BLOCKS: usize = 100;

/// A stream behind its lock.
pub struct StreamState {
    recognizer: mynah::Recognizer,
    /// What formats text from the stream's start on.
    fresh_formatter: Option<TextFormatter>,
    formatter: Option<TextFormatter>,
    feed: Feed,
    pub session: Session<Feed>,
}

impl StreamState {
    /// # Errors
    ///
    /// The feed's rate can't be resampled.
    pub fn new(recognizer: &Recognizer, feed: Feed) -> Result<Self, Failure> {
        let Recognizer { recognizer, formatter, .. } = recognizer;
        Ok(Self {
            session: Session::new(recognizer, feed.clone())?,
            feed,
            recognizer: recognizer.clone(),
            fresh_formatter: formatter.clone(),
            formatter: formatter.clone(),
        })
    }

    /// Recognizes a second of what has been fed, and returns whether that was all.
    ///
    /// # Errors
    ///
    /// Of the encoder. The session goes on behind it.
    pub fn advance(&mut self) -> Result<bool, Failure> {
        for _ in 0..BLOCKS {
            if matches!(self.session.advance()?, Step::Idle | Step::Ended) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// # Errors
    ///
    /// Those of a new stream.
    pub fn reset(&mut self) -> Result<(), Failure> {
        // What Ctrl-C has kept from being recognized.
        self.feed.clear();
        self.session = Session::new(&self.recognizer, self.feed.clone())?;
        self.formatter.clone_from(&self.fresh_formatter);
        Ok(())
    }

    /// The oldest event not yet given; keywords first.
    pub fn next_event(&mut self) -> Option<Event> {
        if let Some(hit) = self.session.next_keyword() {
            return Some(Event::of_keyword(hit));
        }
        let event = self.session.next_event()?;
        Some(Event::new(&event, self.recognizer.model(), self.formatter.as_mut()))
    }

    /// # Errors
    ///
    /// Lines that can't be used; the hotwords before stay then.
    pub fn set_hotwords(&mut self, list: &str) -> Result<(), Failure> {
        let tokens = self.recognizer.model().tokens();
        let hotwords = Hotword::parse_list(list, tokens).map_err(within("hotwords"))?;
        Ok(self.session.stream_mut().set_hotwords(&hotwords)?)
    }

    /// # Errors
    ///
    /// Line and column of what is wrong; the grammar before stays then.
    pub fn set_grammar(
        &mut self,
        grammar: Option<&str>,
        threshold: Option<f32>,
    ) -> Result<(), Failure> {
        let threshold = threshold.unwrap_or(GrammarConstraint::DEFAULT_THRESHOLD);
        let model = self.recognizer.model();
        let constraint = grammar.map(|text| constraint(text, threshold, model)).transpose()?;
        Ok(self.session.stream_mut().set_grammar(constraint.as_ref())?)
    }

    /// # Errors
    ///
    /// A line that can't be used; the keywords before stay then.
    pub fn set_keywords(&mut self, list: &str) -> Result<(), Failure> {
        Ok(self.session.stream_mut().set_keywords(&keywords(list)?)?)
    }
}
