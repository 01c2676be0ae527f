//! What may be said as a network of words (Thompson's construction), rules written out.

use std::collections::{HashMap, HashSet};

use super::MOST_STATES;
use super::expression::{Expression, Rules, Word};

/// A state of a [`Network`].
pub(super) type StateId = u32;

/// States from which words, each by its position in the network's words, lead on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Network {
    states: Vec<State>,
    words: Vec<Word>,
    start: StateId,
}

/// What leads on from a state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// Nothing: a phrase ends here.
    End,
    /// Nothing, and no phrase ends here.
    Dead,
    /// A word, by its position.
    Word { word: u32, next: StateId },
    /// Either of two others, without a word.
    Fork(StateId, StateId),
}

/// Writes rules out, from their ends on.
struct Builder<'a> {
    rules: &'a Rules,
    /// The parts of rules written out so far.
    parts: usize,
    states: Vec<State>,
    words: Vec<Word>,
    by_text: HashMap<&'a str, u32>,
}

impl Network {
    /// # Errors
    ///
    /// The reason: too many states, or nothing that can be said.
    pub fn new(rules: &Rules) -> Result<Self, String> {
        let mut builder = Builder {
            rules,
            parts: 0,
            states: Vec::new(),
            words: Vec::new(),
            by_text: HashMap::new(),
        };
        let end = builder.state(State::End);
        let mut start = builder.state(State::Dead);
        for public in rules.public.iter().rev() {
            let rule = builder.expression(&rules.all[public.rule], end)?;
            start = builder.state(State::Fork(rule, start));
        }
        let network = Self { states: builder.states, words: builder.words, start };
        if network.says_nothing() {
            return Err(
                "nothing can be said by this grammar; each rule needs <VOID> or has no word"
                    .to_owned(),
            );
        }
        Ok(network)
    }

    /// The number of states.
    pub fn len(&self) -> usize {
        self.states.len()
    }

    pub fn state(&self, id: StateId) -> State {
        self.states[id as usize]
    }

    /// The different words, each where it stands first.
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// The states that a phrase may begin in.
    pub fn begin(&self) -> Vec<StateId> {
        let mut states = vec![self.start];
        self.close(&mut states);
        states
    }

    /// Replaces forks by where they lead to: words and ends, in ascending order, each once.
    pub fn close(&self, states: &mut Vec<StateId>) {
        let mut forks = HashSet::new();
        let mut waiting = std::mem::take(states);
        while let Some(id) = waiting.pop() {
            match self.state(id) {
                State::Dead => {}
                State::Fork(a, b) if forks.insert(id) => waiting.extend([a, b]),
                State::Fork(..) => {}
                State::End | State::Word { .. } => states.push(id),
            }
        }
        states.sort_unstable();
        states.dedup();
    }

    /// Whether the words of a text, in any case, are one of the phrases.
    pub fn accepts(&self, text: &str) -> bool {
        let mut states = self.begin();
        for said in text.split_whitespace().map(folded) {
            let next = states.iter().filter_map(|&id| match self.state(id) {
                State::Word { word, next } => {
                    (folded(&self.words[word as usize].text) == said).then_some(next)
                }
                _ => None,
            });
            let mut next: Vec<_> = next.collect();
            self.close(&mut next);
            states = next;
        }
        states.iter().any(|&id| self.state(id) == State::End)
    }

    /// Whether no phrase has a word.
    fn says_nothing(&self) -> bool {
        let ends = self.states_that_end();
        let mut seen = vec![false; self.len()];
        let mut waiting = vec![self.start];
        while let Some(id) = waiting.pop() {
            if std::mem::replace(&mut seen[id as usize], true) {
                continue;
            }
            match self.state(id) {
                State::Word { next, .. } if ends[next as usize] => return false,
                State::Word { next, .. } => waiting.push(next),
                State::Fork(a, b) => waiting.extend([a, b]),
                State::End | State::Dead => {}
            }
        }
        true
    }

    /// For each state, whether a phrase can end from it.
    fn states_that_end(&self) -> Vec<bool> {
        let mut before: Vec<Vec<StateId>> = vec![Vec::new(); self.len()];
        let mut waiting = Vec::new();
        for (id, state) in (0..).zip(&self.states) {
            match *state {
                State::End => waiting.push(id),
                State::Dead => {}
                State::Word { next, .. } => before[next as usize].push(id),
                State::Fork(a, b) => {
                    before[a as usize].push(id);
                    before[b as usize].push(id);
                }
            }
        }
        let mut ends = vec![false; self.len()];
        while let Some(id) = waiting.pop() {
            if !std::mem::replace(&mut ends[id as usize], true) {
                waiting.append(&mut before[id as usize]);
            }
        }
        ends
    }
}

impl<'a> Builder<'a> {
    /// The state from which `part` leads to `next`.
    fn expression(&mut self, part: &'a Expression, next: StateId) -> Result<StateId, String> {
        self.parts += 1;
        if self.parts > MOST_STATES {
            return Err(format!(
                "the grammar has more than {MOST_STATES} words and groups with all rules written \
                 out; make it smaller, or use several for different situations"
            ));
        }
        Ok(match part {
            Expression::Word(word) => {
                let word = self.word(word);
                self.state(State::Word { word, next })
            }
            Expression::Sequence(parts) => {
                parts.iter().rev().try_fold(next, |next, part| self.expression(part, next))?
            }
            Expression::Alternatives(parts) => {
                let mut start = self.state(State::Dead);
                for part in parts.iter().rev() {
                    let part = self.expression(part, next)?;
                    start = self.state(State::Fork(part, start));
                }
                start
            }
            Expression::Optional(part) => {
                let part = self.expression(part, next)?;
                self.state(State::Fork(part, next))
            }
            Expression::Repeated(part) => {
                let again = self.state(State::Dead);
                let start = self.expression(part, again)?;
                self.states[again as usize] = State::Fork(start, next);
                start
            }
            Expression::Rule(reference) => {
                let rules = self.rules;
                self.expression(&rules.all[reference.rule], next)?
            }
        })
    }

    fn word(&mut self, word: &'a Word) -> u32 {
        let words = &mut self.words;
        *self.by_text.entry(&word.text).or_insert_with(|| {
            words.push(word.clone());
            (words.len() - 1) as u32
        })
    }

    fn state(&mut self, state: State) -> StateId {
        self.states.push(state);
        (self.states.len() - 1) as StateId
    }
}

/// A word without its case.
pub(super) fn folded(word: &str) -> String {
    word.replace('’', "'").to_lowercase()
}

#[cfg(test)]
mod tests {
    use crate::grammar::Grammar;

    fn error(rules: &str) -> String {
        let text = format!("#JSGF V1.0; grammar test; {rules}");
        Grammar::parse(&text).unwrap_err().to_string()
    }

    #[test]
    fn a_grammar_by_which_nothing_can_be_said_is_refused() {
        let nothing = ["<VOID>", "<NULL>", "a <VOID>", "[<VOID> a]", "<NULL>* | b <VOID> c"];
        for rule in nothing {
            let error = error(&format!("public <a> = {rule};"));
            assert!(error.starts_with("nothing can be said by this grammar"), "{rule}: {error}");
        }
    }

    #[test]
    fn rules_that_write_out_to_too_much_are_refused_at_once() {
        let rule = |i| format!("<r{i}> = <r{0}> <r{0}>;", i + 1);
        let rules: String = (0..60).map(rule).collect();
        let began = std::time::Instant::now();
        for last in ["b", "<NULL>"] {
            let error = error(&format!("public <a> = <r0>; {rules} <r60> = {last};"));
            assert!(error.starts_with("the grammar has more than 1000000 words"), "{error}");
        }
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }

    #[test]
    fn many_words_that_may_be_left_out_are_read_at_once() {
        let words = "[a] ".repeat(100_000);
        let reason = error(&format!("public <a> = {words} <VOID>;"));
        assert!(reason.starts_with("nothing can be said"), "{reason}");
        let grammar = Grammar::parse(&format!("#JSGF V1.0; grammar test; public <a> = {words};"));
        let reason = grammar.unwrap().word_graph().unwrap_err().to_string();
        assert!(reason.contains("make it smaller"), "{reason}");
    }

    #[test]
    fn apostrophes_and_case_make_no_difference() {
        let grammar = Grammar::from_phrases(["Don’t stop"]).unwrap();
        assert!(grammar.accepts("DON'T STOP"));
    }
}
