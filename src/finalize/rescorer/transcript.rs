//! The decoder's text, in words as a search writes them.

use std::collections::BTreeMap;

use super::regions::matches;
use crate::acoustic::decoder::PieceTable;

/// The decoder's text of an utterance.
#[derive(Clone, Debug)]
pub(super) struct Transcript {
    /// Stretches between spaces that have words, each with its pieces, marks included.
    stretches: Vec<Stretch>,
    /// The natural log-probabilities of its pieces and its end, once they are computed.
    pub log_probs: Vec<f32>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Stretch {
    pieces: Vec<usize>,
    /// In upper case and as they are spoken; several in "well-known", none before the first letter.
    words: Vec<String>,
    /// Whether a sentence ends with it.
    ends_sentence: bool,
}

/// The marks after which a sentence begins.
const SENTENCE_ENDS: [char; 3] = ['.', '?', '!'];

impl Transcript {
    /// `spoken` are words that the decoder abbreviates.
    pub fn new(
        written: Vec<usize>,
        pieces: &PieceTable,
        spoken: &BTreeMap<String, String>,
    ) -> Self {
        let mut stretches: Vec<(Vec<usize>, String)> = Vec::new();
        for piece in written {
            let text = pieces.text(piece);
            match stretches.last_mut() {
                Some((before, joined)) if !text.starts_with(' ') => {
                    before.push(piece);
                    joined.push_str(text);
                }
                _ => stretches.push((vec![piece], text.to_owned())),
            }
        }
        let mut all: Vec<Stretch> = Vec::new();
        for (pieces, text) in stretches {
            let words = words_of(&text, spoken);
            let ends_sentence = text.trim_end_matches('"').ends_with(SENTENCE_ENDS);
            match all.last_mut() {
                Some(before) if words.is_empty() => {
                    before.pieces.extend(pieces);
                    before.ends_sentence |= ends_sentence;
                }
                _ => all.push(Stretch { pieces, words, ends_sentence }),
            }
        }
        Self { stretches: all, log_probs: Vec::new() }
    }

    pub fn words(&self) -> Vec<String> {
        self.stretches.iter().flat_map(|stretch| &stretch.words).cloned().collect()
    }

    pub fn pieces(&self) -> Vec<usize> {
        self.stretches.iter().flat_map(|stretch| &stretch.pieces).copied().collect()
    }

    /// The pieces of other words: as the decoder wrote those that are also in its text, the others in small
    /// letters but at a sentence's beginning.
    pub fn pieces_of(&self, words: &[String], pieces: &PieceTable) -> Vec<usize> {
        let own = self.words();
        let matches = matches(words, &own);
        // The stretches all of whose words are in the other text in sequence, by the first one's place there.
        let mut kept: BTreeMap<usize, &Stretch> = BTreeMap::new();
        let mut first = 0;
        for stretch in &self.stretches {
            let count = stretch.words.len();
            let place = matches.iter().position(|&(_, at)| at == first);
            if let Some(place) = place.filter(|_| count > 0) {
                let start = matches[place].0;
                let is_whole = |index: usize| {
                    matches.get(place + index) == Some(&(start + index, first + index))
                };
                if (0..count).all(is_whole) {
                    kept.insert(start, stretch);
                }
            }
            first += count;
        }
        let (mut found, mut at, mut begins) = (Vec::new(), 0, true);
        while at < words.len() {
            if let Some(stretch) = kept.get(&at) {
                found.extend(&stretch.pieces);
                begins = stretch.ends_sentence;
                at += stretch.words.len();
            } else {
                found.extend(pieces.encode(&format!(" {}", in_text(&words[at], begins))));
                begins = false;
                at += 1;
            }
        }
        found
    }
}

/// A word of a search as it stands in a text.
fn in_text(word: &str, begins_sentence: bool) -> String {
    let is_letter = word.len() == 1 && word != "A";
    let mut rest = word.chars();
    match rest.next() {
        Some(first) if begins_sentence || is_letter || word.starts_with("I'") => {
            first.to_string() + &rest.as_str().to_lowercase()
        }
        _ => word.to_lowercase(),
    }
}

/// The words of a text, in upper case and as they are spoken.
fn words_of(text: &str, spoken: &BTreeMap<String, String>) -> Vec<String> {
    let mut words = vec![String::new()];
    for character in text.chars() {
        let word = words.len() - 1;
        match character {
            '’' => words[word].push('\''),
            c if c.is_alphanumeric() || c == '\'' => words[word].extend(c.to_uppercase()),
            _ => words.push(String::new()),
        }
    }
    let words = words.iter().map(|word| word.trim_matches('\''));
    let words = words.map(|word| spoken.get(word).map_or(word, String::as_str));
    words.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECES: &str = "<start>\nĠMr\n.\nĠBro\nwn\n’s\nĠwell\n-\nknown\nĠ\"\nĠ\n\"\nĠd\nog\nd\no\ng\nĠD\nĠI\n'm\n'\nm\nw\ne\nl\nĠw\nĠwe\nĠwel";

    fn pieces() -> PieceTable {
        PieceTable::parse(PIECES).unwrap()
    }

    fn ids(texts: &[&str]) -> Vec<usize> {
        let lines: Vec<_> = PIECES.lines().map(|line| line.replace('Ġ', " ")).collect();
        texts.iter().map(|text| lines.iter().position(|line| line == text).unwrap()).collect()
    }

    fn transcript(texts: &[&str]) -> Transcript {
        let spoken = BTreeMap::from([("MR".to_owned(), "MISTER".to_owned())]);
        Transcript::new(ids(texts), &pieces(), &spoken)
    }

    fn pieces_of(transcript: &Transcript, text: &str) -> Vec<usize> {
        let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        transcript.pieces_of(&words, &pieces())
    }

    #[test]
    fn words_are_as_they_are_spoken() {
        let found =
            transcript(&[" Mr", ".", " Bro", "wn", "’s", " well", "-", "known", " \"", " d", "og"]);
        assert_eq!(found.words(), ["MISTER", "BROWN'S", "WELL", "KNOWN", "DOG"]);
        assert_eq!(transcript(&[" \"", "."]).words(), [""; 0]);
        assert_eq!(transcript(&[]).words(), [""; 0]);
    }

    #[test]
    fn what_a_text_has_in_common_is_written_alike() {
        let found = transcript(&[" well", "-", "known", ".", " d", "og", "."]);
        assert_eq!(pieces_of(&found, "WELL KNOWN DOG"), found.pieces());
        // A stretch is whole or spelled anew.
        let expected = [pieces().encode(" Well"), ids(&[" d", "og", "."])].concat();
        assert_eq!(pieces_of(&found, "WELL DOG"), expected);
        // A word that is new begins a sentence, or does not.
        assert_eq!(
            pieces_of(&found, "WELL KNOWN D"),
            [&found.pieces()[..4], &ids(&[" D"])].concat()
        );
        assert_eq!(
            pieces_of(&found, "DOG I'M DOG"),
            [pieces().encode(" Dog"), ids(&[" I", "'m"]), ids(&[" d", "og", "."])].concat()
        );
    }
}
