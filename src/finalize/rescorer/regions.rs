//! Where two texts differ.

use std::ops::Range;

/// A stretch of one text, and what stands in its place in another.
pub(super) type Part = (Range<usize>, Range<usize>);

/// As many places at most in which two texts differ are exchanged, the first ones.
const REGIONS: usize = 8;

/// The texts that are `a` but for one place where it differs from `b`, and those that are `b` but for one.
pub(super) fn exchanges(a: &[String], b: &[String]) -> Vec<Vec<String>> {
    let regions = differences(a, b);
    if regions.len() < 2 {
        // Nothing but the two texts.
        return Vec::new();
    }
    let exchange = |(of_a, of_b): Part| {
        [
            [&a[..of_a.start], &b[of_b.clone()], &a[of_a.end..]].concat(),
            [&b[..of_b.start], &a[of_a], &b[of_b.end..]].concat(),
        ]
    };
    regions.into_iter().take(REGIONS).flat_map(exchange).collect()
}

/// The stretches of two texts that differ, each with what follows it up to `tail` places; those that meet are one.
pub(super) fn parts<T: PartialEq>(a: &[T], b: &[T], tail: usize) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (of_a, of_b) in differences(a, b) {
        // What follows a difference is alike in both as far as the next.
        match parts.last_mut() {
            Some(last) if last.0.end + tail >= of_a.start => {
                *last = (last.0.start..of_a.end, last.1.start..of_b.end)
            }
            _ => parts.push((of_a, of_b)),
        }
    }
    for (of_a, of_b) in &mut parts {
        let more = tail.min(a.len() - of_a.end);
        (of_a.end, of_b.end) = (of_a.end + more, of_b.end + more);
    }
    parts
}

/// The stretches of two texts that differ, by the fewest substitutions, deletions and insertions.
fn differences<T: PartialEq>(a: &[T], b: &[T]) -> Vec<Part> {
    let mut regions = Vec::new();
    let (mut from_a, mut from_b) = (0, 0);
    let ends = std::iter::once((a.len(), b.len()));
    for (at_a, at_b) in matches(a, b).into_iter().chain(ends) {
        if (from_a, from_b) != (at_a, at_b) {
            regions.push((from_a..at_a, from_b..at_b));
        }
        (from_a, from_b) = (at_a + 1, at_b + 1);
    }
    regions
}

/// The places of what is equal in an alignment of two texts with the fewest edits (Levenshtein 1966).
pub(super) fn matches<T: PartialEq>(a: &[T], b: &[T]) -> Vec<(usize, usize)> {
    let columns = b.len() + 1;
    // The edits between the first words of both.
    let mut edits: Vec<usize> = (0..columns).collect();
    for (row, one) in (1..).zip(a) {
        edits.push(row);
        for column in 1..columns {
            let above = (row - 1) * columns + column;
            let substituted = edits[above - 1] + usize::from(*one != b[column - 1]);
            let left = edits[row * columns + column - 1];
            edits.push(substituted.min(edits[above] + 1).min(left + 1));
        }
    }
    let (mut row, mut column) = (a.len(), b.len());
    let mut matches = Vec::new();
    while row > 0 && column > 0 {
        let at = row * columns + column;
        let diagonal = edits[at - columns - 1];
        if a[row - 1] == b[column - 1] && edits[at] == diagonal {
            (row, column) = (row - 1, column - 1);
            matches.push((row, column));
        } else if edits[at] == diagonal + 1 {
            (row, column) = (row - 1, column - 1);
        } else if edits[at] == edits[at - columns] + 1 {
            row -= 1;
        } else {
            column -= 1;
        }
    }
    matches.reverse();
    matches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn exchanged(a: &str, b: &str) -> Vec<String> {
        exchanges(&words(a), &words(b)).iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn equal_words_are_aligned() {
        let found = matches(&words("A B C D"), &words("A X C D E"));
        assert_eq!(found, [(0, 0), (2, 2), (3, 3)]);
        assert_eq!(matches(&words(""), &words("A")), []);
    }

    #[test]
    fn differences_that_are_near_are_one_part() {
        let (a, b) = (words("A B C D E F G H"), words("A X C D E F Y Y H"));
        assert_eq!(parts(&a, &b, 1), [(1..3, 1..3), (6..8, 6..9)]);
        assert_eq!(parts(&a, &b, 4), [(1..8, 1..9)]);
        assert_eq!(parts(&a, &words("A B C D E F G H I"), 4), [(8..8, 8..9)]);
        assert_eq!(parts(&a, &a, 4), []);
    }

    #[test]
    fn each_place_is_exchanged_alone() {
        // One place alone gives nothing new.
        assert_eq!(exchanged("A B C D", "A X C D"), [""; 0]);
        let expected = ["A X C D", "A B C E", "A B C E", "A X C D"];
        assert_eq!(exchanged("A B C D", "A X C E"), expected);
        assert_eq!(exchanged("A B", "X A B Y"), ["X A B", "A B Y", "A B Y", "X A B"]);
        assert_eq!(exchanged("A", "A"), [""; 0]);
    }
}
