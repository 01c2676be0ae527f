//! A stream's way from samples to events.

use mynah::audio::Feed;
use mynah::{Recognizer, Session, Step};

use crate::event::MynahEvent;
use crate::formatting::Formatting;
use crate::recognizer::MynahRecognizer;
use crate::status::Failure;
use crate::status::MynahStatus::MYNAH_ERROR_STATE;

/// A stream behind its lock.
pub struct StreamState {
    pub recognizer: Recognizer,
    /// What formats text from the stream's start on.
    fresh_formatting: Option<Formatting>,
    formatting: Option<Formatting>,
    feed: Feed,
    pub session: Session<Feed>,
    is_finished: bool,
}

impl StreamState {
    /// # Errors
    ///
    /// The rate can't be resampled.
    pub fn new(recognizer: &MynahRecognizer, rate: u32) -> Result<Self, Failure> {
        let MynahRecognizer { recognizer, formatting } = recognizer;
        let feed = Feed::new(rate);
        Ok(Self {
            session: Session::new(recognizer, feed.clone())?,
            feed,
            recognizer: recognizer.clone(),
            fresh_formatting: formatting.clone(),
            formatting: formatting.clone(),
            is_finished: false,
        })
    }

    pub fn accept(&mut self, samples: impl IntoIterator<Item = f32>) -> Result<(), Failure> {
        self.check_unfinished()?;
        self.feed.push(samples);
        self.advance()
    }

    pub fn skip(&mut self, samples: u64) -> Result<(), Failure> {
        self.check_unfinished()?;
        self.feed.lose(samples);
        self.advance()
    }

    pub fn finish(&mut self) -> Result<(), Failure> {
        let was_finished = std::mem::replace(&mut self.is_finished, true);
        if was_finished { Ok(()) } else { Ok(self.session.finish()?) }
    }

    pub fn reset(&mut self) -> Result<(), Failure> {
        self.session = Session::new(&self.recognizer, self.feed.clone())?;
        self.formatting = self.fresh_formatting.clone();
        self.is_finished = false;
        Ok(())
    }

    /// Recognizes what has been fed, past an error, of which the first is given: later samples are not lost by it.
    fn advance(&mut self) -> Result<(), Failure> {
        let mut outcome = Ok(());
        loop {
            match self.session.advance() {
                Ok(Step::Idle | Step::Ended) => return Ok(outcome?),
                Ok(_) => {}
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
    }

    pub fn next_event(&mut self) -> Option<MynahEvent> {
        if let Some(hit) = self.session.next_keyword() {
            return Some(MynahEvent::of_keyword(hit));
        }
        let event = self.session.next_event()?;
        Some(MynahEvent::new(&event, self.formatting.as_mut()))
    }

    fn check_unfinished(&self) -> Result<(), Failure> {
        if !self.is_finished {
            return Ok(());
        }
        let reason =
            "the stream is finished; reset it, or flush it where more samples are to follow";
        Err(Failure::new(MYNAH_ERROR_STATE, reason))
    }
}
