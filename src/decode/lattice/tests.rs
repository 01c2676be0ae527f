//! Lattices of small trees.

use super::*;
use crate::lm::TrieNode;

/// Prefixes of one-phone words: each the place of the one before, its word, and its frame.
struct Tree {
    prefixes: Arena<Prefix<WordEnd>>,
    starts: Arena<TokenStart>,
    lattice: Lattice,
}

impl Tree {
    fn new() -> Self {
        let mut prefixes = Arena::new();
        prefixes.push(Arena::<Prefix<WordEnd>>::NONE, Prefix { label: None, place: 0 });
        let mut starts = Arena::new();
        starts.push(
            Arena::<TokenStart>::NONE,
            TokenStart { frame: 0, log_prob: 0.0, begins_word: true },
        );
        Self { prefixes, starts, lattice: Lattice::default() }
    }

    /// Prefixes and starts have the same links.
    fn word(&mut self, before: NodeId, word: char, frame: u64) -> NodeId {
        let (word, node) = (LexiconWord::of(word as u32), TrieNode::ROOT);
        let label = Some(WordEnd { word, node });
        let first = if before == 0 { Arena::<TokenStart>::NONE } else { before };
        self.starts.push(first, TokenStart { frame, log_prob: 0.0, begins_word: true });
        self.prefixes.push(before, Prefix { label, place: 0 })
    }

    fn arc(&mut self, into: NodeId, from: NodeId, delta_cost: f64) {
        self.lattice.add_arc(LatticeArc { into, from, start: from, delta_cost });
    }

    fn best(&self, end: NodeId, count: usize) -> Vec<(String, f64)> {
        let ends = [FinalState { prefix: end, start: end, score: 10.0 }];
        let paths = self.lattice.best(&self.prefixes, &self.starts, &ends, count);
        let letter = |&(link, _): &(NodeId, NodeId)| {
            char::from_u32(self.prefixes.get(link).label.unwrap().word.number()).unwrap()
        };
        let text = |path: &LatticePath| path.words.iter().rev().map(letter).collect();
        paths.iter().map(|path| (text(path), path.score)).collect()
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
    tree.arc(a, b, 2.0);
    tree.arc(acd, ace, 1.0);
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
    tree.arc(a, b, 3.0);
    tree.arc(a, other_a, 1.0);
    tree.arc(a, b, 2.0);
    assert_eq!(tree.best(a, 9), listed(&[("a", 10.0), ("b", 8.0)]));
}

#[test]
fn circles_are_left_and_far_or_late_ones_left_out() {
    let mut tree = Tree::new();
    let a = tree.word(0, 'a', 1);
    let ab = tree.word(a, 'b', 2);
    let c = tree.word(0, 'c', 4);
    let d = tree.word(0, 'd', 1);
    tree.arc(a, ab, 1.0);
    tree.arc(a, d, LATTICE_MARGIN + 1.0);
    // Begins when the word after what it is merged into has begun.
    tree.arc(a, c, 0.5);
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
    tree.arc(a, b, 2.0);
    tree.arc(lost, lost_too, 2.0);
    tree.prefixes.unmark();
    tree.prefixes.mark(ae);
    tree.lattice.mark(&mut tree.prefixes);
    let moved = tree.prefixes.sweep().to_vec();
    tree.lattice.move_prefixes(&moved);
    assert_eq!(tree.prefixes.len(), 4);
    assert_eq!(tree.lattice.arcs.len(), 1);
    let LatticeArc { into, from, .. } = tree.lattice.arcs[0];
    assert_eq!((into, from), (moved[a as usize], moved[b as usize]));
}
