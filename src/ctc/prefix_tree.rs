//! The token sequences that a search follows, as a tree of their beginnings.

use std::collections::HashMap;

use super::arena::{Arena, Link};
use super::pronouncer::SpelledWord;
use crate::tokens::TokenId;

/// What makes a prefix one longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Step {
    /// The token, or the phone where there is a lexicon of phones.
    pub token: TokenId,
    /// The word that ends with the phone.
    pub word: Option<SpelledWord>,
}

/// All token sequences at hand, those that go on from another linked to it.
#[derive(Clone, Debug)]
pub(super) struct PrefixTree {
    pub arena: Arena<Prefix>,
    children: HashMap<(Link, Step), Link>,
    /// What `children` becomes when prefixes are dropped; here so that its memory is reused.
    kept_children: HashMap<(Link, Step), Link>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix {
    /// Its last token; of the empty one, that which ended the utterance before.
    pub token: Option<TokenId>,
    /// The word that ends with it, where there is a lexicon of phones.
    pub word: Option<SpelledWord>,
    /// Where it stands in the beam, if it still does.
    pub place: u32,
}

impl PrefixTree {
    pub fn new() -> Self {
        Self { arena: Arena::new(), children: HashMap::new(), kept_children: HashMap::new() }
    }

    /// Drops all and makes the empty prefix; `token` ended the utterance before.
    pub fn begin(&mut self, token: Option<TokenId>) -> Link {
        self.children.clear();
        self.arena.clear();
        self.arena.push(Arena::<Prefix>::NONE, Prefix { token, word: None, place: 0 })
    }

    /// Gives back what a long utterance has taken; before [`PrefixTree::begin`].
    pub fn shrink(&mut self) {
        self.arena.clear();
        self.arena.shrink();
        self.children.clear();
        self.children.shrink_to(0);
        self.kept_children.shrink_to(0);
    }

    /// The prefix that is one step longer.
    pub fn child(&mut self, prefix: Link, step: Step) -> Link {
        let arena = &mut self.arena;
        let Step { token, word } = step;
        let new = || arena.push(prefix, Prefix { token: Some(token), word, place: 0 });
        *self.children.entry((prefix, step)).or_insert_with(new)
    }

    /// Drops all that is not marked in the arena. Gives each old link's new one.
    pub fn sweep(&mut self) -> &[Link] {
        let moved = self.arena.sweep();
        let kept = |link: Link| Some(moved[link as usize]).filter(|&l| l != Arena::<Prefix>::NONE);
        let children = self.children.drain();
        self.kept_children.extend(
            children
                .filter_map(|((prefix, step), child)| Some(((kept(prefix)?, step), kept(child)?))),
        );
        std::mem::swap(&mut self.children, &mut self.kept_children);
        moved
    }
}
