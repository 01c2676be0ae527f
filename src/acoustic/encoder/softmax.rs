//! The softmax of a row, in place.
//!
//! tract's for processors without fused multiplication and addition calls a function for each of them, which
//! takes hundreds of instructions where that is a function of software.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;

/// Sums kept apart, so that they fill vector registers.
const LANES: usize = 16;
/// The least exponent, whose exponential is 1.6·10⁻³⁸, above what `f32` can only hold imprecisely.
const LEAST: f32 = -87.0;
/// 1.5 · 2²³: adding it to a number of magnitude below 2²² leaves the nearest integer in the low bits.
const ROUNDER: f32 = 12_582_912.0;
/// The upper bits of ln 2, of which small multiples are exact, and the rest (Cody and Waite, 1980).
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
/// Coefficients of the Taylor series of the exponential, from x⁶ down to 1; on ±ln 2 / 2 the rest is less than
/// 2·10⁻⁷.
const SERIES: [f32; 7] = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];

/// Replaces values by their exponentials, over the sum of these.
///
/// Values 87 and more below the greatest count as if they were 87 below it.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl",
    "x86_64+avx2+fma",
    "x86_64+avx"
))]
pub fn softmax(values: &mut [f32]) {
    let mut most = [f32::NEG_INFINITY; LANES];
    let (rows, rest) = values.as_chunks::<LANES>();
    for row in rows {
        for (most, value) in most.iter_mut().zip(row) {
            *most = if *value > *most { *value } else { *most };
        }
    }
    let most = most.iter().chain(rest).fold(f32::NEG_INFINITY, |most, value| most.max(*value));

    let add_product = |sum: f32, x: f32, y: f32| {
        // Where the processor has no such instruction, `mul_add` is a call of a function.
        if cfg!(target_arch = "aarch64") || target_cfg_f!(target_feature = "fma") {
            x.mul_add(y, sum)
        } else {
            x * y + sum
        }
    };
    let exp = |value: f32| {
        let x = if value - most > LEAST { value - most } else { LEAST };
        let rounded = x * std::f32::consts::LOG2_E + ROUNDER;
        let power = rounded - ROUNDER;
        let x = add_product(add_product(x, power, -LN_2[0]), power, -LN_2[1]);
        let mut sum = 0.0;
        for coefficient in SERIES {
            sum = add_product(coefficient, sum, x);
        }
        // The integer in the low bits goes to the exponent's place.
        f32::from_bits(sum.to_bits().wrapping_add(rounded.to_bits() << 23))
    };
    let mut sums = [0.0; LANES];
    let (rows, rest) = values.as_chunks_mut::<LANES>();
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *value = exp(*value);
            *sum += *value;
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *value = exp(*value);
        *sum += *value;
    }
    let scale = sums.iter().sum::<f32>().recip();
    for value in values {
        *value *= scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition in double precision, in rows that fill the lanes and that don't.
    #[test]
    fn values_are_exponentials_over_their_sum() {
        for count in [1, 5, 16, 37, 272] {
            let values: Vec<f32> = (0..count).map(|i| (i * 37 % 101) as f32 * 0.5 - 40.0).collect();
            let mut found = values.clone();
            softmax(&mut found);
            let most = values.iter().copied().fold(f32::MIN, f32::max);
            let exp = |value: f32| f64::from(value - most).exp();
            let sum: f64 = values.iter().map(|value| exp(*value)).sum();
            for (value, found) in values.iter().zip(&found) {
                let expected = exp(*value) / sum;
                assert!((f64::from(*found) / expected - 1.0).abs() < 1e-6, "{count}: {value}");
            }
        }
    }

    #[test]
    fn values_far_below_the_greatest_vanish() {
        let mut values = [-1e4, 0.0, f32::NEG_INFINITY, -86.0, f32::MIN];
        softmax(&mut values);
        assert_eq!(values[1], 1.0);
        for value in [values[0], values[2], values[3], values[4]] {
            assert!((0.0..1e-37).contains(&value), "{value}");
        }
    }

    #[test]
    fn what_is_no_number_gives_numbers() {
        let mut values = [f32::NAN, f32::INFINITY, 1.0];
        softmax(&mut values);
        assert!(values.iter().all(|value| value.is_finite()), "{values:?}");
    }
}
