//! Events as what they add, for those who append text instead of replacing it.

use std::collections::BTreeMap;

use crate::session::event::Event;

/// What an event adds to its utterance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextDelta {
    /// Text that stays, to be appended to that of the utterance's deltas before. May be empty.
    pub stable: String,
    /// What stands behind it for now; takes the place of the last delta's. Empty in a final.
    pub unstable: String,
}

/// Turns one stream's events into deltas: an utterance's stable texts, one after the other, are its
/// final's text.
#[derive(Clone, Debug, Default)]
pub struct TextDeltas {
    /// The stable text of each utterance without a final.
    stable: BTreeMap<u64, String>,
}

impl TextDeltas {
    /// Begins between utterances.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the stream's next event.
    ///
    /// Of a partial that takes back all text, nothing is stable.
    pub fn accept(&mut self, event: &Event) -> TextDelta {
        let hypothesis = event.hypothesis();
        let (stable, unstable) = match event.is_final() {
            false => (hypothesis.stable_text(), hypothesis.unstable_text()),
            true => (hypothesis.text.as_str(), ""),
        };
        let before = self.stable.entry(event.utterance()).or_default();
        let added = stable.get(before.len()..).unwrap_or_default().to_owned();
        // Stable text that comes again as unstable stays stable.
        let behind = before.len().saturating_sub(stable.len());
        let unstable = unstable.get(behind..).unwrap_or_default().to_owned();
        before.push_str(&added);
        if event.is_final() || hypothesis.text.is_empty() {
            self.stable.remove(&event.utterance());
        }
        TextDelta { stable: added, unstable }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::decode::{GrammarMatch, Hypothesis};
    use crate::finalize::Pass;

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
            outcome: GrammarMatch::Unrestricted,
        }
    }

    fn partial(utterance: u64, text: &str, stable: usize) -> Event {
        Event::Partial { utterance, hypothesis: hypothesis(text, stable) }
    }

    fn final_(utterance: u64, text: &str) -> Event {
        Event::Final { utterance, hypothesis: hypothesis(text, 0), pass: Pass::First }
    }

    fn delta(stable: &str, unstable: &str) -> TextDelta {
        TextDelta { stable: stable.to_owned(), unstable: unstable.to_owned() }
    }

    #[test]
    fn stable_texts_join_to_the_final() {
        let mut deltas = TextDeltas::new();
        let events = [
            (partial(0, "GOO", 0), delta("", "GOO")),
            (partial(0, "GOOD MORN", 4), delta("GOOD", " MORN")),
            (partial(0, "GOOD MOURNING", 4), delta("", " MOURNING")),
            (partial(1, "AND", 3), delta("AND", "")),
            (final_(0, "GOOD MORNING ALL"), delta(" MORNING ALL", "")),
            (final_(1, "AND SO"), delta(" SO", "")),
            (partial(2, "ON", 0), delta("", "ON")),
        ];
        for (event, expected) in events {
            assert_eq!(deltas.accept(&event), expected, "{event:?}");
        }
    }

    #[test]
    fn stable_text_that_shrinks_stays_stable() {
        let mut deltas = TextDeltas::new();
        deltas.accept(&partial(0, "A B C", 3));
        let event = partial(0, "A B D", 1);
        assert_eq!(deltas.accept(&event), delta("", " D"));
    }
}
