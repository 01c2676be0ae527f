//! Chains that share their beginnings, in one block of memory.

/// A link of a chain in an [`Arena`], or [`Arena::NONE`].
pub(super) type Link = u32;

/// Values, each linked to the one before it in its chains; those before have lower links.
#[derive(Clone, Debug)]
pub(super) struct Arena<T> {
    values: Vec<(Link, T)>,
    /// The number of values from which on it is worth to look for unused ones.
    crowded: usize,
    /// Each link's new one, when values were dropped last; here so that its memory is reused.
    moved: Vec<Link>,
}

impl<T: Copy> Arena<T> {
    pub const NONE: Link = Link::MAX;
    const CROWDED: usize = 4096;
    const MARKED: Link = 0;

    pub fn new() -> Self {
        Self { values: Vec::new(), crowded: Self::CROWDED, moved: Vec::new() }
    }

    /// Appends a value to the chain that ends with `before`.
    pub fn push(&mut self, before: Link, value: T) -> Link {
        self.values.push((before, value));
        (self.values.len() - 1) as Link
    }

    pub fn get(&self, link: Link) -> &T {
        &self.values[link as usize].1
    }

    /// The value at a link that may be [`Arena::NONE`].
    pub fn find(&self, link: Link) -> Option<&T> {
        self.values.get(link as usize).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, link: Link) -> &mut T {
        &mut self.values[link as usize].1
    }

    pub fn before(&self, link: Link) -> Link {
        self.values[link as usize].0
    }

    /// The values of the chain that ends with `link`, the last first.
    pub fn chain(&self, link: Link) -> impl Iterator<Item = &T> {
        self.links(link).map(|link| self.get(link))
    }

    /// The links of the chain that ends with `link`, the last first.
    pub fn links(&self, link: Link) -> impl Iterator<Item = Link> {
        let next = |&link: &Link| Some(self.before(link)).filter(|&before| before != Self::NONE);
        let first = Some(link).filter(|&link| link != Self::NONE);
        std::iter::successors(first, next)
    }

    /// The last link that both chains have.
    pub fn common(&self, mut a: Link, mut b: Link) -> Link {
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
        self.crowded = Self::CROWDED;
        self.values.shrink_to(Self::CROWDED);
        self.moved.clear();
        self.moved.shrink_to(Self::CROWDED);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_crowded(&self) -> bool {
        self.values.len() >= self.crowded
    }

    /// Marks nothing, for [`Arena::mark`] to come.
    pub fn unmark(&mut self) {
        self.moved.clear();
        self.moved.resize(self.values.len(), Self::NONE);
    }

    /// Marks the chain that ends with `end`.
    pub fn mark(&mut self, end: Link) {
        let mut link = end;
        while link != Self::NONE && !self.is_marked(link) {
            self.moved[link as usize] = Self::MARKED;
            link = self.before(link);
        }
    }

    pub fn is_marked(&self, link: Link) -> bool {
        self.moved[link as usize] != Self::NONE
    }

    /// Drops all that is not marked. Gives each old link's new one.
    pub fn sweep(&mut self) -> &[Link] {
        let mut moved = std::mem::take(&mut self.moved);
        let mut kept = 0;
        for old in 0..self.values.len() {
            if moved[old] == Self::NONE {
                continue;
            }
            let (before, value) = self.values[old];
            let before = if before == Self::NONE { before } else { moved[before as usize] };
            self.values[kept] = (before, value);
            moved[old] = kept as Link;
            kept += 1;
        }
        self.values.truncate(kept);
        self.crowded = Self::CROWDED.max(2 * kept);
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
        let chain = |link: Link| arena.chain(link).collect::<String>();
        assert_eq!(
            (chain(moved[end as usize]), chain(moved[middle as usize])),
            ("cba".into(), "ba".into())
        );
        assert_eq!(chain(Arena::<char>::NONE), "");
    }
}
