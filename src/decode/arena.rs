//! Chains that share their beginnings, in one block of memory.

/// A link of a chain in an [`Arena`], or [`Arena::NONE`].
pub(super) type NodeId = u32;

/// Values, each linked to the one before it in its chains; those before have lower links.
#[derive(Clone, Debug)]
pub(super) struct Arena<T> {
    values: Vec<(NodeId, T)>,
    /// The number of values from which on it is worth to look for unused ones.
    gc_threshold: usize,
    /// Each link's new one, when values were dropped last; here so that its memory is reused.
    moved: Vec<NodeId>,
}

impl<T: Copy> Arena<T> {
    pub const NONE: NodeId = NodeId::MAX;
    const LEAST_GC_THRESHOLD: usize = 4096;
    const MARKED: NodeId = 0;

    pub fn new() -> Self {
        Self { values: Vec::new(), gc_threshold: Self::LEAST_GC_THRESHOLD, moved: Vec::new() }
    }

    /// Appends a value to the chain that ends with `before`.
    pub fn push(&mut self, before: NodeId, value: T) -> NodeId {
        self.values.push((before, value));
        (self.values.len() - 1) as NodeId
    }

    pub fn get(&self, link: NodeId) -> &T {
        &self.values[link as usize].1
    }

    /// The value at a link that may be [`Arena::NONE`].
    pub fn find(&self, link: NodeId) -> Option<&T> {
        self.values.get(link as usize).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, link: NodeId) -> &mut T {
        &mut self.values[link as usize].1
    }

    pub fn before(&self, link: NodeId) -> NodeId {
        self.values[link as usize].0
    }

    /// The values of the chain that ends with `link`, the last first.
    pub fn chain(&self, link: NodeId) -> impl Iterator<Item = &T> {
        self.links(link).map(|link| self.get(link))
    }

    /// The links of the chain that ends with `link`, the last first.
    pub fn links(&self, link: NodeId) -> impl Iterator<Item = NodeId> {
        let next = |&link: &NodeId| Some(self.before(link)).filter(|&before| before != Self::NONE);
        let first = Some(link).filter(|&link| link != Self::NONE);
        std::iter::successors(first, next)
    }

    /// The last link that both chains have.
    pub fn common(&self, mut a: NodeId, mut b: NodeId) -> NodeId {
        // A link that only one of them has is higher than all that both have.
        while a != b {
            if b == Self::NONE || (a != Self::NONE && a > b) {
                a = self.before(a);
            } else {
                b = self.before(b);
            }
        }
        a
    }

    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// Gives back memory beyond what an uncrowded arena takes; only where it is empty.
    pub fn shrink(&mut self) {
        self.gc_threshold = Self::LEAST_GC_THRESHOLD;
        self.values.shrink_to(Self::LEAST_GC_THRESHOLD);
        self.moved.clear();
        self.moved.shrink_to(Self::LEAST_GC_THRESHOLD);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn needs_gc(&self) -> bool {
        self.values.len() >= self.gc_threshold
    }

    /// Marks nothing, for [`Arena::mark`] to come.
    pub fn unmark(&mut self) {
        self.moved.clear();
        self.moved.resize(self.values.len(), Self::NONE);
    }

    /// Marks the chain that ends with `end`.
    pub fn mark(&mut self, end: NodeId) {
        let mut link = end;
        while link != Self::NONE && !self.is_marked(link) {
            self.moved[link as usize] = Self::MARKED;
            link = self.before(link);
        }
    }

    pub fn is_marked(&self, link: NodeId) -> bool {
        self.moved[link as usize] != Self::NONE
    }

    /// Drops all that is not marked. Gives each old link's new one.
    pub fn sweep(&mut self) -> &[NodeId] {
        let mut moved = std::mem::take(&mut self.moved);
        let mut kept = 0;
        for old in 0..self.values.len() {
            if moved[old] == Self::NONE {
                continue;
            }
            let (before, value) = self.values[old];
            let before = if before == Self::NONE { before } else { moved[before as usize] };
            self.values[kept] = (before, value);
            moved[old] = kept as NodeId;
            kept += 1;
        }
        self.values.truncate(kept);
        self.gc_threshold = Self::LEAST_GC_THRESHOLD.max(2 * kept);
        self.moved = moved;
        &self.moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_have_their_beginning_in_common() {
        let mut arena = Arena::new();
        let root = arena.push(Arena::<char>::NONE, 'a');
        let left = arena.push(root, 'b');
        let right = arena.push(root, 'c');
        let end = arena.push(left, 'd');
        let alone = arena.push(Arena::<char>::NONE, 'e');
        assert_eq!(arena.common(end, right), root);
        assert_eq!(arena.common(left, end), left);
        assert_eq!(arena.common(end, end), end);
        assert_eq!(arena.common(alone, end), Arena::<char>::NONE);
        assert_eq!(arena.common(end, Arena::<char>::NONE), Arena::<char>::NONE);
    }

    #[test]
    fn chains_survive_the_removal_of_others() {
        let mut arena = Arena::new();
        let root = arena.push(Arena::<char>::NONE, 'a');
        let lost = arena.push(root, 'x');
        let middle = arena.push(root, 'b');
        arena.push(lost, 'y');
        let end = arena.push(middle, 'c');
        arena.unmark();
        [end, Arena::<char>::NONE, middle].into_iter().for_each(|link| arena.mark(link));
        let moved = arena.sweep().to_vec();
        assert_eq!(moved, [0, Arena::<char>::NONE, 1, Arena::<char>::NONE, 2]);
        let chain = |link: NodeId| arena.chain(link).collect::<String>();
        assert_eq!(
            (chain(moved[end as usize]), chain(moved[middle as usize])),
            ("cba".into(), "ba".into())
        );
        assert_eq!(chain(Arena::<char>::NONE), "");
    }
}
