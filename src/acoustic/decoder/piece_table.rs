//! The pieces that a decoder writes.

use std::collections::HashSet;

/// What stands for a space in the byte-pair encoding of GPT-2.
const SPACE: char = 'Ġ';

/// Pieces of text, by their numbers: those of one character, then the others as byte-pair encoding
/// has merged them (arXiv 1508.07909).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PieceTable {
    texts: Vec<String>,
    /// The numbers in the order of the texts.
    sorted: Vec<u32>,
}

impl PieceTable {
    /// Reads `pieces.txt`: one a line, the first line's number being 0; `Ġ` is a space.
    ///
    /// # Errors
    ///
    /// The line that is empty or stands twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut seen = HashSet::new();
        for (line, piece) in (1..).zip(text.lines()) {
            if piece.is_empty() {
                return Err(format!("line {line} is empty; give one piece per line"));
            }
            if !seen.insert(piece) {
                return Err(format!("line {line}: the piece {piece:?} stands twice"));
            }
        }
        let texts: Vec<_> = text.lines().map(|piece| piece.replace(SPACE, " ")).collect();
        let mut sorted: Vec<u32> = (0..texts.len() as u32).collect();
        sorted.sort_unstable_by_key(|&piece| &texts[piece as usize]);
        Ok(Self { texts, sorted })
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// The pieces of a text: of two neighbours those become one that were merged first in training. A
    /// character that is no piece is left out.
    pub fn encode(&self, text: &str) -> Vec<usize> {
        let ends = text.char_indices().map(|(at, c)| (at, at + c.len_utf8()));
        let mut parts: Vec<(usize, usize)> = ends.collect();
        loop {
            let joined = |pair: &[(usize, usize)]| self.find(&text[pair[0].0..pair[1].1]);
            let pairs = (0..).zip(parts.windows(2));
            let merged = pairs.filter_map(|(at, pair)| Some((joined(pair)?, at))).min();
            let Some((_, at)) = merged else { break };
            parts[at].1 = parts[at + 1].1;
            parts.remove(at + 1);
        }
        parts.into_iter().filter_map(|(from, to)| self.find(&text[from..to])).collect()
    }

    fn find(&self, text: &str) -> Option<usize> {
        let found = self.sorted.binary_search_by(|&p| (*self.texts[p as usize]).cmp(text)).ok()?;
        Some(self.sorted[found] as usize)
    }

    /// The text of a piece; empty for a number that there is none for.
    pub fn text(&self, piece: usize) -> &str {
        self.texts.get(piece).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_into_text() {
        let pieces = PieceTable::parse("<start>\nĠHe\nĠsaid\n'd\n.").unwrap();
        assert_eq!(pieces.len(), 5);
        let text: String = [1, 3, 2, 4, 9].map(|piece| pieces.text(piece)).concat();
        assert_eq!(text, " He'd said.");
    }

    #[test]
    fn neighbours_are_merged_as_in_training() {
        let pieces = PieceTable::parse("Ġ\na\nb\nc\nbc\nab\nĠab\nĠabc").unwrap();
        let encoded = |text| -> Vec<&str> {
            pieces.encode(text).into_iter().map(|piece| pieces.text(piece)).collect()
        };
        assert_eq!(encoded("abc"), ["a", "bc"]);
        assert_eq!(encoded(" ab"), [" ab"]);
        assert_eq!(encoded(" abéc"), [" ab", "c"]);
        assert_eq!(encoded(""), [""; 0]);
    }

    #[test]
    fn lists_with_empty_and_equal_lines_are_refused() {
        let error = |text| PieceTable::parse(text).unwrap_err();
        assert_eq!(error("a\n\nb"), "line 2 is empty; give one piece per line");
        assert_eq!(error("a\nb\na"), "line 3: the piece \"a\" stands twice");
    }
}
