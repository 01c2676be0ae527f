//! Log-probabilities and back-offs, exact or in 8 bits.

use std::borrow::Cow;

/// Numbers, as they were read or as places in a codebook.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Exact(Vec<f32>),
    Coded {
        /// Ascending; at least as long as the greatest code asks for.
        codebook: Box<[f32; 256]>,
        codes: Cow<'static, [u8]>,
    },
}

impl Values {
    pub fn get(&self, index: usize) -> f32 {
        match self {
            Self::Exact(values) => values[index],
            Self::Coded { codebook, codes } => codebook[usize::from(codes[index])],
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Exact(values) => values.len(),
            Self::Coded { codes, .. } => codes.len(),
        }
    }

    /// The same numbers in 8 bits each, by bins of equal numbers (Federico and Bertoldi 2006).
    ///
    /// The commonest number, as which back-offs have 0, is kept exactly; so are all where 256
    /// suffice.
    pub fn coded(&self) -> Self {
        let values: Vec<f32> = (0..self.len()).map(|index| self.get(index)).collect();
        let codebook = Box::new(codebook(&values));
        let codes = values.iter().map(|&value| nearest(&codebook, value)).collect();
        Self::Coded { codebook, codes }
    }
}

fn codebook(values: &[f32]) -> [f32; 256] {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let runs: Vec<&[f32]> = sorted.chunk_by(|a, b| a == b).collect();
    let mut centres: Vec<f32> = if runs.len() <= 256 {
        runs.iter().map(|run| run[0]).collect()
    } else {
        let commonest = runs.iter().max_by_key(|run| run.len()).map_or(0.0, |run| run[0]);
        let others: Vec<f32> = sorted.iter().copied().filter(|&v| v != commonest).collect();
        let bound = |bin: usize| bin * others.len() / 255;
        let bins = (0..255).map(|bin| &others[bound(bin)..bound(bin + 1)]);
        let means = bins.filter(|bin| !bin.is_empty()).map(mean);
        means.chain([commonest]).collect()
    };
    centres.sort_unstable_by(f32::total_cmp);
    let last = centres.last().copied().unwrap_or_default();
    std::array::from_fn(|code| centres.get(code).copied().unwrap_or(last))
}

fn mean(bin: &[f32]) -> f32 {
    (bin.iter().map(|&value| f64::from(value)).sum::<f64>() / bin.len() as f64) as f32
}

fn nearest(codebook: &[f32; 256], value: f32) -> u8 {
    let above = codebook.partition_point(|&centre| centre < value).min(255);
    let below = above.saturating_sub(1);
    let nearer_below = value - codebook[below] < codebook[above] - value;
    if nearer_below { below as u8 } else { above as u8 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn coded(values: &[f32]) -> Vec<f32> {
        let coded = Values::Exact(values.to_vec()).coded();
        (0..coded.len()).map(|index| coded.get(index)).collect()
    }

    #[test]
    fn few_numbers_are_kept_exactly() {
        let values: Vec<f32> = (0..256).rev().map(|i| -0.01 * i as f32).collect();
        assert_eq!(coded(&values), values);
        assert!(coded(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn many_numbers_move_no_further_than_the_next_bin_and_the_commonest_stays(
            values in prop::collection::vec(-9.0f32..0.0, 2000..3000),
        ) {
            let values = [values, vec![0.0; 50]].concat();
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f32::total_cmp);
            let rank = |value: f32| sorted.partition_point(|&v| v < value) as i64;
            let widest = 2 * (values.len() as i64 / 255 + 1);
            for (value, coded) in values.iter().zip(coded(&values)) {
                prop_assert!((rank(*value) - rank(coded)).abs() <= widest, "{value} {coded}");
                prop_assert!(*value != 0.0 || coded == 0.0);
            }
        }
    }
}
