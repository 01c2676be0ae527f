//! Events as what they add, for those who append text instead of replacing it.

use crate::Event;

/// What an event adds to its utterance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Text that stays, to be appended to that of the utterance's deltas before. May be empty.
    pub settled: String,
    /// What stands behind it for now; takes the place of the last delta's. Empty in a final.
    pub unstable: String,
}

/// Turns one stream's events into deltas: an utterance's settled texts, one after the other, are its
/// final's text.
#[derive(Clone, Debug, Default)]
pub struct Deltas {
    /// The text settled of this utterance.
    settled: String,
}

impl Deltas {
    /// Begins between utterances.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the stream's next event.
    ///
    /// Of a partial that takes back all text, nothing is settled.
    pub fn accept(&mut self, event: &Event) -> Delta {
        let hypothesis = event.hypothesis();
        let (stable, unstable) = match event {
            Event::Partial(_) => (hypothesis.stable_text(), hypothesis.unstable_text()),
            Event::Final(_) => (hypothesis.text.as_str(), ""),
        };
        let settled = stable.get(self.settled.len()..).unwrap_or_default().to_owned();
        // Stable text that is told again as unstable stays settled.
        let behind = self.settled.len().saturating_sub(stable.len());
        let unstable = unstable.get(behind..).unwrap_or_default().to_owned();
        match event {
            Event::Partial(_) => self.settled.push_str(&settled),
            Event::Final(_) => self.settled.clear(),
        }
        Delta { settled, unstable }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ctc::{Hypothesis, Outcome};

    fn hypothesis(text: &str, stable: usize) -> Hypothesis {
        Hypothesis {
            text: text.to_owned(),
            stable,
            tokens: Vec::new(),
            words: Vec::new(),
            start: Duration::ZERO,
            end: Duration::ZERO,
            score: 0.0,
            alternatives: Vec::new(),
            outcome: Outcome::Unrestricted,
        }
    }

    fn delta(settled: &str, unstable: &str) -> Delta {
        Delta { settled: settled.to_owned(), unstable: unstable.to_owned() }
    }

    #[test]
    fn settled_texts_join_to_the_final() {
        let mut deltas = Deltas::new();
        let events = [
            (Event::Partial(hypothesis("GOO", 0)), delta("", "GOO")),
            (Event::Partial(hypothesis("GOOD MORN", 4)), delta("GOOD", " MORN")),
            (Event::Partial(hypothesis("GOOD MOURNING", 4)), delta("", " MOURNING")),
            (Event::Final(hypothesis("GOOD MORNING ALL", 4)), delta(" MORNING ALL", "")),
            (Event::Partial(hypothesis("AND", 0)), delta("", "AND")),
        ];
        for (event, expected) in events {
            assert_eq!(deltas.accept(&event), expected, "{event:?}");
        }
    }

    #[test]
    fn stable_text_that_shrinks_stays_settled() {
        let mut deltas = Deltas::new();
        deltas.accept(&Event::Partial(hypothesis("A B C", 3)));
        let event = Event::Partial(hypothesis("A B D", 1));
        assert_eq!(deltas.accept(&event), delta("", " D"));
    }
}
