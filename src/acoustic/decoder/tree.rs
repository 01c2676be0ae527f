//! Texts as a tree of their pieces.

use std::collections::HashMap;

/// Pieces by what comes before them, the first before the others: texts share the nodes of what they
/// begin with.
#[derive(Clone, Debug)]
pub(super) struct PieceTree {
    nodes: Vec<Node>,
    children: HashMap<(usize, usize), usize>,
    /// The node of the last piece of the start.
    start: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub piece: usize,
    /// How many pieces come before it.
    pub place: usize,
    /// The node before, itself for the first.
    pub parent: usize,
}

impl PieceTree {
    /// The pieces that every text begins with; at least one.
    pub fn new(start: &[usize]) -> Self {
        let node = |(place, &piece): (usize, &usize)| Node {
            piece,
            place,
            parent: place.saturating_sub(1),
        };
        let nodes: Vec<_> = start.iter().enumerate().map(node).collect();
        Self { start: nodes.len().saturating_sub(1), nodes, children: HashMap::new() }
    }

    /// Adds a text; gives for each of its pieces the node that it follows. The last piece has no node.
    pub fn insert(&mut self, text: &[usize]) -> Vec<usize> {
        let mut at = self.start;
        let mut before = Vec::with_capacity(text.len());
        for (index, &piece) in text.iter().enumerate() {
            before.push(at);
            if index + 1 < text.len() {
                at = *self.children.entry((at, piece)).or_insert_with(|| {
                    let place = self.nodes[at].place + 1;
                    self.nodes.push(Node { piece, place, parent: at });
                    self.nodes.len() - 1
                });
            }
        }
        before
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn node(&self, node: usize) -> Node {
        self.nodes[node]
    }

    /// The node and those before it, the first last.
    pub fn path(&self, node: usize) -> impl Iterator<Item = usize> {
        let before = |&at: &usize| Some(self.nodes[at].parent).filter(|&parent| parent != at);
        std::iter::successors(Some(node), before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_share_what_they_begin_with() {
        let mut tree = PieceTree::new(&[0, 1]);
        assert_eq!(tree.insert(&[5, 6, 2]), [1, 2, 3]);
        assert_eq!(tree.insert(&[5, 7, 6]), [1, 2, 4]);
        assert_eq!(tree.insert(&[2]), [1]);
        assert!(tree.insert(&[]).is_empty());
        assert_eq!(tree.len(), 5);
        assert_eq!(tree.path(4).collect::<Vec<_>>(), [4, 2, 1, 0]);
        assert_eq!((tree.node(4).piece, tree.node(4).place), (7, 3));
    }
}
