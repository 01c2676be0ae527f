//! What an evaluation found, for people and for machines.

use std::{
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;

use super::{
    error_rate::Edits,
    grammar::GrammarTally,
    latency::{LatencySplit, LatencySummary},
    percentile::Percentiles,
    stability::StabilitySummary,
};
use crate::utterance::seconds;

/// The figures of a model on a manifest.
#[derive(Debug, Serialize)]
pub struct Report {
    pub model: String,
    pub precision: &'static str,
    pub chunk_ms: u64,
    pub decoding: String,
    pub recordings: usize,
    #[serde(serialize_with = "seconds")]
    pub audio_seconds: Duration,
    #[serde(serialize_with = "seconds")]
    pub compute_seconds: Duration,
    pub real_time_factor: Option<f64>,
    pub words: ErrorRate,
    #[serde(flatten)]
    pub rare: Option<RareWords>,
    pub characters: ErrorRate,
    pub latency_seconds: LatencySummary,
    pub stability: StabilitySummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grammar: Option<GrammarTally>,
}

/// Edits and their rate.
#[derive(Debug, Serialize)]
pub struct ErrorRate {
    /// `null` where the references are empty.
    pub error_rate: Option<f64>,
    #[serde(flatten)]
    pub edits: Edits,
}

/// The word errors of recordings whose manifest names rare words: of those (B-WER) and of all others
/// (U-WER). An inserted word counts where it belongs; Le et al. 2021, arXiv 2104.02194.
#[derive(Debug, Serialize)]
pub struct RareWords {
    pub rare_words: ErrorRate,
    pub other_words: ErrorRate,
}

impl RareWords {
    /// Takes the edits of rare words and of others.
    pub fn new([rare, others]: [Edits; 2]) -> Self {
        Self { rare_words: rare.into(), other_words: others.into() }
    }
}

impl From<Edits> for ErrorRate {
    fn from(edits: Edits) -> Self {
        Self { error_rate: edits.rate(), edits }
    }
}

impl Report {
    /// Writes the report as one JSON object.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    /// Writes the report as a table.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let latency = &self.latency_seconds;
        let Self { model, precision, chunk_ms, .. } = self;
        writeln!(out, "model             {model} ({precision}, chunks of {chunk_ms} ms)")?;
        writeln!(out, "decoding          {}", self.decoding)?;
        writeln!(
            out,
            "audio             {:.1} s in {} recordings",
            self.audio_seconds.as_secs_f64(),
            self.recordings
        )?;
        writeln!(out, "word errors       {}", error_rate(&self.words))?;
        if let Some(RareWords { rare_words, other_words }) = &self.rare {
            writeln!(out, "  of rare words   {}", error_rate(rare_words))?;
            writeln!(out, "  of other words  {}", error_rate(other_words))?;
        }
        writeln!(out, "character errors  {}", error_rate(&self.characters))?;
        writeln!(
            out,
            "real-time factor  {} (compute {:.1} s on one core)",
            self.real_time_factor.map_or("none".to_owned(), |factor| format!("{factor:.3}")),
            self.compute_seconds.as_secs_f64()
        )?;
        writeln!(out, "partial latency   {}", latencies(latency.partial, "words"))?;
        writeln!(out, "final latency     {}", latencies(latency.endpoint_final, "endpoints"))?;
        writeln!(out, "  at end of audio {}", latencies(latency.flushed_final, "finals"))?;
        let changed = self.stability.changed_words;
        let changed = changed.map_or("none".to_owned(), |changed| format!("{changed:.3}"));
        writeln!(out, "words changed     {changed} per word of a final")?;
        writeln!(out, "stable after      {}", percentiles(self.stability.delay_seconds, "words"))?;
        self.grammar.map_or(Ok(()), |grammar| grammar.write_table(out))
    }
}

fn error_rate(rate: &ErrorRate) -> String {
    let Edits { substitutions, deletions, insertions, reference } = rate.edits;
    let percent =
        rate.error_rate.map_or("none".to_owned(), |rate| format!("{:.2} %", 100.0 * rate));
    format!(
        "{percent} of {reference} ({substitutions} substituted, {deletions} deleted, {insertions} inserted)"
    )
}

/// Percentiles in milliseconds, and what of them is computation.
pub fn latencies(latencies: Option<LatencySplit>, what: &str) -> String {
    let total = percentiles(latencies.map(|latencies| latencies.total), what);
    let Some(LatencySplit { compute, .. }) = latencies else { return total };
    let [p50, p99] = [compute.p50, compute.p99].map(|latency| latency.as_millis());
    format!("{total}; computing p50 {p50} ms, p99 {p99} ms")
}

/// Percentiles in milliseconds, and of how many of what.
pub fn percentiles(percentiles: Option<Percentiles>, what: &str) -> String {
    let Some(Percentiles { count, p50, p95, p99 }) = percentiles else {
        return format!("none (0 {what})");
    };
    let [p50, p95, p99] = [p50, p95, p99].map(|latency| latency.as_millis());
    format!("p50 {p50} ms, p95 {p95} ms, p99 {p99} ms ({count} {what})")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::measure::eval::{
        latency::{Latencies, Latency},
        stability::Stability,
    };

    fn latency(algorithmic: u64, compute: u64) -> Latency {
        let [algorithmic, compute] = [algorithmic, compute].map(Duration::from_millis);
        Latency { total: algorithmic + compute, algorithmic, compute }
    }

    fn report() -> Report {
        let words = Edits { substitutions: 2, deletions: 1, insertions: 0, reference: 40 };
        let latencies = Latencies {
            words: vec![latency(400, 10)],
            endpoint_finals: Vec::new(),
            flushed_finals: vec![latency(680, 20)],
        };
        Report {
            model: "en-small".to_owned(),
            precision: "int8",
            chunk_ms: 640,
            decoding: "greedy".to_owned(),
            recordings: 2,
            audio_seconds: Duration::from_millis(12_340),
            compute_seconds: Duration::from_millis(1234),
            real_time_factor: Some(0.1),
            words: words.into(),
            rare: None,
            characters: Edits::default().into(),
            latency_seconds: latencies.summary(),
            stability: Stability::default().summary(),
            grammar: None,
        }
    }

    #[test]
    fn a_table_is_for_people() {
        let mut out = Vec::new();
        report().write_table(&mut out).unwrap();
        assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        model             en-small (int8, chunks of 640 ms)
        decoding          greedy
        audio             12.3 s in 2 recordings
        word errors       7.50 % of 40 (2 substituted, 1 deleted, 0 inserted)
        character errors  none of 0 (0 substituted, 0 deleted, 0 inserted)
        real-time factor  0.100 (compute 1.2 s on one core)
        partial latency   p50 410 ms, p95 410 ms, p99 410 ms (1 words); computing p50 10 ms, p99 10 ms
        final latency     none (0 endpoints)
          at end of audio p50 700 ms, p95 700 ms, p99 700 ms (1 finals); computing p50 20 ms, p99 20 ms
        words changed     none per word of a final
        stable after      none (0 words)
        "#);
    }

    #[test]
    fn rare_words_have_lines_of_their_own() {
        let rare = Edits { substitutions: 1, reference: 4, ..Edits::default() };
        let others = Edits { substitutions: 1, deletions: 1, reference: 36, ..Edits::default() };
        let report = Report { rare: Some(RareWords::new([rare, others])), ..report() };
        let mut out = Vec::new();
        report.write_table(&mut out).unwrap();
        let table = String::from_utf8(out).unwrap();
        let lines: Vec<_> = table.lines().filter(|line| line.starts_with("  of")).collect();
        assert_snapshot!(lines.join("\n"), @r#"
          of rare words   25.00 % of 4 (1 substituted, 0 deleted, 0 inserted)
          of other words  5.56 % of 36 (1 substituted, 1 deleted, 0 inserted)
        "#);
    }

    #[test]
    fn an_object_is_for_machines() {
        let mut out = Vec::new();
        report().write_json(&mut out).unwrap();
        assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        {
          "model": "en-small",
          "precision": "int8",
          "chunk_ms": 640,
          "decoding": "greedy",
          "recordings": 2,
          "audio_seconds": 12.34,
          "compute_seconds": 1.234,
          "real_time_factor": 0.1,
          "words": {
            "error_rate": 0.075,
            "substitutions": 2,
            "deletions": 1,
            "insertions": 0,
            "reference": 40
          },
          "characters": {
            "error_rate": null,
            "substitutions": 0,
            "deletions": 0,
            "insertions": 0,
            "reference": 0
          },
          "latency_seconds": {
            "partial": {
              "count": 1,
              "p50": 0.41,
              "p95": 0.41,
              "p99": 0.41,
              "algorithmic": {
                "count": 1,
                "p50": 0.4,
                "p95": 0.4,
                "p99": 0.4
              },
              "compute": {
                "count": 1,
                "p50": 0.01,
                "p95": 0.01,
                "p99": 0.01
              }
            },
            "endpoint_final": null,
            "flushed_final": {
              "count": 1,
              "p50": 0.7,
              "p95": 0.7,
              "p99": 0.7,
              "algorithmic": {
                "count": 1,
                "p50": 0.68,
                "p95": 0.68,
                "p99": 0.68
              },
              "compute": {
                "count": 1,
                "p50": 0.02,
                "p95": 0.02,
                "p99": 0.02
              }
            }
          },
          "stability": {
            "changed_words": null,
            "delay_seconds": null
          }
        }
        "#);
    }
}
