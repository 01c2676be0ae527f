//! The tokens of a frame, and what they may become in the next one.

use crate::decode::arena::{Arena, NodeId};
use crate::decode::lexicon_tree::WordEnd;
use crate::decode::path_scores::TokenStart;
use crate::decode::prefix_tree::PrefixTree;
use crate::lm::TrieNode;

use super::word_graph::{Context, WordGraph};

/// A hypothesis at a state of the graph. Scores are natural logarithms relative to the best of the frame
/// before, with the scores of words and of look-ahead in them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Active {
    pub context: Context,
    pub node: TrieNode,
    /// The phone that leads to the node; at a root the last one of the word before.
    pub phone: Option<u8>,
    /// The finished words.
    pub history: NodeId,
    /// Of the alignments that end in a blank, and where their last phone began.
    pub blank: f32,
    pub blank_start: NodeId,
    /// Of the alignments that end in the phone.
    pub last: f32,
    pub last_start: NodeId,
}

/// A token of the next frame, perhaps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub active: Active,
    /// The sum of all its alignments.
    pub total: f32,
    /// A word that has just ended and that `history` does not have yet.
    pub word: Option<WordEnd>,
    /// Whether the phone began in this frame, which `last_start` does not have yet.
    pub begins: Option<Beginning>,
}

/// How a phone begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beginning {
    /// Whether it is the first of a word.
    pub of_word: bool,
}

/// Candidates by their state.
#[derive(Clone, Debug)]
pub(super) struct Candidates {
    list: Vec<Candidate>,
    /// Places in the list by the state's hash, with the frame that they are of.
    table: Vec<(u32, u32)>,
    frame: u32,
}

impl Active {
    /// The token before any phone.
    pub fn first() -> Self {
        Self {
            context: WordGraph::START,
            node: TrieNode::ROOT,
            phone: None,
            history: 0,
            blank: 0.0,
            blank_start: Arena::<TokenStart>::NONE,
            last: f32::NEG_INFINITY,
            last_start: Arena::<TokenStart>::NONE,
        }
    }

    /// The score of all alignments.
    pub fn any(&self) -> f32 {
        log_add(self.blank, self.last)
    }

    /// Where the last phone of the likelier alignments began.
    pub fn start(&self) -> NodeId {
        if self.last > self.blank { self.last_start } else { self.blank_start }
    }

    fn is_at(&self, other: &Self) -> bool {
        (self.context, self.node, self.phone) == (other.context, other.node, other.phone)
    }

    fn hash(&self) -> u64 {
        let node = u64::from(self.node.number()) << 8 | u64::from(self.phone.unwrap_or(u8::MAX));
        (u64::from(self.context) << 32 ^ node).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl Candidate {
    pub fn new(active: Active) -> Self {
        Self { active, total: active.any(), word: None, begins: None }
    }

    /// Whether both have the same words, said alike.
    pub fn has_words_of(&self, other: &Self, histories: &PrefixTree<WordEnd>) -> bool {
        let ends_with = |longer: NodeId, shorter: NodeId, word| {
            histories.arena.before(longer) == shorter
                && histories.arena.get(longer).label == Some(word)
        };
        match (self.word, other.word) {
            (None, Some(word)) => ends_with(self.active.history, other.active.history, word),
            (Some(word), None) => ends_with(other.active.history, self.active.history, word),
            (a, b) => (self.active.history, a) == (other.active.history, b),
        }
    }

    /// Adds alignments of the same words.
    fn add(&mut self, other: &Self) {
        if other.active.last > self.active.last {
            self.active.last_start = other.active.last_start;
            self.begins = other.begins;
        }
        self.active.last = log_add(self.active.last, other.active.last);
        self.total = self.active.any();
    }
}

impl Candidates {
    const FEWEST: usize = 1 << 12;

    pub fn new() -> Self {
        Self { list: Vec::new(), table: vec![(0, 0); Self::FEWEST], frame: 0 }
    }

    pub fn clear(&mut self) {
        self.list.clear();
        self.frame = self.frame.wrapping_add(1);
        if self.frame == 0 {
            self.table.fill((0, 0));
            self.frame = 1;
        }
    }

    pub fn list(&self) -> &[Candidate] {
        &self.list
    }

    /// Takes a candidate that no other one can meet, if none is looked up in this frame.
    pub fn push_alone(&mut self, candidate: Candidate) {
        self.list.push(candidate);
    }

    /// Takes a candidate whose state has none yet.
    pub fn push(&mut self, candidate: Candidate) {
        if let Err(bucket) = self.find(&candidate.active) {
            self.insert(candidate, bucket);
        }
    }

    /// Takes a candidate. Where another one is at its state, their alignments are summed if their words are
    /// the same, else the better stays: gives the other one then, and the place of that which stays.
    pub fn meet(
        &mut self,
        candidate: Candidate,
        is_same: impl Fn(&Candidate, &Candidate) -> bool,
    ) -> Option<(Candidate, u32)> {
        let place = match self.find(&candidate.active) {
            Ok(place) => place,
            Err(bucket) => {
                self.insert(candidate, bucket);
                return None;
            }
        };
        let at_hand = &mut self.list[place as usize];
        if is_same(at_hand, &candidate) {
            at_hand.add(&candidate);
            return None;
        }
        let worse = match candidate.total > at_hand.total {
            true => std::mem::replace(at_hand, candidate),
            false => candidate,
        };
        Some((worse, place))
    }

    /// The place of the candidate at a state, or where the table has room for it.
    fn find(&self, active: &Active) -> Result<u32, usize> {
        let mask = self.table.len() - 1;
        let mut bucket = (active.hash() >> 32) as usize & mask;
        loop {
            let (frame, place) = self.table[bucket];
            if frame != self.frame {
                return Err(bucket);
            }
            if self.list[place as usize].active.is_at(active) {
                return Ok(place);
            }
            bucket = (bucket + 1) & mask;
        }
    }

    fn insert(&mut self, candidate: Candidate, bucket: usize) {
        self.table[bucket] = (self.frame, self.list.len() as u32);
        self.list.push(candidate);
        if self.list.len() * 2 > self.table.len() {
            self.grow();
        }
    }

    fn grow(&mut self) {
        self.table = vec![(0, 0); self.table.len() * 2];
        self.frame = 1;
        for place in 0..self.list.len() {
            if let Err(bucket) = self.find(&self.list[place].active) {
                self.table[bucket] = (self.frame, place as u32);
            }
        }
    }
}

/// `ln(eᵃ + eᵇ)`.
fn log_add(a: f32, b: f32) -> f32 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    // Beyond this the sum is the greater one to the last bit.
    if high - low < 17.0 { high + (low - high).exp().ln_1p() } else { high }
}
