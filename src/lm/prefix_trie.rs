//! The words of a language model as a tree of their bytes, so that beginnings can be judged.

use super::WordId;

/// Words in ascending order of their bytes, a word's id being its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PrefixTrie {
    /// Per node, breadth first, the first of its children, which follow one another; and at the end
    /// the number of nodes.
    first_child: Vec<u32>,
    /// The byte that leads to the node.
    labels: Vec<u8>,
    /// The word that ends at the node, or [`NO_WORD`].
    words: Vec<u32>,
    /// The greatest unigram log-probability of a word that begins with the node.
    best: Vec<f32>,
}

/// The beginning of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TrieNode(u32);

const NO_WORD: u32 = u32::MAX;

impl TrieNode {
    /// Nothing of a word.
    pub const ROOT: Self = Self(0);

    /// Its place among the nodes.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl PrefixTrie {
    /// Takes all words, strictly ascending, and each one's unigram log-probability.
    pub fn new(words: &[impl AsRef<[u8]>], log_prob: impl Fn(WordId) -> f32) -> Self {
        let nodes = node_count(words);
        let mut tree = Self {
            first_child: Vec::with_capacity(nodes + 1),
            labels: Vec::with_capacity(nodes),
            words: Vec::with_capacity(nodes),
            best: Vec::with_capacity(nodes),
        };
        tree.grow(words, 0, log_prob);
        tree.raise_best();
        tree
    }

    /// One with nothing in it, for [`PrefixTrie::add_tree`].
    pub fn empty() -> Self {
        Self { first_child: Vec::new(), labels: Vec::new(), words: Vec::new(), best: Vec::new() }
    }

    /// Takes more words, strictly ascending, as a tree of their own whose ids begin with `first`; gives its
    /// root.
    pub fn add_tree(&mut self, words: &[impl AsRef<[u8]>], first: WordId) -> TrieNode {
        if !self.labels.is_empty() {
            // The end of the tree before, in a node's place.
            self.labels.push(0);
            self.words.push(NO_WORD);
            self.best.push(f32::MIN);
        }
        let root = TrieNode(self.labels.len() as u32);
        self.grow(words, first.0, |_| 0.0);
        root
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    fn grow(&mut self, words: &[impl AsRef<[u8]>], first: u32, log_prob: impl Fn(WordId) -> f32) {
        let word = |index: usize| words[index].as_ref();
        self.labels.push(0);
        let mut waiting = std::collections::VecDeque::from([(0u32, words.len() as u32, 0u32)]);
        while let Some((start, end, depth)) = waiting.pop_front() {
            self.first_child.push(self.labels.len() as u32);
            let (mut start, end, depth) = (start as usize, end as usize, depth as usize);
            let ends_here = start < end && word(start).len() == depth;
            let id = if ends_here { first + start as u32 } else { NO_WORD };
            self.words.push(id);
            self.best.push(if ends_here { log_prob(WordId(id)) } else { f32::MIN });
            start += usize::from(ends_here);
            while start < end {
                let label = word(start)[depth];
                let rest = &words[start..end];
                let next = start + rest.partition_point(|w| w.as_ref()[depth] == label);
                self.labels.push(label);
                waiting.push_back((start as u32, next as u32, depth as u32 + 1));
                start = next;
            }
        }
        self.first_child.push(self.labels.len() as u32);
    }

    /// The node one byte on, if a word goes on so.
    pub fn child(&self, node: TrieNode, byte: u8) -> Option<TrieNode> {
        let children = self.children(node.0 as usize);
        let position = self.labels[children.clone()].binary_search(&byte).ok()?;
        Some(TrieNode((children.start + position) as u32))
    }

    /// Whether a word goes on after the node.
    pub fn has_children(&self, node: TrieNode) -> bool {
        !self.children(node.0 as usize).is_empty()
    }

    /// The labels that a word goes on with after the node, and the nodes that they lead to.
    pub fn branches(&self, node: TrieNode) -> impl Iterator<Item = (u8, TrieNode)> {
        let children = self.children(node.0 as usize);
        let labels = self.labels[children.clone()].iter().copied();
        labels.zip(children.map(|child| TrieNode(child as u32)))
    }

    /// The word that ends at the node.
    pub fn word(&self, node: TrieNode) -> Option<WordId> {
        let word = self.words[node.0 as usize];
        (word != NO_WORD).then_some(WordId(word))
    }

    /// The greatest unigram log-probability of the words that begin with the node.
    pub fn best(&self, node: TrieNode) -> f32 {
        self.best[node.0 as usize]
    }

    /// The node that bytes lead to.
    pub fn find(&self, bytes: &[u8]) -> Option<TrieNode> {
        bytes.iter().try_fold(TrieNode::ROOT, |node, &byte| self.child(node, byte))
    }

    /// All words, in the order of their ids.
    pub fn spelled(&self) -> Vec<Vec<u8>> {
        let mut words = Vec::new();
        let mut waiting = vec![(0, 0)];
        let mut spelling: Vec<u8> = Vec::new();
        while let Some((node, depth)) = waiting.pop() {
            if depth > 0 {
                spelling.truncate(depth - 1);
                spelling.push(self.labels[node]);
            }
            if self.words[node] != NO_WORD {
                words.push(spelling.clone());
            }
            waiting.extend(self.children(node).rev().map(|child| (child, depth + 1)));
        }
        words
    }

    fn children(&self, node: usize) -> std::ops::Range<usize> {
        self.first_child[node] as usize..self.first_child[node + 1] as usize
    }

    /// Gives each node the best of its children; they come after it.
    fn raise_best(&mut self) {
        for node in (0..self.best.len()).rev() {
            let below = self.best[self.children(node)].iter().copied();
            self.best[node] = below.fold(self.best[node], f32::max);
        }
    }
}

/// The nodes of the tree, its root included: what each word does not share with the one before.
fn node_count(words: &[impl AsRef<[u8]>]) -> usize {
    let mut before: &[u8] = &[];
    let mut nodes = 1;
    for word in words.iter().map(AsRef::as_ref) {
        let shared = before.iter().zip(word).take_while(|(a, b)| a == b).count();
        nodes += word.len() - shared;
        before = word;
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 6] = ["<s>", "A", "AN", "AND", "BE", "É"];
    const LOG_PROBS: [f32; 6] = [f32::MIN, -2.0, -4.0, -3.0, -5.0, -7.0];

    fn words() -> Vec<Vec<u8>> {
        WORDS.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn lexicon() -> PrefixTrie {
        PrefixTrie::new(&words(), |id| LOG_PROBS[id.0 as usize])
    }

    #[test]
    fn words_are_found_and_come_back() {
        let lexicon = lexicon();
        assert_eq!(lexicon.spelled(), words());
        assert_eq!(lexicon.labels.len(), node_count(&WORDS));
        let word = |text: &str| lexicon.word(lexicon.find(text.as_bytes())?);
        for (id, text) in (0..).zip(WORDS) {
            assert_eq!(word(text), Some(WordId(id)), "{text}");
        }
        for text in ["", "B", "ANDY", "C"] {
            assert_eq!(word(text), None, "{text}");
        }
    }

    #[test]
    fn trees_side_by_side_are_apart() {
        let mut lexicon = PrefixTrie::empty();
        let trees: [&[&str]; 3] = [&["A", "AB"], &["B"], &["A", "C"]];
        let mut first = 0;
        let roots = trees.map(|words| {
            let root = lexicon.add_tree(words, WordId(first));
            first += words.len() as u32;
            root
        });
        let words = |root: TrieNode| {
            let mut waiting = vec![(root, String::new())];
            let mut found = Vec::new();
            while let Some((node, text)) = waiting.pop() {
                found.extend(lexicon.word(node).map(|id| (text.clone(), id.0)));
                let longer = |(label, node)| (node, text.clone() + &char::from(label).to_string());
                waiting.extend(lexicon.branches(node).map(longer));
            }
            found.sort();
            found
        };
        let expected = |words: &[(&str, u32)]| -> Vec<(String, u32)> {
            words.iter().map(|&(word, id)| (word.to_owned(), id)).collect()
        };
        assert_eq!(words(roots[0]), expected(&[("A", 0), ("AB", 1)]));
        assert_eq!(words(roots[1]), expected(&[("B", 2)]));
        assert_eq!(words(roots[2]), expected(&[("A", 3), ("C", 4)]));
    }

    #[test]
    fn a_beginning_knows_its_best_word() {
        let lexicon = lexicon();
        let best = |text: &str| lexicon.find(text.as_bytes()).map(|node| lexicon.best(node));
        assert_eq!(best(""), Some(-2.0));
        assert_eq!(best("AN"), Some(-3.0));
        assert_eq!(best("B"), Some(-5.0));
        assert_eq!(best("<"), Some(f32::MIN));
        assert_eq!(best("X"), None);
    }
}
