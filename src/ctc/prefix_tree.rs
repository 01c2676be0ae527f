//! The token sequences that a search follows, as a tree of their beginnings.

use std::collections::HashMap;

use super::arena::{Arena, Link};
use crate::tokens::TokenId;

/// All token sequences at hand, those that go on from another linked to it.
#[derive(Clone, Debug)]
pub(super) struct PrefixTree {
    pub arena: Arena<Prefix>,
    children: HashMap<(Link, TokenId), Link>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix {
    /// Its last token; of the empty one, that which ended the utterance before.
    pub token: Option<TokenId>,
    /// Where it stands in the beam, if it still does.
    pub place: u32,
}

impl PrefixTree {
    pub fn new() -> Self {
        Self { arena: Arena::new(), children: HashMap::new() }
    }

    /// Drops all and makes the empty prefix; `token` ended the utterance before.
    pub fn begin(&mut self, token: Option<TokenId>) -> Link {
        self.children.clear();
        self.arena.clear();
        self.arena.push(Arena::<Prefix>::NONE, Prefix { token, place: 0 })
    }

    /// The prefix that is one token longer.
    pub fn child(&mut self, prefix: Link, token: TokenId) -> Link {
        let arena = &mut self.arena;
        let new = || arena.push(prefix, Prefix { token: Some(token), place: 0 });
        *self.children.entry((prefix, token)).or_insert_with(new)
    }

    /// Drops all but `ends` and what they go on from. Gives each old link's new one.
    pub fn keep(&mut self, ends: impl Iterator<Item = Link>) -> Vec<Link> {
        let moved = self.arena.keep(ends);
        let children = std::mem::take(&mut self.children);
        let kept = |link: Link| Some(moved[link as usize]).filter(|&l| l != Arena::<Prefix>::NONE);
        self.children = children
            .into_iter()
            .filter_map(|((prefix, token), child)| Some(((kept(prefix)?, token), kept(child)?)))
            .collect();
        moved
    }
}
