//! What was measured, for people and for machines.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

use mynah::StageTimes;
use serde::Serialize;

use super::{machine::Machine, memory::Memory};
use crate::{
    measure::eval::{latency::LatencySummary, report::latencies},
    utterance::seconds,
};

/// The figures of a model on a machine.
#[derive(Debug, Serialize)]
pub struct Report {
    pub version: &'static str,
    pub machine: Machine,
    pub model: String,
    pub precision: &'static str,
    /// How many matrix products run in which of tract's kernels.
    pub kernels: BTreeMap<String, usize>,
    #[serde(serialize_with = "seconds")]
    pub start_up_seconds: Duration,
    /// When the second pass was ready, too; `None` without one.
    pub second_pass_seconds: Option<f64>,
    #[serde(serialize_with = "seconds")]
    pub audio_seconds: Duration,
    pub real_time_factor: f64,
    pub chunk_compute: Option<ChunkCompute>,
    /// Of the first pass's encoder alone.
    pub encoder_compute: Option<ChunkCompute>,
    pub stages: Stages,
    pub latency_seconds: LatencySummary,
    pub memory: Memory,
    /// Of one core.
    pub silence_cpu_share: f64,
}

/// The share of each stage in the computation, from 0 to 1.
#[derive(Debug, PartialEq, Serialize)]
pub struct Stages {
    pub features: f64,
    pub encoder: f64,
    pub search: f64,
    /// The second pass.
    pub finals: f64,
}

impl Stages {
    pub fn of(times: StageTimes) -> Self {
        let total = times.total().as_secs_f64().max(f64::MIN_POSITIVE);
        let share = |time: Duration| (time.as_secs_f64() / total * 1e3).round() / 1e3;
        Self {
            features: share(times.features),
            encoder: share(times.encoder),
            search: share(times.search),
            finals: share(times.finals),
        }
    }
}

/// The computation per chunk of audio, in milliseconds.
#[derive(Debug, PartialEq, Serialize)]
pub struct ChunkCompute {
    pub chunk_ms: f64,
    pub count: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl ChunkCompute {
    /// Nearest-rank percentiles; `None` where there are no chunks.
    pub fn of(chunk: Duration, mut computations: Vec<Duration>) -> Option<Self> {
        computations.sort_unstable();
        let ms = |duration: Duration| (duration.as_secs_f64() * 1e5).round() / 1e2;
        let count = computations.len();
        let at = |percent: usize| ms(computations[(count * percent).div_ceil(100) - 1]);
        (count > 0).then(|| Self {
            chunk_ms: ms(chunk),
            count,
            p50_ms: at(50),
            p99_ms: at(99),
            max_ms: at(100),
        })
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
        let Machine { cpu, cores, architecture, system, features } = &self.machine;
        let kernels: Vec<_> = self.kernels.iter().map(|(name, n)| format!("{n} {name}")).collect();
        let latency = &self.latency_seconds;
        writeln!(out, "mynah             {}, {} ({})", self.version, self.model, self.precision)?;
        writeln!(
            out,
            "machine           {}, {} cores, {architecture} {system}",
            or_unknown(cpu.as_ref()),
            or_unknown(*cores)
        )?;
        writeln!(out, "features          {}", features.join(" "))?;
        writeln!(out, "matrix products   {}", kernels.join(", "))?;
        write!(out, "start-up          {} ms", self.start_up_seconds.as_millis())?;
        match self.second_pass_seconds {
            Some(ready) => writeln!(out, ", second pass ready after {:.0} ms", ready * 1e3)?,
            None => writeln!(out)?,
        }
        writeln!(
            out,
            "real-time factor  {:.4} ({:.0} s of audio)",
            self.real_time_factor,
            self.audio_seconds.as_secs_f64()
        )?;
        let &Stages { features, encoder, search, finals } = &self.stages;
        let stages =
            [("features", features), ("encoder", encoder), ("search", search), ("finals", finals)];
        let stages = stages.map(|(stage, share)| format!("{stage} {:.0} %", 100.0 * share));
        writeln!(out, "  share of stages {}", stages.join(", "))?;
        match &self.chunk_compute {
            Some(ChunkCompute { chunk_ms, count, p50_ms, p99_ms, max_ms }) => writeln!(
                out,
                "per {chunk_ms:.0} ms chunk  p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms, most {max_ms:.1} ms ({count} chunks)"
            )?,
            None => writeln!(out, "per chunk         none (the audio is shorter than a chunk)")?,
        }
        if let Some(ChunkCompute { p50_ms, p99_ms, .. }) = &self.encoder_compute {
            writeln!(out, "  encoder alone   p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms")?;
        }
        writeln!(out, "partial latency   {}", latencies(latency.partial, "words"))?;
        writeln!(out, "final latency     {}", latencies(latency.endpoint_final, "endpoints"))?;
        writeln!(out, "  at end of audio {}", latencies(latency.flushed_final, "finals"))?;
        writeln!(
            out,
            "memory            {} MB, {} of it not the program's file; at most {} MB",
            or_unknown(self.memory.resident_mb),
            or_unknown(self.memory.own_mb),
            or_unknown(self.memory.peak_mb)
        )?;
        writeln!(out, "in silence        {:.2} % of a core", 100.0 * self.silence_cpu_share)
    }
}

fn or_unknown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_reported_by_nearest_rank() {
        let computations = (1..=200).rev().map(Duration::from_millis).collect();
        let compute = ChunkCompute::of(Duration::from_millis(640), computations).unwrap();
        let expected = ChunkCompute {
            chunk_ms: 640.0,
            count: 200,
            p50_ms: 100.0,
            p99_ms: 198.0,
            max_ms: 200.0,
        };
        assert_eq!(compute, expected);
        assert_eq!(ChunkCompute::of(Duration::from_millis(640), Vec::new()), None);
    }
}
