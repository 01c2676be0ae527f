//! The pieces that a decoder writes.

use std::collections::HashSet;

/// What stands for a space in the byte-pair encoding of GPT-2.
const SPACE: char = 'Ġ';

/// Pieces of text, by their numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pieces(Vec<String>);

impl Pieces {
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
        Ok(Self(text.lines().map(|piece| piece.replace(SPACE, " ")).collect()))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The text of a piece; empty for a number that there is none for.
    pub fn text(&self, piece: usize) -> &str {
        self.0.get(piece).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_into_text() {
        let pieces = Pieces::parse("<start>\nĠHe\nĠsaid\n'd\n.").unwrap();
        assert_eq!(pieces.len(), 5);
        let text: String = [1, 3, 2, 4, 9].map(|piece| pieces.text(piece)).concat();
        assert_eq!(text, " He'd said.");
    }

    #[test]
    fn lists_with_empty_and_equal_lines_are_refused() {
        let error = |text| Pieces::parse(text).unwrap_err();
        assert_eq!(error("a\n\nb"), "line 2 is empty; give one piece per line");
        assert_eq!(error("a\nb\na"), "line 3: the piece \"a\" stands twice");
    }
}
