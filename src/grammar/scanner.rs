//! A JSGF text as words, names and symbols.

use std::iter::Peekable;
use std::str::Chars;

use super::expression::Place;

/// What a text is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lexeme {
    /// One of `= ; | * + ( ) [ ]`.
    Symbol(char),
    /// What stands between `<` and `>`.
    Name(String),
    Word(String),
    /// What stands between quotes.
    Quoted(String),
    /// What stands between `{` and `}`, which recognition has no use for.
    Tag,
    /// What stands between slashes.
    Weight(String),
    End,
}

/// Cuts a text, which may have comments, into lexemes with their places.
pub(super) struct Scanner<'a> {
    characters: Peekable<Chars<'a>>,
    place: Place,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { characters: text.chars().peekable(), place: Place::START }
    }

    /// The next lexeme; at the end of the text again and again [`Lexeme::End`].
    ///
    /// # Errors
    ///
    /// The place and the reason: something that begins and does not end, or stands for nothing.
    pub fn next(&mut self) -> Result<(Place, Lexeme), String> {
        loop {
            self.skip_space();
            let place = self.place;
            let Some(character) = self.advance() else { return Ok((place, Lexeme::End)) };
            let lexeme = match character {
                '/' if self.skip_comment(place)? => continue,
                '/' => Lexeme::Weight(self.until('/', place, "weight")?),
                '=' | ';' | '|' | '*' | '+' | '(' | ')' | '[' | ']' => Lexeme::Symbol(character),
                '<' => Lexeme::Name(self.until('>', place, "rule's name")?),
                '"' => Lexeme::Quoted(self.until('"', place, "quotation")?),
                '{' => {
                    self.until('}', place, "tag")?;
                    Lexeme::Tag
                }
                '>' | '}' => {
                    return Err(format!("{place}: {character:?} ends nothing; remove it"));
                }
                _ => Lexeme::Word(self.word(character)),
            };
            return Ok((place, lexeme));
        }
    }

    fn advance(&mut self) -> Option<char> {
        let character = self.characters.next()?;
        if character == '\n' {
            self.place = Place { line: self.place.line + 1, column: 1 };
        } else {
            self.place.column += 1;
        }
        Some(character)
    }

    fn skip_space(&mut self) {
        while self.characters.peek().is_some_and(|c| c.is_whitespace()) {
            self.advance();
        }
    }

    /// Skips a comment whose first slash has been taken, if it is one.
    fn skip_comment(&mut self, place: Place) -> Result<bool, String> {
        match self.characters.peek() {
            Some('/') => while self.advance().is_some_and(|c| c != '\n') {},
            Some('*') => {
                self.advance();
                let mut before = ' ';
                loop {
                    let next = self.advance().ok_or_else(|| unended(place, "comment", "*/"))?;
                    if (before, next) == ('*', '/') {
                        break;
                    }
                    before = next;
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The text up to an end, which is taken too; a backslash makes the next character ordinary.
    fn until(&mut self, end: char, place: Place, what: &str) -> Result<String, String> {
        let mut text = String::new();
        loop {
            match self.advance().ok_or_else(|| unended(place, what, end))? {
                '\\' => text.extend(self.advance().map(in_line)),
                character if character == end => return Ok(text),
                character => text.push(in_line(character)),
            }
        }
    }

    fn word(&mut self, first: char) -> String {
        let ends = |c: char| c.is_whitespace() || "=;|*+()[]<>{}\"/".contains(c);
        let mut word = String::from(first);
        while let Some(&character) = self.characters.peek() {
            if ends(character) {
                break;
            }
            word.push(character);
            self.advance();
        }
        word
    }
}

/// A character as it may stand in a message of one line.
fn in_line(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

fn unended(place: Place, what: &str, end: impl std::fmt::Display) -> String {
    format!("{place}: the {what} that begins here does not end; write `{end}` behind it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexemes(text: &str) -> Result<Vec<(usize, usize, Lexeme)>, String> {
        let mut scanner = Scanner::new(text);
        let mut lexemes = Vec::new();
        loop {
            let (Place { line, column }, lexeme) = scanner.next()?;
            if lexeme == Lexeme::End {
                return Ok(lexemes);
            }
            lexemes.push((line, column, lexeme));
        }
    }

    #[test]
    fn comments_and_spaces_separate() {
        let found = lexemes("<a>=on|/2/ \"off\";// end\n /* a\n * b */x{t\\}u}*").unwrap();
        let expected = [
            (1, 1, Lexeme::Name("a".into())),
            (1, 4, Lexeme::Symbol('=')),
            (1, 5, Lexeme::Word("on".into())),
            (1, 7, Lexeme::Symbol('|')),
            (1, 8, Lexeme::Weight("2".into())),
            (1, 12, Lexeme::Quoted("off".into())),
            (1, 17, Lexeme::Symbol(';')),
            (3, 8, Lexeme::Word("x".into())),
            (3, 9, Lexeme::Tag),
            (3, 15, Lexeme::Symbol('*')),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_does_not_end_is_named_where_it_begins() {
        let error = |text| lexemes(text).unwrap_err();
        let ends = "that begins here does not end; write";
        assert_eq!(
            error("a\n <b"),
            format!("line 2, column 2: the rule's name {ends} `>` behind it")
        );
        assert_eq!(error("/* a *"), format!("line 1, column 1: the comment {ends} `*/` behind it"));
        assert_eq!(
            error("é \"b"),
            format!("line 1, column 3: the quotation {ends} `\"` behind it")
        );
        assert_eq!(error("a }"), "line 1, column 3: '}' ends nothing; remove it");
    }
}
