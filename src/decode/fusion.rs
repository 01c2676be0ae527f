//! What a language model adds to the scores of token sequences, word by word (shallow fusion), and
//! what hotwords add.

use std::sync::Arc;

use super::context::{ContextGraph, ContextState, Hotword};
use super::hotword_vocabulary::HotwordVocabulary;
use super::rescoring::Rescoring;
use super::{Path, Token};
use crate::error::{Error, Result};
use crate::lexicon::tokens::TokenTable;
use crate::lm::{Continuations, LmState, NgramModel, TrieNode, WordId};

/// An n-gram model and how much it counts. A word scores
/// `weight · ln P(word | words before) + word_insertion_bonus`, an unknown one `oov_penalty` less per letter
/// unless it stands in a hotword or a user has added it.
#[derive(Clone, Debug, PartialEq)]
pub struct LmFusion {
    /// The words, spelled as the acoustic model's tokens spell them.
    pub ngrams: NgramModel,
    /// What its natural log-probabilities are multiplied by; at least 0.
    pub weight: f32,
    /// What every word adds; above 0 it makes up for the weight's preference for few words.
    pub word_insertion_bonus: f32,
    /// What each letter of a word costs that the model does not have, besides `<unk>`'s
    /// log-probability. Per letter, as the log-probability of a spelling is, so that words are not
    /// run together to be unknown only once.
    pub oov_penalty: f32,
    /// What rescores the hypotheses of finals, where no part of them was reported as stable: after a
    /// second pass, and in the chunks for files, without
    /// [`PrefixBeamConfig::max_unstable_frames`](super::PrefixBeamConfig::max_unstable_frames) and grammar.
    pub rescoring: Option<Rescoring>,
}

/// Scores token sequences, one token after another.
#[derive(Debug)]
pub(super) struct Fusion {
    language_model: Option<LmFusion>,
    /// The spellings of words that a user has added.
    user_words: Arc<[String]>,
    context: ContextGraph,
    listed: HotwordVocabulary,
    /// Each token's bytes, [`BOUNDARY`] for a word boundary.
    spellings: Vec<Box<[u8]>>,
    /// The most that one token can add for beginning words.
    most_bonus: f64,
}

/// What a token sequence has scored so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct FusionState {
    words: LmState,
    /// The unfinished word: the root before its first letter, nothing if no known word begins so.
    unfinished: Option<TrieNode>,
    /// The same among the words of hotwords.
    listed: Option<TrieNode>,
    /// Its letters.
    letters: u16,
    /// The score of the finished words.
    finished_score: f64,
    /// What the unfinished word is taken to score until it ends: as the likeliest that begins so.
    unfinished_score: f64,
    context: ContextState,
}

/// What the scores of a token sequence's continuations depend on, between words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RecombinationKey {
    words: LmState,
    context: u32,
}

/// What an unknown word of a given text costs: found together with the weights of attention rescoring.
const UNKNOWN_PENALTY: f64 = 4.0;

/// A byte that no token has, since tokens are lines.
pub(super) const BOUNDARY: u8 = b'\n';

impl Fusion {
    /// # Errors
    ///
    /// [`Error::Config`] for weights out of their range, and for words that the tokens can't spell.
    pub fn new(
        language_model: Option<LmFusion>,
        hotwords: &[Hotword],
        user_words: Arc<[String]>,
        tokens: &TokenTable,
    ) -> Result<Self> {
        let ids = (0..tokens.len() as u32).map(crate::lexicon::tokens::TokenId);
        let spellings: Vec<Box<[u8]>> = ids.map(|id| spell(tokens.token(id))).collect();
        let mut most_bonus = 0.0;
        if let Some(model) = &language_model {
            model.check()?;
            model.check_spelling(&spellings)?;
            let boundaries = |bytes: &[u8]| bytes.iter().filter(|&&b| b == BOUNDARY).count();
            let most = spellings.iter().map(|bytes| boundaries(bytes)).max().unwrap_or(0) + 1;
            most_bonus = most as f64 * f64::from(model.word_insertion_bonus.max(0.0));
        }
        let context = ContextGraph::new(hotwords, tokens)?;
        let listed = HotwordVocabulary::new(hotwords, &user_words, tokens)?;
        Ok(Self { language_model, user_words, context, listed, spellings, most_bonus })
    }

    /// The state before the first token.
    pub fn begin(&self) -> FusionState {
        let root = Some(TrieNode::ROOT);
        let model = self.language_model.as_ref();
        FusionState {
            words: model.map_or(LmState::NONE, |model| model.ngrams.begin()),
            unfinished: root,
            listed: root,
            letters: 0,
            finished_score: 0.0,
            unfinished_score: model.map_or(0.0, |model| model.unfinished_score(root, root, 0)),
            context: self.context.begin(),
        }
    }

    /// The state one token on.
    pub fn advance(
        &self,
        state: &FusionState,
        token: crate::lexicon::tokens::TokenId,
    ) -> FusionState {
        let mut state = *state;
        let spelling = &self.spellings[token.0 as usize];
        let advance = |context, &byte: &u8| self.context.advance(context, byte);
        let context = spelling.iter().fold(state.context, advance);
        state.context = context;
        let Some(model) = &self.language_model else { return state };
        for &byte in spelling {
            if byte == BOUNDARY {
                state = model.end_word(&state, &self.listed);
            } else {
                state.listed = state.listed.and_then(|node| self.listed.extend(node, byte));
                let longer = state.unfinished.and_then(|node| model.ngrams.extend(node, byte));
                state.unfinished = longer;
                state.letters = state.letters.saturating_add(u16::from(begins_letter(byte)));
            }
        }
        state.unfinished_score =
            model.unfinished_score(state.unfinished, state.listed, state.letters);
        state
    }

    /// The state a word of the language model on, with the boundary after it: that of
    /// [`Fusion::advance`] with its tokens and a boundary, for a state between words.
    pub fn advance_word(
        &self,
        state: &FusionState,
        word: WordId,
        tokens: impl Iterator<Item = crate::lexicon::tokens::TokenId>,
    ) -> FusionState {
        self.advance_after(state, &self.continuations(state), word, tokens)
    }

    /// The same for a state whose words may go on so, as [`Fusion::continuations`] gives it.
    pub fn advance_after(
        &self,
        state: &FusionState,
        found: &Continuations,
        word: WordId,
        tokens: impl Iterator<Item = crate::lexicon::tokens::TokenId>,
    ) -> FusionState {
        let mut state = *state;
        state.context = self.context_after(state.context, tokens);
        if let Some(model) = &self.language_model {
            model.score_word(&mut state, found, word, 0.0);
        }
        state
    }

    /// How the words of a state may go on.
    pub fn continuations(&self, state: &FusionState) -> Continuations {
        let find = |model: &LmFusion| model.ngrams.continuations(&state.words);
        self.language_model.as_ref().map(find).unwrap_or_default()
    }

    /// The hotwords' state a word and a boundary on.
    fn context_after(
        &self,
        context: ContextState,
        tokens: impl Iterator<Item = crate::lexicon::tokens::TokenId>,
    ) -> ContextState {
        if !self.has_hotwords() {
            return context;
        }
        let bytes = tokens.flat_map(|token| self.spellings[token.0 as usize].iter().copied());
        let advance = |context, byte| self.context.advance(context, byte);
        bytes.chain([BOUNDARY]).fold(context, advance)
    }

    /// The state a word of a given text on. One that neither the language model nor a list has scores as
    /// `<unk>`, less [`UNKNOWN_PENALTY`].
    pub fn advance_text(
        &self,
        state: &FusionState,
        word: &str,
        tokens: impl Iterator<Item = crate::lexicon::tokens::TokenId>,
    ) -> FusionState {
        let Some(model) = self.ngrams() else {
            return self.advance_word(state, WordId(0), tokens);
        };
        let id = model.word_id(word);
        let mut state = self.advance_word(state, id.unwrap_or(model.unknown()), tokens);
        if id.is_none() && !self.listed.has(word) {
            state.finished_score -= UNKNOWN_PENALTY;
        }
        state
    }

    /// The score that an unfinished word is assumed to add, whose likeliest completion has this unigram
    /// log-probability (language model look-ahead).
    pub fn lookahead(&self, unigram: f32) -> f32 {
        let lookahead = |model: &LmFusion| model.weight * unigram + model.word_insertion_bonus;
        self.language_model.as_ref().map_or(0.0, lookahead)
    }

    /// The same before a word begins.
    pub fn root_lookahead(&self) -> f32 {
        let root = Some(TrieNode::ROOT);
        let lookahead = |model: &LmFusion| model.unfinished_score(root, root, 0) as f32;
        self.language_model.as_ref().map_or(0.0, lookahead)
    }

    /// The unigram log-probability of a word that may be said, one that the language model has, or a
    /// hotword; and which of the model's words it is. Without a language model 0 for every word.
    pub fn unigram(&self, word: &str) -> Option<(f32, Option<WordId>)> {
        let Some(LmFusion { ngrams, .. }) = &self.language_model else {
            return Some((0.0, None));
        };
        match ngrams.word_id(word) {
            Some(id) => Some((ngrams.score(&LmState::NONE, id).0, Some(id))),
            None => self.listed.has(word).then(|| (ngrams.unknown_unigram(), None)),
        }
    }

    /// The words that have a [`Fusion::unigram`], if there is a language model; hotwords may come twice.
    pub fn known_words(&self) -> impl Iterator<Item = String> {
        let model = self.language_model.iter().flat_map(|model| model.ngrams.words());
        self.listed.words().chain(model)
    }

    /// The number of [`Fusion::known_words`].
    pub fn known_word_count(&self) -> usize {
        let model = self.language_model.as_ref().map_or(0, |model| model.ngrams.word_count());
        self.listed.words().count() + model
    }

    /// The language model's n-grams.
    pub fn ngrams(&self) -> Option<&NgramModel> {
        self.language_model.as_ref().map(|model| &model.ngrams)
    }

    /// What ranks finals anew.
    pub fn rescoring(&self) -> Option<&Rescoring> {
        self.language_model.as_ref()?.rescoring.as_ref()
    }

    /// Whether hotwords have words that neither the language model has nor a user has added.
    pub fn lists_unknown_words(&self) -> bool {
        let is_known =
            |word: &str| self.ngrams().is_some_and(|model| model.word_id(word).is_some());
        self.listed.words().any(|word| !is_known(&word) && !self.user_words.contains(&word))
    }

    /// What the scores from here on depend on, if no word is unfinished.
    pub fn future(&self, state: &FusionState) -> RecombinationKey {
        RecombinationKey { words: state.words, context: state.context.node() }
    }

    /// Whether there are hotwords at all.
    pub fn has_hotwords(&self) -> bool {
        !self.context.is_empty()
    }

    /// Whether a token goes on with the letters of a hotword.
    pub fn spells_hotword(
        &self,
        state: &FusionState,
        token: crate::lexicon::tokens::TokenId,
    ) -> bool {
        let advance = |context, &byte: &u8| self.context.advance(context, byte);
        let after = self.spellings[token.0 as usize].iter().fold(state.context, advance);
        after.score() > state.context.score()
    }

    /// The same language model with other hotwords.
    pub fn with_hotwords(&self, hotwords: &[Hotword], tokens: &TokenTable) -> Result<Self> {
        Self::new(self.language_model.clone(), hotwords, self.user_words.clone(), tokens)
    }

    /// The score of the whole sequence if it ends here: the last word's and the sentence's end
    /// included.
    pub fn finish(&self, state: &FusionState) -> f64 {
        let hotwords = self.context.finish(&state.context);
        let Some(model) = &self.language_model else { return hotwords };
        let state = model.end_word(state, &self.listed);
        hotwords + state.finished_score + f64::from(model.weight * model.ngrams.end(&state.words))
    }

    /// Adds to the score of whole utterances what another judgement of their words makes of it.
    pub fn rescore(&self, paths: &mut [Path]) {
        let Some(model) = &self.language_model else { return };
        let Some(rescoring) = &model.rescoring else { return };
        let mut rescorer = rescoring.rescorer(&model.ngrams);
        for path in paths {
            let words = self.words(&path.tokens);
            path.score += f64::from(model.weight) * rescorer.gain(&words);
        }
    }

    /// The words that tokens spell.
    fn words(&self, tokens: &[Token]) -> Vec<String> {
        let bytes = tokens.iter().flat_map(|token| self.spellings[token.id.0 as usize].iter());
        let bytes: Vec<u8> = bytes.copied().collect();
        let words = bytes.split(|&byte| byte == BOUNDARY).filter(|word| !word.is_empty());
        words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    /// No less than the score of any state one token on.
    pub fn bound(&self, state: &FusionState) -> f64 {
        state.finished_score + self.most_bonus + self.context.bound(&state.context)
    }
}

impl FusionState {
    /// Takes out what the finished words have scored; gives it and what is left.
    pub fn without_credit(self) -> (f64, Self) {
        let (hotwords, context) = self.context.without_credit();
        (self.finished_score + hotwords, Self { finished_score: 0.0, context, ..self })
    }

    /// The score by which sequences that may go on are compared.
    pub fn score(&self) -> f64 {
        self.finished_score + self.unfinished_score + self.context.score()
    }
}

impl LmFusion {
    /// Weights that were tuned for `en-small`; others want others.
    pub fn new(ngrams: NgramModel) -> Self {
        Self { ngrams, weight: 0.6, word_insertion_bonus: 2.1, oov_penalty: 1.5, rescoring: None }
    }

    fn check(&self) -> Result<()> {
        let Self { weight, word_insertion_bonus, oov_penalty, .. } = *self;
        if let Some(rescoring) = &self.rescoring {
            rescoring.check()?;
        }
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(Error::Config(format!(
                "a language model weight of {weight}; it must be a number from 0 on"
            )));
        }
        match [("word bonus", word_insertion_bonus), ("out-of-vocabulary penalty", oov_penalty)]
            .into_iter()
            .find(|(_, value)| !value.is_finite())
        {
            Some((name, value)) => {
                Err(Error::Config(format!("a {name} of {value}; it must be a finite number")))
            }
            None => Ok(()),
        }
    }

    fn check_spelling(&self, spellings: &[Box<[u8]>]) -> Result<()> {
        let mut known = [false; 256];
        spellings.iter().flatten().for_each(|&byte| known[usize::from(byte)] = true);
        let (spelled, words) = self.ngrams.count_spelled(&known);
        log::info!("language model: {spelled} of {words} words can be spelled by the tokens");
        if spelled > 0 {
            return Ok(());
        }
        Err(Error::Config(format!(
            "none of the language model's {words} words can be spelled by the acoustic model's \
             tokens; are they in the same case?"
        )))
    }

    /// Adds the unfinished word's score, if it has letters.
    fn end_word(&self, state: &FusionState, listed: &HotwordVocabulary) -> FusionState {
        if state.letters == 0 {
            return *state;
        }
        let known = state.unfinished.and_then(|node| self.ngrams.word_at(node));
        let is_known = known.is_some() || state.listed.is_some_and(|node| listed.has_word_at(node));
        let penalty = if is_known { 0.0 } else { self.penalty(state.letters) };
        let root = Some(TrieNode::ROOT);
        let mut state = FusionState {
            unfinished: root,
            listed: root,
            letters: 0,
            unfinished_score: self.unfinished_score(root, root, 0),
            ..*state
        };
        let found = self.ngrams.continuations(&state.words);
        self.score_word(&mut state, &found, known.unwrap_or(self.ngrams.unknown()), penalty);
        state
    }

    fn score_word(
        &self,
        state: &mut FusionState,
        found: &Continuations,
        word: WordId,
        penalty: f32,
    ) {
        let (log_prob, words) = self.ngrams.score_after(found, word);
        state.words = words;
        state.finished_score +=
            f64::from(self.weight * log_prob + self.word_insertion_bonus - penalty);
    }

    fn penalty(&self, letters: u16) -> f32 {
        self.oov_penalty * f32::from(letters)
    }

    fn unfinished_score(
        &self,
        unfinished: Option<TrieNode>,
        listed: Option<TrieNode>,
        letters: u16,
    ) -> f64 {
        f64::from(match unfinished {
            Some(TrieNode::ROOT) => self.weight * self.ngrams.best_below(TrieNode::ROOT),
            Some(node) => self.weight * self.ngrams.best_below(node) + self.word_insertion_bonus,
            None => {
                let penalty = if listed.is_some() { 0.0 } else { self.penalty(letters) };
                self.weight * self.ngrams.unknown_unigram() + self.word_insertion_bonus - penalty
            }
        })
    }
}

/// Whether a byte of UTF-8 is a character's first.
fn begins_letter(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

fn spell(token: &str) -> Box<[u8]> {
    let mut bytes = Vec::new();
    for character in token.chars() {
        if character == TokenTable::WORD_BOUNDARY {
            bytes.push(BOUNDARY);
        } else {
            bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    bytes.into()
}
