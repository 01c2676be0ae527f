//! Where the second pass runs: on the stream's thread, or on a worker's.
//!
//! ```text
//! first pass → frames, places, ends of utterances → bounded queue → SecondPass → finals
//!              └ the first pass's own finals, kept until the second one's are there
//! ```

mod commitment;
mod message;
mod pass;
mod rescorer;
mod second_pass;
mod thread;
mod worker;

pub use pass::Pass;

use std::collections::VecDeque;

use crate::decode::{Path, Search};
use crate::error::{Error, Result};
use crate::model::{FinalPassEncoder, Model};

use second_pass::SecondPass;
use worker::Worker;

/// Where finals are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the thread that the samples come from: an utterance's end takes as long as its final.
    Stream,
    /// On a worker's thread. Samples of a live source are never waited with: where finals come too late the
    /// first pass's are taken. Those of another source wait while the worker's queue is full.
    Worker {
        /// Whether the source goes on while nobody reads it.
        is_live: bool,
    },
}

/// An utterance that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its number.
    pub utterance: u64,
    /// Whether partial results of it were shown.
    pub is_shown: bool,
    /// What the first pass made of it, the best first.
    pub paths: Vec<Path>,
}

/// An utterance's final, which may be that nothing was said.
#[derive(Debug)]
pub(crate) struct Finalized {
    pub ended: Ended,
    /// The pass that [`Ended::paths`] are of by now.
    pub pass: Pass,
}

/// Computes finals by a second pass.
pub(crate) enum Finalizer {
    Stream(Box<Inline>),
    Worker(Box<Worker>),
}

/// A second pass on the stream's thread.
pub(crate) struct Inline {
    /// `None` once it has failed.
    second: Option<Box<SecondPass>>,
    partial: Option<Path>,
    ready: VecDeque<Finalized>,
    failure: Option<Error>,
}

impl Inline {
    fn new(second: Box<SecondPass>) -> Self {
        Self { second: Some(second), partial: None, ready: VecDeque::new(), failure: None }
    }

    /// Has the second pass compute something; if it can't, gives it up.
    fn run<T>(&mut self, compute: impl FnOnce(&mut SecondPass) -> Result<T>) -> Option<T> {
        match compute(self.second.as_mut()?) {
            Ok(value) => Some(value),
            Err(error) => {
                (self.second, self.partial, self.failure) = (None, None, Some(error));
                None
            }
        }
    }

    fn advance(&mut self, is_idle: bool) {
        if let Some(Some(path)) = self.run(|second| second.advance(is_idle)) {
            self.partial = Some(path);
        }
    }

    fn end(&mut self, ended: Ended) {
        self.partial = None;
        let paths = self.run(SecondPass::finish);
        self.ready.push_back(Finalized::new(ended, paths));
    }

    fn discard(&mut self) {
        self.partial = None;
        self.second.iter_mut().for_each(|second| second.discard());
    }
}

impl Finalizer {
    /// `search` must be as at an utterance's beginning.
    pub fn new(model: &Model, encoder: &FinalPassEncoder, search: &Search, place: Place) -> Self {
        let second = Box::new(SecondPass::new(model, encoder, search));
        let second = match place {
            Place::Stream => second,
            Place::Worker { is_live } => match Worker::spawn(second, is_live) {
                Ok(worker) => return Self::Worker(Box::new(worker)),
                Err((second, reason)) => {
                    log::warn!(
                        "no thread for finals, so that each holds up what follows: {reason}"
                    );
                    second
                }
            },
        };
        Self::Stream(Box::new(Inline::new(second)))
    }

    /// Takes frames, which the first pass is about to decode.
    pub fn accept_frames(&mut self, frames: &[f32]) {
        match self {
            Self::Stream(inline) => {
                inline.second.iter_mut().for_each(|second| second.accept_frames(frames));
            }
            Self::Worker(worker) => worker.accept_frames(frames),
        }
    }

    /// Takes the place of the encoder frame that the first pass decodes.
    pub fn accept_place(&mut self, place: u64) {
        match self {
            Self::Stream(inline) => {
                inline.second.iter_mut().for_each(|second| second.accept_place(place));
            }
            Self::Worker(worker) => worker.accept_place(place),
        }
    }

    /// Has what was accepted decoded, if the first pass has found something or the second has begun.
    pub fn advance(&mut self, is_idle: bool) {
        match self {
            Self::Stream(inline) => inline.advance(is_idle),
            Self::Worker(worker) => worker.advance(is_idle),
        }
    }

    /// Ends an utterance with the last encoder frame that was placed. Its final comes by
    /// [`Finalizer::next_final`], with an error too.
    pub fn end(&mut self, ended: Ended) {
        match self {
            Self::Stream(inline) => inline.end(ended),
            Self::Worker(worker) => worker.end(ended),
        }
    }

    /// Ends an utterance in which the first pass found nothing.
    pub fn discard(&mut self) {
        match self {
            Self::Stream(inline) => inline.discard(),
            Self::Worker(worker) => worker.discard(),
        }
    }

    /// Takes the hotwords and the grammar of a search: from the next utterance on, which is this one if it has
    /// not begun.
    pub fn configure(&mut self, search: &Search) {
        match self {
            Self::Stream(inline) => {
                inline.second.iter_mut().for_each(|second| second.configure(search.clone()));
            }
            Self::Worker(worker) => worker.configure(search.clone()),
        }
    }

    /// Forgets what was accepted since the last utterance; the audio goes on elsewhere.
    pub fn clear(&mut self) {
        match self {
            Self::Stream(inline) => inline.second.iter_mut().for_each(|second| second.clear()),
            Self::Worker(worker) => worker.clear(),
        }
    }

    /// What the second pass has decoded of the utterance so far, once it has decoded any.
    pub fn partial(&mut self) -> Option<&Path> {
        match self {
            Self::Stream(inline) => inline.partial.as_ref(),
            Self::Worker(worker) => worker.partial(),
        }
    }

    /// The next final that is there.
    pub fn next_final(&mut self) -> Option<Finalized> {
        match self {
            Self::Stream(inline) => inline.ready.pop_front(),
            Self::Worker(worker) => worker.next_final(),
        }
    }

    /// Waits until the next final is there; gives whether one is.
    pub fn wait(&mut self) -> bool {
        match self {
            Self::Stream(inline) => !inline.ready.is_empty(),
            Self::Worker(worker) => worker.wait(),
        }
    }

    /// Finals that are not there yet.
    pub fn pending(&self) -> usize {
        match self {
            Self::Stream(_) => 0,
            Self::Worker(worker) => worker.pending(),
        }
    }

    /// Takes the first pass's finals for those that are not there.
    pub fn finalize_by_first_pass(&mut self) {
        if let Self::Worker(worker) = self {
            worker.finalize_by_first_pass();
        }
    }

    /// Why the second pass computes no more finals, once.
    pub fn failure(&mut self) -> Option<Error> {
        match self {
            Self::Stream(inline) => inline.failure.take(),
            Self::Worker(worker) => worker.failure(),
        }
    }
}

impl Finalized {
    /// `paths`: those of the second pass; without any the first one's stay.
    fn new(ended: Ended, paths: Option<Vec<Path>>) -> Self {
        match paths.filter(|paths| !paths.is_empty()) {
            Some(paths) => Self { ended: Ended { paths, ..ended }, pass: Pass::Second },
            None => Self { ended, pass: Pass::First },
        }
    }
}
