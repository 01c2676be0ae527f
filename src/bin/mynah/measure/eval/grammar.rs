//! How often a grammar's phrases are found, and found where they were not said.

use std::{
    io::{self, Write},
    ops::AddAssign,
};

use mynah::Grammar;
use serde::Serialize;

/// Recordings by whether their reference is in the grammar, and by what was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GrammarTally {
    pub inside: Inside,
    pub outside: Outside,
}

/// Recordings of the grammar's phrases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Inside {
    pub recordings: u64,
    /// The phrase, and no other.
    pub right: u64,
    /// Another phrase, or more than one.
    pub wrong: u64,
    /// No phrase.
    pub rejected: u64,
}

/// Recordings of other words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outside {
    pub recordings: u64,
    /// A phrase.
    pub accepted: u64,
}

impl GrammarTally {
    /// A single recording, by its normalized reference and result.
    pub fn of(grammar: &Grammar, reference: &str, hypothesis: &str) -> Self {
        let mut tally = Self::default();
        if grammar.accepts(reference) {
            tally.inside.recordings = 1;
            match hypothesis {
                "" => tally.inside.rejected = 1,
                _ if hypothesis == reference => tally.inside.right = 1,
                _ => tally.inside.wrong = 1,
            }
        } else {
            tally.outside = Outside { recordings: 1, accepted: (!hypothesis.is_empty()).into() };
        }
        tally
    }

    /// Writes two lines of a table.
    pub fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let Inside { recordings, right, wrong, rejected } = self.inside;
        let [right, wrong, rejected] =
            [right, wrong, rejected].map(|count| percentage(count, recordings));
        writeln!(
            out,
            "in the grammar    {recordings} recordings: {right} right, {wrong} another phrase, \
             {rejected} out of grammar"
        )?;
        let Outside { recordings, accepted } = self.outside;
        let accepted = percentage(accepted, recordings);
        writeln!(out, "outside of it     {recordings} recordings: {accepted} taken for a phrase")
    }
}

impl AddAssign for GrammarTally {
    fn add_assign(&mut self, other: Self) {
        self.inside.recordings += other.inside.recordings;
        self.inside.right += other.inside.right;
        self.inside.wrong += other.inside.wrong;
        self.inside.rejected += other.inside.rejected;
        self.outside.recordings += other.outside.recordings;
        self.outside.accepted += other.outside.accepted;
    }
}

fn percentage(count: u64, all: u64) -> String {
    match all {
        0 => "none".to_owned(),
        _ => format!("{:.2} %", 100.0 * count as f64 / all as f64),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn recordings_are_distinguished_by_reference_and_result() {
        let grammar = Grammar::from_phrases(["on", "lights off"]).unwrap();
        let mut tally = GrammarTally::default();
        let said = [("ON", "ON"), ("LIGHTS OFF", "LIGHTS OFF ON"), ("ON", ""), ("ON", "ON")];
        let others = [("LIGHTS", "ON"), ("OFF", ""), ("", ""), ("HELLO", "")];
        for (reference, hypothesis) in said.into_iter().chain(others) {
            tally += GrammarTally::of(&grammar, reference, hypothesis);
        }
        let mut out = Vec::new();
        tally.write_table(&mut out).unwrap();
        GrammarTally::default().write_table(&mut out).unwrap();
        assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        in the grammar    4 recordings: 50.00 % right, 25.00 % another phrase, 25.00 % out of grammar
        outside of it     4 recordings: 25.00 % taken for a phrase
        in the grammar    0 recordings: none right, none another phrase, none out of grammar
        outside of it     0 recordings: none taken for a phrase
        ");
    }
}
