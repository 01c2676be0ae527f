//! Control of a running listener from any thread.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Sender, TrySendError};

use super::backlog::Reader;
use super::metrics::{Gauges, ListenerMetrics};
use crate::decode::keyword::Keyword;
use crate::decode::{GrammarConstraint, Hotword};
use crate::error::{Error, Result};
use crate::session::recognizer::Recognizer;

/// What the worker is to do between two blocks of audio.
pub(super) enum Command {
    Flush,
    Reset,
    Stop,
    SetHotwords(Vec<Hotword>),
    SetGrammar(Option<GrammarConstraint>),
    SetKeywords(Vec<Keyword>),
    SetRecognizer(Recognizer),
}

/// What a listener shares with its worker and its handles.
pub(super) struct Shared {
    /// What the commands sent so far configure: commands are checked against it before they are sent.
    pub recognizer: Mutex<Recognizer>,
    pub reader: Arc<Reader>,
    pub gauges: Gauges,
}

/// Controls a [`Listener`](crate::session::listener::Listener); cheap to clone, and usable on any thread.
///
/// Commands are checked at once and take effect within a block of audio, in the order in which they were sent.
/// Each of them fails with [`Error::Listener`] once the listener has ended.
#[derive(Clone)]
pub struct ListenerHandle {
    pub(super) commands: Sender<Command>,
    pub(super) shared: Arc<Shared>,
}

impl ListenerHandle {
    /// Ends the utterance with what has been captured by now, gives its final, and ends the listener.
    ///
    /// # Errors
    ///
    /// [`Error::Listener`].
    pub fn stop(&self) -> Result<()> {
        self.send(Command::Stop)
    }

    /// Ends the utterance with what has been captured by now.
    ///
    /// # Errors
    ///
    /// [`Error::Listener`].
    pub fn flush(&self) -> Result<()> {
        self.send(Command::Flush)
    }

    /// Forgets the utterance so far. The audio clock runs on. Hotwords, grammar and keywords are again those of
    /// the recognizer.
    ///
    /// # Errors
    ///
    /// [`Error::Listener`].
    pub fn reset(&self) -> Result<()> {
        self.send(Command::Reset)
    }

    /// As [`Stream::set_hotwords`](crate::session::stream::Stream::set_hotwords).
    ///
    /// # Errors
    ///
    /// Those of [`Stream::set_hotwords`](crate::session::stream::Stream::set_hotwords), and [`Error::Listener`].
    pub fn set_hotwords(&self, hotwords: &[Hotword]) -> Result<()> {
        let command = Command::SetHotwords(hotwords.to_vec());
        self.send_checked(|recognizer| recognizer.check_hotwords(hotwords), command)
    }

    /// As [`Stream::set_grammar`](crate::session::stream::Stream::set_grammar).
    ///
    /// # Errors
    ///
    /// Those of [`Stream::set_grammar`](crate::session::stream::Stream::set_grammar), and [`Error::Listener`].
    pub fn set_grammar(&self, constraint: Option<&GrammarConstraint>) -> Result<()> {
        let command = Command::SetGrammar(constraint.cloned());
        self.send_checked(|recognizer| recognizer.check_grammar(constraint), command)
    }

    /// As [`Stream::set_keywords`](crate::session::stream::Stream::set_keywords).
    ///
    /// # Errors
    ///
    /// Those of [`Stream::set_keywords`](crate::session::stream::Stream::set_keywords), and [`Error::Listener`].
    pub fn set_keywords(&self, keywords: &[Keyword]) -> Result<()> {
        let command = Command::SetKeywords(keywords.to_vec());
        self.send_checked(|recognizer| recognizer.check_keywords(keywords), command)
    }

    /// Goes on with another recognizer, of another preset, configuration or model. The utterance ends with what
    /// has been captured by now; the clock and the utterances' numbers go on.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the source's rate can't be brought to the recognizer's, and [`Error::Listener`].
    pub fn set_recognizer(&self, recognizer: &Recognizer) -> Result<()> {
        let mut current = self.lock();
        self.send(Command::SetRecognizer(recognizer.clone()))?;
        *current = recognizer.clone();
        Ok(())
    }

    /// The listener's figures.
    #[must_use]
    pub fn metrics(&self) -> ListenerMetrics {
        self.shared.gauges.read()
    }

    fn send(&self, command: Command) -> Result<()> {
        if self.shared.reader.is_dropped.load(Ordering::Relaxed) {
            return Err(Error::Listener("the listener has ended"));
        }
        self.commands.try_send(command).map_err(|error| {
            Error::Listener(match error {
                TrySendError::Full(_) => {
                    "the source does not return, and too many commands wait for it already"
                }
                TrySendError::Disconnected(_) => "the listener has ended",
            })
        })
    }

    /// Checks a command against the recognizer that it will meet, and sends it before that can change.
    fn send_checked(
        &self,
        check: impl FnOnce(&Recognizer) -> Result<()>,
        command: Command,
    ) -> Result<()> {
        let recognizer = self.lock();
        check(&recognizer)?;
        self.send(command)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recognizer> {
        self.shared.recognizer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for ListenerHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListenerHandle").field("metrics", &self.metrics()).finish_non_exhaustive()
    }
}
