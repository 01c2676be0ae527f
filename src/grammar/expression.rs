//! What a grammar's rules say, as read.

use std::fmt;

/// What may be said, made up of words.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Word(Word),
    /// One after the other; of none, nothing needs to be said.
    Sequence(Vec<Expression>),
    /// Any one of them; of none, nothing can be said.
    Alternatives(Vec<Expression>),
    Optional(Box<Expression>),
    /// Once or more often.
    Repeated(Box<Expression>),
    Rule(Reference),
}

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub text: String,
    pub place: Place,
}

/// A rule by its position in [`Rules::all`], and where it is named.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reference {
    pub rule: usize,
    pub place: Place,
}

/// A place in a text, counted from 1; columns in characters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

/// Rules that refer to one another, and those of them that may be said.
///
/// References lead to rules that are there, and never back to where they come from; nothing is
/// nested deeper than [`Rules::DEEPEST`], rules included.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rules {
    pub all: Vec<Expression>,
    pub public: Vec<Reference>,
}

impl Rules {
    /// The levels of groups and rules within one another, which recursive functions can afford.
    pub const DEEPEST: usize = 200;

    /// A single rule.
    pub fn only(expression: Expression) -> Self {
        let place = Place { line: 1, column: 1 };
        Self { all: vec![expression], public: vec![Reference { rule: 0, place }] }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Place {
    pub const START: Self = Self { line: 1, column: 1 };
}
