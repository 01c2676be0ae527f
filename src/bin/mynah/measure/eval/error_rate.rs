//! Word and character error rates by the Levenshtein distance.

use std::ops::AddAssign;

use serde::Serialize;

/// The edits that turn a reference into a hypothesis, at unit costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Edits {
    pub substitutions: u64,
    pub deletions: u64,
    pub insertions: u64,
    /// The length of the reference.
    pub reference: u64,
}

impl Edits {
    /// Counts the fewest edits from `reference` to `hypothesis`; among equals, those that keep
    /// most in line (a substitution rather than a deletion and an insertion elsewhere).
    pub fn between<T: PartialEq>(reference: &[T], hypothesis: &[T]) -> Self {
        let [edits] = Self::by_kind(reference, hypothesis, |_| 0);
        edits
    }

    /// The same edits told apart by the kind, below `KINDS`, of what they concern: the element of the
    /// reference, or the one inserted.
    pub fn by_kind<T: PartialEq, const KINDS: usize>(
        reference: &[T],
        hypothesis: &[T],
        kind: impl Fn(&T) -> usize,
    ) -> [Self; KINDS] {
        let mut row = vec![[Self::default(); KINDS]];
        for found in hypothesis {
            let mut inserted = row[row.len() - 1];
            inserted[kind(found)].insertions += 1;
            row.push(inserted);
        }
        for expected in reference {
            let expected_kind = kind(expected);
            row.iter_mut().for_each(|edits| edits[expected_kind].reference += 1);
            let mut diagonal = row[0];
            row[0][expected_kind].deletions += 1;
            for (j, found) in hypothesis.iter().enumerate() {
                let above = row[j + 1];
                let best = if expected == found {
                    diagonal
                } else {
                    let (mut substituted, mut deleted, mut inserted) = (diagonal, above, row[j]);
                    substituted[expected_kind].substitutions += 1;
                    deleted[expected_kind].deletions += 1;
                    inserted[kind(found)].insertions += 1;
                    fewer(fewer(substituted, deleted), inserted)
                };
                diagonal = above;
                row[j + 1] = best;
            }
        }
        row[hypothesis.len()]
    }

    /// Edits of the words of two normalized texts that are among `rare`, and those of all others.
    pub fn of_rare_words(reference: &str, hypothesis: &str, rare: &[String]) -> [Self; 2] {
        let reference: Vec<_> = reference.split_whitespace().collect();
        let hypothesis: Vec<_> = hypothesis.split_whitespace().collect();
        let is_other = |word: &&str| !rare.iter().any(|rare| rare == word);
        Self::by_kind(&reference, &hypothesis, |word| usize::from(is_other(word)))
    }

    /// Edits between the words of two normalized texts.
    pub fn of_words(reference: &str, hypothesis: &str) -> Self {
        let words = |text: &'_ str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        Self::between(&words(reference), &words(hypothesis))
    }

    /// Edits between the characters of two normalized texts, spaces included.
    pub fn of_characters(reference: &str, hypothesis: &str) -> Self {
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        Self::between(&characters(reference), &characters(hypothesis))
    }

    /// All edits.
    pub fn errors(self) -> u64 {
        self.substitutions + self.deletions + self.insertions
    }

    /// Errors per element of the reference; `None` where the reference is empty.
    pub fn rate(self) -> Option<f64> {
        (self.reference > 0).then(|| self.errors() as f64 / self.reference as f64)
    }
}

fn fewer<const KINDS: usize>(first: [Edits; KINDS], other: [Edits; KINDS]) -> [Edits; KINDS] {
    let errors = |edits: &[Edits; KINDS]| edits.iter().map(|edits| edits.errors()).sum::<u64>();
    if errors(&other) < errors(&first) { other } else { first }
}

impl AddAssign for Edits {
    fn add_assign(&mut self, other: Self) {
        self.substitutions += other.substitutions;
        self.deletions += other.deletions;
        self.insertions += other.insertions;
        self.reference += other.reference;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(reference: &str, hypothesis: &str) -> (u64, u64, u64, u64) {
        let e = Edits::of_words(reference, hypothesis);
        (e.substitutions, e.deletions, e.insertions, e.reference)
    }

    /// The distance by its definition, without a table.
    fn distance(a: &[u8], b: &[u8]) -> u64 {
        match (a, b) {
            ([], rest) | (rest, []) => rest.len() as u64,
            ([x, a_rest @ ..], [y, b_rest @ ..]) => {
                let replaced = distance(a_rest, b_rest) + u64::from(x != y);
                replaced.min(1 + distance(a_rest, b)).min(1 + distance(a, b_rest))
            }
        }
    }

    #[test]
    fn edits_are_distinguished() {
        assert_eq!(words("A B C", "A B C"), (0, 0, 0, 3));
        assert_eq!(words("A B C", "A X C"), (1, 0, 0, 3));
        assert_eq!(words("A B C", "A C"), (0, 1, 0, 3));
        assert_eq!(words("A B C", "A B X C"), (0, 0, 1, 3));
        assert_eq!(words("A B C D E F", "X B D E F G"), (1, 1, 1, 6));
        assert_eq!(words("A B", "B C"), (2, 0, 0, 2));
    }

    #[test]
    fn an_empty_side_is_all_insertions_or_deletions() {
        assert_eq!(words("", "A B"), (0, 0, 2, 0));
        assert_eq!(words("A B", ""), (0, 2, 0, 2));
        assert_eq!(Edits::of_words("", "A").rate(), None);
        assert_eq!(Edits::of_words("A B", "").rate(), Some(1.0));
    }

    #[test]
    fn rare_words_are_distinguished_where_they_are_said_and_where_inserted() {
        let rare = ["KEW".to_owned(), "ANNA".to_owned()];
        let errors = |reference, hypothesis| {
            Edits::of_rare_words(reference, hypothesis, &rare).map(|e| (e.errors(), e.reference))
        };
        assert_eq!(errors("IN KEW WITH ANNA", "IN KEW WITH ANNA"), [(0, 2), (0, 2)]);
        assert_eq!(errors("IN KEW WITH ANNA", "IN QUEUE WITH"), [(2, 2), (0, 2)]);
        assert_eq!(errors("A QUEUE HERE", "KEW QUEUE HERE ANNA"), [(1, 0), (1, 3)]);
        assert_eq!(errors("A QUEUE", "A KEW"), [(0, 0), (1, 2)]);
    }

    #[test]
    fn characters_include_spaces() {
        let edits = Edits::of_characters("AB C", "ABC");
        assert_eq!((edits.deletions, edits.errors(), edits.reference), (1, 1, 4));
    }

    proptest! {
        #[test]
        fn edits_add_up_to_the_distance_and_the_lengths(
            a in prop::collection::vec(0u8..3, 0..7),
            b in prop::collection::vec(0u8..3, 0..7),
        ) {
            let edits = Edits::between(&a, &b);
            prop_assert_eq!(edits.errors(), distance(&a, &b));
            let kinds: [Edits; 3] = Edits::by_kind(&a, &b, |&x| usize::from(x));
            prop_assert_eq!(kinds.map(Edits::errors).iter().sum::<u64>(), distance(&a, &b));
            prop_assert_eq!(a.len() as u64 + edits.insertions, b.len() as u64 + edits.deletions);
        }
    }
}
