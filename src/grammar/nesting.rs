//! That rules end: none contains itself, and none is nested too deeply to be written out.

use super::expression::{Expression, Place, Reference, Rules};

/// Finds how deep rules are nested.
pub(super) struct Nesting<'a> {
    rules: &'a [Expression],
    names: &'a [String],
    /// The levels below each rule that is known.
    depths: Vec<Option<usize>>,
    /// The rules that lead to where we are.
    path: Vec<usize>,
}

impl<'a> Nesting<'a> {
    pub fn new(rules: &'a [Expression], names: &'a [String]) -> Self {
        Self { rules, names, depths: vec![None; rules.len()], path: Vec::new() }
    }

    /// Refuses rules that refer to themselves or are nested too deeply.
    ///
    /// # Errors
    ///
    /// The place and the reason.
    pub fn check(&mut self) -> Result<(), String> {
        for rule in 0..self.rules.len() {
            self.depth_of_rule(Reference { rule, place: Place::START }, 0)?;
        }
        Ok(())
    }

    /// The levels below a rule that is `level` levels down itself.
    fn depth_of_rule(&mut self, reference: Reference, level: usize) -> Result<usize, String> {
        let Reference { rule, place } = reference;
        if let Some(begin) = self.path.iter().position(|&other| other == rule) {
            return Err(self.recursion(begin, place));
        }
        let rules = self.rules;
        let depth = match self.depths[rule] {
            Some(depth) => depth,
            None => {
                self.path.push(rule);
                let depth = self.depth(&rules[rule], level, place)?;
                self.path.pop();
                self.depths[rule] = Some(depth);
                depth
            }
        };
        if level + depth > Rules::DEEPEST {
            return Err(too_deep(place));
        }
        Ok(depth)
    }

    fn depth(&mut self, part: &Expression, level: usize, place: Place) -> Result<usize, String> {
        if level > Rules::DEEPEST {
            return Err(too_deep(place));
        }
        let below = match part {
            Expression::Word(_) => 0,
            Expression::Sequence(parts) | Expression::Alternatives(parts) => {
                let mut deepest = 0;
                for part in parts {
                    deepest = deepest.max(self.depth(part, level + 1, place)?);
                }
                deepest
            }
            Expression::Optional(part) | Expression::Repeated(part) => {
                self.depth(part, level + 1, place)?
            }
            Expression::Rule(reference) => self.depth_of_rule(*reference, level + 1)?,
        };
        Ok(below + 1)
    }

    fn recursion(&self, begin: usize, place: Place) -> String {
        let circle = self.path[begin..].iter().chain([&self.path[begin]]);
        let circle: Vec<_> = circle.map(|&rule| format!("<{}>", self.names[rule])).collect();
        format!(
            "{place}: {} refers to itself ({}); a rule can't contain itself, repeat with `*` or `+`",
            circle[0],
            circle.join(" → ")
        )
    }
}

/// The reason for refusing what is nested too deeply.
pub(super) fn too_deep(place: Place) -> String {
    format!("{place}: nested more than {} levels deep; use fewer groups and rules", Rules::DEEPEST)
}

#[cfg(test)]
mod tests {
    use crate::grammar::Grammar;

    fn parse(rules: &str) -> crate::error::Result<Grammar> {
        Grammar::parse(&format!("#JSGF V1.0;\ngrammar test;\n{rules}"))
    }

    fn grammar(rules: &str) -> Grammar {
        parse(rules).unwrap()
    }

    fn error(rules: &str) -> String {
        parse(rules).unwrap_err().to_string()
    }

    #[test]
    fn rules_that_contain_themselves_are_refused() {
        let end = "a rule can't contain itself, repeat with `*` or `+`";
        assert_eq!(
            error("public <a> = b [<a>];"),
            format!("line 3, column 17: <a> refers to itself (<a> → <a>); {end}")
        );
        // Also where no public rule leads to them.
        assert_eq!(
            error("public <a> = b;\n<x> = <y>;\n<y> = z | <x>;"),
            format!("line 5, column 11: <x> refers to itself (<x> → <y> → <x>); {end}")
        );
    }

    #[test]
    fn nesting_is_limited() {
        let reason = "nested more than 200 levels deep; use fewer groups and rules";
        let groups = |depth| format!("public <a> = {}b{};", "(".repeat(depth), ")".repeat(depth));
        assert!(error(&groups(100_000)).ends_with(reason));
        assert!(grammar(&groups(150)).accepts("b"));
        let rule = |i| format!("<r{i}> = <r{}>;\n", i + 1);
        let chain = |length| (0..length).map(rule).collect::<String>();
        let rules = |length| format!("public <a> = <r0>;\n{}<r{length}> = b;", chain(length));
        assert!(error(&rules(100_000)).ends_with(reason));
        assert!(grammar(&rules(150)).accepts("b"));
    }
}
