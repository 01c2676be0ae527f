//! The listener that dictation follows: the one place that knows how it is asked.

use mynah::{ListenEvent, Listener, Recognizer, audio::Source};

/// A listener, by what dictation needs of it.
pub struct Recognition(Listener);

impl Recognition {
    /// Starts to recognize a source.
    pub fn spawn(recognizer: &Recognizer, source: impl Source + 'static) -> Self {
        Self(Listener::spawn(recognizer, source))
    }

    /// The next event, if it has come.
    pub fn next_event(&self) -> Option<ListenEvent> {
        self.0.try_recv()
    }

    /// Finalizes what has arrived by now.
    pub fn finalize(&self) {
        report(self.0.flush());
    }

    /// Finalizes what has arrived by now, and ends.
    pub fn end(&self) {
        report(self.0.stop());
    }
}

/// A listener that has ended takes no commands, and needs none.
fn report(sent: mynah::Result<()>) {
    if let Err(error) = sent {
        log::warn!("{error}");
    }
}
