//! Subtitles that are whole after each utterance, though the last cue's end depends on the next.

use super::{
    cues::{Cue, Cues},
    srt, vtt,
};
use crate::utterance::Utterance;

/// Makes text of cues: what stays, and the last cue, which the next utterance may end sooner.
pub struct LiveSubtitles {
    cues: Cues,
    /// Complete cues so far.
    complete: u64,
    header: &'static str,
    write: fn(u64, &Cue) -> String,
    is_begun: bool,
}

impl LiveSubtitles {
    /// SubRip subtitles.
    pub fn srt() -> Self {
        Self::new("", srt::cue)
    }

    /// WebVTT captions.
    pub fn vtt() -> Self {
        Self::new(vtt::HEADER, |_, cue| vtt::cue(cue))
    }

    fn new(header: &'static str, write: fn(u64, &Cue) -> String) -> Self {
        Self { cues: Cues::default(), complete: 0, header, write, is_begun: false }
    }

    /// What the file begins with.
    pub fn header(&self) -> &'static str {
        self.header
    }

    /// Takes an utterance. Gives what stays, which follows what stayed before and takes the place of the tail
    /// of before, and the new tail.
    pub fn push(&mut self, utterance: &Utterance) -> (String, String) {
        let header = if std::mem::replace(&mut self.is_begun, true) { "" } else { self.header };
        let mut complete = header.to_owned();
        for cue in self.cues.push(utterance) {
            self.complete += 1;
            complete += &(self.write)(self.complete, &cue);
        }
        let tail = self.cues.last().map(|cue| (self.write)(self.complete + 1, &cue));
        (complete, tail.unwrap_or_default())
    }
}
