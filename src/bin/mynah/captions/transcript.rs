//! What has been recognized, in paragraphs: finals, and the utterances that have none yet.

use std::{collections::BTreeMap, time::Duration};

use super::layout::Role;
use crate::utterance::Utterance;

/// A pause that begins a paragraph.
pub const LONG_PAUSE: Duration = Duration::from_millis(1200);

/// What was said without a long pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph {
    pub start: Duration,
    pub spans: Vec<(String, Role)>,
}

/// Words of one final without a long pause between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub start: Duration,
    pub end: Duration,
    pub text: String,
}

/// An utterance so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partial {
    pub start: Duration,
    pub end: Duration,
    pub stable: String,
    pub unstable: String,
}

/// All text of a session.
#[derive(Debug, Default)]
pub struct Transcript {
    /// Whether finals have marks, so that one without an end goes on in the next.
    pub has_marks: bool,
    paragraphs: Vec<Paragraph>,
    /// Where the last final ended.
    end: Duration,
    open: BTreeMap<u64, Partial>,
    /// The paragraphs that are not shown any more.
    cleared: usize,
}

impl Transcript {
    /// Adds the final of an utterance.
    pub fn finalize(&mut self, utterance: u64, pieces: Vec<Piece>) {
        self.open.remove(&utterance);
        for Piece { start, end, text } in pieces {
            let goes_on = self.goes_on(start) && self.paragraphs.len() > self.cleared;
            match self.paragraphs.last_mut().filter(|_| goes_on) {
                Some(last) => last.spans.push((text, Role::Final)),
                None => self.paragraphs.push(Paragraph { start, spans: vec![(text, Role::Final)] }),
            }
            self.end = end;
        }
    }

    /// Replaces what is shown of an utterance; an empty partial withdraws it.
    pub fn revise(&mut self, utterance: u64, partial: Partial) {
        if partial.stable.is_empty() && partial.unstable.is_empty() {
            self.open.remove(&utterance);
        } else {
            self.open.insert(utterance, partial);
        }
    }

    /// Shows nothing of what there is by now.
    pub fn clear(&mut self) {
        self.cleared = self.paragraphs.len();
    }

    /// The finals that no event can change.
    pub fn closed(&self) -> &[Paragraph] {
        let end = self.paragraphs.len().saturating_sub(1).max(self.cleared);
        &self.paragraphs[self.cleared..end]
    }

    /// The index of the first paragraph shown.
    pub fn first(&self) -> usize {
        self.cleared
    }

    /// What may still grow or change: the last paragraph of finals, and the utterances without final.
    pub fn open(&self) -> Vec<Paragraph> {
        let shown = &self.paragraphs[self.cleared..];
        let mut open: Vec<_> = shown.last().cloned().into_iter().collect();
        for (number, partial) in self.open.values().enumerate() {
            let is_first = number == 0;
            let spans = [(&partial.stable, Role::Stable), (&partial.unstable, Role::Unstable)];
            let spans = spans.into_iter().filter(|(text, _)| !text.is_empty());
            let spans = spans.map(|(text, role)| (text.clone(), role));
            match open.last_mut().filter(|_| is_first && self.goes_on(partial.start)) {
                Some(last) => last.spans.extend(spans),
                None => open.push(Paragraph { start: partial.start, spans: spans.collect() }),
            }
        }
        open
    }

    /// All that was ever shown: finals, and at the end what got none.
    pub fn all(&self) -> Vec<Paragraph> {
        let rest = self.open.values().map(|partial| Paragraph {
            start: partial.start,
            spans: vec![(format!("{} {}", partial.stable, partial.unstable), Role::Final)],
        });
        self.paragraphs.iter().cloned().chain(rest).collect()
    }

    /// Whether what begins then belongs to the last paragraph: a sentence without an end, and no long pause.
    fn goes_on(&self, start: Duration) -> bool {
        let ends_sentence = |text: &str| {
            text.trim_end_matches(['"', '”', '’', ')']).ends_with(['.', '?', '!', '…', '\n'])
        };
        let last = self.paragraphs.last().and_then(|paragraph| paragraph.spans.last());
        self.has_marks
            && last.is_some_and(|(text, _)| !ends_sentence(text))
            && start.saturating_sub(self.end) < LONG_PAUSE
    }
}

impl Piece {
    /// The final's words, cut where a long pause is.
    pub fn of(utterance: &Utterance) -> Vec<Self> {
        let words = utterance.shown_words();
        let is_long = |at: &usize| words[*at].start.saturating_sub(words[at - 1].end) >= LONG_PAUSE;
        let cuts: Vec<_> = (1..words.len()).filter(is_long).collect();
        if cuts.is_empty() {
            let text = utterance.shown().to_owned();
            return vec![Self { start: utterance.start, end: utterance.end, text }];
        }
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([words.len()]);
        let piece = |(from, to): (usize, usize)| Self {
            start: words[from].start,
            end: words[to - 1].end,
            text: words[from..to].iter().map(|word| &*word.text).collect::<Vec<_>>().join(" "),
        };
        starts.zip(ends).map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples::utterance;

    fn piece(start: u64, end: u64, text: &str) -> Vec<Piece> {
        let [start, end] = [start, end].map(Duration::from_millis);
        vec![Piece { start, end, text: text.to_owned() }]
    }

    fn partial(start: u64, stable: &str, unstable: &str) -> Partial {
        let start = Duration::from_millis(start);
        Partial { start, end: start, stable: stable.to_owned(), unstable: unstable.to_owned() }
    }

    fn texts(paragraphs: &[Paragraph]) -> Vec<String> {
        let text = |paragraph: &Paragraph| {
            paragraph.spans.iter().map(|(text, _)| text.trim()).collect::<Vec<_>>().join(" ")
        };
        paragraphs.iter().map(text).collect()
    }

    #[test]
    fn a_paragraph_begins_after_a_sentence_or_a_long_pause() {
        let mut transcript = Transcript { has_marks: true, ..Transcript::default() };
        transcript.finalize(0, piece(0, 900, "There is nothing,"));
        transcript.finalize(1, piece(1_500, 2_000, "she said."));
        transcript.finalize(2, piece(2_600, 3_000, "Indeed"));
        transcript.finalize(3, piece(4_300, 5_000, "he answered"));
        assert_eq!(texts(transcript.closed()), ["There is nothing, she said.", "Indeed"]);
        assert_eq!(texts(&transcript.open()), ["he answered"]);
    }

    #[test]
    fn without_marks_each_final_is_a_paragraph() {
        let mut transcript = Transcript::default();
        transcript.finalize(0, piece(0, 900, "THERE IS"));
        transcript.finalize(1, piece(1_000, 2_000, "NOTHING"));
        assert_eq!(texts(&transcript.all()), ["THERE IS", "NOTHING"]);
    }

    #[test]
    fn a_final_replaces_its_partial_and_no_other() {
        let mut transcript = Transcript { has_marks: true, ..Transcript::default() };
        transcript.revise(0, partial(0, "there is", "no thing"));
        transcript.revise(1, partial(2_000, "", "yes"));
        assert_eq!(texts(&transcript.open()), ["there is no thing", "yes"]);
        transcript.finalize(0, piece(0, 900, "There is nothing"));
        assert_eq!(texts(&transcript.open()), ["There is nothing yes"]);
        transcript.revise(1, Partial::default());
        assert_eq!(texts(&transcript.open()), ["There is nothing"]);
    }

    #[test]
    fn clearing_hides_finals_and_loses_none() {
        let mut transcript = Transcript { has_marks: true, ..Transcript::default() };
        transcript.finalize(0, piece(0, 900, "One"));
        transcript.clear();
        assert!(transcript.closed().is_empty() && transcript.open().is_empty());
        transcript.finalize(1, piece(1_000, 1_900, "two"));
        assert_eq!(texts(&transcript.open()), ["two"]);
        assert_eq!(texts(&transcript.all()), ["One", "two"]);
    }

    #[test]
    fn a_final_is_cut_at_long_pauses() {
        let mut said = utterance(0, "YES AND NO");
        said.words[2].start += LONG_PAUSE;
        said.words[2].end += LONG_PAUSE;
        let pieces = Piece::of(&said);
        assert_eq!(pieces.iter().map(|p| &*p.text).collect::<Vec<_>>(), ["YES AND", "NO"]);
        assert_eq!(pieces[1].start, said.words[2].start);
        assert_eq!(Piece::of(&utterance(0, "YES AND NO")).len(), 1);
    }
}
