//! One phrase's left-to-right CTC graph and the best path through it, frame by frame.
//!
//! Scores are log-likelihood ratios: a frame's log-probability less that of its likeliest token. A
//! path begins anywhere for free and never scores above 0.

use std::collections::VecDeque;

use crate::lexicon::tokens::TokenId;

/// The encoder frames of blanks that end a word where no boundary token does, and begin one.
///
/// Without an end to the word, ALEXA is found in ALEXANDER. On recordings of four wake phrases any
/// number from 4 to 16 gave the same misses; more frames make hits later.
pub(super) const WORD_GAP_FRAMES: usize = 4;

/// A path's score, and the frames that its first and last token have reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Path {
    /// At most 0.
    pub(super) score: f32,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// What one encoder frame is to every phrase.
pub(super) struct Frame<'a> {
    pub(super) place: u64,
    /// Log-probabilities of all tokens.
    pub(super) log_probs: &'a [f32],
    /// The likeliest token's.
    pub(super) best: f32,
    /// The blank's ratio.
    pub(super) blank: f32,
    /// The boundary token's ratio; minus infinity if the model has none.
    pub(super) boundary: f32,
    /// The ratio of nothing within a phrase.
    pub(super) gap: f32,
    /// The score of a word that begins here.
    pub(super) entry: f32,
}

/// Where words can begin, the same for every phrase.
#[derive(Clone, Debug)]
pub(super) struct WordStart {
    /// The last frames' blank ratios.
    blanks: VecDeque<f32>,
    /// The best path that ends in a boundary and blanks after it.
    bounded: f32,
}

/// The paths that are alive in one phrase's graph.
#[derive(Clone, Debug)]
pub(super) struct PhraseGraph {
    tokens: Vec<TokenId>,
    /// Paths whose last frame is in the token.
    in_token: Vec<Path>,
    /// Paths that have left the token for blanks or a boundary.
    after_token: Vec<Path>,
    /// Paths that have passed so many blanks, and one, after the last token.
    tail: [Path; WORD_GAP_FRAMES],
}

impl Path {
    const NONE: Self = Self { score: f32::NEG_INFINITY, start: 0, end: 0 };

    fn better(self, other: Self) -> Self {
        if other.score > self.score { other } else { self }
    }

    fn plus(self, ratio: f32) -> Self {
        Self { score: self.score + ratio, ..self }
    }
}

impl WordStart {
    /// As after silence.
    pub(super) fn new() -> Self {
        Self { blanks: [0.0; WORD_GAP_FRAMES].into(), bounded: f32::NEG_INFINITY }
    }

    /// The score of a word that begins with the next frame.
    pub(super) fn entry(&self) -> f32 {
        self.bounded.max(self.blanks.iter().sum())
    }

    pub(super) fn accept(&mut self, blank: f32, boundary: f32) {
        self.blanks.pop_front();
        self.blanks.push_back(blank);
        self.bounded = boundary.max(self.bounded + blank);
    }
}

impl PhraseGraph {
    /// `tokens` are the phrase's, without boundaries; not empty.
    pub(super) fn new(tokens: Vec<TokenId>) -> Self {
        let none = vec![Path::NONE; tokens.len()];
        Self {
            tokens,
            in_token: none.clone(),
            after_token: none,
            tail: [Path::NONE; WORD_GAP_FRAMES],
        }
    }

    /// The number of tokens on a path.
    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Moves all paths on by a frame, and gives the best of those whose word has ended with it.
    pub(super) fn accept(&mut self, frame: &Frame) -> Path {
        let ended = self.end_word(frame);
        // Backwards, so that the paths of the frame before are still there to be read.
        for i in (0..self.tokens.len()).rev() {
            self.after_token[i] = self.after_token[i].better(self.in_token[i]).plus(frame.gap);
            let id = self.tokens[i];
            let path = self.in_token[i].better(self.before(i, frame));
            let ratio = frame.log_probs[id.0 as usize] - frame.best;
            self.in_token[i] = Path { end: frame.place, ..path.plus(ratio) };
        }
        ended
    }

    /// Gives up all paths.
    pub(super) fn clear(&mut self) {
        self.in_token.fill(Path::NONE);
        self.after_token.fill(Path::NONE);
        self.tail.fill(Path::NONE);
    }

    /// The best path that can enter the token at `i`. One of the same token before it must have
    /// been left first.
    fn before(&self, i: usize, frame: &Frame) -> Path {
        let Some(previous) = i.checked_sub(1) else {
            return Path { score: frame.entry, start: frame.place, end: frame.place };
        };
        if self.tokens[previous] == self.tokens[i] {
            self.after_token[previous]
        } else {
            self.after_token[previous].better(self.in_token[previous])
        }
    }

    fn end_word(&mut self, frame: &Frame) -> Path {
        let last = self.in_token.last().copied().unwrap_or(Path::NONE);
        let before_boundary = self.tail.iter().fold(last, |best, &path| best.better(path));
        self.tail.rotate_right(1);
        self.tail[0] = last;
        self.tail.iter_mut().for_each(|path| *path = path.plus(frame.blank));
        before_boundary.plus(frame.boundary).better(self.tail[WORD_GAP_FRAMES - 1])
    }
}
