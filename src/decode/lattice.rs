//! What a search through phones has dropped beside the words that it follows, and the best texts with it.
//!
//! Of prefixes that go on alike the search follows the best (Viterbi recombination), as in the word-pair
//! approximation of Ney and Aubert, "A word graph algorithm for large vocabulary, continuous speech
//! recognition" (1994). The others are noted between words, which makes a lattice of the tree of prefixes.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::alignments::Start;
use super::arena::{Arena, Link};
use super::prefix_tree::Prefix;
use super::pronouncer::{Pronounced, SpelledWord};

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
    merges: Vec<Merge>,
    /// The number of merges from which on some may be the same.
    crowded: usize,
}

/// A prefix that was dropped, both as they were between words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Merge {
    pub into: Link,
    pub from: Link,
    /// Where the last phone of `from` began.
    pub start: Link,
    /// How much less it scored.
    pub behind: f64,
}

/// A prefix that may be the whole utterance.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub prefix: Link,
    pub start: Link,
    pub score: f64,
}

/// A text: its words' prefixes and where their last phones began, the last first.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub words: Vec<(Link, Link)>,
    pub score: f64,
}

/// The best ways to the ends of words.
struct Ways<'a> {
    prefixes: &'a Arena<Prefix<Pronounced>>,
    /// All of them.
    all: &'a [Merge],
    /// The closest of each pair, by `into`.
    merges: Vec<Merge>,
    /// The ways to prefixes that end with a word, the best first.
    found: FxHashMap<Link, Vec<Way>>,
    traces: Vec<Trace>,
    /// How far behind the best text the rest is of the best one that goes on from a prefix.
    rest: FxHashMap<Link, f64>,
    /// As many are kept to each.
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Way {
    /// How much less than the best one it scores.
    behind: f64,
    /// Tells its words from others.
    words: u64,
    /// Its last step, of [`Ways::traces`].
    trace: u32,
}

#[derive(Clone, Copy, Debug)]
enum Trace {
    Beginning,
    /// A word, after another way.
    Word(u32),
    /// The way to a merged prefix, with its link and start.
    Merged(Link, Link, u32),
}

/// Numbers in order.
#[derive(PartialEq)]
struct Behind(f64);

impl Eq for Behind {}

impl PartialOrd for Behind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Behind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Way {
    /// The way a word on, its trace yet to be made.
    fn with(&self, word: Option<SpelledWord>) -> Self {
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
        self.merges.len()
    }

    pub fn note(&mut self, merge: Merge) {
        if self.merges.len() > self.crowded.max(MOST_MERGES / 16) {
            self.merges = distinct(std::mem::take(&mut self.merges));
            self.merges.truncate(MOST_MERGES);
            self.crowded = 2 * self.merges.len();
        }
        self.merges.push(merge);
    }

    /// Marks what the marked prefixes were preferred to, and forgets the rest.
    pub fn mark(&mut self, prefixes: &mut Arena<Prefix<Pronounced>>) {
        self.merges = distinct(std::mem::take(&mut self.merges));
        let mut kept = Vec::with_capacity(self.merges.len());
        loop {
            let before = kept.len();
            // Later ones first: what they lead to is earlier.
            self.merges.retain(|merge| {
                let is_used = prefixes.is_marked(merge.into);
                if is_used {
                    prefixes.mark(merge.from);
                    kept.push(*merge);
                }
                !is_used
            });
            if kept.len() == before {
                break;
            }
        }
        self.merges = kept;
    }

    /// Takes the new links of prefixes.
    pub fn move_prefixes(&mut self, moved: &[Link]) {
        for merge in &mut self.merges {
            merge.into = moved[merge.into as usize];
            merge.from = moved[merge.from as usize];
        }
    }

    /// The starts that are still needed.
    pub fn starts(&mut self) -> impl Iterator<Item = &mut Link> {
        self.merges.iter_mut().map(|merge| &mut merge.start)
    }

    /// Up to `count` different texts that end with one of `ends`, the best first.
    pub fn best(
        &self,
        prefixes: &Arena<Prefix<Pronounced>>,
        starts: &Arena<Start>,
        ends: &[End],
        count: usize,
    ) -> Vec<Route> {
        let best = ends.iter().map(|end| end.score).fold(f64::NEG_INFINITY, f64::max);
        let mut ways = Ways::new(prefixes, &self.merges, count);
        ways.bound(ends, best);
        let mut texts = Vec::new();
        for end in ends.iter().filter(|end| end.score >= best - LATTICE_MARGIN) {
            let found = ways.find(end.prefix).iter();
            texts.extend(found.map(|way| (end.score - way.behind, *way, end)));
        }
        texts.retain(|text| text.0 >= best - LATTICE_MARGIN);
        texts.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut seen = FxHashSet::default();
        let routes = texts.into_iter().filter_map(|(score, way, end)| {
            let (words, behind) = ways.words(way, end, starts)?;
            seen.insert(way.words).then_some(Route { words, score: score - behind })
        });
        let mut routes: Vec<Route> = routes.take(count).collect();
        routes.sort_by(|a, b| b.score.total_cmp(&a.score));
        routes
    }
}

impl<'a> Ways<'a> {
    fn new(prefixes: &'a Arena<Prefix<Pronounced>>, all: &'a [Merge], count: usize) -> Self {
        let mut merges = distinct(all.to_vec());
        merges.sort_by_key(|merge| merge.into);
        let traces = vec![Trace::Beginning];
        let (found, rest) = (FxHashMap::default(), FxHashMap::default());
        Self { prefixes, all, merges, found, traces, rest, count }
    }

    /// Finds the prefixes from which texts go on that are not too far behind `best`, by the algorithm of
    /// Dijkstra (1959) from the ends.
    fn bound(&mut self, ends: &[End], best: f64) {
        // The nearest first; scores that are no numbers count as too far.
        let mut waiting: BinaryHeap<(Reverse<Behind>, Link)> = BinaryHeap::new();
        waiting.extend(ends.iter().map(|end| (Reverse(Behind(best - end.score)), end.prefix)));
        while let Some((Reverse(Behind(behind)), link)) = waiting.pop() {
            let is_near = behind <= LATTICE_MARGIN;
            if !is_near || self.rest.contains_key(&link) {
                continue;
            }
            self.rest.insert(link, behind);
            waiting.extend(self.word_before(link).map(|before| (Reverse(Behind(behind)), before)));
            let merges = self.merges_into(link).iter();
            let from = |merge: &Merge| (Reverse(Behind(behind + merge.behind)), merge.from);
            waiting.extend(merges.map(from));
        }
    }

    /// The ways to a prefix that ends with a word, or is empty.
    fn find(&mut self, end: Link) -> &[Way] {
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
                waiting.extend(self.merges_into(link).iter().map(|merge| (merge.from, false)));
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
    fn gather(&mut self, link: Link) {
        let mut ways: Vec<(Way, Trace)> = Vec::new();
        let rest = self.rest.get(&link).copied().unwrap_or(0.0);
        match self.word_before(link) {
            None => ways.push((Way { behind: 0.0, words: 0, trace: 0 }, Trace::Beginning)),
            Some(before) => {
                let word = self.prefixes.get(link).label.map(|said| said.word);
                let found = self.found.get(&before).into_iter().flatten();
                let near = found.take_while(|way| way.behind <= LATTICE_MARGIN - rest);
                ways.extend(near.map(|way| (way.with(word), Trace::Word(way.trace))));
            }
        }
        for &Merge { from, start, behind, .. } in self.merges_into(link) {
            let found = self.found.get(&from).into_iter().flatten();
            let far = found.map(|way| Way { behind: way.behind + behind, ..*way });
            let near = far.take_while(|way| way.behind <= LATTICE_MARGIN - rest);
            ways.extend(near.map(|way| (way, Trace::Merged(from, start, way.trace))));
        }
        ways.sort_by(|(a, _), (b, _)| a.behind.total_cmp(&b.behind));
        let mut seen = FxHashSet::default();
        ways.retain(|(way, _)| seen.insert(way.words));
        ways.truncate(self.count);
        let kept = ways.into_iter().map(|(way, trace)| {
            self.traces.push(trace);
            Way { trace: self.traces.len() as u32 - 1, ..way }
        });
        let kept = kept.collect();
        self.found.insert(link, kept);
    }

    /// The words of a way to an end, and how much less it scores than the closest merges say; `None` if a word
    /// began nowhere, or after the next one did.
    fn words(
        &self,
        way: Way,
        end: &End,
        starts: &Arena<Start>,
    ) -> Option<(Vec<(Link, Link)>, f64)> {
        let (mut link, mut start) = (end.prefix, end.start);
        let mut trace = way.trace;
        let (mut words, mut behind) = (Vec::new(), 0.0);
        let mut next = u64::MAX;
        let mut merged_into = None;
        loop {
            trace = match self.traces[trace as usize] {
                Trace::Beginning => return Some((words, behind)),
                Trace::Merged(from, its_start, to) => {
                    merged_into = Some(link);
                    (link, start) = (from, its_start);
                    to
                }
                Trace::Word(before) => {
                    let merged_into = merged_into.take();
                    // What was merged later than the next word began does not go before it.
                    if starts.find(start)?.frame >= next {
                        let earlier = self.earlier((merged_into?, link), next, starts)?;
                        let closest = self.merges_into(earlier.into);
                        let closest = closest.iter().find(|merge| merge.from == link)?;
                        behind += earlier.behind - closest.behind;
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
    fn earlier(&self, pair: (Link, Link), next: u64, starts: &Arena<Start>) -> Option<&Merge> {
        let of_pair = self.all.iter().filter(|merge| (merge.into, merge.from) == pair);
        let possible = of_pair
            .filter(|merge| starts.find(merge.start).is_some_and(|start| start.frame < next));
        possible.min_by(|a, b| a.behind.total_cmp(&b.behind))
    }

    /// What comes before the word that a prefix ends with; `None` for the empty one.
    fn word_before(&self, link: Link) -> Option<Link> {
        let before = self.prefixes.before(link);
        (before != Arena::<Prefix<Pronounced>>::NONE).then_some(before)
    }

    fn merges_into(&self, link: Link) -> &[Merge] {
        let first = self.merges.partition_point(|merge| merge.into < link);
        let rest = &self.merges[first..];
        &rest[..rest.partition_point(|merge| merge.into == link)]
    }
}

/// Where the first phone began of the word whose last one began at `start`; `None` if it began nowhere.
fn word_start(starts: &Arena<Start>, start: Link) -> Option<Link> {
    starts.links(start).find(|&link| starts.get(link).begins_word)
}

/// Where the last phone began of the word before; `None` if the word began nowhere.
pub(super) fn before_word(starts: &Arena<Start>, start: Link) -> Option<Link> {
    word_start(starts, start).map(|first| starts.before(first))
}

/// Each pair once, as close as it was, later prefixes first.
fn distinct(mut merges: Vec<Merge>) -> Vec<Merge> {
    merges.sort_by(|a, b| {
        (b.into, b.from).cmp(&(a.into, a.from)).then(a.behind.total_cmp(&b.behind))
    });
    merges.dedup_by_key(|merge| (merge.into, merge.from));
    merges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lm::LexiconNode;

    /// Prefixes of one-phone words: each the place of the one before, its word, and its frame.
    struct Tree {
        prefixes: Arena<Prefix<Pronounced>>,
        starts: Arena<Start>,
        lattice: Lattice,
    }

    impl Tree {
        fn new() -> Self {
            let mut prefixes = Arena::new();
            prefixes.push(Arena::<Prefix<Pronounced>>::NONE, Prefix { label: None, place: 0 });
            let mut starts = Arena::new();
            starts.push(Arena::<Start>::NONE, Start { frame: 0, log_prob: 0.0, begins_word: true });
            Self { prefixes, starts, lattice: Lattice::default() }
        }

        /// Prefixes and starts have the same links.
        fn word(&mut self, before: Link, word: char, frame: u64) -> Link {
            let (word, node) = (SpelledWord::of(word as u32), LexiconNode::ROOT);
            let label = Some(Pronounced { word, node });
            let first = if before == 0 { Arena::<Start>::NONE } else { before };
            self.starts.push(first, Start { frame, log_prob: 0.0, begins_word: true });
            self.prefixes.push(before, Prefix { label, place: 0 })
        }

        fn merge(&mut self, into: Link, from: Link, behind: f64) {
            self.lattice.note(Merge { into, from, start: from, behind });
        }

        fn best(&self, end: Link, count: usize) -> Vec<(String, f64)> {
            let ends = [End { prefix: end, start: end, score: 10.0 }];
            let routes = self.lattice.best(&self.prefixes, &self.starts, &ends, count);
            let letter = |&(link, _): &(Link, Link)| {
                char::from_u32(self.prefixes.get(link).label.unwrap().word.number()).unwrap()
            };
            let text = |route: &Route| route.words.iter().rev().map(letter).collect();
            routes.iter().map(|route| (text(route), route.score)).collect()
        }
    }

    fn listed(expected: &[(&str, f64)]) -> Vec<(String, f64)> {
        expected.iter().map(|&(text, score)| (text.to_owned(), score)).collect()
    }

    #[test]
    fn alternatives_combine_and_come_best_first() {
        let mut tree = Tree::new();
        let a = tree.word(0, 'a', 1);
        let b = tree.word(0, 'b', 1);
        let ac = tree.word(a, 'c', 3);
        let acd = tree.word(ac, 'd', 5);
        let ace = tree.word(ac, 'e', 5);
        tree.merge(a, b, 2.0);
        tree.merge(acd, ace, 1.0);
        let all = [("acd", 10.0), ("ace", 9.0), ("bcd", 8.0), ("bce", 7.0)];
        assert_eq!(tree.best(acd, 9), listed(&all));
        assert_eq!(tree.best(acd, 2), listed(&all[..2]));
    }

    #[test]
    fn a_text_is_given_once_and_as_close_as_it_was() {
        let mut tree = Tree::new();
        let a = tree.word(0, 'a', 1);
        let other_a = tree.word(0, 'a', 2);
        let b = tree.word(0, 'b', 1);
        tree.merge(a, b, 3.0);
        tree.merge(a, other_a, 1.0);
        tree.merge(a, b, 2.0);
        assert_eq!(tree.best(a, 9), listed(&[("a", 10.0), ("b", 8.0)]));
    }

    #[test]
    fn circles_are_left_and_far_or_late_ones_left_out() {
        let mut tree = Tree::new();
        let a = tree.word(0, 'a', 1);
        let ab = tree.word(a, 'b', 2);
        let c = tree.word(0, 'c', 4);
        let d = tree.word(0, 'd', 1);
        tree.merge(a, ab, 1.0);
        tree.merge(a, d, LATTICE_MARGIN + 1.0);
        // Begins when the word after what it is merged into has begun.
        tree.merge(a, c, 0.5);
        assert_eq!(tree.best(ab, 9), listed(&[("ab", 10.0)]));
        let found: Vec<_> = tree.best(a, 2);
        assert_eq!(found, listed(&[("a", 10.0), ("c", 9.5)]));
    }

    #[test]
    fn what_nothing_leads_to_is_forgotten() {
        let mut tree = Tree::new();
        let a = tree.word(0, 'a', 1);
        let b = tree.word(0, 'b', 1);
        let lost = tree.word(0, 'c', 1);
        let lost_too = tree.word(0, 'd', 1);
        let ae = tree.word(a, 'e', 3);
        tree.merge(a, b, 2.0);
        tree.merge(lost, lost_too, 2.0);
        tree.prefixes.unmark();
        tree.prefixes.mark(ae);
        tree.lattice.mark(&mut tree.prefixes);
        let moved = tree.prefixes.sweep().to_vec();
        tree.lattice.move_prefixes(&moved);
        assert_eq!(tree.prefixes.len(), 4);
        assert_eq!(tree.lattice.merges.len(), 1);
        let Merge { into, from, .. } = tree.lattice.merges[0];
        assert_eq!((into, from), (moved[a as usize], moved[b as usize]));
    }
}
