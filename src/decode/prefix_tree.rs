//! Label sequences as a tree of their beginnings: of tokens, or of words.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::arena::{Arena, NodeId};

/// All sequences at hand, those that go on from another linked to it.
#[derive(Clone, Debug)]
pub(super) struct PrefixTree<L> {
    pub arena: Arena<Prefix<L>>,
    children: FxHashMap<(NodeId, L), NodeId>,
    /// What `children` becomes when prefixes are dropped; here so that its memory is reused.
    kept_children: FxHashMap<(NodeId, L), NodeId>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix<L> {
    /// Its last label; of the empty one, that which ended the utterance before.
    pub label: Option<L>,
    /// Where it stands in the beam, if it still does.
    pub place: u32,
}

impl<L: Copy + Eq + Hash> PrefixTree<L> {
    pub fn new() -> Self {
        let (children, kept_children) = (FxHashMap::default(), FxHashMap::default());
        Self { arena: Arena::new(), children, kept_children }
    }

    /// Drops all and makes the empty prefix; `label` ended the utterance before.
    pub fn begin(&mut self, label: Option<L>) -> NodeId {
        self.children.clear();
        self.arena.clear();
        self.arena.push(Arena::<Prefix<L>>::NONE, Prefix { label, place: 0 })
    }

    /// Gives back what a long utterance has taken; before [`PrefixTree::begin`].
    pub fn shrink(&mut self) {
        self.arena.clear();
        self.arena.shrink();
        self.children.clear();
        self.children.shrink_to(0);
        self.kept_children.shrink_to(0);
    }

    /// The prefix that is one label longer.
    pub fn child(&mut self, prefix: NodeId, label: L) -> NodeId {
        let arena = &mut self.arena;
        let new = || arena.push(prefix, Prefix { label: Some(label), place: 0 });
        *self.children.entry((prefix, label)).or_insert_with(new)
    }

    /// Drops all that is not marked in the arena. Gives each old link's new one.
    pub fn sweep(&mut self) -> &[NodeId] {
        let moved = self.arena.sweep();
        let kept =
            |link: NodeId| Some(moved[link as usize]).filter(|&l| l != Arena::<Prefix<L>>::NONE);
        let children = self.children.drain();
        self.kept_children.extend(
            children.filter_map(|((prefix, label), child)| {
                Some(((kept(prefix)?, label), kept(child)?))
            }),
        );
        std::mem::swap(&mut self.children, &mut self.kept_children);
        moved
    }
}
