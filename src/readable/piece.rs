//! What a text is made of on its way to being readable.

/// A word, a number or a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// In lower case, or as it is to stand.
    Word(String),
    Number(Number),
    Mark(Mark),
}

/// A number and the words it was said in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// In digits, as `205`, `3.14` or `21st`.
    pub(super) digits: String,
    /// In lower case.
    pub(super) words: Vec<String>,
    pub(super) ordinal: bool,
}

/// Punctuation, and where it leaves no space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) text: &'static str,
    pub(super) joins_left: bool,
    pub(super) joins_right: bool,
    pub(super) ends_sentence: bool,
}

impl Piece {
    pub(super) fn word(&self) -> Option<&str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }

    pub(super) fn number(&self) -> Option<&Number> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }
}

impl Number {
    /// The value of a whole cardinal below 10,000.
    pub(super) fn small(&self) -> Option<u32> {
        let plain = !self.ordinal && self.digits.len() <= 4;
        plain.then(|| self.digits.parse().ok()).flatten()
    }

    /// Whether it reads better in words when it stands alone: below 10.
    pub(super) fn stays_words(&self) -> bool {
        self.digits.trim_end_matches(char::is_alphabetic).len() == 1
    }
}
