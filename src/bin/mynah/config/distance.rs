//! The nearest of several names to one that was mistyped.

/// The candidate that the fewest edits lead to, if a third of the name or less is wrong.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.chars().count() / 3).max(1);
    let distances = candidates.into_iter().map(|candidate| (edits(name, candidate), candidate));
    distances.filter(|(edits, _)| *edits <= most).min().map(|(_, candidate)| candidate)
}

/// Levenshtein's distance; `_` for `-` is free.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().map(|c| if c == '_' { '-' } else { c }).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, expected) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("early_final", "early-final", 0),
            ("gate", "gate", 0),
            ("hotword", "hotwords", 1),
        ] {
            assert_eq!(edits(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn the_nearest_name_is_found_or_none() {
        let names = ["beam", "device", "early-final"];
        assert_eq!(nearest("erly-finl", names), Some("early-final"));
        assert_eq!(nearest("beem", names), Some("beam"));
        assert_eq!(nearest("colour", names), None);
    }
}
