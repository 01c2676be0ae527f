//! The n-gram histories that a search follows, each with a number, and the scores of words after them.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::word_graph::{Arc as WordArc, Context};
use crate::decode::fusion::{Fusion, FusionState, RecombinationKey};
use crate::decode::lexicon_tree::{LexiconTree, LexiconWord, WordEnd};
use crate::lm::Continuations;

/// Histories of words that score alike whatever follows share a [`Context`].
#[derive(Clone, Debug)]
pub(super) struct NgramContexts {
    fusion: Arc<Fusion>,
    /// Each context's state, without what its words have scored.
    states: Vec<FusionState>,
    /// How each goes on, once that was asked for.
    continuations: Vec<Option<Continuations>>,
    ids: FxHashMap<Key, Context>,
    /// Arcs that were followed, at a place that depends on context and word: the same are asked for in
    /// frame after frame.
    cache: Vec<CachedArc>,
    /// Whether histories that score alike share a context.
    recombines: bool,
}

/// The key of a context, and the arc that leads to one if each has its own.
type Key = (RecombinationKey, Option<(Context, WordEnd)>);

#[derive(Clone, Copy, Debug)]
struct CachedArc {
    context: Context,
    word: LexiconWord,
    arc: WordArc,
}

/// Slots of the cache; 256 kB.
const CACHED_ARCS: usize = 1 << 14;

/// No context has this number.
const NO_CONTEXT: Context = Context::MAX;

impl NgramContexts {
    /// Contexts from which on the unused are worth a look.
    pub const LEAST_GC_THRESHOLD: usize = 1 << 15;

    pub fn new(fusion: Arc<Fusion>) -> Self {
        let empty = CachedArc {
            context: NO_CONTEXT,
            word: LexiconWord::default(),
            arc: WordArc { to: 0, score: 0.0 },
        };
        let mut contexts = Self {
            fusion,
            states: Vec::new(),
            continuations: Vec::new(),
            ids: FxHashMap::default(),
            cache: vec![empty; CACHED_ARCS],
            recombines: true,
        };
        contexts.clear();
        contexts
    }

    /// Forgets all contexts but that of the sentence's start, which is number 0.
    pub fn clear(&mut self) {
        self.states.clear();
        self.states.shrink_to(Self::LEAST_GC_THRESHOLD);
        self.continuations.clear();
        self.continuations.shrink_to(Self::LEAST_GC_THRESHOLD);
        self.ids.clear();
        self.ids.shrink_to(Self::LEAST_GC_THRESHOLD);
        self.cache.iter_mut().for_each(|cached| cached.context = NO_CONTEXT);
        let begin = self.fusion.begin();
        self.intern(begin, None);
    }

    #[cfg(test)]
    pub fn follow_all(&mut self) {
        self.recombines = false;
    }

    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// The context a word on, and the score of the word.
    pub fn follow(
        &mut self,
        context: Context,
        said: WordEnd,
        lexicon_tree: &LexiconTree,
    ) -> WordArc {
        let word = said.word;
        let place = place(context, word);
        let cached = &self.cache[place];
        if self.recombines && cached.context == context && cached.word == word {
            return cached.arc;
        }
        let before = self.states[context as usize];
        let tokens = lexicon_tree.letters(word);
        let after = match lexicon_tree.model_word(word) {
            Some(id) => {
                let found = &mut self.continuations[context as usize];
                let found = found.get_or_insert_with(|| self.fusion.continuations(&before));
                self.fusion.advance_after(&before, found, id, tokens)
            }
            None => {
                let advance = |state, token| self.fusion.advance(&state, token);
                advance(tokens.fold(before, advance), lexicon_tree.boundary())
            }
        };
        let score = (after.score() - before.score()) as f32;
        let to = self.intern(after, Some((context, said)));
        let arc = WordArc { to, score };
        self.cache[place] = CachedArc { context, word, arc };
        arc
    }

    /// What a hypothesis in the context scores more than so far if it ends there.
    pub fn final_score(&self, context: Context) -> f64 {
        let state = &self.states[context as usize];
        self.fusion.finish(state) - state.score()
    }

    /// What the context itself adds to scores until it is left.
    pub fn start_score(&self) -> f64 {
        self.states[0].score()
    }

    /// Forgets the contexts that are not among `used`, and renumbers these.
    pub fn keep<'a>(&mut self, used: impl Iterator<Item = &'a mut Context>) {
        let mut moved = vec![NO_CONTEXT; self.states.len()];
        let mut kept = vec![self.states[0]];
        moved[0] = 0;
        for context in used {
            let new = &mut moved[*context as usize];
            if *new == NO_CONTEXT {
                *new = kept.len() as Context;
                kept.push(self.states[*context as usize]);
            }
            *context = *new;
        }
        self.states = kept;
        self.continuations = vec![None; self.states.len()];
        self.ids.retain(|_, id| {
            *id = moved[*id as usize];
            *id != NO_CONTEXT
        });
        self.cache.iter_mut().for_each(|cached| cached.context = NO_CONTEXT);
    }

    fn intern(&mut self, state: FusionState, arc: Option<(Context, WordEnd)>) -> Context {
        let (_, state) = state.without_credit();
        let key = (self.fusion.future(&state), arc.filter(|_| !self.recombines));
        let Self { states, continuations, ids, .. } = self;
        *ids.entry(key).or_insert_with(|| {
            states.push(state);
            continuations.push(None);
            states.len() as Context - 1
        })
    }
}

fn place(context: Context, word: LexiconWord) -> usize {
    let key = u64::from(context) << 32 | u64::from(word.number());
    // The golden ratio's digits spread keys, as in Knuth's multiplicative hashing.
    let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash >> (u64::BITS - CACHED_ARCS.trailing_zeros())) as usize
}
