//! Latency in a simulation where audio arrives in real time.
//!
//! A block of audio arrives when its last sample has been said. Its computation starts then, or
//! when that of the block before has ended, and takes as long as it was measured to take. Events
//! come when the computation that brought them ends. What a latency has besides computation is the
//! algorithm's: the wait for the rest of the chunk, for the lookahead, and for an endpoint rule.

use std::time::Duration;

use super::percentile::Percentiles;
use crate::utterance::{Utterance, Word};

/// The times from the end of a token, as the model aligned it, to an event.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// Per word: from its last token to the first event that shows it as it stays.
    pub words: Vec<Latency>,
    /// Per final that an endpoint closed: from the utterance's last token.
    pub endpoint_finals: Vec<Latency>,
    /// Per final that the end of the audio closed: from the utterance's last token.
    pub flushed_finals: Vec<Latency>,
}

/// A latency and its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    pub total: Duration,
    /// Until the audio that brought the event had arrived.
    pub algorithmic: Duration,
    /// From then on.
    pub compute: Duration,
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
    /// When the audio arrived whose computation ended now.
    arrival: Duration,
    shown: Vec<(Word, Moment)>,
    latencies: Latencies,
}

/// When an event came.
#[derive(Clone, Copy, Debug)]
struct Moment {
    now: Duration,
    arrival: Duration,
}

impl Moment {
    fn since(self, end: Duration) -> Latency {
        Latency {
            total: self.now.saturating_sub(end),
            algorithmic: self.arrival.saturating_sub(end),
            compute: self.now - self.arrival,
        }
    }
}

impl LatencyMeter {
    /// Moves the clock over the computation of a block that arrived at `arrival`.
    pub fn computed(&mut self, arrival: Duration, compute: Duration) {
        self.now = self.now.max(arrival) + compute;
        self.arrival = arrival;
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
        self.latencies.words.extend(words.map(|(word, shown)| shown.since(word.end)));
        let latency = self.moment().since(utterance.end);
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
        let first =
            |word: &Word| shown.iter().find(|(w, _)| same(w, word)).map_or(self.moment(), |s| s.1);
        self.shown = utterance.words.iter().map(|word| (word.clone(), first(word))).collect();
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now, arrival: self.arrival }
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
            partial: LatencySplit::of(&self.words),
            endpoint_final: LatencySplit::of(&self.endpoint_finals),
            flushed_final: LatencySplit::of(&self.flushed_finals),
        }
    }
}

/// Percentiles in seconds; `None` for a kind that did not occur.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct LatencySummary {
    pub partial: Option<LatencySplit>,
    pub endpoint_final: Option<LatencySplit>,
    pub flushed_final: Option<LatencySplit>,
}

/// The percentiles of latencies and of each of their parts.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct LatencySplit {
    #[serde(flatten)]
    pub total: Percentiles,
    pub algorithmic: Percentiles,
    pub compute: Percentiles,
}

impl LatencySplit {
    fn of(latencies: &[Latency]) -> Option<Self> {
        let part =
            |part: fn(&Latency) -> Duration| Percentiles::of(latencies.iter().map(part).collect());
        Some(Self {
            total: part(|latency| latency.total)?,
            algorithmic: part(|latency| latency.algorithmic)?,
            compute: part(|latency| latency.compute)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples::utterance;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn latency(algorithmic: u64, compute: u64) -> Latency {
        let (algorithmic, compute) = (ms(algorithmic), ms(compute));
        Latency { total: algorithmic + compute, algorithmic, compute }
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
        assert_eq!(latencies.words, [latency(200, 20), latency(300, 20)]);
        assert_eq!(latencies.endpoint_finals, [latency(1300, 20)]);
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
        assert_eq!(latencies.words, [latency(600, 0)]);
        assert_eq!(latencies.flushed_finals, [latency(600, 0)]);
    }
}
