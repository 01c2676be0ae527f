//! Where the second pass runs: on the stream's thread, or on a worker's.
//!
//! ```text
//! first pass → frames, places, ends of utterances → bounded queue → SecondPass → finals
//!              └ the first pass's own finals, kept until the second one's are there
//! ```

mod commitment;
mod second_pass;
mod worker;

use std::collections::VecDeque;

use crate::ctc::{Path, Search};
use crate::event::Pass;
use crate::model::{Model, SecondEncoder};
use crate::{Error, Result};

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
    Stream { second: Box<SecondPass>, partial: Option<Path>, ready: VecDeque<Finalized> },
    Worker(Box<Worker>),
}

impl Finalizer {
    /// `search` must be as at an utterance's beginning.
    pub fn new(model: &Model, encoder: &SecondEncoder, search: &Search, place: Place) -> Self {
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
        Self::Stream { second, partial: None, ready: VecDeque::new() }
    }

    /// Takes frames, which the first pass is about to decode.
    pub fn accept_frames(&mut self, frames: &[f32]) {
        match self {
            Self::Stream { second, .. } => second.accept_frames(frames),
            Self::Worker(worker) => worker.accept_frames(frames),
        }
    }

    /// Takes the place of the encoder frame that the first pass decodes.
    pub fn accept_place(&mut self, place: u64) {
        match self {
            Self::Stream { second, .. } => second.accept_place(place),
            Self::Worker(worker) => worker.accept_place(place),
        }
    }

    /// Has what was accepted decoded, if the first pass has found something or the second has begun.
    ///
    /// # Errors
    ///
    /// Those of [`SecondPass::advance`].
    pub fn advance(&mut self, is_idle: bool) -> Result<()> {
        match self {
            Self::Stream { second, partial, .. } => {
                if let Some(path) = second.advance(is_idle)? {
                    *partial = Some(path);
                }
                Ok(())
            }
            Self::Worker(worker) => {
                worker.advance(is_idle);
                Ok(())
            }
        }
    }

    /// Ends an utterance with the last encoder frame that was placed. Its final comes by
    /// [`Finalizer::next_final`], with an error too.
    ///
    /// # Errors
    ///
    /// Those of [`SecondPass::advance`].
    pub fn end(&mut self, ended: Ended) -> Result<()> {
        match self {
            Self::Stream { second, partial, ready } => {
                *partial = None;
                let finished = second.finish();
                let (paths, failure) = match finished {
                    Ok(paths) => (Some(paths), Ok(())),
                    Err(error) => (None, Err(error)),
                };
                ready.push_back(Finalized::new(ended, paths));
                failure
            }
            Self::Worker(worker) => {
                worker.end(ended);
                Ok(())
            }
        }
    }

    /// Ends an utterance in which the first pass found nothing.
    pub fn discard(&mut self) {
        match self {
            Self::Stream { second, partial, .. } => {
                *partial = None;
                second.discard();
            }
            Self::Worker(worker) => worker.discard(),
        }
    }

    /// Takes the hotwords and the grammar of a search: from the next utterance on, which is this one if it has
    /// not begun.
    pub fn configure(&mut self, search: &Search) {
        match self {
            Self::Stream { second, .. } => second.configure(search.clone()),
            Self::Worker(worker) => worker.configure(search.clone()),
        }
    }

    /// Forgets what was accepted since the last utterance; the audio goes on elsewhere.
    pub fn clear(&mut self) {
        match self {
            Self::Stream { second, .. } => second.clear(),
            Self::Worker(worker) => worker.clear(),
        }
    }

    /// What the second pass has decoded of the utterance so far, once it has decoded any.
    pub fn partial(&mut self) -> Option<&Path> {
        match self {
            Self::Stream { partial, .. } => partial.as_ref(),
            Self::Worker(worker) => worker.partial(),
        }
    }

    /// The next final that is there.
    pub fn next_final(&mut self) -> Option<Finalized> {
        match self {
            Self::Stream { ready, .. } => ready.pop_front(),
            Self::Worker(worker) => worker.next_final(),
        }
    }

    /// Waits until the next final is there; gives whether one is.
    pub fn wait(&mut self) -> bool {
        match self {
            Self::Stream { ready, .. } => !ready.is_empty(),
            Self::Worker(worker) => worker.wait(),
        }
    }

    /// Takes the first pass's finals for those that are not there.
    pub fn take_first_pass(&mut self) {
        if let Self::Worker(worker) = self {
            worker.take_first_pass();
        }
    }

    /// Why the worker computes no more finals, once.
    pub fn failure(&mut self) -> Option<Error> {
        match self {
            Self::Stream { .. } => None,
            Self::Worker(worker) => worker.failure(),
        }
    }
}

impl Finalized {
    /// `paths`: those of the second pass; without them the first one's stay.
    fn new(ended: Ended, paths: Option<Vec<Path>>) -> Self {
        match paths {
            Some(paths) => Self { ended: Ended { paths, ..ended }, pass: Pass::Second },
            None => Self { ended, pass: Pass::First },
        }
    }
}
