//! How loud a recording is, and what that says about the microphone.

use super::finding::Finding;

/// A sample of this magnitude or more is at the end of the converter's range.
const CLIPPED: f32 = 0.999;
/// The share of clipped samples from which on words suffer.
const CLIPPED_SHARE: f64 = 1e-3;
/// Below, a microphone in a quiet room is switched down or far from all speech. In dBFS.
const FAINT_DBFS: f64 = -66.0;

/// Sums over the samples of a recording.
#[derive(Clone, Copy, Debug, Default)]
pub struct Level {
    count: u64,
    peak: f32,
    squares: f64,
    clipped: u64,
}

impl Level {
    /// Adds samples in [-1, 1].
    pub fn add(&mut self, samples: &[f32]) {
        for sample in samples.iter().map(|sample| sample.abs()) {
            self.peak = self.peak.max(sample);
            self.squares += f64::from(sample) * f64::from(sample);
            self.clipped += u64::from(sample >= CLIPPED);
        }
        self.count += samples.len() as u64;
    }

    /// What the level says.
    pub fn finding(&self) -> Finding {
        const CHECK: &str = "level";
        if self.count == 0 {
            return Finding::problem(CHECK, "the device has delivered no samples")
                .advice("another program may hold it; try another `--device`");
        }
        if self.peak == 0.0 {
            return Finding::problem(CHECK, "digital silence: each sample is zero")
                .advice("the microphone is muted (`alsamixer`, `pavucontrol`), or it is the wrong device: try another `--device`");
        }
        let rms = (self.squares / self.count as f64).sqrt();
        let detail = format!("peak {:.0} dBFS, RMS {:.0} dBFS", dbfs(self.peak.into()), dbfs(rms));
        let clipped = self.clipped as f64 / self.count as f64;
        if clipped >= CLIPPED_SHARE {
            return Finding::warning(
                CHECK,
                format!("{detail}, {:.1} % of the samples clip", 100.0 * clipped),
            )
            .advice("turn the microphone's gain down");
        }
        if dbfs(rms) < FAINT_DBFS {
            return Finding::warning(CHECK, format!("{detail}: very faint")).advice(
                "fine if nobody spoke; otherwise turn the microphone's gain up or come closer",
            );
        }
        Finding::ok(CHECK, detail)
    }
}

/// Decibels of full scale.
fn dbfs(amplitude: f64) -> f64 {
    20.0 * amplitude.log10()
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Status, *};

    fn finding(samples: &[f32]) -> Finding {
        let mut level = Level::default();
        samples.chunks(100).for_each(|samples| level.add(samples));
        level.finding()
    }

    fn sine(amplitude: f32) -> Vec<f32> {
        let sample = |i: usize| amplitude * (i as f32 * std::f32::consts::TAU / 50.0).sin();
        (0..16_000).map(sample).collect()
    }

    #[test]
    fn a_sine_has_its_amplitude_as_peak_and_3_db_less_as_rms() {
        let found = finding(&sine(0.1));
        assert_eq!(
            (found.status, found.detail.as_str()),
            (Status::Ok, "peak -20 dBFS, RMS -23 dBFS")
        );
    }

    #[test]
    fn silence_faintness_and_clipping_differ() {
        let clipped: Vec<_> = sine(2.0).iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
        for (samples, status, part) in [
            (vec![], Status::Problem, "no samples"),
            (vec![0.0; 1_000], Status::Problem, "digital silence"),
            (sine(1e-4), Status::Warning, "very faint"),
            (clipped, Status::Warning, "clip"),
        ] {
            let found = finding(&samples);
            assert_eq!(found.status, status, "{found:?}");
            assert!(found.detail.contains(part) && found.advice.is_some(), "{found:?}");
        }
    }
}
