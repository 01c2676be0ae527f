//! From a score in every frame to one hit per occurrence.

use super::graph::WORD_GAP_FRAMES;

/// An end of the phrase that is good enough to be reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) confidence: f32,
    /// The encoder frames of the first and of the last token.
    pub(super) start: u64,
    pub(super) end: u64,
}

/// The encoder frames in which a better end of the same occurrence is waited for: what ends, less
/// likely, by a boundary may end by blanks after so many.
const SETTLE_FRAMES: usize = WORD_GAP_FRAMES;

/// Keeps the best of the candidates that overlap, and gives it once.
#[derive(Clone, Debug, Default)]
pub(super) struct Picker {
    best: Option<Candidate>,
    /// Frames since `best` was found.
    age_frames: usize,
    /// The last frame of what was given last; what begins before it has ended is the same.
    given_until: Option<u64>,
}

impl Picker {
    /// Takes a frame's candidate and gives the one that has settled.
    pub(super) fn accept(&mut self, candidate: Option<Candidate>) -> Option<Candidate> {
        self.age_frames += 1;
        let candidate = candidate.filter(|c| self.given_until.is_none_or(|end| c.start > end));
        match (candidate, self.best) {
            (Some(new), Some(best)) if new.start > best.end => {
                let settled = self.finish();
                self.hold(new);
                settled
            }
            (Some(new), Some(best)) if new.confidence > best.confidence => self.hold(new),
            (Some(new), None) => self.hold(new),
            _ if self.age_frames >= SETTLE_FRAMES => self.finish(),
            _ => None,
        }
    }

    /// Gives the candidate that is still waiting.
    pub(super) fn finish(&mut self) -> Option<Candidate> {
        let settled = self.best.take();
        self.given_until = settled.map(|candidate| candidate.end).or(self.given_until);
        settled
    }

    fn hold(&mut self, candidate: Candidate) -> Option<Candidate> {
        self.best = Some(candidate);
        self.age_frames = 0;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(confidence: f32, start: u64, end: u64) -> Option<Candidate> {
        Some(Candidate { confidence, start, end })
    }

    /// Feeds a candidate per frame, then nothing until all have settled.
    fn given(candidates: &[Option<Candidate>]) -> Vec<Candidate> {
        let mut picker = Picker::default();
        let silence = std::iter::repeat_n(&None, SETTLE_FRAMES);
        candidates.iter().chain(silence).filter_map(|&c| picker.accept(c)).collect()
    }

    #[test]
    fn the_best_of_those_that_overlap_is_given_once() {
        let found =
            given(&[candidate(0.3, 0, 5), candidate(0.8, 1, 6), None, candidate(0.5, 1, 8)]);
        assert_eq!(found, [candidate(0.8, 1, 6).unwrap()]);
    }

    #[test]
    fn a_later_end_of_what_was_given_is_not_given_again() {
        let mut frames = vec![candidate(0.3, 0, 5)];
        frames.extend([None; SETTLE_FRAMES]);
        frames.push(candidate(0.9, 4, 9));
        assert_eq!(given(&frames), [candidate(0.3, 0, 5).unwrap()]);
    }

    #[test]
    fn the_next_occurrence_need_not_wait() {
        let found = given(&[candidate(0.9, 0, 5), candidate(0.4, 6, 9)]);
        assert_eq!(found, [candidate(0.9, 0, 5).unwrap(), candidate(0.4, 6, 9).unwrap()]);
    }

    #[test]
    fn finish_gives_what_waits() {
        let mut picker = Picker::default();
        assert_eq!(picker.accept(candidate(0.9, 0, 5)), None);
        assert_eq!(picker.finish(), candidate(0.9, 0, 5));
        assert_eq!(picker.finish(), None);
    }
}
