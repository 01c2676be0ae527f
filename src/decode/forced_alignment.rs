//! The score of a given word sequence: CTC's forward algorithm (Graves et al. 2006) over a graph of the words'
//! pronunciations, and its best alignment.

use super::path_scores::log_add;
use crate::lexicon::tokens::TokenId;

/// The ways in which a word can be said, each a sequence of labels.
pub(super) type Variants = Vec<Vec<TokenId>>;

/// States that score less than the best one of their frame by more than this are left out.
const MARGIN: f64 = 80.0;

/// How well frames fit a word sequence.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ForcedAlignment {
    /// The natural logarithm of the summed probabilities of all alignments.
    pub sum: f64,
    /// The labels of the likeliest alignment.
    pub labels: Vec<AlignedLabel>,
}

/// A label, and where it begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AlignedLabel {
    /// Which word it belongs to.
    pub word: usize,
    pub id: TokenId,
    /// The index of its first frame.
    pub frame: usize,
    /// Its natural log-probability in that frame.
    pub log_prob: f32,
}

/// A state of the graph of a word sequence.
#[derive(Debug)]
struct State {
    label: TokenId,
    /// Which word's label it is; none for blanks.
    word: Option<usize>,
    /// The states that lead to it, besides itself.
    before: Vec<usize>,
    is_first: bool,
    is_last: bool,
}

/// The states of words in sequence: labels with a blank between any two, before the first and after the last.
fn graph(words: &[Variants], blank: TokenId) -> Vec<State> {
    let mut states: Vec<State> = Vec::new();
    let state =
        |label, word, before, is_first| State { label, word, before, is_first, is_last: false };
    // The last labels of the word before.
    let mut ends: Vec<usize> = Vec::new();
    for (index, variants) in words.iter().enumerate() {
        let gap = states.len();
        states.push(state(blank, None, ends.clone(), index == 0));
        let mut new_ends = Vec::new();
        for labels in variants {
            let mut last: Option<usize> = None;
            for &label in labels {
                let mut before = match last {
                    None => [&[gap], &ends[..]].concat(),
                    Some(last) => {
                        states.push(state(blank, None, vec![last], false));
                        vec![states.len() - 1, last]
                    }
                };
                // Between two of the same there must be a blank.
                before.retain(|&from| states[from].label != label);
                let is_first = index == 0 && last.is_none();
                last = Some(states.len());
                states.push(state(label, Some(index), before, is_first));
            }
            new_ends.extend(last);
        }
        ends = new_ends;
    }
    states.push(state(blank, None, ends.clone(), words.is_empty()));
    ends.push(states.len() - 1);
    ends.iter().for_each(|&end| states[end].is_last = true);
    states
}

impl ForcedAlignment {
    /// Aligns words with frames, a row of log-probabilities each; `None` if the frames are too few
    /// or fit so badly that the end is out of reach.
    pub fn new<'a>(
        words: &[Variants],
        rows: impl Iterator<Item = &'a [f32]>,
        blank: TokenId,
    ) -> Option<Self> {
        const NONE: f64 = f64::NEG_INFINITY;
        let states = graph(words, blank);
        let rows: Vec<_> = rows.collect();
        // Of the alignments that end in each state: the sum, and the likeliest.
        let (mut sums, mut bests) = (vec![NONE; states.len()], vec![NONE; states.len()]);
        let (mut new_sums, mut new_bests) = (sums.clone(), bests.clone());
        // For each frame and state the state before it in the likeliest.
        let mut came_from: Vec<u32> = Vec::with_capacity(rows.len() * states.len());
        for (frame, row) in rows.iter().enumerate() {
            let mut most = NONE;
            for (at, state) in states.iter().enumerate() {
                let (mut sum, mut best, mut from) = (sums[at], bests[at], at);
                for &before in &state.before {
                    if sums[before] > NONE {
                        sum = log_add(sum, sums[before]);
                    }
                    if bests[before] > best {
                        (best, from) = (bests[before], before);
                    }
                }
                if frame == 0 && state.is_first {
                    (sum, best) = (0.0, 0.0);
                }
                let log_prob = f64::from(row[state.label.0 as usize]);
                (new_sums[at], new_bests[at]) = (sum + log_prob, best + log_prob);
                most = most.max(new_sums[at]);
                came_from.push(from as u32);
            }
            for (sum, best) in new_sums.iter_mut().zip(&mut new_bests) {
                if *sum < most - MARGIN {
                    (*sum, *best) = (NONE, NONE);
                }
            }
            std::mem::swap(&mut sums, &mut new_sums);
            std::mem::swap(&mut bests, &mut new_bests);
        }
        let ends = || (0..states.len()).filter(|&at| states[at].is_last && sums[at] > NONE);
        let sum = ends().map(|at| sums[at]).reduce(log_add)?;
        let end = ends().max_by(|&a, &b| bests[a].total_cmp(&bests[b]))?;
        Some(Self { sum, labels: trace(&states, &rows, &came_from, end) })
    }
}

/// The labels of the alignment that ends in `end`.
fn trace(states: &[State], rows: &[&[f32]], came_from: &[u32], end: usize) -> Vec<AlignedLabel> {
    let mut labels = Vec::new();
    let mut at = end;
    for (frame, row) in rows.iter().enumerate().rev() {
        let from = came_from[frame * states.len() + at] as usize;
        let State { label: id, word, .. } = states[at];
        if let Some(word) = word.filter(|_| from != at || frame == 0) {
            labels.push(AlignedLabel { word, id, frame, log_prob: row[id.0 as usize] });
        }
        at = from;
    }
    labels.reverse();
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLANK: TokenId = TokenId(0);

    /// What a label sequence of one frame each reads as: without repetitions and blanks.
    fn collapsed(labels: &[u32]) -> Vec<u32> {
        let mut labels = labels.to_vec();
        labels.dedup();
        labels.retain(|&label| label != BLANK.0);
        labels
    }

    fn rows(count: usize, columns: usize) -> Vec<Vec<f32>> {
        let row = |frame: usize| -> Vec<f32> {
            let weights: Vec<f32> =
                (0..columns).map(|c| 1.0 + ((frame * 7 + c * 5) % 11) as f32).collect();
            let sum: f32 = weights.iter().sum();
            weights.iter().map(|weight| (weight / sum).ln()).collect()
        };
        (0..count).map(row).collect()
    }

    fn align(words: &[&[&[u32]]], rows: &[Vec<f32>]) -> Option<ForcedAlignment> {
        let variant = |labels: &&[u32]| labels.iter().map(|&label| TokenId(label)).collect();
        let words: Vec<Variants> =
            words.iter().map(|variants| variants.iter().map(variant).collect()).collect();
        ForcedAlignment::new(&words, rows.iter().map(Vec::as_slice), BLANK)
    }

    /// Against all label sequences of five frames.
    #[test]
    fn the_score_is_the_sum_over_all_alignments() {
        let (frames, columns) = (5, 3);
        let rows = rows(frames, columns);
        type Texts<'a> = &'a [&'a [u32]];
        let words: [(&[Texts], Texts); 4] = [
            (&[&[&[1, 2]], &[&[2]]], &[&[1, 2, 2]]),
            (&[&[&[1], &[2, 1]], &[&[2, 2]]], &[&[1, 2, 2], &[2, 1, 2, 2]]),
            (&[&[&[1]]], &[&[1]]),
            (&[], &[&[]]),
        ];
        for (words, texts) in words {
            let mut sum = 0.0;
            for code in 0..columns.pow(frames as u32) {
                let label = |frame: u32| (code / columns.pow(frame) % columns) as u32;
                let labels: Vec<u32> = (0..frames as u32).map(label).collect();
                if texts.contains(&&*collapsed(&labels)) {
                    let log_probs = rows.iter().zip(&labels).map(|(row, &l)| row[l as usize]);
                    sum += f64::from(log_probs.sum::<f32>()).exp();
                }
            }
            let found = align(words, &rows).unwrap().sum;
            assert!((found - sum.ln()).abs() < 1e-5, "{texts:?}: {found}, {}", sum.ln());
        }
    }

    #[test]
    fn labels_begin_where_they_are_likely() {
        let row = |likely: usize| (0..3).map(|l| if l == likely { -0.1 } else { -5.0 }).collect();
        let rows: Vec<Vec<f32>> = [0, 1, 1, 0, 0, 2].into_iter().map(row).collect();
        let found = align(&[&[&[1]], &[&[1, 2], &[2]]], &rows).unwrap();
        let label = |word, id, frame| AlignedLabel { word, id: TokenId(id), frame, log_prob: -0.1 };
        assert_eq!(found.labels, [label(0, 1, 1), label(1, 2, 5)]);
    }

    #[test]
    fn too_few_frames_give_nothing() {
        assert_eq!(align(&[&[&[1, 1]]], &rows(2, 3)), None);
        assert!(align(&[&[&[1, 1]]], &rows(3, 3)).is_some());
        assert_eq!(align(&[&[&[1]]], &[]), None);
    }
}
