//! The path of a given text.

use super::forced_alignment::{AlignedLabel, ForcedAlignment, Variants};
use super::fusion::Fusion;
use super::lexicon_tree::spell_word;
use super::{Frames, GrammarMatch, Path, Token};
use crate::lexicon::Lexicon;
use crate::lexicon::speller::Speller;
use crate::lexicon::tokens::{TokenId, TokenTable};

/// What scores a text that another model gives as a search would.
pub(super) struct GivenText<'a> {
    pub fusion: &'a Fusion,
    /// How words are said, where the search goes through phones.
    pub lexicon: Option<&'a Lexicon>,
    pub tokens: &'a TokenTable,
    /// Whether the search's finals are rescored.
    pub rescores: bool,
}

impl GivenText<'_> {
    /// The path of a text, scored as if the search had found it; its words need not be in the language model.
    /// `None` if the tokens can't spell it, no rule pronounces a word, or the frames are too few.
    pub fn path(&self, words: &[String], frames: Frames) -> Option<Path> {
        let tokens = self.tokens;
        let speller = Speller::new(tokens);
        let spell = |word: &String| speller.spell(word).ok();
        let spelled: Vec<Vec<TokenId>> = words.iter().map(spell).collect::<Option<_>>()?;
        let variants: Vec<Variants> = match self.lexicon {
            Some(lexicon) => {
                let labels =
                    |phones: Vec<u8>| phones.into_iter().map(|id| TokenId(id.into())).collect();
                let phones = |word: &String| -> Variants {
                    lexicon.of_word(word).into_iter().map(labels).collect()
                };
                words.iter().map(phones).collect()
            }
            None => as_spelled(&spelled, &speller),
        };
        if variants.iter().any(Vec::is_empty) {
            return None;
        }
        // The phones' columns come behind the tokens', and their blank is the first of them.
        let (first, blank) = match self.lexicon {
            Some(_) => (tokens.len(), TokenId(0)),
            None => (0, tokens.blank()),
        };
        let rows = frames.rows().map(|row| &row[first.min(row.len())..]);
        let alignment = ForcedAlignment::new(&variants, rows, blank)?;
        let mut state = self.fusion.begin();
        for (word, spelled) in words.iter().zip(&spelled) {
            state = self.fusion.advance_text(&state, word, spelled.iter().copied());
        }
        let mut path = Path {
            tokens: self.aligned(&alignment.labels, &spelled, &speller, frames.places),
            stable: 0,
            score: alignment.sum + self.fusion.finish(&state),
            outcome: GrammarMatch::Unrestricted,
        };
        if self.rescores {
            self.fusion.rescore(std::slice::from_mut(&mut path));
        }
        Some(path)
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
            if self.lexicon.is_none() {
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

/// The words' tokens as labels, with a boundary before all but the first.
fn as_spelled(spelled: &[Vec<TokenId>], speller: &Speller) -> Vec<Variants> {
    let boundary = speller.boundary();
    let labels = |(index, tokens): (usize, &Vec<TokenId>)| {
        let before = boundary.filter(|_| index > 0);
        vec![before.into_iter().chain(tokens.iter().copied()).collect()]
    };
    spelled.iter().enumerate().map(labels).collect()
}
