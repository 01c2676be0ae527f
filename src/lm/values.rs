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

    /// The same numbers in 8 bits each, with little squared error.
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

/// Numbers that the codebook has by how many lie near them; the others divide the whole range, so that the
/// few that are far from most, such as the commonest words' log-probabilities, keep theirs.
const BY_COUNT: usize = 128;
/// The share of the lowest numbers that the range leaves out.
const LOWEST_LEFT_OUT: usize = 1000;
/// How often the codes' numbers become the means of what is nearest to them (Lloyd 1982).
const LLOYD_STEPS: usize = 20;

fn codebook(values: &[f32]) -> [f32; 256] {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let runs: Vec<&[f32]> = sorted.chunk_by(|a, b| a == b).collect();
    let mut centres: Vec<f32> = if runs.len() <= 256 {
        runs.iter().map(|run| run[0]).collect()
    } else {
        let commonest = runs.iter().max_by_key(|run| run.len()).map_or(0.0, |run| run[0]);
        let others: Vec<f32> = sorted.iter().copied().filter(|&v| v != commonest).collect();
        let mut centres = first_centres(&others);
        (0..LLOYD_STEPS).for_each(|_| centres = means(&others, &centres));
        centres.push(commonest);
        centres
    };
    centres.sort_unstable_by(f32::total_cmp);
    let last = centres.last().copied().unwrap_or_default();
    std::array::from_fn(|code| centres.get(code).copied().unwrap_or(last))
}

/// 255 numbers of `sorted`'s range, ascending.
fn first_centres(sorted: &[f32]) -> Vec<f32> {
    let by_count = (0..BY_COUNT).map(|bin| sorted[(2 * bin + 1) * sorted.len() / (2 * BY_COUNT)]);
    let (low, high) = (sorted[sorted.len() / LOWEST_LEFT_OUT], sorted[sorted.len() - 1]);
    let spaced = 255 - BY_COUNT;
    let by_width = (0..spaced).map(|bin| low + (high - low) * (bin as f32 + 0.5) / spaced as f32);
    let mut centres: Vec<f32> = by_count.chain(by_width).collect();
    centres.sort_unstable_by(f32::total_cmp);
    centres
}

/// For each centre the mean of those of `sorted` that are nearest to it, or itself if there are none.
fn means(sorted: &[f32], centres: &[f32]) -> Vec<f32> {
    let bound = |index: usize| match (centres.get(index.wrapping_sub(1)), centres.get(index)) {
        (Some(below), Some(above)) => sorted.partition_point(|&v| v < below.midpoint(*above)),
        (None, _) => 0,
        (_, None) => sorted.len(),
    };
    let bins = (0..centres.len()).map(|index| &sorted[bound(index)..bound(index + 1)]);
    bins.zip(centres)
        .map(|(bin, &centre)| if bin.is_empty() { centre } else { mean(bin) })
        .collect()
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
        fn many_numbers_move_little_and_the_commonest_stays(
            values in prop::collection::vec(-9.0f32..0.0, 2000..3000),
        ) {
            let values = [values, vec![0.0; 50]].concat();
            for (value, coded) in values.iter().zip(coded(&values)) {
                prop_assert!((value - coded).abs() < 9.0 / 127.0, "{value} {coded}");
                prop_assert!(*value != 0.0 || coded == 0.0);
            }
        }

        #[test]
        fn the_few_far_from_most_keep_their_distance(
            most in prop::collection::vec(-14.0f32..-12.0, 20_000..20_001),
            few in prop::collection::vec(-8.0f32..-2.0, 20),
        ) {
            let values = [most, few].concat();
            for (value, coded) in values.iter().zip(coded(&values)) {
                prop_assert!((value - coded).abs() < 12.0 / 127.0, "{value} {coded}");
            }
        }
    }
}
