//! How much of what partials show changes, and how soon it no longer does.

use std::time::Duration;

use anyhow::{Result, ensure};
use mynah::{Event, TextDeltas};
use serde::Serialize;

use super::percentile::Percentiles;

/// What was counted over streams.
#[derive(Clone, Debug, Default)]
pub struct Stability {
    /// Words shown that later events took back or changed; a last word that goes on has not changed.
    changed: usize,
    /// Words of finals.
    finals: usize,
    /// Per word of a final: from its end to the first event in which it is stable.
    delays: Vec<Duration>,
}

/// Counts over one stream.
#[derive(Debug, Default)]
pub struct StabilityMeter {
    deltas: TextDeltas,
    /// The utterance's stable text.
    stable: String,
    /// When each stable word became so.
    stable_at: Vec<Duration>,
    shown: Vec<String>,
    stability: Stability,
}

/// The figures of a report.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct StabilitySummary {
    /// Per word of a final; `null` where there is none.
    pub changed_words: Option<f64>,
    pub delay_seconds: Option<Percentiles>,
}

impl StabilityMeter {
    /// Notes an event that came at `now`.
    ///
    /// # Errors
    ///
    /// Text that was told as stable has changed.
    pub fn event(&mut self, event: &Event, now: Duration) -> Result<()> {
        let hypothesis = event.hypothesis();
        self.stable.push_str(&self.deltas.accept(event).stable);
        ensure!(
            hypothesis.text.starts_with(&self.stable),
            "stable text {:?} became {:?}; this is a defect of Mynah",
            self.stable,
            hypothesis.text
        );
        self.stable_at.resize(self.stable.split_whitespace().count(), now);
        let words: Vec<String> = hypothesis.text.split_whitespace().map(str::to_owned).collect();
        self.stability.changed += changed(&self.shown, &words);
        self.shown = words;
        if let Event::Final { .. } = event {
            self.stability.finals += self.shown.len();
            let ends = hypothesis.words.iter().map(|word| word.end);
            let delays = self.stable_at.iter().zip(ends).map(|(at, end)| at.saturating_sub(end));
            self.stability.delays.extend(delays);
            self.stable.clear();
            self.stable_at.clear();
            self.shown.clear();
        }
        Ok(())
    }

    /// What was counted.
    pub fn into_stability(self) -> Stability {
        self.stability
    }
}

impl Stability {
    /// Adds that of another stream.
    pub fn extend(&mut self, other: Self) {
        self.changed += other.changed;
        self.finals += other.finals;
        self.delays.extend(other.delays);
    }

    /// The figures.
    pub fn summary(self) -> StabilitySummary {
        let finals = self.finals;
        StabilitySummary {
            changed_words: (finals > 0).then(|| self.changed as f64 / finals as f64),
            delay_seconds: Percentiles::of(self.delays),
        }
    }
}

/// The words of `before` that are not those of `after` at the same place.
fn changed(before: &[String], after: &[String]) -> usize {
    let stays = |(index, word): (usize, &String)| match after.get(index) {
        Some(now) if index + 1 == before.len() => now.starts_with(word.as_str()),
        now => now == Some(word),
    };
    before.len() - before.iter().enumerate().filter(|&word| stays(word)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_word_that_goes_on_has_not_changed() {
        let count = |before: &str, after: &str| {
            let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
            changed(&words(before), &words(after))
        };
        assert_eq!(count("GOOD MOR", "GOOD MORNING ALL"), 0);
        assert_eq!(count("GOO MOR", "GOOD MORNING"), 1);
        assert_eq!(count("GOOD MOURN", "GOOD MORNING"), 1);
        assert_eq!(count("GOOD MORNING ALL", "GOOD"), 2);
    }
}
