//! The progress bar on standard error, where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shorter audio needs no bar.
const SHORTEST_SHOWN: Duration = Duration::from_secs(5);
const AUDIO: &str = "{wide_bar} {percent:>3} %, {eta} left";
#[cfg(feature = "measure")]
const RECORDINGS: &str = "{wide_bar} {pos} of {len} recordings, {eta} left";

/// Progress through audio or recordings; may be advanced from several threads.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Over audio whose length grows as files are opened; hidden until it is a few seconds.
    pub fn over_audio() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        Self { bar: bar.with_style(style(AUDIO)) }
    }

    /// Over a number of recordings.
    #[cfg(feature = "measure")]
    pub fn over_recordings(count: usize) -> Self {
        Self { bar: ProgressBar::new(count as u64).with_style(style(RECORDINGS)) }
    }

    /// Adds audio that is to be recognized.
    pub fn add_audio(&self, audio: Duration) {
        self.bar.inc_length(audio.as_millis() as u64);
        let length = Duration::from_millis(self.bar.length().unwrap_or(0));
        if self.bar.is_hidden() && length > SHORTEST_SHOWN {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// Moves on over audio that has been recognized.
    pub fn advance_audio(&self, audio: Duration) {
        self.bar.inc(audio.as_millis() as u64);
    }

    /// Moves on by one recording.
    #[cfg(feature = "measure")]
    pub fn advance_recording(&self) {
        self.bar.inc(1);
    }

    /// Runs `print` while the bar is out of the way.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates above are well-formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_well_formed() {
        style(AUDIO);
        #[cfg(feature = "measure")]
        style(RECORDINGS);
    }
}
