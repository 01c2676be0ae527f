//! A grammar's phrases as the token sequences that spell them, deterministic.
//!
//! The network of words becomes one of letters, made deterministic by the subset construction (Rabin
//! and Scott 1959); tokens then lead where their letters do, so that a phrase may be cut into tokens
//! in any way. Boundaries stand between words, and may stand at both ends.

use std::collections::HashMap;
use std::rc::Rc;

use super::network::{Network, State, StateId};
use super::{MOST_POSITIONS, MOST_STATES};
use crate::lexicon::speller::Speller;
use crate::lexicon::tokens::{TokenId, TokenTable};

/// A byte that no word has.
const BOUNDARY: u8 = b'\n';

/// Which tokens may follow which.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TokenGraph {
    /// Per state the first of its arcs, and at the end the number of arcs.
    first_arc: Vec<u32>,
    /// Each state's in ascending order of the tokens. All lead on to where a phrase can end.
    arcs: Vec<(TokenId, u32)>,
    ends: Vec<bool>,
}

/// A state of a [`TokenGraph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenState(u32);

impl TokenState {
    /// Before the first token.
    pub const START: Self = Self(0);
}

impl TokenGraph {
    /// # Errors
    ///
    /// The reason, for a word that can't be spelled with its place.
    pub(super) fn new(network: &Network, tokens: &TokenTable) -> Result<Self, String> {
        let spellings = spell(network, tokens)?;
        let pieces = Pieces::new(tokens);
        let mut letters = Letters::new(network, &spellings);
        letters.begin()?;
        let mut arcs: Vec<Vec<(TokenId, u32)>> = Vec::new();
        let mut is_waiting = vec![true];
        let mut waiting = vec![TokenState::START.0];
        while let Some(state) = waiting.pop() {
            let found = letters.read(state, &pieces)?;
            is_waiting.resize(letters.len(), false);
            for &(_, next) in &found {
                if !std::mem::replace(&mut is_waiting[next as usize], true) {
                    waiting.push(next);
                }
            }
            arcs.resize(letters.len(), Vec::new());
            arcs[state as usize] = found;
        }
        let graph = Self::assemble(&arcs, letters.ends());
        log::info!("grammar: {} states and {} arcs of tokens", graph.ends.len(), graph.arcs.len());
        Ok(graph)
    }

    /// Where a token leads to, if it may follow.
    pub fn next(&self, state: TokenState, token: TokenId) -> Option<TokenState> {
        let state = state.0 as usize;
        let arcs = &self.arcs[self.first_arc[state] as usize..self.first_arc[state + 1] as usize];
        let place = arcs.binary_search_by_key(&token, |arc| arc.0).ok()?;
        Some(TokenState(arcs[place].1))
    }

    /// Whether a phrase may end here.
    pub fn ends(&self, state: TokenState) -> bool {
        self.ends[state.0 as usize]
    }

    /// Keeps the arcs from which an end can be reached.
    fn assemble(arcs: &[Vec<(TokenId, u32)>], ends: Vec<bool>) -> Self {
        let mut before: Vec<Vec<u32>> = vec![Vec::new(); arcs.len()];
        for (state, arcs) in (0..).zip(arcs) {
            arcs.iter().for_each(|&(_, next)| before[next as usize].push(state));
        }
        let mut alive = ends.clone();
        let mut waiting: Vec<_> = (0..arcs.len()).filter(|&state| ends[state]).collect();
        while let Some(state) = waiting.pop() {
            for before in before[state].drain(..).map(|state| state as usize) {
                if !std::mem::replace(&mut alive[before], true) {
                    waiting.push(before);
                }
            }
        }
        let mut graph = Self { first_arc: vec![0], arcs: Vec::new(), ends };
        for arcs in arcs {
            graph.arcs.extend(arcs.iter().filter(|arc| alive[arc.1 as usize]));
            let begin = *graph.first_arc.last().unwrap_or(&0) as usize;
            graph.arcs[begin..].sort_unstable_by_key(|arc| arc.0);
            graph.first_arc.push(graph.arcs.len() as u32);
        }
        graph
    }
}

/// Each word in the tokens' letters, a boundary before it.
pub(super) fn spell(network: &Network, tokens: &TokenTable) -> Result<Vec<Vec<u8>>, String> {
    let speller = Speller::new(tokens);
    let spell = |word: &super::expression::Word| match speller.spell(&word.text) {
        Ok(ids) => Ok([&[BOUNDARY], tokens.text(ids).as_bytes()].concat()),
        Err(reason) => Err(format!("{}: word {:?}: {reason}", word.place, word.text)),
    };
    network.words().iter().map(spell).collect()
}

/// The tokens as a tree of their bytes.
struct Pieces {
    children: HashMap<(u32, u8), u32>,
    tokens: Vec<Option<TokenId>>,
}

impl Pieces {
    const ROOT: u32 = 0;

    fn new(table: &TokenTable) -> Self {
        let mut pieces = Self { children: HashMap::new(), tokens: vec![None] };
        for (id, token) in table.iter() {
            let mut node = Self::ROOT;
            for byte in token.replace(TokenTable::WORD_BOUNDARY, "\n").bytes() {
                let nodes = &mut pieces.tokens;
                node = *pieces.children.entry((node, byte)).or_insert_with(|| {
                    nodes.push(None);
                    (nodes.len() - 1) as u32
                });
            }
            pieces.tokens[node as usize] = Some(id);
        }
        pieces
    }
}

/// Where in the network a text may be: in a word's state, so many bytes of it behind; or at the end,
/// with or without a boundary behind.
type Position = (StateId, u32);

/// The bytes that may follow a state, and the states behind them.
type Arcs = Rc<[(u8, u32)]>;

/// The deterministic graph of letters, as far as it has been needed.
struct Letters<'a> {
    network: &'a Network,
    spellings: &'a [Vec<u8>],
    /// Each state's positions, in ascending order.
    states: Vec<Rc<[Position]>>,
    ids: HashMap<Rc<[Position]>, u32>,
    arcs: Vec<Option<Arcs>>,
    /// The state behind a single state of the network, to which many words may lead.
    behind: HashMap<StateId, u32>,
    positions: usize,
}

/// Where a byte leads to.
enum Step {
    Within(Position),
    /// To where this state of the network leads without a word.
    Behind(StateId),
}

impl<'a> Letters<'a> {
    fn new(network: &'a Network, spellings: &'a [Vec<u8>]) -> Self {
        Self {
            network,
            spellings,
            states: Vec::new(),
            ids: HashMap::new(),
            arcs: Vec::new(),
            behind: HashMap::new(),
            positions: 0,
        }
    }

    fn len(&self) -> usize {
        self.states.len()
    }

    /// For each state, whether a phrase may end in it.
    fn ends(&self) -> Vec<bool> {
        let is_end = |&(id, _): &Position| self.network.state(id) == State::End;
        self.states.iter().map(|positions| positions.iter().any(is_end)).collect()
    }

    /// Makes the first state: before or behind a boundary.
    fn begin(&mut self) -> Result<(), String> {
        let mut positions: Vec<Position> =
            self.network.begin().into_iter().map(|id| (id, 0)).collect();
        let words = |&(id, _): &Position| matches!(self.network.state(id), State::Word { .. });
        let behind: Vec<_> =
            positions.iter().copied().filter(words).map(|(id, _)| (id, 1)).collect();
        positions.extend(behind);
        self.state(positions).map(|_| ())
    }

    /// The tokens that may follow a state, and where they lead.
    fn read(&mut self, state: u32, pieces: &Pieces) -> Result<Vec<(TokenId, u32)>, String> {
        let mut found = Vec::new();
        let mut waiting = vec![(state, Pieces::ROOT)];
        while let Some((state, node)) = waiting.pop() {
            for &(byte, next) in self.arcs(state)?.iter() {
                let Some(&child) = pieces.children.get(&(node, byte)) else { continue };
                found.extend(pieces.tokens[child as usize].map(|token| (token, next)));
                waiting.push((next, child));
            }
        }
        Ok(found)
    }

    fn arcs(&mut self, state: u32) -> Result<Arcs, String> {
        if let Some(arcs) = &self.arcs[state as usize] {
            return Ok(Rc::clone(arcs));
        }
        let mut by_byte: Vec<(u8, Vec<Position>, Vec<StateId>)> = Vec::new();
        for &(id, offset) in Rc::clone(&self.states[state as usize]).iter() {
            let Some((byte, step)) = self.step(id, offset) else { continue };
            let place = by_byte.iter().position(|(other, ..)| *other == byte);
            let place = place.unwrap_or_else(|| {
                by_byte.push((byte, Vec::new(), Vec::new()));
                by_byte.len() - 1
            });
            let (_, within, behind) = &mut by_byte[place];
            match step {
                Step::Within(position) => within.push(position),
                Step::Behind(id) => behind.push(id),
            }
        }
        let arcs = by_byte.into_iter();
        let arcs = arcs.map(|(byte, within, behind)| Ok((byte, self.after(within, behind)?)));
        let arcs: Arcs = arcs.collect::<Result<_, String>>()?;
        self.arcs[state as usize] = Some(Rc::clone(&arcs));
        Ok(arcs)
    }

    /// The byte that may follow a position, and what is behind it.
    fn step(&self, id: StateId, offset: u32) -> Option<(u8, Step)> {
        match self.network.state(id) {
            State::Word { word, next } => {
                let spelling = &self.spellings[word as usize];
                let byte = *spelling.get(offset as usize)?;
                let is_last = offset as usize + 1 == spelling.len();
                Some((
                    byte,
                    if is_last { Step::Behind(next) } else { Step::Within((id, offset + 1)) },
                ))
            }
            State::End if offset == 0 => Some((BOUNDARY, Step::Within((id, 1)))),
            _ => None,
        }
    }

    /// The state of these positions, and of where these states of the network lead without a word.
    fn after(
        &mut self,
        mut within: Vec<Position>,
        mut behind: Vec<StateId>,
    ) -> Result<u32, String> {
        behind.sort_unstable();
        behind.dedup();
        let only =
            if within.is_empty() && behind.len() == 1 { behind.first().copied() } else { None };
        if let Some(&state) = only.and_then(|only| self.behind.get(&only)) {
            return Ok(state);
        }
        self.network.close(&mut behind);
        within.extend(behind.into_iter().map(|id| (id, 0)));
        let state = self.state(within)?;
        self.behind.extend(only.map(|only| (only, state)));
        Ok(state)
    }

    /// The state of these positions, which may be a new one.
    fn state(&mut self, mut positions: Vec<Position>) -> Result<u32, String> {
        positions.sort_unstable();
        positions.dedup();
        if let Some(&id) = self.ids.get(positions.as_slice()) {
            return Ok(id);
        }
        self.positions += positions.len();
        if self.states.len() == MOST_STATES || self.positions > MOST_POSITIONS {
            return Err(format!(
                "the grammar takes more than {MOST_STATES} states or {MOST_POSITIONS} positions in \
                 them; make it smaller, or use several for different situations"
            ));
        }
        let id = self.states.len() as u32;
        let positions: Rc<[Position]> = positions.into();
        self.states.push(Rc::clone(&positions));
        self.arcs.push(None);
        self.ids.insert(positions, id);
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::Grammar;

    const LETTERS: &str = "<blank>\n▁\nA\nB\nC";
    const PIECES: &str = "<blank>\n▁A\nB\n▁\nAB\n▁BA";

    fn table(tokens: &str) -> TokenTable {
        TokenTable::parse(tokens, TokenId(0)).unwrap()
    }

    fn graph(grammar: &str, tokens: &str) -> TokenGraph {
        Grammar::parse(grammar).unwrap().token_graph(&table(tokens)).unwrap()
    }

    /// Whether the tokens, one after the other, are a phrase.
    fn accepts(graph: &TokenGraph, ids: &[u32]) -> bool {
        let next = |state, &id: &u32| graph.next(state, TokenId(id));
        ids.iter().try_fold(TokenState::START, next).is_some_and(|state| graph.ends(state))
    }

    #[test]
    fn words_without_end_are_refused() {
        let refused = |grammar: &str| {
            let grammar =
                Grammar::parse(&format!("#JSGF V1.0; grammar g; public <g> = {grammar};"));
            grammar.unwrap().token_graph(&table(LETTERS)).unwrap_err().to_string()
        };
        let reason = refused(&"[a] ".repeat(100_000));
        assert!(reason.contains("make it smaller"), "{reason}");
        // The same phrase again and again is one.
        let phrases = vec!["a"; 100_000].join(" | ");
        let text = format!("#JSGF V1.0; grammar g; public <g> = ({phrases})+;");
        assert_eq!(graph(&text, LETTERS).ends.len(), 4);
    }

    #[test]
    fn boundaries_stand_between_words_and_may_stand_around_them() {
        let graph = graph("a bc\ncab", LETTERS);
        for ids in [&[2, 1, 3, 4][..], &[1, 2, 1, 3, 4], &[2, 1, 3, 4, 1], &[4, 2, 3]] {
            assert!(accepts(&graph, ids), "{ids:?}");
        }
        for ids in [&[][..], &[2], &[2, 1], &[2, 3, 4], &[2, 1, 1, 3, 4], &[4, 2, 3, 1, 1], &[1]] {
            assert!(!accepts(&graph, ids), "{ids:?}");
        }
    }

    #[test]
    fn pieces_cut_words_in_any_way() {
        let graph = graph("ab\nba b", PIECES);
        for ids in [&[1, 2][..], &[4], &[3, 4], &[5, 3, 2], &[1, 2, 3]] {
            assert!(accepts(&graph, ids), "{ids:?}");
        }
        // The piece after which no other leads on is no arc.
        assert!(graph.next(TokenState::START, TokenId(2)).is_none());
        for ids in [&[1][..], &[5], &[5, 2], &[4, 4]] {
            assert!(!accepts(&graph, ids), "{ids:?}");
        }
    }

    /// All texts of A, B and spaces, against the network of words.
    #[test]
    fn the_graph_has_the_phrases_of_the_grammar() {
        let header = "#JSGF V1.0; grammar g; public <g> = ";
        let rules =
            ["[a] (b | ab)+;", "a* b [ba | <NULL>] | aa (a | b b)*;", "(a [b])+ (ba | <VOID>);"];
        for rule in rules {
            let grammar = Grammar::parse(&format!("{header}{rule}")).unwrap();
            let graph = grammar.token_graph(&table(LETTERS)).unwrap();
            for number in 0..4usize.pow(7) {
                let ids = (0..7).map(|i| (number / 4usize.pow(i) % 4) as u32);
                let ids: Vec<u32> = ids.take_while(|&id| id > 0).collect();
                let text = table(LETTERS).text(ids.iter().copied().map(TokenId));
                let doubled = ids.windows(2).any(|pair| pair == [1, 1]);
                let expected = grammar.accepts(&text) && !doubled;
                // Nothing at all has no boundary.
                if text.is_empty() && !ids.is_empty() {
                    continue;
                }
                assert_eq!(accepts(&graph, &ids), expected, "{rule} {text:?}");
            }
        }
    }

    #[test]
    fn words_that_the_tokens_cannot_spell_are_named() {
        let grammar = Grammar::parse("a b\nab cd").unwrap();
        let error = grammar.token_graph(&table(LETTERS)).unwrap_err().to_string();
        let reason = "the model has no token for 'D'; write words in its letters";
        assert_eq!(error, format!("line 2, column 4: word \"cd\": {reason}"));
    }

    #[test]
    fn too_many_states_are_refused_in_time() {
        let tail = "(a | b) ".repeat(30);
        let text = format!("#JSGF V1.0; grammar g; public <g> = (a | b)* a {tail};");
        let began = std::time::Instant::now();
        let grammar = Grammar::parse(&text).unwrap();
        let error = grammar.token_graph(&table(LETTERS)).unwrap_err().to_string();
        assert!(error.starts_with("the grammar takes more than 1000000 states"), "{error}");
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    }

    #[test]
    fn a_list_of_100_000_phrases_is_taken() {
        let letters = ["a", "b", "c"];
        let name = |i: usize| (0..11).map(|d| letters[i / 3usize.pow(d) % 3]).collect::<String>();
        let list: String = (0..100_000).map(|i| name(i) + "\n").collect();
        let began = std::time::Instant::now();
        let graph = graph(&list, LETTERS);
        let ids: Vec<u32> = name(99_999).bytes().map(|b| u32::from(b - b'a') + 2).collect();
        assert!(accepts(&graph, &ids));
        assert!(!accepts(&graph, &ids[1..]));
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}
