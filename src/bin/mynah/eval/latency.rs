//! Latency in a simulation where audio arrives in real time.
//!
//! A block of audio arrives when its last sample has been said. Its computation starts then, or
//! when that of the block before has ended, and takes as long as it was measured to take. Events
//! come when the computation that brought them ends.

use std::time::Duration;

use super::percentile::Percentiles;
use crate::utterance::{Utterance, Word};

/// The time from the end of a token, as the model aligned it, to an event.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// Per word: from its last token to the first event that shows it as it stays.
    pub words: Vec<Duration>,
    /// Per final that an endpoint closed: from the utterance's last token.
    pub endpoint_finals: Vec<Duration>,
    /// Per final that the end of the audio closed: from the utterance's last token.
    pub flushed_finals: Vec<Duration>,
}

/// What closed an utterance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    Endpoint,
    EndOfAudio,
}

/// The simulated clock of one stream, and what has been shown when.
#[derive(Debug, Default)]
pub struct LatencyMeter {
    now: Duration,
    shown: Vec<(Word, Duration)>,
    latencies: Latencies,
}

impl LatencyMeter {
    /// Moves the clock over the computation of a block that arrived at `arrival`.
    pub fn computed(&mut self, arrival: Duration, compute: Duration) {
        self.now = self.now.max(arrival) + compute;
    }

    /// The simulated time.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Notes what a partial shows now.
    pub fn partial(&mut self, utterance: &Utterance) {
        self.show(utterance);
    }

    /// Notes what a final shows now, and counts its words' latencies and its own.
    pub fn final_(&mut self, utterance: &Utterance, closed_by: ClosedBy) {
        self.show(utterance);
        let words = self.shown.drain(..);
        self.latencies.words.extend(words.map(|(word, shown)| shown.saturating_sub(word.end)));
        let latency = self.now.saturating_sub(utterance.end);
        match closed_by {
            ClosedBy::Endpoint => self.latencies.endpoint_finals.push(latency),
            ClosedBy::EndOfAudio => self.latencies.flushed_finals.push(latency),
        }
    }

    /// The latencies counted.
    pub fn into_latencies(self) -> Latencies {
        self.latencies
    }

    /// Words shown before keep their time; new and changed ones are shown now.
    fn show(&mut self, utterance: &Utterance) {
        let shown = std::mem::take(&mut self.shown);
        let same = |a: &Word, b: &Word| a.text == b.text && a.start == b.start;
        let since =
            |word: &Word| shown.iter().find(|(w, _)| same(w, word)).map_or(self.now, |s| s.1);
        self.shown = utterance.words.iter().map(|word| (word.clone(), since(word))).collect();
    }
}

impl Latencies {
    /// Adds those of another stream.
    pub fn extend(&mut self, other: Self) {
        self.words.extend(other.words);
        self.endpoint_finals.extend(other.endpoint_finals);
        self.flushed_finals.extend(other.flushed_finals);
    }

    /// The percentiles of each kind.
    pub fn summary(self) -> LatencySummary {
        LatencySummary {
            partial: Percentiles::of(self.words),
            endpoint_final: Percentiles::of(self.endpoint_finals),
            flushed_final: Percentiles::of(self.flushed_finals),
        }
    }
}

/// Percentiles in seconds; `None` for a kind that did not occur.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct LatencySummary {
    pub partial: Option<Percentiles>,
    pub endpoint_final: Option<Percentiles>,
    pub flushed_final: Option<Percentiles>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples::utterance;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn computation_waits_for_audio_and_for_the_block_before() {
        let mut meter = LatencyMeter::default();
        meter.computed(ms(10), ms(50));
        assert_eq!(meter.now, ms(60));
        meter.computed(ms(20), ms(1));
        assert_eq!(meter.now, ms(61));
        meter.computed(ms(100), ms(2));
        assert_eq!(meter.now, ms(102));
    }

    #[test]
    fn a_word_counts_from_its_end_to_the_first_event_with_it() {
        // Words end at 300 and 700 ms.
        let mut meter = LatencyMeter::default();
        meter.computed(ms(500), ms(20));
        meter.partial(&utterance(0, "GOOD"));
        meter.computed(ms(1000), ms(20));
        meter.partial(&utterance(0, "GOOD DAY"));
        meter.computed(ms(2000), ms(20));
        meter.final_(&utterance(0, "GOOD DAY"), ClosedBy::Endpoint);
        let latencies = meter.into_latencies();
        assert_eq!(latencies.words, [ms(220), ms(320)]);
        assert_eq!(latencies.endpoint_finals, [ms(1320)]);
        assert_eq!(latencies.flushed_finals, []);
    }

    #[test]
    fn a_word_that_changes_counts_to_its_last_change() {
        let mut meter = LatencyMeter::default();
        meter.computed(ms(500), ms(0));
        meter.partial(&utterance(0, "GOD"));
        meter.computed(ms(900), ms(0));
        meter.final_(&utterance(0, "GOOD"), ClosedBy::EndOfAudio);
        let latencies = meter.into_latencies();
        assert_eq!(latencies.words, [ms(600)]);
        assert_eq!(latencies.flushed_finals, [ms(600)]);
    }
}
