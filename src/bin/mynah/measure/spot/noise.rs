//! White noise at a chosen level, the same in each run.

use std::f64::consts::TAU;

/// Adds Gaussian noise so many decibels below the samples' mean power.
///
/// The noise depends on the seed alone. Silence stays silence.
pub fn add(samples: &mut [f32], snr_db: f64, seed: u64) {
    let power = mean_power(samples);
    let amplitude = (power / 10f64.powf(snr_db / 10.0)).sqrt();
    let mut random = fastrand::Rng::with_seed(seed);
    for sample in samples {
        *sample = (f64::from(*sample) + amplitude * gaussian(&mut random)) as f32;
    }
}

fn mean_power(samples: &[f32]) -> f64 {
    let energy: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    energy / samples.len().max(1) as f64
}

/// A normally distributed number (Box and Muller, 1958).
fn gaussian(random: &mut fastrand::Rng) -> f64 {
    // In (0, 1], so that the logarithm is finite.
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (TAU * random.f64()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_power_that_was_asked_for_and_a_mean_of_zero() {
        let tone: Vec<f32> = (0..160_000).map(|i| 0.5 * (0.1 * i as f32).sin()).collect();
        let mut noisy = tone.clone();
        add(&mut noisy, 10.0, 1);
        let noise: Vec<f32> = noisy.iter().zip(&tone).map(|(a, b)| a - b).collect();
        let snr = 10.0 * (mean_power(&tone) / mean_power(&noise)).log10();
        assert!((snr - 10.0).abs() < 0.1, "{snr}");
        assert!((noise.iter().sum::<f32>() / noise.len() as f32).abs() < 0.002);
    }

    #[test]
    fn the_seed_decides() {
        let noisy = |seed| {
            let mut samples = vec![0.5; 100];
            add(&mut samples, 0.0, seed);
            samples
        };
        assert_eq!(noisy(1), noisy(1));
        assert_ne!(noisy(1), noisy(2));
    }

    #[test]
    fn silence_stays_silence() {
        let mut samples = vec![0.0; 100];
        add(&mut samples, 10.0, 1);
        assert_eq!(samples, [0.0; 100]);
        add(&mut [], 10.0, 1);
    }
}
