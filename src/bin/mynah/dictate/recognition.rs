//! The listener that dictation follows: the one place that knows how it is asked.

use anyhow::{Result, bail};
use crossbeam_channel::TryRecvError;
use mynah::{Command, ListenEvent, Listener, Recognizer, audio::Source};

/// A listener, without its channels.
pub struct Recognition(Listener);

impl Recognition {
    /// Starts to recognize a source.
    pub fn spawn(recognizer: &Recognizer, source: impl Source + 'static) -> Self {
        Self(Listener::spawn(recognizer, source))
    }

    /// The next event, if it has come.
    ///
    /// # Errors
    ///
    /// The listener has ended without its last event.
    pub fn next_event(&self) -> Result<Option<ListenEvent>> {
        match self.0.events().try_recv() {
            Ok(event) => Ok(Some(event)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => bail!("recognition stopped before its end"),
        }
    }

    /// Finalizes what has arrived by now.
    pub fn finalize(&self) {
        self.send(Command::Flush);
    }

    /// Finalizes what has arrived by now, and ends.
    pub fn end(&self) {
        self.send(Command::Stop);
    }

    fn send(&self, command: Command) {
        // A listener that has ended takes no commands, and needs none.
        let _ = self.0.commands().send(command);
    }
}
