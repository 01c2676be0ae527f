//! Text broken into rows of a terminal: by words, and by the width of what is drawn.

use ratatui::{style::Style, text::Span};

/// What a piece of text is, which decides how it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Of a final.
    Final,
    /// Of a partial, and committed.
    Stable,
    /// Of a partial, and may change.
    Unstable,
    /// When the paragraph begins.
    Timestamp,
}

/// A row of a paragraph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The graphemes of the paragraph before it, spaces not counted: a place that a new width does not move.
    pub offset: usize,
    pub spans: Vec<(String, Role)>,
}

/// Breaks a paragraph into rows of so many columns.
///
/// Words stay whole, unless one is wider than a row. Between wide characters, as of Chinese, a row may
/// end too. A line break in the text ends a row.
pub fn wrap<'t>(spans: impl IntoIterator<Item = (&'t str, Role)>, columns: usize) -> Vec<Row> {
    let mut rows = Rows { columns: columns.max(1), ..Rows::default() };
    for (text, role) in spans {
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                rows.break_row();
            }
            line.split_whitespace().for_each(|word| rows.push_word(word, role));
        }
    }
    rows.finish()
}

/// The columns that a text takes.
pub fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// Rows that are being filled.
#[derive(Default)]
struct Rows {
    columns: usize,
    done: Vec<Row>,
    row: Row,
    used: usize,
    /// Graphemes placed so far.
    placed: usize,
}

impl Rows {
    fn push_word(&mut self, word: &str, role: Role) {
        let needed = width(word) + usize::from(self.used > 0);
        let is_wide = graphemes(word).any(|grapheme| width(grapheme) > 1);
        if self.used + needed <= self.columns {
            self.push_space(role);
            self.push(word, role);
            self.placed += graphemes(word).count();
            return;
        }
        if is_wide && self.used + 3 <= self.columns {
            self.push_space(role);
        } else if self.used > 0 {
            self.break_row();
        }
        if width(word) <= self.columns && !is_wide {
            self.push(word, role);
            self.placed += graphemes(word).count();
            return;
        }
        for grapheme in graphemes(word) {
            if self.used > 0 && self.used + width(grapheme) > self.columns {
                self.break_row();
            }
            self.push(grapheme, role);
            self.placed += 1;
        }
    }

    fn push_space(&mut self, role: Role) {
        if self.used > 0 {
            self.push(" ", role);
        }
    }

    fn push(&mut self, text: &str, role: Role) {
        self.used += width(text);
        match self.row.spans.last_mut() {
            Some((last, of)) if *of == role => last.push_str(text),
            _ => self.row.spans.push((text.to_owned(), role)),
        }
    }

    fn break_row(&mut self) {
        let next = Row { offset: self.placed, spans: Vec::new() };
        self.done.push(std::mem::replace(&mut self.row, next));
        self.used = 0;
    }

    fn finish(mut self) -> Vec<Row> {
        if self.used > 0 || self.done.is_empty() {
            self.done.push(self.row);
        }
        self.done
    }
}

/// What is drawn together: a character with the marks that combine with it.
fn graphemes(word: &str) -> impl Iterator<Item = &str> {
    let span = Span::raw(word);
    let lengths: Vec<_> =
        span.styled_graphemes(Style::new()).map(|grapheme| grapheme.symbol.len()).collect();
    lengths.into_iter().scan(0, |start, length| {
        let begin = *start;
        *start += length;
        word.get(begin..*start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, columns: usize) -> Vec<String> {
        let text_of = |row: Row| row.spans.into_iter().map(|(text, _)| text).collect();
        wrap([(text, Role::Final)], columns).into_iter().map(text_of).collect()
    }

    #[test]
    fn rows_end_between_words() {
        assert_eq!(
            rows("There is nothing in the world", 10),
            ["There is", "nothing in", "the world"]
        );
        assert_eq!(rows("  a   b ", 10), ["a b"]);
        assert_eq!(rows("", 10), [""]);
    }

    #[test]
    fn a_word_wider_than_a_row_has_rows_of_its_own() {
        assert_eq!(rows("an extraordinary day", 6), ["an", "extrao", "rdinar", "y day"]);
        assert_eq!(rows("abc", 1), ["a", "b", "c"]);
        assert_eq!(rows("abc", 0), ["a", "b", "c"]);
    }

    #[test]
    fn wide_characters_take_two_columns_and_may_end_a_row() {
        assert_eq!(rows("早上好你们", 6), ["早上好", "你们"]);
        assert_eq!(rows("say 早上好 now", 7), ["say 早", "上好", "now"]);
        assert_eq!(rows("早上", 1), ["早", "上"]);
    }

    #[test]
    fn combining_marks_stay_with_their_letter() {
        let word = "e\u{301}".repeat(4);
        assert_eq!(width(&word), 4);
        assert_eq!(rows(&word, 3), ["e\u{301}".repeat(3), "e\u{301}".to_owned()]);
        assert_eq!(rows(&format!("{word} {word}"), 9).len(), 1);
    }

    #[test]
    fn spoken_line_breaks_end_rows() {
        assert_eq!(rows("One\nTwo\n\nThree", 20), ["One", "Two", "", "Three"]);
    }

    #[test]
    fn roles_keep_their_words_and_offsets_their_graphemes() {
        let rows = wrap([("one two", Role::Final), ("three four", Role::Unstable)], 9);
        let spans = |row: &Row| row.spans.clone();
        assert_eq!(spans(&rows[0]), [("one two".to_owned(), Role::Final)]);
        assert_eq!(spans(&rows[1]), [("three".to_owned(), Role::Unstable)]);
        assert_eq!(rows.iter().map(|row| row.offset).collect::<Vec<_>>(), [0, 6, 11]);
    }
}
