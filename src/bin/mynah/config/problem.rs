//! What is wrong with the configuration, and where.

use std::path::Path;

use super::setting::Origin;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where the value stands.
    pub origin: Origin,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Problem {
    /// A problem of the value at `origin`.
    pub fn new(origin: &Origin, message: impl Into<String>) -> Self {
        Self { origin: origin.clone(), message: message.into() }
    }

    /// The problem in one line that begins with its place.
    pub fn named(&self, file: Option<&Path>) -> String {
        format!("{}: {}", self.origin.describe(file), self.message)
    }
}
