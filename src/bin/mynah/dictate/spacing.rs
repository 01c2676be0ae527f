//! What stands between two segments of text.

/// The end of what was written, by which the next segment is joined to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spacing {
    last: Option<char>,
}

/// Marks that close what stands before them.
const CLOSING: &str = ".,?!:;)]}”’…%";

/// What the next word follows without a space.
const OPENING: &str = "([{“‘-";

impl Spacing {
    /// A segment with the space before it, if it is to have one: none at the beginning of the text or a line,
    /// none before closing marks, none after opening ones or a hyphen.
    pub fn joined(&self, segment: &str) -> String {
        let is_apart =
            self.last.is_some_and(|last| !last.is_whitespace() && !OPENING.contains(last));
        if is_apart && !segment.is_empty() && !is_attached(segment) {
            format!(" {segment}")
        } else {
            segment.to_owned()
        }
    }

    /// Goes on from what was written.
    pub fn accept(&mut self, written: &str) {
        self.last = written.chars().next_back().or(self.last);
    }
}

/// Whether a segment begins with white space, marks that close, or a hyphen before a word.
fn is_attached(segment: &str) -> bool {
    let first = segment.split_whitespace().next().unwrap_or_default();
    let is_closing = !first.is_empty() && first.chars().all(|mark| CLOSING.contains(mark));
    let is_compound =
        first.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
    segment.starts_with(char::is_whitespace) || is_closing || is_compound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(segments: &[&str]) -> String {
        let (mut spacing, mut all) = (Spacing::default(), String::new());
        for segment in segments {
            let joined = spacing.joined(segment);
            spacing.accept(&joined);
            all += &joined;
        }
        all
    }

    #[test]
    fn segments_have_one_space_between_them_and_none_at_the_beginning() {
        assert_eq!(
            written(&["Good morning.", "How are you?", "Fine."]),
            "Good morning. How are you? Fine."
        );
    }

    #[test]
    fn lines_begin_without_a_space() {
        assert_eq!(
            written(&["One.", "\n\n", "Two.\n", "Three.", "\nFour"]),
            "One.\n\nTwo.\nThree.\nFour"
        );
    }

    #[test]
    fn closing_marks_follow_at_once() {
        assert_eq!(written(&["Well", ", yes", ".", "So"]), "Well, yes. So");
        assert_eq!(written(&["He said “", "Hello", "”", "Bye"]), "He said “Hello” Bye");
    }

    #[test]
    fn hyphens_join_and_dashes_do_not() {
        assert_eq!(written(&["well-", "known", "-ish", "– and so"]), "well-known-ish – and so");
        assert_eq!(written(&["good", ":-)"]), "good :-)");
    }

    #[test]
    fn nothing_written_changes_nothing() {
        assert_eq!(written(&["One", "", "two"]), "One two");
    }
}
