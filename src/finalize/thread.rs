//! The thread that runs the second pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender};

use super::message::{Answer, Audio, Message, SegmentState};
use super::second_pass::SecondPass;
use crate::error::Result;

/// The worker's side.
pub(super) struct Thread {
    pub queue: Receiver<Message>,
    pub answers: Sender<Answer>,
    pub wanted_from: Arc<AtomicU64>,
}

impl Thread {
    pub fn run(self, mut second: Box<SecondPass>) {
        while let Ok(message) = self.queue.recv() {
            if let Err(error) = self.handle(message, &mut second) {
                self.answer(Answer::Failed(error));
                return;
            }
        }
    }

    fn handle(&self, message: Message, second: &mut SecondPass) -> Result<()> {
        match message {
            Message::Audio(audio) => self.accept(audio, second),
            Message::Clear => {
                second.skip_utterance();
                second.clear();
                Ok(())
            }
        }
    }

    fn accept(&self, audio: Audio, second: &mut SecondPass) -> Result<()> {
        let Audio { segment, frames, places, search, state } = audio;
        if let Some(search) = search {
            second.configure(*search);
        }
        second.accept_frames(&frames);
        places.iter().for_each(|&place| second.accept_place(place));
        match state {
            SegmentState::Discarded => second.discard(),
            SegmentState::Ended if self.is_wanted(segment) => {
                self.answer(Answer::Final(segment, second.finish()?));
            }
            SegmentState::Ended => second.skip_utterance(),
            SegmentState::Continues { is_idle } if self.is_wanted(segment) => {
                if let Some(path) = second.advance(is_idle)? {
                    self.answer(Answer::Partial(segment, path));
                }
            }
            SegmentState::Continues { .. } => {}
        }
        Ok(())
    }

    fn answer(&self, answer: Answer) {
        // Nobody waits for it once the stream is dropped.
        let _ = self.answers.send(answer);
    }

    pub fn is_wanted(&self, segment: u64) -> bool {
        segment >= self.wanted_from.load(Ordering::Relaxed)
    }
}
