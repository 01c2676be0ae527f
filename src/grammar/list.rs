//! Lists of phrases, one a line.

use super::expression::{Expression, Place, Rules, Word};
use super::jsgf;

/// Reads a list. Lines that are empty or begin with `#` are skipped.
///
/// # Errors
///
/// The place and the reason: no phrases, or the header of a grammar.
pub(super) fn parse(text: &str) -> Result<Rules, String> {
    let mut phrases = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let begin = line.trim_start();
        if begin.starts_with(jsgf::HEADER) {
            let place = Place { line: number, column: 1 + line.len() - begin.len() };
            return Err(format!("{place}: `{}` must be the beginning of the file", jsgf::HEADER));
        }
        if !begin.is_empty() && !begin.starts_with('#') {
            phrases.push(phrase(number, line)?);
        }
    }
    if phrases.is_empty() {
        return Err("there are no phrases; write one a line".to_owned());
    }
    Ok(Rules::only(Expression::Alternatives(phrases)))
}

/// The words of a line.
///
/// # Errors
///
/// The place and the reason if there is none.
pub(super) fn phrase(line: usize, text: &str) -> Result<Expression, String> {
    let mut words: Vec<Word> = Vec::new();
    let mut between = true;
    for (column, character) in (1..).zip(text.chars()) {
        let begins = between;
        between = character.is_whitespace();
        match words.last_mut() {
            _ if between => {}
            Some(word) if !begins => word.text.push(character),
            _ => words.push(Word { text: character.into(), place: Place { line, column } }),
        }
    }
    if words.is_empty() {
        let place = Place { line, column: 1 };
        return Err(format!("{place}: there is no phrase; write words, as in `lights off`"));
    }
    Ok(Expression::Sequence(words.into_iter().map(Expression::Word).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_their_place() {
        let Expression::Sequence(words) = phrase(3, "  lights\u{e9}  off ").unwrap() else {
            panic!("not a sequence")
        };
        let word = |text: &str, column| {
            Expression::Word(Word { text: text.to_owned(), place: Place { line: 3, column } })
        };
        assert_eq!(words, [word("lights\u{e9}", 3), word("off", 12)]);
    }
}
