//! The window each frame is multiplied with.

use std::f64::consts::TAU;

/// Returns a periodic Hann window: `(1 - cos(2πn / length)) / 2` for `n` in `0..length`.
///
/// Periodic as in `torch.hann_window`: the symmetric one divides by `length - 1`.
pub(super) fn periodic_hann(length: usize) -> Vec<f32> {
    (0..length).map(|n| (0.5 - 0.5 * (TAU * n as f64 / length as f64).cos()) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_a_window_worked_out_by_hand() {
        assert_eq!(periodic_hann(1), [0.0]);
        assert_eq!(periodic_hann(4), [0.0, 0.5, 1.0, 0.5]);
        let half = std::f32::consts::FRAC_1_SQRT_2 / 2.0;
        let expected = [0.0, 0.5 - half, 0.5, 0.5 + half, 1.0, 0.5 + half, 0.5, 0.5 - half];
        for (value, expected) in periodic_hann(8).into_iter().zip(expected) {
            assert!((value - expected).abs() < 1e-7, "{value} is not {expected}");
        }
    }

    #[test]
    fn is_periodic_and_not_symmetric() {
        let window = periodic_hann(400);
        assert_eq!(window[0], 0.0);
        assert_eq!(window[200], 1.0);
        assert!(window[399] > 0.0);
        assert!((1..400).all(|n| (window[n] - window[400 - n]).abs() < 1e-7));
    }
}
