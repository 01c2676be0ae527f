//! Reads back-off models in the ARPA format (Doug Paul's, as SRILM and KenLM write it).

use std::collections::HashMap;
use std::str;

use super::{
    Level, Markup, NgramModel, PackedInts, PrefixTrie, SelectVector, Tables, Values, WordId,
};

const BEGIN: &str = "<s>";
const END: &str = "</s>";
/// SRILM's and KenLM's spelling, and that of other tools.
const UNKNOWN: [&str; 2] = ["<unk>", "<UNK>"];

/// The decimal logarithm of what never happens, in SRILM's files.
const NEVER: f32 = -99.0;

/// The n-grams of one length as the file has them.
pub(super) struct Section {
    /// The words of one n-gram after those of the other.
    pub words: Vec<u32>,
    /// Natural logarithms.
    pub log_probs: Vec<f32>,
    pub backoffs: Vec<f32>,
    /// For errors.
    pub lines: Vec<u32>,
}

/// What one line says.
struct Entry<'a> {
    log_prob: f32,
    words: Vec<&'a str>,
    backoff: f32,
}

/// The lines with their numbers, empty ones left out.
struct Lines<'a> {
    rest: str::Lines<'a>,
    number: u32,
}

/// Reads a model; the error says what is wrong, and in which line.
pub(super) fn parse(bytes: &[u8]) -> Result<Tables, String> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&b| b == b'\n').count();
        format!("line {line} is not UTF-8 text; give an ARPA file, or one in the compact form")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Lines { rest: text.lines(), number: 0 };
    let counts = header(&mut lines)?;
    let mut ids = HashMap::new();
    let mut sections = Vec::new();
    for (order, &count) in (1..).zip(&counts) {
        let section = section(&mut lines, order, &counts, &mut ids)?;
        if section.lines.len() != count {
            return Err(format!(
                "line {}: the {order}-grams end after {}; the header announces {count}",
                lines.number,
                section.lines.len()
            ));
        }
        sections.push(section);
    }
    add_unknown(&mut sections, &mut ids);
    assemble(sections, &ids)
}

/// Gives a model of a closed vocabulary a word for all others, as likely as its rarest one.
fn add_unknown(sections: &mut [Section], ids: &mut HashMap<&str, u32>) {
    let (Some(unigrams), false) =
        (sections.first_mut(), UNKNOWN.iter().any(|name| ids.contains_key(name)))
    else {
        return;
    };
    let never = NEVER * std::f32::consts::LN_10;
    let likely = unigrams.log_probs.iter().copied().filter(|log_prob| *log_prob > never);
    let rarest = likely.fold(0.0, f32::min);
    let id = ids.len() as u32;
    ids.insert(UNKNOWN[0], id);
    unigrams.words.push(id);
    unigrams.log_probs.push(rarest);
    unigrams.backoffs.push(0.0);
    unigrams.lines.push(0);
}

/// Reads up to the first section's title, and gives how many n-grams of each length follow.
fn header(lines: &mut Lines) -> Result<Vec<usize>, String> {
    if !lines.any(|line| line == "\\data\\") {
        return Err("has no line \\data\\; it is not an ARPA file".to_owned());
    }
    let mut counts = Vec::new();
    while let Some(line) = lines.next() {
        if line == "\\1-grams:" {
            return match counts.first() {
                Some(1..) => Ok(counts),
                _ => Err(lines.error("the header announces no 1-grams")),
            };
        }
        let count = line.strip_prefix("ngram ").and_then(|rest| rest.split_once('='));
        let Some((order, count)) = count else {
            return Err(lines.error(format!("{line:?}; expected `ngram N=COUNT` or \\1-grams:")));
        };
        let next = counts.len() + 1;
        if order.trim().parse() != Ok(next) || next > NgramModel::MAX_ORDER {
            let max = NgramModel::MAX_ORDER;
            return Err(lines.error(format!(
                "an order of {:?}; expected orders from 1 to {max} at most, in sequence",
                order.trim()
            )));
        }
        let count = count.trim();
        counts.push(
            count.parse().map_err(|_| lines.error(format!("{count:?} is no number of n-grams")))?,
        );
    }
    Err(lines.truncated("header"))
}

/// Reads one section and the title of the next.
fn section<'a>(
    lines: &mut Lines<'a>,
    order: usize,
    counts: &[usize],
    ids: &mut HashMap<&'a str, u32>,
) -> Result<Section, String> {
    let is_last = order == counts.len();
    let next_title = if is_last { "\\end\\".to_owned() } else { format!("\\{}-grams:", order + 1) };
    let mut section = Section {
        words: Vec::new(),
        log_probs: Vec::new(),
        backoffs: Vec::new(),
        lines: Vec::new(),
    };
    while let Some(line) = lines.next() {
        if line == next_title {
            return Ok(section);
        }
        if line.starts_with('\\') && line.split_ascii_whitespace().count() == 1 {
            return Err(lines.error(format!("{line:?}; expected a {order}-gram or {next_title}")));
        }
        let entry = entry(line, order, is_last).map_err(|reason| lines.error(reason))?;
        for word in entry.words {
            let id = if order == 1 { new_id(ids, word) } else { known_id(ids, word) };
            section.words.push(id.map_err(|reason| lines.error(reason))?);
        }
        section.log_probs.push(entry.log_prob * std::f32::consts::LN_10);
        section.backoffs.push(entry.backoff * std::f32::consts::LN_10);
        section.lines.push(lines.number);
    }
    Err(lines.truncated(&format!("\\{order}-grams:")))
}

fn new_id<'a>(ids: &mut HashMap<&'a str, u32>, word: &'a str) -> Result<u32, String> {
    if word.len() > NgramModel::MAX_WORD_BYTES {
        let max = NgramModel::MAX_WORD_BYTES;
        return Err(format!("a word of {} bytes; at most {max} are taken", word.len()));
    }
    let id = ids.len() as u32;
    match ids.insert(word, id) {
        Some(_) => Err(format!("{word:?} is listed twice")),
        None => Ok(id),
    }
}

fn known_id(ids: &HashMap<&str, u32>, word: &str) -> Result<u32, String> {
    ids.get(word).copied().ok_or_else(|| format!("{word:?} is not among the 1-grams"))
}

fn entry(line: &str, order: usize, is_last: bool) -> Result<Entry<'_>, String> {
    let mut fields = line.split_ascii_whitespace();
    let log_prob = number(fields.next().unwrap_or_default())?;
    if log_prob > 0.0 {
        return Err(format!("a log-probability of {log_prob}; it must not be positive"));
    }
    let words: Vec<&str> = fields.by_ref().take(order).collect();
    if words.len() < order {
        return Err(format!("{} words; expected {order}", words.len()));
    }
    let backoff = match fields.next() {
        Some(field) if is_last => {
            return Err(format!("{field:?} after the words; the longest n-grams have no back-off"));
        }
        Some(field) => number(field)?,
        None => 0.0,
    };
    match fields.next() {
        Some(field) => Err(format!("{field:?} after the back-off")),
        None => Ok(Entry { log_prob, words, backoff }),
    }
}

fn number(field: &str) -> Result<f32, String> {
    let number: f32 = field.parse().map_err(|_| format!("{field:?} is not a number"))?;
    if number == f32::NEG_INFINITY {
        return Ok(NEVER);
    }
    if number.is_finite() { Ok(number) } else { Err(format!("{field} is not a finite number")) }
}

/// Sorts everything by words in the order of their spelling.
pub(super) fn assemble(sections: Vec<Section>, ids: &HashMap<&str, u32>) -> Result<Tables, String> {
    let mut words: Vec<(&str, u32)> = ids.iter().map(|(&word, &id)| (word, id)).collect();
    words.sort_unstable();
    let mut sorted_ids = vec![0; words.len()];
    for (new, &(_, old)) in (0..).zip(&words) {
        sorted_ids[old as usize] = new;
    }
    let markup = markup(&words)?;
    let mut levels: Vec<Level> = Vec::new();
    let mut above: Vec<u32> = Vec::new();
    let order_count = sections.len();
    for (order, mut section) in (1..).zip(sections) {
        section.words.iter_mut().for_each(|word| *word = sorted_ids[*word as usize]);
        let section = section.sorted(order);
        if let Some(level) = levels.last_mut() {
            level.children = SelectVector::new(&section.children_of(&above, order)?);
        }
        let last_words = section.words.iter().skip(order - 1).step_by(order).copied();
        let max = words.len() as u32;
        levels.push(Level {
            words: match order {
                1 => PackedInts::default(),
                _ => PackedInts::new(last_words.collect::<Vec<_>>().into_iter(), max),
            },
            log_probs: Values::Exact(section.log_probs),
            backoffs: Values::Exact(match order == order_count {
                true => Vec::new(),
                false => section.backoffs,
            }),
            children: SelectVector::default(),
        });
        above = section.words;
    }
    let spelled: Vec<Vec<u8>> = words.iter().map(|(word, _)| word.as_bytes().to_vec()).collect();
    Ok(Tables::new(&spelled, markup, levels))
}

fn markup(words: &[(&str, u32)]) -> Result<Markup, String> {
    let find = |name: &str| {
        let id = words.binary_search_by(|(word, _)| (*word).cmp(name)).ok()?;
        Some(WordId(id as u32))
    };
    let missing = |name: &str| format!("{name} is missing from the 1-grams");
    Ok(Markup {
        begin: find(BEGIN).ok_or_else(|| missing(BEGIN))?,
        end: find(END).ok_or_else(|| missing(END))?,
        unknown: UNKNOWN.into_iter().find_map(find).ok_or_else(|| missing(UNKNOWN[0]))?,
    })
}

impl Section {
    /// The same in the order of the words.
    fn sorted(&self, order: usize) -> Self {
        let words = |index: usize| &self.words[index * order..(index + 1) * order];
        let mut places: Vec<usize> = (0..self.lines.len()).collect();
        places.sort_unstable_by(|&a, &b| words(a).cmp(words(b)));
        Self {
            words: places.iter().flat_map(|&place| words(place)).copied().collect(),
            log_probs: places.iter().map(|&place| self.log_probs[place]).collect(),
            backoffs: places.iter().map(|&place| self.backoffs[place]).collect(),
            lines: places.iter().map(|&place| self.lines[place]).collect(),
        }
    }

    /// How many of these n-grams go on each of those one word shorter; both sorted.
    fn children_of(&self, above: &[u32], order: usize) -> Result<Vec<u32>, String> {
        let mut counts = vec![0; above.len() / (order - 1)];
        let mut place = 0;
        let mut before: &[u32] = &[];
        for (ngram, line) in self.words.chunks_exact(order).zip(&self.lines) {
            if ngram == before {
                return Err(format!("line {line}: this {order}-gram is listed twice"));
            }
            before = ngram;
            let context = &ngram[..order - 1];
            let contexts = above.chunks_exact(order - 1).skip(place);
            place += contexts.take_while(|&other| other < context).count();
            match above.chunks_exact(order - 1).nth(place) {
                Some(found) if found == context => counts[place] += 1,
                _ => {
                    return Err(format!(
                        "line {line}: the first words of this {order}-gram are not among the \
                         {}-grams",
                        order - 1
                    ));
                }
            }
        }
        Ok(counts)
    }
}

impl Tables {
    /// `words` ascend and have the ids of their places.
    pub(super) fn new(words: &[impl AsRef<[u8]>], markup: Markup, levels: Vec<Level>) -> Self {
        let log_prob = |id: WordId| match markup.contains(id) {
            true => f32::MIN,
            false => levels[0].log_probs.get(id.0 as usize),
        };
        Self { lexicon: PrefixTrie::new(words, log_prob), markup, levels }
    }
}

impl Lines<'_> {
    fn error(&self, reason: impl std::fmt::Display) -> String {
        format!("line {}: {reason}", self.number)
    }

    fn truncated(&self, place: &str) -> String {
        format!("ends after line {} in the section {place}; it is truncated", self.number)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let line = self.rest.next()?.trim();
            self.number += 1;
            if !line.is_empty() {
                return Some(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::ARPA;
    use super::*;

    /// The error for the sample with `from` replaced by `to`.
    fn error(from: &str, to: &str) -> String {
        assert!(ARPA.contains(from), "{from}");
        parse(ARPA.replacen(from, to, 1).as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases = [
            ("ngram 1=7", "ngram 1=8", "line 16: the 1-grams end after 7; the header announces 8"),
            ("ngram 2=6", "ngram 2=5", "line 24: the 2-grams end after 6; the header announces 5"),
            ("ngram 2=6", "ngram 2=x", "line 4: \"x\" is no number of n-grams"),
            (
                "ngram 3=3",
                "ngram 4=3",
                "line 5: an order of \"4\"; expected orders from 1 to 5 at most, in sequence",
            ),
            ("ngram 1=7\nngram 2=6\nngram 3=3", "", "line 5: the header announces no 1-grams"),
            (
                "\\2-grams:",
                "\\3-grams:",
                "line 16: \"\\\\3-grams:\"; expected a 1-gram or \\2-grams:",
            ),
            ("\\end\\", "", "ends after line 29 in the section \\3-grams:; it is truncated"),
            ("-0.7\tA\t", "0.7\tA\t", "line 11: a log-probability of 0.7; it must not be positive"),
            ("-0.7\tA\t", "x\tA\t", "line 11: \"x\" is not a number"),
            ("-0.7\tA\t", "nan\tA\t", "line 11: nan is not a finite number"),
            ("\tA\t-0.3", "\tA\tinf", "line 11: inf is not a finite number"),
            ("\tA\t-0.3", "\tA\t-0.3\t7", "line 11: \"7\" after the back-off"),
            ("-0.8\tB", "-0.8\tA", "line 12: \"A\" is listed twice"),
            ("-0.5\tA B", "-0.5\tA", "line 19: \"0.1\" is not among the 1-grams"),
            ("-0.4\tA </s>", "-0.4\tA", "line 20: 1 words; expected 2"),
            ("-0.6\t<s> B", "-0.6\t<s> C", "line 18: \"C\" is not among the 1-grams"),
            ("-0.6\t<s> B", "-0.6\t<s> A", "line 18: this 2-gram is listed twice"),
            (
                "-0.25\tA B AB",
                "-0.25\tB A B",
                "line 26: the first words of this 3-gram are not among the 2-grams",
            ),
            (
                "-0.1\t<s> A B",
                "-0.1\t<s> A B\t-1",
                "line 25: \"-1\" after the words; the longest n-grams have no back-off",
            ),
            ("<s>\t", "<S>\t", "line 17: \"<s>\" is not among the 1-grams"),
            ("\t</s>", "\tEND", "line 20: \"</s>\" is not among the 1-grams"),
        ];
        for (from, to, expected) in cases {
            assert_eq!(error(from, to), expected, "{from:?} {to:?}");
        }
        assert_eq!(parse(b"").unwrap_err(), "has no line \\data\\; it is not an ARPA file");
        assert_eq!(
            parse(b"\\data\\\nngram 1=1\n").unwrap_err(),
            "ends after line 2 in the section header; it is truncated"
        );
        assert_eq!(
            parse(b"\\data\\\n\xff").unwrap_err(),
            "line 2 is not UTF-8 text; give an ARPA file, or one in the compact form"
        );
        let long = "A".repeat(256);
        assert_eq!(
            error("\tBA\n", &format!("\t{long}\n")),
            "line 14: a word of 256 bytes; at most 255 are taken"
        );
    }

    #[test]
    fn what_other_tools_write_is_read() {
        let plain = parse(ARPA.as_bytes()).unwrap();
        assert_eq!(
            parse(format!("\u{feff}{}", ARPA.replace('\n', "\r\n")).as_bytes()).unwrap(),
            plain
        );
        let unlikely = |text: &str| ARPA.replacen("-0.7\tA\t", &format!("{text}\tA\t"), 1);
        let never = parse(unlikely("-99").as_bytes()).unwrap();
        assert_eq!(parse(unlikely("-inf").as_bytes()).unwrap(), never);
    }

    #[test]
    fn a_closed_vocabulary_is_opened() {
        let lines = ARPA.lines().filter(|line| !line.contains("<unk>"));
        let closed = lines.collect::<Vec<_>>().join("\n").replacen("ngram 1=7", "ngram 1=6", 1);
        let tables = parse(closed.as_bytes()).unwrap();
        let unknown = tables.markup.unknown.0 as usize;
        let rarest =
            (0..7).map(|word| tables.levels[0].log_probs.get(word)).filter(|p| *p > -200.0);
        assert_eq!(tables.levels[0].log_probs.get(unknown), rarest.fold(0.0, f32::min));
    }

    #[test]
    fn any_cut_is_noticed() {
        for end in 0..ARPA.trim_end().len() {
            assert!(parse(&ARPA.as_bytes()[..end]).is_err(), "{end}");
        }
    }
}
