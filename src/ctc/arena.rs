//! Chains that share their beginnings, in one block of memory.

/// A link of a chain in an [`Arena`], or [`Arena::NONE`].
pub(super) type Link = u32;

/// Values, each linked to the one before it in its chains; those before have lower links.
#[derive(Clone, Debug)]
pub(super) struct Arena<T> {
    links: Vec<(Link, T)>,
    /// The number of values from which on it is worth to look for unused ones.
    crowded: usize,
    /// Each link's new one, when values were dropped last; here so that its memory is reused.
    moved: Vec<Link>,
}

impl<T: Copy> Arena<T> {
    pub const NONE: Link = Link::MAX;
    const CROWDED: usize = 4096;

    pub fn new() -> Self {
        Self { links: Vec::new(), crowded: Self::CROWDED, moved: Vec::new() }
    }

    /// Appends a value to the chain that ends with `before`.
    pub fn push(&mut self, before: Link, value: T) -> Link {
        self.links.push((before, value));
        (self.links.len() - 1) as Link
    }

    pub fn get(&self, link: Link) -> &T {
        &self.links[link as usize].1
    }

    pub fn get_mut(&mut self, link: Link) -> &mut T {
        &mut self.links[link as usize].1
    }

    pub fn before(&self, link: Link) -> Link {
        self.links[link as usize].0
    }

    /// The values of the chain that ends with `link`, the last first.
    pub fn chain(&self, link: Link) -> impl Iterator<Item = &T> {
        let next = |&link: &Link| Some(self.before(link)).filter(|&before| before != Self::NONE);
        let first = Some(link).filter(|&link| link != Self::NONE);
        std::iter::successors(first, next).map(|link| self.get(link))
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
        self.links.clear();
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.links.len()
    }

    pub fn is_crowded(&self) -> bool {
        self.links.len() >= self.crowded
    }

    /// Drops all but the chains that end with `ends`. Gives each old link's new one.
    pub fn keep(&mut self, ends: impl Iterator<Item = Link>) -> &[Link] {
        const KEPT: Link = 0;
        let mut moved = std::mem::take(&mut self.moved);
        moved.clear();
        moved.resize(self.links.len(), Self::NONE);
        for mut link in ends {
            while link != Self::NONE && moved[link as usize] == Self::NONE {
                moved[link as usize] = KEPT;
                link = self.before(link);
            }
        }
        let mut kept = 0;
        for old in 0..self.links.len() {
            if moved[old] == Self::NONE {
                continue;
            }
            let (before, value) = self.links[old];
            let before = if before == Self::NONE { before } else { moved[before as usize] };
            self.links[kept] = (before, value);
            moved[old] = kept as Link;
            kept += 1;
        }
        self.links.truncate(kept);
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
        let moved = arena.keep([end, Arena::<char>::NONE, middle].into_iter()).to_vec();
        assert_eq!(moved, [0, Arena::<char>::NONE, 1, Arena::<char>::NONE, 2]);
        let chain = |link: Link| arena.chain(link).collect::<String>();
        assert_eq!(
            (chain(moved[end as usize]), chain(moved[middle as usize])),
            ("cba".into(), "ba".into())
        );
        assert_eq!(chain(Arena::<char>::NONE), "");
    }
}
