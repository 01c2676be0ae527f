//! The JSpeech Grammar Format, a subset: <https://www.w3.org/TR/jsgf/>.
//!
//! ```text
//! #JSGF V1.0 [charset [locale]];
//! grammar NAME;
//! [public] <rule> = alternatives;
//!
//! alternatives = sequence | sequence …      sequence = repeated repeated …
//! repeated     = item, item* or item+       item     = word, "words", <rule>, (…) or […]
//! ```
//!
//! Weights are refused, since a graph with them could not in general be made deterministic; imports,
//! since a grammar is one text.

use std::collections::HashMap;

use super::expression::{Expression, Place, Reference, Rules, Word};
use super::nesting::{Nesting, too_deep};
use super::scanner::{Lexeme, Scanner};

/// What a grammar begins with.
pub(super) const HEADER: &str = "#JSGF";

/// Reads a grammar.
///
/// # Errors
///
/// The place and the reason.
pub(super) fn parse(text: &str) -> Result<Rules, String> {
    let mut parser = Parser::new(text)?;
    parser.header()?;
    while parser.lexeme != Lexeme::End {
        parser.definition()?;
    }
    parser.finish()
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    /// Where the next lexeme stands, and what it is.
    place: Place,
    lexeme: Lexeme,
    /// The grammar's name, and a full stop.
    qualifier: String,
    rules: Vec<Rule>,
    by_name: HashMap<String, usize>,
    public: Vec<Reference>,
}

/// A rule that has been named.
struct Rule {
    name: String,
    named_at: Place,
    definition: Option<(Place, Expression)>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, String> {
        let mut scanner = Scanner::new(text);
        let (place, lexeme) = scanner.next()?;
        Ok(Self {
            scanner,
            place,
            lexeme,
            qualifier: String::new(),
            rules: Vec::new(),
            by_name: HashMap::new(),
            public: Vec::new(),
        })
    }

    fn header(&mut self) -> Result<(), String> {
        self.take()?;
        let place = self.place;
        match self.take()? {
            Lexeme::Word(version) if version.starts_with("V1") => {}
            _ => return Err(format!("{place}: expected the version, as in `{HEADER} V1.0;`")),
        }
        while let Lexeme::Word(_) = self.lexeme {
            self.take()?;
        }
        self.symbol(';', "after the header")?;
        let place = self.place;
        match (self.take()?, self.take()?) {
            (Lexeme::Word(keyword), Lexeme::Word(name)) if keyword == "grammar" => {
                self.qualifier = name + ".";
            }
            _ => {
                return Err(format!("{place}: expected the grammar's name, as in `grammar home;`"));
            }
        }
        self.symbol(';', "after the grammar's name")
    }

    /// `[public] <rule> = alternatives;`
    fn definition(&mut self) -> Result<(), String> {
        let begin = self.place;
        let mut lexeme = self.take()?;
        if lexeme == Lexeme::Word("import".to_owned()) {
            return Err(format!(
                "{begin}: imports are not supported; copy the rules into this file"
            ));
        }
        let is_public = lexeme == Lexeme::Word("public".to_owned());
        let place = if is_public { self.place } else { begin };
        if is_public {
            lexeme = self.take()?;
        }
        let Lexeme::Name(name) = lexeme else {
            return Err(format!("{place}: expected a rule, as in `public <command> = stop;`"));
        };
        if special(&name).is_some() {
            return Err(format!("{place}: <{name}> has a meaning already; choose another name"));
        }
        let rule = self.rule(&name, place)?;
        if let Some((first, _)) = &self.rules[rule].definition {
            return Err(format!("{place}: <{name}> is defined on line {} already", first.line));
        }
        self.symbol('=', "after the rule's name")?;
        let expression = self.alternatives(1)?;
        self.symbol(';', &format!("at the end of rule <{name}>"))?;
        self.rules[rule].definition = Some((place, expression));
        if is_public {
            self.public.push(Reference { rule, place });
        }
        Ok(())
    }

    fn alternatives(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > Rules::DEEPEST {
            return Err(too_deep(self.place));
        }
        let mut alternatives = vec![self.sequence(depth)?];
        while self.lexeme == Lexeme::Symbol('|') {
            self.take()?;
            alternatives.push(self.sequence(depth)?);
        }
        Ok(match alternatives.len() {
            1 => alternatives.remove(0),
            _ => Expression::Alternatives(alternatives),
        })
    }

    fn sequence(&mut self, depth: usize) -> Result<Expression, String> {
        if let Lexeme::Weight(weight) = &self.lexeme {
            let place = self.place;
            return Err(format!(
                "{place}: weights are not supported, all alternatives are alike; remove /{weight}/"
            ));
        }
        let mut items = Vec::new();
        while let Some(item) = self.item(depth)? {
            items.push(self.repeated(item)?);
        }
        match items.len() {
            0 => Err(format!(
                "{}: expected a word, a rule, `(` or `[`, but found {}; for nothing at all write \
                 <NULL>",
                self.place,
                self.found()
            )),
            1 => Ok(items.remove(0)),
            _ => Ok(Expression::Sequence(items)),
        }
    }

    /// What stands next, if it can be part of a sequence.
    fn item(&mut self, depth: usize) -> Result<Option<Expression>, String> {
        let place = self.place;
        let is_item = !matches!(
            self.lexeme,
            Lexeme::End | Lexeme::Weight(_) | Lexeme::Tag | Lexeme::Symbol(';' | '|' | ')' | ']')
        );
        if !is_item {
            return Ok(None);
        }
        Ok(Some(match self.take()? {
            Lexeme::Word(text) => Expression::Word(Word { text, place }),
            Lexeme::Quoted(text) => quoted(&text, place),
            Lexeme::Name(name) => match special(&name) {
                Some(expression) => expression,
                None => Expression::Rule(Reference { rule: self.rule(&name, place)?, place }),
            },
            Lexeme::Symbol('(') => {
                let group = self.alternatives(depth + 1)?;
                self.symbol(')', "at the end of the group")?;
                group
            }
            Lexeme::Symbol('[') => {
                let optional = self.alternatives(depth + 1)?;
                self.symbol(']', "at the end of the option")?;
                Expression::Optional(optional.into())
            }
            Lexeme::Symbol(symbol) => {
                return Err(format!(
                    "{place}: `{symbol}` has no place here; quote it or remove it"
                ));
            }
            Lexeme::End | Lexeme::Weight(_) | Lexeme::Tag => return Ok(None),
        }))
    }

    /// Takes the tags and the `*` or `+` behind an item.
    fn repeated(&mut self, mut item: Expression) -> Result<Expression, String> {
        let mut repeated = false;
        loop {
            match self.lexeme {
                Lexeme::Tag => {}
                Lexeme::Symbol('*' | '+') if repeated => {
                    return Err(format!("{}: repeated already; remove this", self.place));
                }
                Lexeme::Symbol('+') => item = Expression::Repeated(item.into()),
                Lexeme::Symbol('*') => {
                    item = Expression::Optional(Expression::Repeated(item.into()).into());
                }
                _ => return Ok(item),
            }
            repeated |= self.lexeme != Lexeme::Tag;
            self.take()?;
        }
    }

    /// The rule of this name, which may not be defined yet.
    fn rule(&mut self, name: &str, place: Place) -> Result<usize, String> {
        let short = name.strip_prefix(&self.qualifier).unwrap_or(name).trim();
        if short.is_empty() || short.contains('.') {
            return Err(format!(
                "{place}: <{name}> is no rule of this file; other grammars can't be imported"
            ));
        }
        let new = self.rules.len();
        let rule = *self.by_name.entry(short.to_owned()).or_insert(new);
        if rule == new {
            self.rules.push(Rule { name: short.to_owned(), named_at: place, definition: None });
        }
        Ok(rule)
    }

    /// Takes the next lexeme.
    fn take(&mut self) -> Result<Lexeme, String> {
        let (place, next) = self.scanner.next()?;
        self.place = place;
        Ok(std::mem::replace(&mut self.lexeme, next))
    }

    fn symbol(&mut self, symbol: char, whereabouts: &str) -> Result<(), String> {
        if self.lexeme == Lexeme::Symbol(symbol) {
            return self.take().map(|_| ());
        }
        Err(format!(
            "{}: expected `{symbol}` {whereabouts}, but found {}",
            self.place,
            self.found()
        ))
    }

    fn found(&self) -> String {
        match &self.lexeme {
            Lexeme::Symbol(symbol) => format!("`{symbol}`"),
            Lexeme::Name(name) => format!("<{name}>"),
            Lexeme::Word(text) | Lexeme::Quoted(text) => format!("{text:?}"),
            Lexeme::Tag => "a tag".to_owned(),
            Lexeme::Weight(weight) => format!("/{weight}/"),
            Lexeme::End => "the end of the file".to_owned(),
        }
    }

    fn finish(self) -> Result<Rules, String> {
        if self.public.is_empty() {
            return Err(
                "no rule is public; write `public` before the rules that may be said".to_owned()
            );
        }
        let mut all = Vec::new();
        let mut names = Vec::new();
        for Rule { name, named_at, definition } in self.rules {
            let Some((_, expression)) = definition else {
                return Err(format!(
                    "{named_at}: <{name}> is not defined; add `<{name}> = …;` or correct the name"
                ));
            };
            all.push(expression);
            names.push(name);
        }
        Nesting::new(&all, &names).check()?;
        Ok(Rules { all, public: self.public })
    }
}

/// The rules that every grammar has.
fn special(name: &str) -> Option<Expression> {
    match name {
        "NULL" => Some(Expression::Sequence(Vec::new())),
        "VOID" => Some(Expression::Alternatives(Vec::new())),
        _ => None,
    }
}

fn quoted(text: &str, place: Place) -> Expression {
    let word = |text: &str| Expression::Word(Word { text: text.to_owned(), place });
    Expression::Sequence(text.split_whitespace().map(word).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::Grammar;

    fn grammar(rules: &str) -> Grammar {
        Grammar::parse(&format!("#JSGF V1.0 UTF-8 en;\ngrammar test;\n{rules}")).unwrap()
    }

    fn error(rules: &str) -> String {
        parse(&format!("#JSGF V1.0;\ngrammar test;\n{rules}")).unwrap_err()
    }

    #[track_caller]
    fn assert_phrases(rules: &str, in_it: &[&str], not_in_it: &[&str]) {
        let grammar = grammar(rules);
        in_it.iter().for_each(|text| assert!(grammar.accepts(text), "{text:?}"));
        not_in_it.iter().for_each(|text| assert!(!grammar.accepts(text), "{text:?}"));
    }

    #[test]
    fn sequences_bind_closer_than_alternatives() {
        let rules = "public <c> = turn (on | off) [the] <device> | stop; <device> = lamp | fan;";
        let said = ["turn on lamp", "turn off the fan", "stop"];
        assert_phrases(rules, &said, &["turn the fan", "turn on", "lamp stop", "turn on stop", ""]);
    }

    #[test]
    fn repeats_bind_closest() {
        assert_phrases("public <c> = a b+;", &["a b", "a b b"], &["a", "a b a b"]);
        assert_phrases("public <c> = [a] (b c)*;", &["a", "b c", "a b c b c"], &["a b", "c"]);
        assert_phrases("public <c> = ([a]* [b])+ c;", &["c", "a b b a c"], &["", "a"]);
    }

    #[test]
    fn names_quotations_tags_and_comments_are_understood() {
        let rules = "
            <test.no> = no {deny} | never; // two of them
            public <c> = <no> \"thank you\" {polite}+ /* or */ | <VOID> ever | <NULL> yes;
            public <d> = done;";
        let said = ["no thank you", "never thank you thank you", "yes", "done"];
        assert_phrases(rules, &said, &["ever", "no", "", "no thank"]);
    }

    #[test]
    fn errors_name_line_and_column() {
        let is = |rules: &str, expected: &str| assert_eq!(error(rules), expected, "{rules}");
        is("<a> = b;", "no rule is public; write `public` before the rules that may be said");
        is(
            "public <a> = b\n  <c> | d;",
            "line 4, column 3: <c> is not defined; add `<c> = …;` or correct the name",
        );
        is("public <a> = b;\n<a> = c;", "line 4, column 1: <a> is defined on line 3 already");
        is(
            "public <a> = b | /2/ c;",
            "line 3, column 18: weights are not supported, all alternatives are alike; remove /2/",
        );
        is(
            "import <b.*>;",
            "line 3, column 1: imports are not supported; copy the rules into this file",
        );
        is(
            "public <a> = <other.b>;",
            "line 3, column 14: <other.b> is no rule of this file; other grammars can't be imported",
        );
        is(
            "public <NULL> = b;",
            "line 3, column 8: <NULL> has a meaning already; choose another name",
        );
        is("public a = b;", "line 3, column 8: expected a rule, as in `public <command> = stop;`");
        is("public <a> = b+*;", "line 3, column 16: repeated already; remove this");
        is(
            "public <a> = b\n",
            "line 4, column 1: expected `;` at the end of rule <a>, but found the end of the file",
        );
        is(
            "public <a> = (b | ) c;",
            "line 3, column 19: expected a word, a rule, `(` or `[`, but found `)`; for nothing at \
             all write <NULL>",
        );
        is(
            "public <a> = (b;",
            "line 3, column 16: expected `)` at the end of the group, but found `;`",
        );
        is(
            "public <a> = b = c;",
            "line 3, column 16: `=` has no place here; quote it or remove it",
        );
    }

    #[test]
    fn headers_are_checked() {
        let error = |text| parse(text).unwrap_err();
        let version = "expected the version, as in `#JSGF V1.0;`";
        assert_eq!(error("#JSGF;"), format!("line 1, column 6: {version}"));
        assert_eq!(error("#JSGF V2.0;"), format!("line 1, column 7: {version}"));
        assert_eq!(
            error("#JSGF V1.0;\npublic <a> = b;"),
            "line 2, column 1: expected the grammar's name, as in `grammar home;`"
        );
    }
}
