//! What a search through phones has dropped beside the words that it follows, and the best texts with it.
//!
//! Of prefixes that go on alike the search follows the best (Viterbi recombination), as in the word-pair
//! approximation of Ney and Aubert, "A word graph algorithm for large vocabulary, continuous speech
//! recognition" (1994). The others are noted between words, which makes a lattice of the tree of prefixes.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::arena::{Arena, NodeId};
use super::lexicon_tree::{LexiconWord, WordEnd};
use super::path_scores::TokenStart;
use super::prefix_tree::Prefix;

/// How much less than the best text's the score of another may be.
pub(super) const LATTICE_MARGIN: f64 = 8.0;

/// How many more times the ways are followed where prefixes were merged in circles: one with a word more
/// into one without it, and later the other way round.
const ROUNDS: usize = 3;

/// As many dropped prefixes are kept at most, the latest: more than what minutes of speech leave.
const MOST_MERGES: usize = 1 << 16;

/// The prefixes that were dropped for others.
#[derive(Clone, Debug, Default)]
pub(super) struct Lattice {
    arcs: Vec<LatticeArc>,
    /// The number of merges from which on some may be the same.
    gc_threshold: usize,
}

/// A prefix that was dropped, both as they were between words.
#[derive(Clone, Copy, Debug)]
pub(super) struct LatticeArc {
    pub into: NodeId,
    pub from: NodeId,
    /// Where the last phone of `from` began.
    pub start: NodeId,
    /// How much less it scored.
    pub delta_cost: f64,
}

/// A prefix that may be the whole utterance.
#[derive(Clone, Copy, Debug)]
pub(super) struct FinalState {
    pub prefix: NodeId,
    pub start: NodeId,
    pub score: f64,
}

/// A text: its words' prefixes and where their last phones began, the last first.
#[derive(Clone, Debug)]
pub(super) struct LatticePath {
    pub words: Vec<(NodeId, NodeId)>,
    pub score: f64,
}

/// The best ways to the ends of words.
struct PathSearch<'a> {
    prefixes: &'a Arena<Prefix<WordEnd>>,
    /// All of them.
    all: &'a [LatticeArc],
    /// The closest of each pair, by `into`.
    arcs: Vec<LatticeArc>,
    /// The ways to prefixes that end with a word, the best first.
    found: FxHashMap<NodeId, Vec<PartialPath>>,
    backpointers: Vec<Backpointer>,
    /// How far behind the best text the rest is of the best one that goes on from a prefix.
    rest: FxHashMap<NodeId, f64>,
    /// As many are kept to each.
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct PartialPath {
    /// How much less than the best one it scores.
    delta_cost: f64,
    /// Tells its words from others.
    words: u64,
    /// Its last step, of [`PathSearch::backpointers`].
    backpointer: u32,
}

#[derive(Clone, Copy, Debug)]
enum Backpointer {
    Beginning,
    /// A word, after another way.
    Word(u32),
    /// The way to a merged prefix, with its link and start.
    Merged(NodeId, NodeId, u32),
}

/// Numbers in order.
#[derive(PartialEq)]
struct Cost(f64);

impl Eq for Cost {}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cost {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialPath {
    /// The way a word on, its trace yet to be made.
    fn with(&self, word: Option<LexiconWord>) -> Self {
        // Of one million sequences two are taken for the same with a probability of 3e-8.
        let word = word.map_or(u64::MAX, |word| u64::from(word.number()) + 1);
        let words = (self.words.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { words, ..*self }
    }
}

impl Lattice {
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.arcs.len()
    }

    pub fn add_arc(&mut self, arc: LatticeArc) {
        if self.arcs.len() > self.gc_threshold.max(MOST_MERGES / 16) {
            self.arcs = distinct(std::mem::take(&mut self.arcs));
            self.arcs.truncate(MOST_MERGES);
            self.gc_threshold = 2 * self.arcs.len();
        }
        self.arcs.push(arc);
    }

    /// Marks what the marked prefixes were preferred to, and forgets the rest.
    pub fn mark(&mut self, prefixes: &mut Arena<Prefix<WordEnd>>) {
        self.arcs = distinct(std::mem::take(&mut self.arcs));
        let mut kept = Vec::with_capacity(self.arcs.len());
        loop {
            let before = kept.len();
            // Later ones first: what they lead to is earlier.
            self.arcs.retain(|arc| {
                let is_used = prefixes.is_marked(arc.into);
                if is_used {
                    prefixes.mark(arc.from);
                    kept.push(*arc);
                }
                !is_used
            });
            if kept.len() == before {
                break;
            }
        }
        self.arcs = kept;
    }

    /// Takes the new links of prefixes.
    pub fn move_prefixes(&mut self, moved: &[NodeId]) {
        for arc in &mut self.arcs {
            arc.into = moved[arc.into as usize];
            arc.from = moved[arc.from as usize];
        }
    }

    /// The starts that are still needed.
    pub fn starts(&mut self) -> impl Iterator<Item = &mut NodeId> {
        self.arcs.iter_mut().map(|arc| &mut arc.start)
    }

    /// Up to `count` different texts that end with one of `ends`, the best first.
    pub fn best(
        &self,
        prefixes: &Arena<Prefix<WordEnd>>,
        starts: &Arena<TokenStart>,
        ends: &[FinalState],
        count: usize,
    ) -> Vec<LatticePath> {
        let best = ends.iter().map(|end| end.score).fold(f64::NEG_INFINITY, f64::max);
        let mut paths = PathSearch::new(prefixes, &self.arcs, count);
        paths.bound(ends, best);
        let mut texts = Vec::new();
        for end in ends.iter().filter(|end| end.score >= best - LATTICE_MARGIN) {
            let found = paths.find(end.prefix).iter();
            texts.extend(found.map(|path| (end.score - path.delta_cost, *path, end)));
        }
        texts.retain(|text| text.0 >= best - LATTICE_MARGIN);
        texts.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut seen = FxHashSet::default();
        let paths = texts.into_iter().filter_map(|(score, path, end)| {
            let (words, delta_cost) = paths.words(path, end, starts)?;
            seen.insert(path.words).then_some(LatticePath { words, score: score - delta_cost })
        });
        let mut paths: Vec<LatticePath> = paths.take(count).collect();
        paths.sort_by(|a, b| b.score.total_cmp(&a.score));
        paths
    }
}

impl<'a> PathSearch<'a> {
    fn new(prefixes: &'a Arena<Prefix<WordEnd>>, all: &'a [LatticeArc], count: usize) -> Self {
        let mut arcs = distinct(all.to_vec());
        arcs.sort_by_key(|arc| arc.into);
        let backpointers = vec![Backpointer::Beginning];
        let (found, rest) = (FxHashMap::default(), FxHashMap::default());
        Self { prefixes, all, arcs, found, backpointers, rest, count }
    }

    /// Finds the prefixes from which texts go on that are not too far behind `best`, by the algorithm of
    /// Dijkstra (1959) from the ends.
    fn bound(&mut self, ends: &[FinalState], best: f64) {
        // The nearest first; scores that are no numbers count as too far.
        let mut waiting: BinaryHeap<(Reverse<Cost>, NodeId)> = BinaryHeap::new();
        waiting.extend(ends.iter().map(|end| (Reverse(Cost(best - end.score)), end.prefix)));
        while let Some((Reverse(Cost(delta_cost)), link)) = waiting.pop() {
            let is_near = delta_cost <= LATTICE_MARGIN;
            if !is_near || self.rest.contains_key(&link) {
                continue;
            }
            self.rest.insert(link, delta_cost);
            waiting
                .extend(self.word_before(link).map(|before| (Reverse(Cost(delta_cost)), before)));
            let arcs = self.arcs_into(link).iter();
            let from = |arc: &LatticeArc| (Reverse(Cost(delta_cost + arc.delta_cost)), arc.from);
            waiting.extend(arcs.map(from));
        }
    }

    /// The ways to a prefix that ends with a word, or is empty.
    fn find(&mut self, end: NodeId) -> &[PartialPath] {
        let mut begun = FxHashSet::default();
        let mut order = Vec::new();
        let mut has_circles = false;
        let mut waiting = vec![(end, false)];
        while let Some((link, is_ready)) = waiting.pop() {
            if is_ready {
                self.gather(link);
                order.push(link);
            } else if !self.found.contains_key(&link) && self.rest.contains_key(&link) {
                if !begun.insert(link) {
                    has_circles = true;
                    continue;
                }
                waiting.push((link, true));
                waiting.extend(self.arcs_into(link).iter().map(|arc| (arc.from, false)));
                waiting.extend(self.word_before(link).map(|before| (before, false)));
            }
        }
        if has_circles {
            for _ in 0..ROUNDS {
                order.iter().for_each(|&link| self.gather(link));
            }
        }
        self.found.get(&end).map_or(&[], Vec::as_slice)
    }

    /// Finds the best ways to a prefix from those to what comes before it.
    fn gather(&mut self, link: NodeId) {
        let mut paths: Vec<(PartialPath, Backpointer)> = Vec::new();
        let rest = self.rest.get(&link).copied().unwrap_or(0.0);
        match self.word_before(link) {
            None => paths.push((
                PartialPath { delta_cost: 0.0, words: 0, backpointer: 0 },
                Backpointer::Beginning,
            )),
            Some(before) => {
                let word = self.prefixes.get(link).label.map(|said| said.word);
                let found = self.found.get(&before).into_iter().flatten();
                let near = found.take_while(|path| path.delta_cost <= LATTICE_MARGIN - rest);
                paths.extend(
                    near.map(|path| (path.with(word), Backpointer::Word(path.backpointer))),
                );
            }
        }
        for &LatticeArc { from, start, delta_cost, .. } in self.arcs_into(link) {
            let found = self.found.get(&from).into_iter().flatten();
            let far =
                found.map(|path| PartialPath { delta_cost: path.delta_cost + delta_cost, ..*path });
            let near = far.take_while(|path| path.delta_cost <= LATTICE_MARGIN - rest);
            paths.extend(
                near.map(|path| (path, Backpointer::Merged(from, start, path.backpointer))),
            );
        }
        paths.sort_by(|(a, _), (b, _)| a.delta_cost.total_cmp(&b.delta_cost));
        let mut seen = FxHashSet::default();
        paths.retain(|(path, _)| seen.insert(path.words));
        paths.truncate(self.count);
        let kept = paths.into_iter().map(|(path, backpointer)| {
            self.backpointers.push(backpointer);
            PartialPath { backpointer: self.backpointers.len() as u32 - 1, ..path }
        });
        let kept = kept.collect();
        self.found.insert(link, kept);
    }

    /// The words of a way to an end, and how much less it scores than the closest merges say; `None` if a word
    /// began nowhere, or after the next one did.
    fn words(
        &self,
        path: PartialPath,
        end: &FinalState,
        starts: &Arena<TokenStart>,
    ) -> Option<(Vec<(NodeId, NodeId)>, f64)> {
        let (mut link, mut start) = (end.prefix, end.start);
        let mut backpointer = path.backpointer;
        let (mut words, mut delta_cost) = (Vec::new(), 0.0);
        let mut next = u64::MAX;
        let mut merged_into = None;
        loop {
            backpointer = match self.backpointers[backpointer as usize] {
                Backpointer::Beginning => return Some((words, delta_cost)),
                Backpointer::Merged(from, its_start, to) => {
                    merged_into = Some(link);
                    (link, start) = (from, its_start);
                    to
                }
                Backpointer::Word(before) => {
                    let merged_into = merged_into.take();
                    // What was merged later than the next word began does not go before it.
                    if starts.find(start)?.frame >= next {
                        let earlier = self.earlier((merged_into?, link), next, starts)?;
                        let closest = self.arcs_into(earlier.into);
                        let closest = closest.iter().find(|arc| arc.from == link)?;
                        delta_cost += earlier.delta_cost - closest.delta_cost;
                        start = earlier.start;
                    }
                    words.push((link, start));
                    next = starts.get(word_start(starts, start)?).frame;
                    (link, start) = (self.prefixes.before(link), before_word(starts, start)?);
                    before
                }
            };
        }
    }

    /// The closest of a pair's merges whose word has ended before the encoder frame `next`.
    fn earlier(
        &self,
        pair: (NodeId, NodeId),
        next: u64,
        starts: &Arena<TokenStart>,
    ) -> Option<&LatticeArc> {
        let of_pair = self.all.iter().filter(|arc| (arc.into, arc.from) == pair);
        let possible =
            of_pair.filter(|arc| starts.find(arc.start).is_some_and(|start| start.frame < next));
        possible.min_by(|a, b| a.delta_cost.total_cmp(&b.delta_cost))
    }

    /// What comes before the word that a prefix ends with; `None` for the empty one.
    fn word_before(&self, link: NodeId) -> Option<NodeId> {
        let before = self.prefixes.before(link);
        (before != Arena::<Prefix<WordEnd>>::NONE).then_some(before)
    }

    fn arcs_into(&self, link: NodeId) -> &[LatticeArc] {
        let first = self.arcs.partition_point(|arc| arc.into < link);
        let rest = &self.arcs[first..];
        &rest[..rest.partition_point(|arc| arc.into == link)]
    }
}

/// Where the first phone began of the word whose last one began at `start`; `None` if it began nowhere.
fn word_start(starts: &Arena<TokenStart>, start: NodeId) -> Option<NodeId> {
    starts.links(start).find(|&link| starts.get(link).begins_word)
}

/// Where the last phone began of the word before; `None` if the word began nowhere.
pub(super) fn before_word(starts: &Arena<TokenStart>, start: NodeId) -> Option<NodeId> {
    word_start(starts, start).map(|first| starts.before(first))
}

/// Each pair once, as close as it was, later prefixes first.
fn distinct(mut arcs: Vec<LatticeArc>) -> Vec<LatticeArc> {
    arcs.sort_by(|a, b| {
        (b.into, b.from).cmp(&(a.into, a.from)).then(a.delta_cost.total_cmp(&b.delta_cost))
    });
    arcs.dedup_by_key(|arc| (arc.into, arc.from));
    arcs
}

#[cfg(test)]
mod tests;
