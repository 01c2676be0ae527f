//! What the server counts, in the form that Prometheus reads.

use std::{fmt, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// In seconds.
const LATENCIES: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0];

/// Seconds that add up.
pub type Seconds = Counter<f64, AtomicU64>;

/// A way into the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the names are the labels' values")]
pub enum Protocol {
    websocket,
    wyoming,
    upload,
}

impl Protocol {
    const ALL: [Self; 3] = [Self::websocket, Self::wyoming, Self::upload];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    protocol: Protocol,
}

/// The server's counters.
pub struct Metrics {
    registry: Registry,
    streams: Family<Labels, Gauge>,
    started: Family<Labels, Counter>,
    refused: Family<Labels, Counter>,
    failed: Family<Labels, Counter>,
    bytes: Family<Labels, Counter>,
    /// Audio that clients have sent and that was not recognized, because they left or a limit ended them.
    pub lost_audio: Seconds,
    pub audio: Seconds,
    pub compute: Seconds,
    real_time_factor: Gauge<f64, AtomicU64>,
    pub partial_latency: Histogram,
    pub final_latency: Histogram,
}

impl Metrics {
    pub fn new() -> Self {
        let latency = || Histogram::new(LATENCIES);
        let mut metrics = Self {
            registry: Registry::with_prefix("mynah"),
            streams: Family::default(),
            started: Family::default(),
            refused: Family::default(),
            failed: Family::default(),
            bytes: Family::default(),
            lost_audio: Seconds::default(),
            audio: Seconds::default(),
            compute: Seconds::default(),
            real_time_factor: Gauge::default(),
            partial_latency: latency(),
            final_latency: latency(),
        };
        metrics.register();
        metrics.start_at_zero();
        metrics
    }

    /// Makes every counter, since Prometheus computes no rate for the first event of one that appears with it.
    fn start_at_zero(&self) {
        for protocol in Protocol::ALL {
            let labels = Labels { protocol };
            let _ = self.streams.get_or_create(&labels);
            for family in [&self.started, &self.refused, &self.failed, &self.bytes] {
                let _ = family.get_or_create(&labels);
            }
        }
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("streams", "Streams and files at present", self.streams.clone());
        registry.register("started", "Streams and files begun", self.started.clone());
        registry.register("refused", "Streams and files refused at the door", self.refused.clone());
        registry.register("failed", "Streams and files ended by an error", self.failed.clone());
        registry.register("received_bytes", "Audio received, in bytes", self.bytes.clone());
        let seconds = || Unit::Seconds;
        let text = "Audio recognized";
        registry.register_with_unit("audio", text, seconds(), self.audio.clone());
        let text = "Audio received and not recognized";
        registry.register_with_unit("lost_audio", text, seconds(), self.lost_audio.clone());
        let text = "Computing of all workers";
        registry.register_with_unit("compute", text, seconds(), self.compute.clone());
        let text = "Computing over audio, since the start";
        registry.register("real_time_factor", text, self.real_time_factor.clone());
        let text = "From the receipt of audio to the partial result that it brings";
        let latency = self.partial_latency.clone();
        registry.register_with_unit("partial_latency", text, seconds(), latency);
        let text = "From the receipt of audio to the final result that it brings";
        let latency = self.final_latency.clone();
        registry.register_with_unit("final_latency", text, seconds(), latency);
    }

    pub fn start(&self, protocol: Protocol) {
        self.started.get_or_create(&Labels { protocol }).inc();
        self.streams.get_or_create(&Labels { protocol }).inc();
    }

    pub fn end(&self, protocol: Protocol) {
        self.streams.get_or_create(&Labels { protocol }).dec();
    }

    pub fn refuse(&self, protocol: Protocol) {
        self.refused.get_or_create(&Labels { protocol }).inc();
    }

    pub fn fail(&self, protocol: Protocol) {
        self.failed.get_or_create(&Labels { protocol }).inc();
    }

    pub fn receive(&self, protocol: Protocol, bytes: usize) {
        self.bytes.get_or_create(&Labels { protocol }).inc_by(bytes as u64);
    }

    pub fn compute(&self, computed: Duration, audio: Duration) {
        self.compute.inc_by(computed.as_secs_f64());
        self.audio.inc_by(audio.as_secs_f64());
    }

    /// The text that Prometheus reads.
    ///
    /// # Errors
    ///
    /// None that a string gives.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let audio = self.audio.get();
        self.real_time_factor.set(if audio > 0.0 { self.compute.get() / audio } else { 0.0 });
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_each_value() {
        let metrics = Metrics::new();
        metrics.start(Protocol::wyoming);
        metrics.refuse(Protocol::websocket);
        metrics.compute(Duration::from_secs(1), Duration::from_secs(4));
        metrics.partial_latency.observe(0.02);
        let text = metrics.encode().unwrap();
        for line in [
            "mynah_streams{protocol=\"wyoming\"} 1",
            "mynah_refused_total{protocol=\"websocket\"} 1",
            "mynah_failed_total{protocol=\"upload\"} 0",
            "mynah_audio_seconds_total 4.0",
            "mynah_real_time_factor 0.25",
            "mynah_partial_latency_seconds_bucket{le=\"0.025\"} 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }
}
