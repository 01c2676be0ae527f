//! Which hotwords a text has so far, and what they add to its score.
//!
//! The phrases are a trie with failure links (Aho and Corasick 1975), walked letter by letter as in
//! the context graphs of WeNet and icefall. Letters of a phrase that is still being spelled count
//! at once, so that its prefixes stay in the beam, and are taken back where the text goes on
//! otherwise; a phrase counts for good where it ends as whole words.

use std::collections::{HashMap, VecDeque};

use super::fusion::BOUNDARY;
use crate::error::{Error, Result};
use crate::lexicon::phrase::{Phrase, all_or_reasons};
use crate::lexicon::speller::Speller;
use crate::lexicon::tokens::TokenTable;

/// A phrase that is likely to be said.
#[derive(Clone, Debug, PartialEq)]
pub struct Hotword {
    /// Words that the model's tokens can spell, in any case, separated by spaces.
    pub phrase: String,
    /// What each of its letters adds to a hypothesis's score, in natural logarithm: above 0 and at
    /// most 20.
    pub boost: f32,
}

/// The phrases as an automaton.
#[derive(Clone, Debug, Default)]
pub(super) struct ContextGraph {
    nodes: Vec<Node>,
    children: HashMap<(u32, u8), u32>,
    /// The most that the letters of one token add.
    most_of_token: f64,
}

/// A text's place in a [`ContextGraph`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ContextState {
    node: u32,
    /// What whole phrases have added.
    credit: f64,
    /// What the phrase being spelled adds unless it fails.
    partial: f64,
}

/// The longest end of a text that a phrase begins with.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// The longest such end but this.
    fail: u32,
    /// What the letters so far count for in the phrase that boosts them most.
    partial: f64,
    /// What the phrases that end here add, this and those in its failures together.
    whole: f64,
    ends_in_boundary: bool,
}

const ROOT: u32 = 0;

impl Hotword {
    /// The boost of a phrase that none was given for.
    pub const DEFAULT_BOOST: f32 = 1.0;

    /// A phrase with the default boost.
    pub fn new(phrase: impl Into<String>) -> Self {
        Self { phrase: phrase.into(), boost: Self::DEFAULT_BOOST }
    }

    /// Reads a list: one `PHRASE` or `PHRASE:BOOST` a line. Lines that are empty or begin with `#`
    /// are skipped. [`Model::with_hotword_list`](crate::model::Model::with_hotword_list) reads signs, figures
    /// and accents too.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with each wrong line and what is wrong in it: no phrase, a boost out of its
    /// range, or a character that the tokens can't spell.
    pub fn parse_list(text: &str, tokens: &TokenTable) -> Result<Vec<Self>> {
        let speller = Speller::new(tokens);
        all_or_reasons(Phrase::lines(text), |line| {
            let phrase = Phrase::parse(line)?;
            let boost = phrase.number.unwrap_or(Self::DEFAULT_BOOST);
            let hotword = Self { phrase: phrase.text, boost };
            hotword.check(&speller).map(|()| hotword)
        })
    }

    pub(crate) fn check(&self, speller: &Speller) -> Result<(), String> {
        let Self { phrase, boost } = self;
        if !(*boost > 0.0 && *boost <= 20.0) {
            return Err(format!("the boost is {boost}; it must be above 0 and at most 20"));
        }
        match speller.spell(phrase) {
            Ok(_) => Ok(()),
            Err(reason) => Err(format!("hotword {phrase:?}: {reason}")),
        }
    }
}

impl ContextGraph {
    /// # Errors
    ///
    /// [`Error::Config`] for a hotword that the tokens can't spell or whose boost is out of range.
    pub fn new(hotwords: &[Hotword], tokens: &TokenTable) -> Result<Self> {
        let mut graph = Self::default();
        if hotwords.is_empty() {
            return Ok(graph);
        }
        graph.nodes.push(Node::default());
        let speller = Speller::new(tokens);
        for hotword in hotwords {
            hotword.check(&speller).map_err(Error::Config)?;
            let ids = speller.spell(&hotword.phrase).map_err(Error::Config)?;
            graph.insert(&tokens.text(ids), f64::from(hotword.boost));
        }
        graph.link();
        let letters = tokens.iter().map(|(_, token)| token.chars().count()).max().unwrap_or(0);
        let boosts = hotwords.iter().map(|hotword| f64::from(hotword.boost));
        graph.most_of_token = boosts.fold(0.0, f64::max) * letters as f64;
        Ok(graph)
    }

    /// Whether there are no phrases.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The state before the first letter.
    pub fn begin(&self) -> ContextState {
        self.advance(ContextState::default(), BOUNDARY)
    }

    /// The state one byte on. Boundaries in a row are one.
    pub fn advance(&self, state: ContextState, byte: u8) -> ContextState {
        let Some(node) = self.nodes.get(state.node as usize) else { return state };
        let mut credit = state.credit;
        if byte == BOUNDARY {
            if node.ends_in_boundary {
                return state;
            }
            credit += node.whole;
        }
        let node = self.next(state.node, byte);
        ContextState { node, credit, partial: self.nodes[node as usize].partial }
    }

    /// What a text adds that ends here.
    pub fn finish(&self, state: &ContextState) -> f64 {
        state.credit + self.nodes.get(state.node as usize).map_or(0.0, |node| node.whole)
    }

    /// No less than the score of any state one token on. What letters have added so far is never
    /// less in a state than in its failures.
    pub fn bound(&self, state: &ContextState) -> f64 {
        self.finish(state) + state.partial + self.most_of_token
    }

    fn insert(&mut self, text: &str, boost: f64) {
        let mut node = self.child(ROOT, BOUNDARY);
        let mut partial = 0.0;
        for character in text.chars() {
            if character == ' ' {
                node = self.child(node, BOUNDARY);
            } else {
                partial += boost;
                let mut bytes = [0; 4];
                for &byte in character.encode_utf8(&mut bytes).as_bytes() {
                    node = self.child(node, byte);
                }
            }
            let node = &mut self.nodes[node as usize];
            node.partial = node.partial.max(partial);
        }
        let node = &mut self.nodes[node as usize];
        // A phrase that stands twice counts once, with the higher boost.
        node.whole = node.whole.max(partial);
    }

    fn child(&mut self, node: u32, byte: u8) -> u32 {
        let nodes = &mut self.nodes;
        *self.children.entry((node, byte)).or_insert_with(|| {
            nodes.push(Node { ends_in_boundary: byte == BOUNDARY, ..Node::default() });
            (nodes.len() - 1) as u32
        })
    }

    /// Links each node to its failure, the shorter first.
    fn link(&mut self) {
        let mut below: Vec<Vec<(u8, u32)>> = vec![Vec::new(); self.nodes.len()];
        for (&(node, byte), &child) in &self.children {
            below[node as usize].push((byte, child));
        }
        let mut waiting = VecDeque::from([ROOT]);
        while let Some(node) = waiting.pop_front() {
            for &(byte, child) in &below[node as usize] {
                waiting.push_back(child);
                let fail = self.nodes[node as usize].fail;
                let fail = if node == ROOT { ROOT } else { self.next(fail, byte) };
                let Node { whole, partial, .. } = self.nodes[fail as usize];
                let child = &mut self.nodes[child as usize];
                child.fail = fail;
                child.whole += whole;
                child.partial = child.partial.max(partial);
            }
        }
    }

    /// The longest end of a text with this byte more that a phrase begins with.
    fn next(&self, mut node: u32, byte: u8) -> u32 {
        loop {
            if let Some(&child) = self.children.get(&(node, byte)) {
                return child;
            }
            if node == ROOT {
                return ROOT;
            }
            node = self.nodes[node as usize].fail;
        }
    }
}

impl ContextState {
    /// Its place, on which depends what may follow.
    pub fn node(&self) -> u32 {
        self.node
    }

    /// Takes out what whole phrases have added; gives it and what is left.
    pub fn without_credit(self) -> (f64, Self) {
        (self.credit, Self { credit: 0.0, ..self })
    }

    /// What a text adds that may go on.
    pub fn score(&self) -> f64 {
        self.credit + self.partial
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::tokens::TokenId;

    fn table() -> TokenTable {
        TokenTable::parse("<blank>\n▁\nA\nB\nC", TokenId(0)).unwrap()
    }

    fn graph(list: &str) -> ContextGraph {
        let hotwords = Hotword::parse_list(list, &table()).unwrap();
        ContextGraph::new(&hotwords, &table()).unwrap()
    }

    fn walk(graph: &ContextGraph, text: &str) -> ContextState {
        let bytes = text.bytes().map(|byte| if byte == b' ' { BOUNDARY } else { byte });
        bytes.fold(graph.begin(), |state, byte| graph.advance(state, byte))
    }

    #[test]
    fn letters_count_until_the_text_goes_on_otherwise() {
        let graph = graph("abc:2");
        let scores = ["", "A", "AB", "ABC", "ABC ", "ABCA", "ABC A", "ABA", "BABC", "B AB"];
        let scores = scores.map(|text| walk(&graph, text).score());
        assert_eq!(scores, [0.0, 2.0, 4.0, 6.0, 6.0, 0.0, 8.0, 0.0, 0.0, 4.0]);
        let ends = ["", "AB", "ABC", "ABC  ", "ABCA", "ABC ABC", "BABC"];
        let ends = ends.map(|text| graph.finish(&walk(&graph, text)));
        assert_eq!(ends, [0.0, 0.0, 6.0, 6.0, 0.0, 12.0, 0.0]);
    }

    #[test]
    fn phrases_within_phrases_and_across_them_count_too() {
        let graph = graph("ab\nab c\nc a:3\n");
        assert_eq!(graph.finish(&walk(&graph, "AB C")), 2.0 + 3.0);
        assert_eq!(graph.finish(&walk(&graph, "AB  C A")), 2.0 + 3.0 + 6.0);
        assert_eq!(graph.finish(&walk(&graph, "AB A")), 2.0);
        assert_eq!(walk(&graph, "AB C").score(), 2.0 + 3.0);
    }

    #[test]
    fn nothing_is_added_without_hotwords() {
        let graph = ContextGraph::default();
        let state = walk(&graph, "AB C");
        assert_eq!((state.score(), graph.finish(&state), graph.bound(&state)), (0.0, 0.0, 0.0));
    }

    #[test]
    fn errors_in_lists_name_the_line() {
        let error = |list| Hotword::parse_list(list, &table()).unwrap_err().to_string();
        let no = "the model has no token for";
        assert_eq!(
            error("# names\nab\nabz\n"),
            format!("line 3: hotword \"abz\": {no} 'Z'; write words in its letters")
        );
        assert!(error("ab\n:2").starts_with("line 2: there is no phrase"));
        assert_eq!(error("ab:-1"), "line 1: the boost is -1; it must be above 0 and at most 20");
    }

    #[test]
    fn a_list_of_100_000_lines_is_taken() {
        let letters = ["a", "b", "c"];
        let name = |i: usize| (0..11).map(|d| letters[i / 3usize.pow(d) % 3]).collect::<String>();
        let list: String = (0..100_000).map(|i| name(i) + "\n").collect();
        let began = std::time::Instant::now();
        let graph = graph(&list);
        assert_eq!(graph.finish(&walk(&graph, &name(99_999).to_uppercase())), 11.0);
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}
