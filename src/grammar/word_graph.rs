//! A grammar as a deterministic graph of words.

use std::collections::{BTreeMap, HashMap};

use super::expression::Word;
use super::network::{Network, State, StateId, folded};
use super::{MOST_POSITIONS, MOST_STATES};

/// States and the words between them; the first state is number 0.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WordGraph {
    /// The different words.
    pub words: Vec<GrammarWord>,
    pub states: Vec<WordState>,
}

/// A word as the grammar has it, and where it stands first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GrammarWord {
    pub text: String,
    pub place: String,
}

/// What may follow.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct WordState {
    /// Whether a phrase may end here.
    pub is_final: bool,
    /// Words, by their place among all, and the states that they lead to.
    pub arcs: Vec<(u32, u32)>,
}

impl WordGraph {
    /// # Errors
    ///
    /// The reason: too many states or arcs.
    pub(super) fn new(network: &Network) -> Result<Self, String> {
        let (words, unified) = unify(network.words());
        let mut graph = Self { words, states: Vec::new() };
        let begin = network.begin();
        let mut ids = HashMap::from([(begin.clone(), 0)]);
        let mut waiting = vec![begin];
        // The state behind a single state of the network, to which many words may lead.
        let mut behind = HashMap::new();
        let (mut arcs, mut all_positions) = (0, 0);
        let mut next_state = 0;
        while next_state < waiting.len() {
            let positions = std::mem::take(&mut waiting[next_state]);
            next_state += 1;
            let mut state = WordState::default();
            let mut after: BTreeMap<u32, Vec<StateId>> = BTreeMap::new();
            for &id in &positions {
                match network.state(id) {
                    State::End => state.is_final = true,
                    State::Word { word, next } => {
                        after.entry(unified[word as usize]).or_default().push(next);
                    }
                    State::Dead | State::Fork(..) => {}
                }
            }
            for (word, mut next) in after {
                next.sort_unstable();
                next.dedup();
                let only = if next.len() == 1 { next.first().copied() } else { None };
                let known = only.and_then(|only| behind.get(&only)).copied();
                let states = waiting.len();
                let id = known.unwrap_or_else(|| {
                    network.close(&mut next);
                    *ids.entry(next).or_insert_with_key(|next| {
                        waiting.push(next.clone());
                        states as u32
                    })
                });
                all_positions += waiting.get(states).map_or(0, Vec::len);
                if all_positions > MOST_POSITIONS {
                    return Err(too_large());
                }
                behind.extend(only.map(|only| (only, id)));
                state.arcs.push((word, id));
            }
            arcs += state.arcs.len();
            graph.states.push(state);
            if arcs > MOST_STATES {
                return Err(too_large());
            }
        }
        Ok(graph)
    }
}

fn too_large() -> String {
    format!(
        "the grammar has more than {MOST_STATES} transitions or {MOST_POSITIONS} positions in its states; make it \
         smaller, or use several for different situations"
    )
}

/// The words that differ in more than their case, and which of them each is.
fn unify(words: &[Word]) -> (Vec<GrammarWord>, Vec<u32>) {
    let mut different: Vec<GrammarWord> = Vec::new();
    let mut ids = HashMap::new();
    let id = |word: &Word| {
        *ids.entry(folded(&word.text)).or_insert_with(|| {
            let (text, place) = (word.text.clone(), word.place.to_string());
            different.push(GrammarWord { text, place });
            different.len() as u32 - 1
        })
    };
    let ids = words.iter().map(id).collect();
    (different, ids)
}

#[cfg(test)]
mod tests {
    use crate::grammar::Grammar;

    /// All phrases of up to `most` words.
    fn phrases(rules: &str, most: usize) -> Vec<String> {
        let text = format!("#JSGF V1.0; grammar test; public <test> = {rules};");
        let graph = Grammar::parse(&text).unwrap().word_graph().unwrap();
        let mut found = Vec::new();
        let mut waiting = vec![(0u32, Vec::<String>::new())];
        while let Some((state, words)) = waiting.pop() {
            let state = &graph.states[state as usize];
            found.extend(state.is_final.then(|| words.join(" ").to_lowercase()));
            if words.len() < most {
                let longer = |&(word, to): &(u32, u32)| {
                    (to, [&words[..], &[graph.words[word as usize].text.clone()]].concat())
                };
                waiting.extend(state.arcs.iter().map(longer));
            }
        }
        found.sort();
        found
    }

    #[test]
    fn each_phrase_has_one_path() {
        assert_eq!(phrases("a (b | [c] b) | A b d", 3), ["a b", "a b d", "a c b"]);
        assert_eq!(phrases("[a] b*", 2), ["", "a", "a b", "b", "b b"]);
    }
}
