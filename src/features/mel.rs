//! Triangular filters with unit area on Slaney's mel scale.

use super::FbankConfig;

/// Weighs a power spectrum into mel energies.
///
/// Filter `m` rises from edge `m` to edge `m + 1` and falls to edge `m + 2`, the edges spread evenly
/// in mel from `low_hz` to `high_hz`. Its peak is `2 / width in Hz`, so that its area is one.
#[derive(Clone, Debug)]
pub(super) struct MelFilters {
    filters: Vec<Filter>,
}

/// The nonzero weights of one filter.
#[derive(Clone, Debug)]
struct Filter {
    first_bin: usize,
    weights: Vec<f32>,
}

impl MelFilters {
    /// Takes a configuration whose ranges have been checked.
    pub(super) fn new(config: &FbankConfig) -> Self {
        let (low, high) = (hz_to_mel(config.low_hz), hz_to_mel(config.high_hz));
        let step = (high - low) / (config.mel_bins + 1) as f64;
        let edges: Vec<f64> =
            (0..config.mel_bins + 2).map(|m| mel_to_hz(low + step * m as f64)).collect();
        let bin_hz = f64::from(config.sample_rate) / config.frame_length_samples as f64;
        let bins = config.frame_length_samples / 2 + 1;
        let filters = edges.windows(3).map(|e| triangle(e[0], e[1], e[2], bin_hz, bins)).collect();
        Self { filters }
    }

    /// Appends one energy per filter to `energies`. `power`: `[frame_length / 2 + 1]`.
    pub(super) fn apply(&self, power: &[f32], energies: &mut Vec<f32>) {
        energies.extend(self.filters.iter().map(|filter| {
            let power = &power[filter.first_bin..];
            filter.weights.iter().zip(power).map(|(weight, power)| weight * power).sum::<f32>()
        }));
    }
}

fn triangle(left: f64, centre: f64, right: f64, bin_hz: f64, bins: usize) -> Filter {
    let weight = |bin: usize| {
        let hz = bin as f64 * bin_hz;
        let height = ((hz - left) / (centre - left)).min((right - hz) / (right - centre)).max(0.0);
        (height * 2.0 / (right - left)) as f32
    };
    let first_bin = (0..bins).find(|&bin| weight(bin) > 0.0).unwrap_or(bins);
    let weights = (first_bin..bins).map(weight).take_while(|&weight| weight > 0.0).collect();
    Filter { first_bin, weights }
}

/// Slaney's scale (Auditory Toolbox, 1998): linear up to 1 kHz at 3 mel per 200 Hz, then 27 mel per
/// factor of 6.4.
fn hz_to_mel(hz: f64) -> f64 {
    if hz < 1000.0 { hz * 3.0 / 200.0 } else { 15.0 + 27.0 * (hz / 1000.0).ln() / 6.4f64.ln() }
}

fn mel_to_hz(mel: f64) -> f64 {
    if mel < 15.0 { mel * 200.0 / 3.0 } else { 1000.0 * ((mel - 15.0) * 6.4f64.ln() / 27.0).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(mel_bins: usize, low_hz: f64, high_hz: f64) -> FbankConfig {
        FbankConfig {
            sample_rate: 1600,
            frame_length_samples: 16,
            frame_shift_samples: 8,
            mel_bins,
            low_hz,
            high_hz,
            energy_floor: 1e-7,
        }
    }

    /// The filters as rows over all bins.
    fn matrix(config: &FbankConfig) -> Vec<Vec<f32>> {
        let bins = config.frame_length_samples / 2 + 1;
        let filters = MelFilters::new(config);
        let unit = |bin| (0..bins).map(|b| if b == bin { 1.0 } else { 0.0 }).collect::<Vec<f32>>();
        let mut columns = Vec::new();
        for bin in 0..bins {
            let mut column = Vec::new();
            filters.apply(&unit(bin), &mut column);
            columns.push(column);
        }
        (0..config.mel_bins).map(|m| columns.iter().map(|c| c[m]).collect()).collect()
    }

    #[test]
    fn scale_has_its_known_points_and_inverts() {
        assert_eq!(hz_to_mel(0.0), 0.0);
        assert_eq!(hz_to_mel(200.0), 3.0);
        assert_eq!(hz_to_mel(1000.0), 15.0);
        assert!((hz_to_mel(6400.0) - 42.0).abs() < 1e-9);
        for hz in [0.0, 123.0, 999.0, 1000.0, 1001.0, 7999.0] {
            assert!((mel_to_hz(hz_to_mel(hz)) - hz).abs() < 1e-9);
        }
    }

    /// Below 1 kHz the edges lie evenly: 0, 200, 400, 600, 800 Hz; the bins lie every 100 Hz.
    #[test]
    fn equal_filters_built_by_hand() {
        let half = 0.5 / 200.0;
        let full = 1.0 / 200.0;
        let expected = [
            [0.0, half, full, half, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, half, full, half, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0, half, full, half, 0.0],
        ];
        for (row, expected) in matrix(&config(3, 0.0, 800.0)).iter().zip(expected) {
            for (value, expected) in row.iter().zip(expected) {
                assert!((value - expected).abs() < 1e-8, "{value} is not {expected}");
            }
        }
    }

    #[test]
    fn a_filter_between_two_bins_gives_zero() {
        let rows = matrix(&config(1, 110.0, 190.0));
        assert!(rows[0].iter().all(|&weight| weight == 0.0));
    }
}
