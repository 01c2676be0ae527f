//! How words are said that no lexicon has, from how they are spelled.
//!
//! Takes the rules that `models/recipe/letter_to_sound.py` learns and a word; gives its likeliest
//! pronunciations. All costs are integers, so that every platform gives the same ones.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

/// Paths followed while a word is read.
const BEAM: usize = 12;
const MOST_PRONUNCIATIONS: usize = 3;
/// The most that a pronunciation may cost beyond the first, in half bits: half as likely.
const MARGIN: u32 = 2;
/// What a question finds before the first letter and after the last.
const BEYOND: u8 = b'_';
/// The byte of the first unit; `BEYOND` is none's.
const FIRST_UNIT: u8 = b'?';
/// As many as there are printable characters from `FIRST_UNIT` on, without `BEYOND`.
const MOST_UNITS: usize = 63;
/// The longest part that is read; a longer one is no word.
const LONGEST_LETTERS: usize = 64;
/// Accents that stand after their letter.
const COMBINING: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';
const APOSTROPHE: u8 = b'\'';
/// One tree per letter, and the apostrophe's.
const TREES: usize = 27;

/// Pronounces words by one decision tree per letter.
///
/// Letters are read from left to right. A tree asks for the letters around its letter and for what
/// the letters before it sound like, and answers with sounds and their costs; the cheapest paths
/// through a word are its pronunciations.
#[derive(Debug, PartialEq)]
pub(crate) struct LetterToSound {
    /// The phones of each unit, as ids.
    units: Vec<Vec<u8>>,
    /// By letter; the apostrophe's is last. A letter without a tree is not said.
    trees: [Vec<Node>; TREES],
    /// What the questions of all trees ask for.
    asked_values: Vec<u8>,
    /// The answers of all trees: units with their costs in half bits.
    answers: Vec<(u8, u8)>,
}

/// A line of a tree. The branch for yes is the next node.
#[derive(Debug, PartialEq)]
enum Node {
    /// Among which of the asked values it must be, and the branch for no.
    Question {
        asked: Asked,
        among: Span,
        no: u32,
    },
    Answer(Span),
}

/// A part of the values or of the answers of all trees.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    first: u32,
    end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    /// The letter so many places back.
    LetterBefore(u8),
    /// The letter so many places on.
    LetterAfter(u8),
    /// The unit of the letter so many places back.
    UnitBefore(u8),
}

/// A beginning of a pronunciation: its cost and the unit of each letter.
type Path = (u32, Vec<u8>);

impl LetterToSound {
    /// Reads rules whose phones are among the given ones; phone 0 is the CTC blank, which none says.
    ///
    /// The text has lines of these forms, the units first:
    ///
    /// ```text
    /// unit K S     a sound that a letter may have: no phone, one or several. In trees it is written
    ///              as one character: the first unit as `?`, the next as `@`, and so on without `_`
    /// letter X     the tree of a letter follows, each question before its two branches, yes first
    /// +1EIY        is the next letter E, I or Y? `-2`: the letter two before; `<1`: the unit of the
    ///              letter before. `_` is where the word has no letter
    /// A@3          an answer: units with their costs, -2 log2 of the probability; none is written
    ///              for 0
    /// ```
    ///
    /// # Errors
    ///
    /// The number of the first line that is not so, and what is wrong with it.
    pub(crate) fn parse(text: &str, phones: &[impl AsRef<str>]) -> Result<Self, String> {
        let ids = phones.iter().enumerate().skip(1);
        let ids: HashMap<&str, u8> =
            ids.filter_map(|(id, phone)| Some((phone.as_ref(), u8::try_from(id).ok()?))).collect();
        let mut rules = Self {
            units: Vec::new(),
            trees: std::array::from_fn(|_| Vec::new()),
            asked_values: Vec::new(),
            answers: Vec::new(),
        };
        let mut tree: Option<TreeReader> = None;
        let mut last = 0;
        for (number, line) in (1..).zip(text.lines()) {
            let at_line = |reason| format!("letter-to-sound: line {number} {reason}");
            if let Some(letter) = line.strip_prefix("letter ") {
                rules.finish(tree.take()).map_err(at_line)?;
                let index = tree_index(letter).ok_or_else(|| at_line(no_letter(letter)))?;
                if !rules.trees[index].is_empty() {
                    return Err(at_line(format!("has a second tree for {letter}")));
                }
                tree = Some(TreeReader { index, nodes: Vec::new(), open: Vec::new() });
            } else if let Some(tree) = &mut tree {
                tree.read(line, &mut rules).map_err(at_line)?;
            } else {
                rules.units.push(read_unit(line, &ids).map_err(at_line)?);
                if rules.units.len() > MOST_UNITS {
                    return Err(at_line(format!("has one unit more than {MOST_UNITS}")));
                }
            }
            last = number;
        }
        let at_end = |reason| format!("letter-to-sound: line {} {reason}", last + 1);
        rules.finish(tree).map_err(at_end)?;
        if rules.trees.iter().all(Vec::is_empty) {
            return Err(at_end("has no tree".to_owned()));
        }
        rules.trees.iter_mut().for_each(Vec::shrink_to_fit);
        rules.asked_values.shrink_to_fit();
        rules.answers.shrink_to_fit();
        Ok(rules)
    }

    fn finish(&mut self, tree: Option<TreeReader>) -> Result<(), String> {
        let Some(tree) = tree else { return Ok(()) };
        if tree.nodes.is_empty() || !tree.open.is_empty() {
            return Err("comes before the tree above has all its answers".to_owned());
        }
        self.trees[tree.index] = tree.nodes;
        Ok(())
    }

    /// Returns up to three pronunciations as ids of phones, the likeliest first.
    ///
    /// A second and a third are there if they are at least half as likely as the first. Case does
    /// not matter, and accents on Latin letters are not heard. What is neither letter nor
    /// apostrophe, such as a hyphen, divides a word into parts that are said one after the other.
    /// There is no pronunciation for a word without letters, or with more than 64 in a part.
    pub(crate) fn pronounce(&self, word: &str) -> Vec<Vec<u8>> {
        let spelled = letters(word);
        let mut said: Vec<(u32, Vec<u8>)> = vec![(0, Vec::new())];
        for part in spelled.split(|&letter| letter == BEYOND) {
            if part.len() > LONGEST_LETTERS {
                return Vec::new();
            }
            if !part.iter().any(u8::is_ascii_uppercase) {
                continue;
            }
            let ends = self.read(part);
            if ends.is_empty() {
                continue;
            }
            let joined = said.iter().flat_map(|(cost, before)| {
                let join = move |(more, after): &(u32, Vec<u8>)| {
                    (cost + more, [before.as_slice(), after].concat())
                };
                ends.iter().map(join)
            });
            said = likeliest(joined.collect());
        }
        said.into_iter().map(|(_, phones)| phones).filter(|phones| !phones.is_empty()).collect()
    }

    /// The pronunciations of a row of letters and apostrophes, with their costs; none if all are
    /// silent.
    fn read(&self, letters: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut beam: Vec<Path> = vec![(0, Vec::new())];
        for at in 0..letters.len() {
            let mut longer = Vec::with_capacity(BEAM * 4);
            for (cost, units) in &beam {
                for &(unit, more) in self.answer(letters, at, units) {
                    longer.push((cost + u32::from(more), [units.as_slice(), &[unit]].concat()));
                }
            }
            longer.sort_by_key(|path| path.0);
            longer.truncate(BEAM);
            beam = longer;
        }
        let mut spoken: Vec<(u32, Vec<u8>)> = Vec::with_capacity(beam.len());
        for (cost, units) in beam {
            let phones = units.iter().filter_map(|&unit| self.units.get(usize::from(unit)));
            spoken.push((cost, phones.flatten().copied().collect()));
        }
        spoken.retain(|(_, phones)| !phones.is_empty());
        likeliest(spoken)
    }

    /// What a letter's tree answers, given the units of the letters before it.
    fn answer(&self, letters: &[u8], at: usize, before: &[u8]) -> &[(u8, u8)] {
        let tree = match letters[at] {
            letter @ b'A'..=b'Z' => &self.trees[usize::from(letter - b'A')],
            _ => &self.trees[TREES - 1],
        };
        let mut node = 0;
        loop {
            match tree.get(node) {
                Some(Node::Question { asked, among, no }) => {
                    let back = |count: u8| at.checked_sub(usize::from(count));
                    let found = match *asked {
                        Asked::LetterBefore(count) => back(count).map(|i| letters[i]),
                        Asked::LetterAfter(count) => letters.get(at + usize::from(count)).copied(),
                        Asked::UnitBefore(count) => {
                            back(count).and_then(|i| before.get(i)).map(|&unit| unit_byte(unit))
                        }
                    };
                    let is_among = among.of(&self.asked_values).contains(&found.unwrap_or(BEYOND));
                    node = if is_among { node + 1 } else { *no as usize };
                }
                Some(Node::Answer(units)) => return units.of(&self.answers),
                // A letter without a tree sounds like nothing: a unit beyond all others.
                None => return &[(u8::MAX, 0)],
            }
        }
    }
}

impl Span {
    /// Adds values to those of all trees.
    fn push<T>(all: &mut Vec<T>, values: impl IntoIterator<Item = T>) -> Self {
        let first = all.len() as u32;
        all.extend(values);
        Self { first, end: all.len() as u32 }
    }

    fn of<T>(self, all: &[T]) -> &[T] {
        &all[self.first as usize..self.end as usize]
    }
}

/// The tree whose lines are being read.
struct TreeReader {
    index: usize,
    nodes: Vec<Node>,
    /// Questions that want a branch: for yes until they are followed, then for no.
    open: Vec<(usize, bool)>,
}

impl TreeReader {
    fn read(&mut self, line: &str, rules: &mut LetterToSound) -> Result<(), String> {
        let at = self.nodes.len();
        if at > 0 && self.open.is_empty() {
            return Err(format!("has {line:?}, but the tree above is complete"));
        }
        if let Some((question, is_yes)) = self.open.last_mut() {
            if *is_yes {
                *is_yes = false;
            } else {
                if let Node::Question { no, .. } = &mut self.nodes[*question] {
                    *no = at as u32;
                }
                self.open.pop();
            }
        }
        let wrong = || format!("has {line:?}, which is neither a question nor an answer");
        let bytes = line.as_bytes();
        let node = match bytes.split_first_chunk::<2>() {
            Some((&[kind @ (b'+' | b'-' | b'<'), count], among)) => {
                let is_value = |byte: &u8| byte.is_ascii_graphic();
                if !(b'1'..=b'9').contains(&count)
                    || !among.iter().all(is_value)
                    || among.is_empty()
                {
                    return Err(wrong());
                }
                let count = count - b'0';
                let asked = match kind {
                    b'+' => Asked::LetterAfter(count),
                    b'-' => Asked::LetterBefore(count),
                    _ => Asked::UnitBefore(count),
                };
                self.open.push((at, true));
                let among = Span::push(&mut rules.asked_values, among.iter().copied());
                Node::Question { asked, among, no: 0 }
            }
            _ => {
                let answer = read_answer(bytes, rules.units.len()).ok_or_else(wrong)?;
                Node::Answer(Span::push(&mut rules.answers, answer))
            }
        };
        self.nodes.push(node);
        Ok(())
    }
}

fn read_answer(bytes: &[u8], units: usize) -> Option<Vec<(u8, u8)>> {
    let mut answer: Vec<(u8, u8)> = Vec::new();
    let mut had_digit = true;
    for &byte in bytes {
        if byte.is_ascii_digit() {
            if std::mem::replace(&mut had_digit, true) {
                return None;
            }
            answer.last_mut()?.1 = byte - b'0';
        } else {
            let unit = (0..units).filter_map(|unit| u8::try_from(unit).ok());
            answer.push((unit.into_iter().find(|&unit| unit_byte(unit) == byte)?, 0));
            had_digit = false;
        }
    }
    (!answer.is_empty()).then_some(answer)
}

fn read_unit(line: &str, ids: &HashMap<&str, u8>) -> Result<Vec<u8>, String> {
    let mut words = line.split_whitespace();
    if words.next() != Some("unit") {
        return Err(format!("has {line:?}; units come first, then trees, each after its letter"));
    }
    let id =
        |phone| ids.get(phone).copied().ok_or_else(|| format!("has {phone:?}, which is no phone"));
    words.map(id).collect()
}

/// The character of a unit in trees.
fn unit_byte(unit: u8) -> u8 {
    let byte = FIRST_UNIT.saturating_add(unit);
    byte.saturating_add(u8::from(byte >= BEYOND))
}

fn tree_index(letter: &str) -> Option<usize> {
    match letter.as_bytes() {
        [letter @ b'A'..=b'Z'] => Some(usize::from(letter - b'A')),
        [APOSTROPHE] => Some(TREES - 1),
        _ => None,
    }
}

fn no_letter(letter: &str) -> String {
    format!("has {letter:?} for a letter; there are A to Z and the apostrophe")
}

/// A word's letters in capitals, without accents; [`BEYOND`] for what is neither letter nor apostrophe.
pub(super) fn letters(word: &str) -> Vec<u8> {
    let upper = word.to_uppercase();
    upper.nfd().filter(|letter| !COMBINING.contains(letter)).map(plain).collect()
}

/// A letter from `A` to `Z`, without its accent; an apostrophe; or `BEYOND`.
fn plain(character: char) -> u8 {
    match character {
        'A'..='Z' => u8::try_from(character).unwrap_or(BEYOND),
        '\'' | '’' => APOSTROPHE,
        // Letters that have no decomposition.
        'Æ' => b'A',
        'Đ' | 'Ð' => b'D',
        'Ł' => b'L',
        'Ø' | 'Œ' => b'O',
        _ => BEYOND,
    }
}

/// Keeps the cheapest pronunciations, each once. Of equal costs the first comes first.
fn likeliest(mut said: Vec<(u32, Vec<u8>)>) -> Vec<(u32, Vec<u8>)> {
    said.sort_by_key(|&(cost, _)| cost);
    let most = said.first().map_or(0, |&(cost, _)| cost) + MARGIN;
    let mut kept: Vec<(u32, Vec<u8>)> = Vec::new();
    for (cost, phones) in said {
        let is_new = !kept.iter().any(|(_, known)| *known == phones);
        if cost <= most && is_new && kept.len() < MOST_PRONUNCIATIONS {
            kept.push((cost, phones));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONES: [&str; 9] = ["<blank>", "AE", "AH", "B", "EY", "F", "K", "P", "S"];
    /// Units `?` to `H`: nothing, AE, AH, B, EY, F, K, P, S and K S.
    const UNITS: &str =
        "unit\nunit AE\nunit AH\nunit B\nunit EY\nunit F\nunit K\nunit P\nunit S\nunit K S\n";

    fn rules(trees: &str) -> Result<LetterToSound, String> {
        LetterToSound::parse(&format!("{UNITS}{trees}"), &PHONES)
    }

    fn say(trees: &str, word: &str) -> Vec<String> {
        let said = rules(trees).unwrap().pronounce(word);
        let name = |phones: &Vec<u8>| {
            let names: Vec<_> = phones.iter().map(|&id| PHONES[usize::from(id)]).collect();
            names.join(" ")
        };
        said.iter().map(name).collect()
    }

    const TREES: &str = "letter A\n+1_\nA1@3\n+2E\nC\n@\nletter B\nB\nletter E\n?\nletter H\n?\n\
                         letter P\n+1H\nD\nF\nletter S\n<1G\n?\nG\nletter X\nH\n";

    #[test]
    fn letters_around_and_sounds_before_decide() {
        assert_eq!(say(TREES, "axe"), ["EY K S"]);
        assert_eq!(say(TREES, "Pax"), ["P AE K S"]);
        assert_eq!(say(TREES, "PHAB"), ["F AE B"]);
        assert_eq!(say(TREES, "pass"), ["P AE S"]);
    }

    #[test]
    fn an_unsure_rule_gives_alternatives() {
        assert_eq!(say(TREES, "PA"), ["P AH", "P AE"]);
        assert_eq!(say("letter A\nA@4", "A"), ["AH"]);
        assert_eq!(say("letter A\nCA1@2D2", "A"), ["EY", "AH", "AE"]);
        // Nothing and AE in either order are one pronunciation.
        assert_eq!(say("letter A\n?1@1", "AA"), ["AE", "AE AE"]);
    }

    #[test]
    fn hyphens_divide_and_letters_without_tree_are_silent() {
        assert_eq!(say(TREES, "pa-pa"), ["P AH P AH", "P AH P AE", "P AE P AH"]);
        assert_eq!(say(TREES, "bab's"), ["B AE B S"]);
        assert_eq!(say("letter A\n@\nletter '\nF", "a’zz"), ["AE P"]);
        assert!(say(TREES, "zzz").is_empty());
    }

    #[test]
    fn odd_words_have_no_pronunciation_or_that_of_their_letters() {
        for word in ["", " ", "-", "'", "''", "42", "…", "語", "Привет", "\u{301}", "\0", "😀"]
        {
            assert!(say(TREES, word).is_empty(), "{word:?}");
        }
        assert_eq!(say(TREES, "4x"), ["K S"]);
        assert_eq!(say(TREES, "x-h-z"), ["K S"]);
        assert_eq!(say(TREES, "Pàx"), ["P AE K S"]);
        assert_eq!(say(TREES, "Pa\u{300}x"), ["P AE K S"]);
        assert_eq!(say(TREES, "語ax😀e"), say(TREES, "ax-e"));
        assert_eq!(say(TREES, "ßx"), ["S K S"]);
        assert_eq!(say(TREES, &"P".repeat(64)).len(), 1);
        assert!(say(TREES, &"P".repeat(65)).is_empty());
        assert!(say(TREES, &"-".repeat(5000)).is_empty());
    }

    #[test]
    fn a_broken_line_is_named() {
        let reason = |trees: &str| rules(trees).unwrap_err();
        let expect = |trees: &str, part: &str| {
            assert!(reason(trees).contains(part), "{}", reason(trees));
        };
        expect("unit AE ZZ", "line 11 has \"ZZ\", which is no phone");
        expect("unit <blank>", "line 11 has \"<blank>\", which is no phone");
        expect("A", "line 11 has \"A\"; units come first");
        expect("letter É", "line 11 has \"É\" for a letter");
        expect("letter A\n+1B\nA", "line 14 comes before the tree above");
        expect("letter A\nletter B", "line 12 comes before the tree above");
        expect("letter A\nA\nA", "line 13 has \"A\", but the tree above is complete");
        expect("letter A\nA\nletter A\nA", "line 13 has a second tree for A");
        for wrong in ["", "z", "A12", "1", "+1", "+0A", "+A", "<1 A", "-1é", "="] {
            expect(&format!("letter A\n{wrong}\n"), "line 12 has");
        }
        expect("", "line 11 has no tree");
        let many = LetterToSound::parse(&"unit\n".repeat(64), &PHONES).unwrap_err();
        assert!(many.contains("line 64 has one unit more than 63"), "{many}");
    }
}
