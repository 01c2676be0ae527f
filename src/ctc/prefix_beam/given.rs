//! The path of a given text.

use super::PrefixBeam;
use crate::ctc::forced_alignment::{AlignedLabel, ForcedAlignment, Variants};
use crate::ctc::pronouncer::spell_word;
use crate::ctc::{Frames, Outcome, Path, Token};
use crate::spelling::Speller;
use crate::tokens::{TokenId, TokenTable};

impl PrefixBeam {
    /// The path of a text, scored as if the search had found it; its words need not be in the language model.
    /// `None` if the tokens can't spell it, no rule pronounces a word, or the frames are too few.
    pub fn path_of_text(
        &self,
        words: &[String],
        tokens: &TokenTable,
        frames: Frames,
    ) -> Option<Path> {
        let speller = Speller::new(tokens);
        let spell = |word: &String| speller.spell(word).ok();
        let spelled: Vec<Vec<TokenId>> = words.iter().map(spell).collect::<Option<_>>()?;
        let variants: Vec<Variants> =
            match self.pronunciations.as_ref().filter(|_| self.hears_phones) {
                Some(pronunciations) => {
                    let phones = |word: &String| -> Variants {
                        let variants = pronunciations.of_word(word).into_iter();
                        let labels =
                            |phones: Vec<u8>| phones.into_iter().map(|id| TokenId(id.into()));
                        variants.map(|phones| labels(phones).collect()).collect()
                    };
                    words.iter().map(phones).collect()
                }
                None => self.as_spelled(&spelled, &speller),
            };
        if variants.iter().any(Vec::is_empty) {
            return None;
        }
        let first = if self.hears_phones { self.tokens } else { 0 };
        let rows = frames.rows().map(|row| &row[first.min(row.len())..]);
        let alignment = ForcedAlignment::new(&variants, rows, self.blank_now())?;
        let mut state = self.fusion.begin();
        for (word, spelled) in words.iter().zip(&spelled) {
            state = self.fusion.advance_text(&state, word, spelled.iter().copied());
        }
        let mut path = Path {
            tokens: self.aligned(&alignment.labels, &spelled, &speller, frames.places),
            stable: 0,
            score: alignment.sum + self.fusion.finish(&state),
            outcome: Outcome::Unrestricted,
        };
        if self.rescores() {
            self.fusion.rescore(std::slice::from_mut(&mut path));
        }
        Some(path)
    }

    /// The words' tokens as labels, with a boundary before all but the first.
    fn as_spelled(&self, spelled: &[Vec<TokenId>], speller: &Speller) -> Vec<Variants> {
        let boundary = speller.boundary();
        let labels = |(index, tokens): (usize, &Vec<TokenId>)| {
            let before = boundary.filter(|_| index > 0);
            vec![before.into_iter().chain(tokens.iter().copied()).collect()]
        };
        spelled.iter().enumerate().map(labels).collect()
    }

    /// The tokens of the words, where their labels are.
    fn aligned(
        &self,
        labels: &[AlignedLabel],
        spelled: &[Vec<TokenId>],
        speller: &Speller,
        places: &[u64],
    ) -> Vec<Token> {
        let mut tokens = Vec::new();
        for labels in labels.chunk_by(|a, b| a.word == b.word) {
            let token = |label: &AlignedLabel| Token {
                id: label.id,
                frame: places[label.frame],
                log_prob: label.log_prob,
            };
            let said: Vec<Token> = labels.iter().map(token).collect();
            if !self.hears_phones {
                tokens.extend(said);
                continue;
            }
            let (word, last) = (labels[0].word, said[said.len() - 1]);
            tokens.extend(spell_word(spelled[word].iter().copied(), &said));
            let boundary = |id| Token { id, frame: last.frame, log_prob: 0.0 };
            tokens.extend(speller.boundary().map(boundary));
        }
        tokens
    }
}
