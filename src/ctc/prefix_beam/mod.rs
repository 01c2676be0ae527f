//! The likeliest token sequences, each with all its alignments, one encoder frame at a time.
//!
//! Prefix beam search as in Hannun et al., "First-Pass Large Vocabulary Continuous Speech
//! Recognition using Bi-Directional Recurrent DNNs" (2014, arXiv 1408.2873): alignments that end in
//! a blank and those that end in the last token are summed apart. The times of the tokens are those
//! of the best alignment.

use std::sync::Arc;

use super::alignments::{Alignments, Start};
use super::arena::Arena;
use super::entry::{Candidate, Entry, Text};
use super::fusion::Fusion;
use super::prefix_beam_config::PrefixBeamConfig;
use super::prefix_tree::{Prefix, PrefixTree, Step};
use super::pronouncer::{Pronouncer, SpelledWord};
use super::ranking::{Ranking, Recombination};
use super::restriction::{Bounds, Judge};
use super::{Hotword, Outcome, Path, Restriction, Token};
use crate::grammar::TokenState;
use crate::lexicon::Pronunciations;
use crate::lm::LexiconNode;
use crate::tokens::{TokenId, TokenTable};
use crate::{Error, Result};

/// [`PrefixBeamConfig::score_margin`] at least, with a grammar: what was said is often unlikely beside
/// letters that the grammar does not have.
const RESTRICTED_MARGIN: f64 = 40.0;

/// Follows the likeliest prefixes.
#[derive(Clone, Debug)]
pub(crate) struct PrefixBeam {
    blank: TokenId,
    limits: Limits,
    fusion: Arc<Fusion>,
    /// What counts from the next utterance on.
    next_fusion: Option<Arc<Fusion>>,
    bounds: Bounds,
    /// Those from the next utterance on.
    next_bounds: Option<Bounds>,
    judge: Judge,
    /// The number of tokens; a row's values behind them are of phones.
    tokens: usize,
    pronunciations: Option<Pronunciations>,
    pronouncer: Option<Arc<Pronouncer>>,
    /// That from the next utterance on.
    next_pronouncer: Option<Arc<Pronouncer>>,
    /// Whether this utterance's prefixes are of phones.
    hears_phones: bool,
    prefixes: PrefixTree,
    starts: Arena<Start>,
    beam: Vec<Entry>,
    /// What the next beam is chosen from; here so that its memory is reused, as the lists below.
    candidates: Vec<Candidate>,
    ranking: Ranking,
    likely: Vec<(TokenId, f32)>,
    /// The prefixes of the beam that are another one and a step: that one's place, and the step.
    extended: Vec<(u32, Step)>,
    /// What a prefix becomes with a token.
    successors: Vec<Successor>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    beam: usize,
    token_threshold: f32,
    score_margin: f64,
    max_unstable_frames: Option<u64>,
    nbest: usize,
}

/// A step that a prefix may take, and what it has written then.
#[derive(Clone, Copy, Debug)]
struct Successor {
    step: Step,
    text: Text,
}

/// How much less than [`PrefixBeamConfig::token_threshold`] a letter of a hotword may have to be
/// begun. A rare word has letters that the encoder does not expect; tuned with `en-small`.
const HOTWORD_SLACK: f32 = 3.0;

impl PrefixBeam {
    /// # Errors
    ///
    /// [`Error::Config`] for a value out of its range.
    pub fn new(config: &PrefixBeamConfig, tokens: &TokenTable) -> Result<Self> {
        let &PrefixBeamConfig { beam, token_threshold, score_margin, nbest, .. } = config;
        if beam == 0 {
            return Err(Error::Config("a beam of 0 prefixes; it must be at least 1".to_owned()));
        }
        if token_threshold.is_nan() {
            return Err(Error::Config("a token threshold that is not a number".to_owned()));
        }
        if score_margin.is_nan() || score_margin < 0.0 {
            return Err(Error::Config(format!(
                "a score margin of {score_margin}; it must be at least 0"
            )));
        }
        let mut search = Self {
            blank: tokens.blank(),
            limits: Limits {
                beam,
                token_threshold,
                score_margin: score_margin.into(),
                max_unstable_frames: config.max_unstable_frames,
                nbest,
            },
            fusion: Arc::new(Fusion::new(config.language_model.clone(), &config.hotwords, tokens)?),
            next_fusion: None,
            bounds: Bounds::new(config.restriction.as_ref(), tokens)?,
            next_bounds: None,
            judge: Judge::new(tokens.blank()),
            tokens: tokens.len(),
            pronouncer: None,
            next_pronouncer: None,
            pronunciations: config.pronunciations.clone(),
            hears_phones: false,
            prefixes: PrefixTree::new(),
            starts: Arena::new(),
            beam: Vec::new(),
            candidates: Vec::new(),
            ranking: Ranking::default(),
            likely: Vec::new(),
            extended: Vec::new(),
            successors: Vec::new(),
        };
        search.next_pronouncer = search.pronouncer_of(&search.fusion, tokens)?;
        search.reset();
        Ok(search)
    }

    /// Takes the log-probabilities of one encoder frame, `[tokens]` or `[tokens + phones]`. Returns
    /// whether the likeliest of what is searched is the blank.
    pub fn accept(&mut self, frame: u64, log_probs: &[f32]) -> bool {
        let (tokens, phones) = log_probs.split_at(self.tokens.min(log_probs.len()));
        self.judge.accept(frame, tokens);
        let log_probs = if self.hears_phones { phones } else { tokens };
        let likeliest = self.find_likely(log_probs);
        self.candidates.clear();
        self.stay(log_probs);
        self.extend();
        let recombination = Recombination { fusion: &self.fusion, kept: self.limits.nbest.max(1) };
        let recombination = Some(recombination).filter(|_| self.hears_phones);
        self.ranking.rank(&self.candidates, self.limits.beam, self.score_margin(), recombination);
        self.settle(frame, log_probs);
        self.commit(frame);
        self.forget_unused();
        likeliest == self.blank_now()
    }

    /// The best prefix so far, its last word perhaps unfinished.
    pub fn partial(&self) -> Path {
        let (entry, score) = self.best_now();
        self.path(entry, score)
    }

    /// Whether the best prefix so far has nothing to write, and nothing outside a grammar was heard.
    pub fn is_empty(&self) -> bool {
        let best = self.best_now().0;
        if self.hears_phones {
            // The phones of an unfinished word write nothing.
            return self.prefixes.arena.chain(best.prefix).all(|prefix| prefix.word.is_none());
        }
        self.is_root(best) && (!self.bounds.exist() || self.judge.is_empty())
    }

    /// All prefixes of the beam that may end as utterances that end here, the best first; never
    /// none. The empty prefix, which stands for silence, always may.
    pub fn finals(&self) -> Vec<Path> {
        let may_end = |entry: &&Entry| self.may_end(entry);
        let ends = self.beam.iter().filter(may_end);
        let mut paths: Vec<_> =
            ends.map(|entry| self.path(entry, self.final_score(entry))).collect();
        paths.sort_by(|a, b| b.score.total_cmp(&a.score));
        if paths.is_empty() && self.hears_phones {
            // All were cut off within a word.
            let (entry, score) = self.best_now();
            paths.push(self.path(entry, score));
        }
        if paths.is_empty() {
            let outcome = Outcome::SomethingElse { fit: 0.0 };
            paths.push(Path { tokens: self.judge.heard(), stable: 0, score: 0.0, outcome });
        }
        paths
    }

    /// Begins the next utterance of the same audio: a token that goes on is not given again.
    pub fn start_utterance(&mut self) {
        let scored = self.beam.iter().map(|entry| (entry, self.final_score(entry)));
        let Entry { token, blank, last, .. } = *best(scored).0;
        let all = blank.or(last);
        if all.sum == f64::NEG_INFINITY {
            return self.reset();
        }
        self.judge.start_utterance();
        self.begin(token, blank.relative_to(all), last.relative_to(all));
    }

    /// Whether hotwords or a grammar wait for the next utterance.
    pub fn has_pending(&self) -> bool {
        self.next_fusion.is_some() || self.next_bounds.is_some()
    }

    /// Begins an utterance of other audio.
    pub fn reset(&mut self) {
        self.judge.reset();
        self.begin(None, Alignments { sum: 0.0, best: 0.0, ..Alignments::NONE }, Alignments::NONE);
    }

    /// Takes other hotwords from the next utterance on, which is this one if none has begun.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for one that can't be used; those before stay then.
    pub fn set_hotwords(&mut self, hotwords: &[Hotword], tokens: &TokenTable) -> Result<()> {
        let fusion = self.fusion.with_hotwords(hotwords, tokens)?;
        self.next_pronouncer = self.pronouncer_of(&fusion, tokens)?;
        self.next_fusion = Some(Arc::new(fusion));
        self.begin_anew();
        Ok(())
    }

    /// Takes more hotwords beside those that it has, from the next utterance on, which is this one if none
    /// has begun.
    ///
    /// # Errors
    ///
    /// Those of [`PrefixBeam::set_hotwords`].
    pub fn add_hotwords(&mut self, hotwords: &[Hotword], tokens: &TokenTable) -> Result<()> {
        let all = [self.fusion.hotwords(), hotwords].concat();
        self.set_hotwords(&all, tokens)
    }

    /// Whether a grammar says what may be found.
    pub fn is_restricted(&self) -> bool {
        self.bounds.exist()
    }

    /// Takes another grammar, or none, from the next utterance on, which is this one if none has
    /// begun.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for one that can't be used; that before stays then.
    pub fn set_restriction(
        &mut self,
        restriction: Option<&Restriction>,
        tokens: &TokenTable,
    ) -> Result<()> {
        self.next_bounds = Some(Bounds::new(restriction, tokens)?);
        self.begin_anew();
        Ok(())
    }

    fn pronouncer_of(
        &self,
        fusion: &Fusion,
        tokens: &TokenTable,
    ) -> Result<Option<Arc<Pronouncer>>> {
        let of = |pronunciations| Pronouncer::shared(pronunciations, fusion, tokens);
        self.pronunciations.as_ref().map(of).transpose()
    }

    /// The prefixes and starts held in memory.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.prefixes.arena.len() + self.starts.len()
    }

    /// Takes what counts from the next utterance on, if nothing has been found in this one.
    fn begin_anew(&mut self) {
        let is_root = |entry: &Entry| self.is_root(entry);
        // The letters of a grammar are followed also in silence.
        let is_new = self.beam.iter().all(is_root) || (self.bounds.exist() && self.is_empty());
        if let Some(&Entry { token, blank, last, .. }) =
            self.beam.iter().find(|entry| is_new && self.is_root(entry))
        {
            self.begin(token, blank, last);
        }
    }

    /// Whether the prefix may stand for an utterance that ends here.
    fn may_end(&self, entry: &Entry) -> bool {
        let Text { grammar, said, .. } = entry.text;
        self.is_root(entry) || (self.bounds.end(grammar) && said == LexiconNode::ROOT)
    }

    /// The blank of what is searched; that of the phones is their first.
    fn blank_now(&self) -> TokenId {
        if self.hears_phones { TokenId(0) } else { self.blank }
    }

    fn is_root(&self, entry: &Entry) -> bool {
        self.prefixes.arena.before(entry.prefix) == Arena::<Prefix>::NONE
    }

    fn begin(&mut self, token: Option<TokenId>, blank: Alignments, last: Alignments) {
        if let Some(fusion) = self.next_fusion.take() {
            self.fusion = fusion;
        }
        if let Some(bounds) = self.next_bounds.take() {
            self.bounds = bounds;
        }
        self.pronouncer = self.next_pronouncer.take().or(self.pronouncer.take());
        let hears_phones = self.pronouncer.is_some() && !self.bounds.exist();
        // A token that goes on is known only among its kind.
        let token = token.filter(|_| hears_phones == self.hears_phones);
        let blank = if token.is_some() { blank } else { blank.or(last) };
        let last = if token.is_some() { last } else { Alignments::NONE };
        self.hears_phones = hears_phones;
        self.starts.clear();
        let prefix = self.prefixes.begin(token);
        self.beam.clear();
        let (fusion, grammar) = (self.fusion.begin(), TokenState::START);
        let text = Text { fusion, grammar, said: LexiconNode::ROOT, lookahead: 0.0 };
        self.beam.push(Entry { prefix, token, blank, last, word: None, text });
    }

    /// Notes the tokens that are worth a try, and returns the likeliest; of equals the first.
    fn find_likely(&mut self, log_probs: &[f32]) -> TokenId {
        self.likely.clear();
        let slack = if self.fusion.has_hotwords() { HOTWORD_SLACK } else { 0.0 };
        let least = self.token_threshold() - slack;
        let blank = self.blank_now();
        let mut likeliest = (TokenId(0), f32::NEG_INFINITY);
        for (id, &log_prob) in (0..).map(TokenId).zip(log_probs) {
            if log_prob > likeliest.1 {
                likeliest = (id, log_prob);
            }
            if log_prob >= least && id != blank {
                self.likely.push((id, log_prob));
            }
        }
        likeliest.0
    }

    /// The least log-probability that a token is begun with.
    fn token_threshold(&self) -> f32 {
        if self.bounds.exist() { f32::NEG_INFINITY } else { self.limits.token_threshold }
    }

    /// Puts up the beam's prefixes as they are, by a blank, by their last token going on, or by that
    /// token beginning after the prefix one shorter.
    fn stay(&mut self, log_probs: &[f32]) {
        for (place, entry) in (0..).zip(&self.beam) {
            self.prefixes.arena.get_mut(entry.prefix).place = place;
        }
        self.extended.clear();
        let blank = log_prob(log_probs, self.blank_now());
        for entry in &self.beam {
            let mut last = Alignments::NONE;
            if let Some(token) = entry.token {
                let log_prob = log_prob(log_probs, token);
                last = entry.last.then(log_prob);
                if let Some(place) = self.place_before(entry) {
                    last = last.or(self.beam[place as usize].extended(token, log_prob));
                    self.extended.push((place, Step { token, word: entry.word }));
                }
            }
            let entry = Entry { blank: entry.any().then(blank), last, ..*entry };
            self.candidates.push(Candidate { entry, is_new: false, score: entry.score() });
        }
        self.extended.sort_unstable();
    }

    /// Where the prefix without its last token stands in the beam.
    fn place_before(&self, entry: &Entry) -> Option<u32> {
        let before = self.prefixes.arena.before(entry.prefix);
        if before == Arena::<Prefix>::NONE {
            return None;
        }
        let place = self.prefixes.arena.get(before).place;
        let found = self.beam.get(place as usize)?;
        (found.prefix == before).then_some(place)
    }

    /// Puts up each prefix of the beam with each likely token more.
    fn extend(&mut self) {
        let margin = self.score_margin();
        let scores = self.candidates.iter().map(|candidate| candidate.score);
        let mut best = scores.fold(f64::NEG_INFINITY, f64::max);
        let mut successors = std::mem::take(&mut self.successors);
        for (place, entry) in (0..).zip(&self.beam) {
            let bound = self.fusion.bound(&entry.text.fusion);
            for &(token, log_prob) in &self.likely {
                let last = entry.extended(token, log_prob.into());
                let least = best - margin;
                if last.sum == f64::NEG_INFINITY || last.sum + bound < least {
                    continue;
                }
                successors.clear();
                self.find_successors(&entry.text, token, log_prob, &mut successors);
                for &Successor { step, text } in &successors {
                    if self.extended.binary_search(&(place, step)).is_ok() {
                        continue;
                    }
                    let score = last.sum + text.score();
                    if score < best - margin {
                        continue;
                    }
                    best = best.max(score);
                    let (prefix, token, word) = (entry.prefix, Some(step.token), step.word);
                    let entry = Entry { prefix, token, blank: Alignments::NONE, last, word, text };
                    self.candidates.push(Candidate { entry, is_new: true, score });
                }
            }
        }
        self.successors = successors;
    }

    /// Puts up what a text becomes with one token more: nothing, one, or one for every word that ends
    /// with a phone.
    fn find_successors(
        &self,
        text: &Text,
        token: TokenId,
        log_prob: f32,
        found: &mut Vec<Successor>,
    ) {
        if let Some(pronouncer) = self.pronouncer.as_deref().filter(|_| self.hears_phones) {
            return self.find_words(pronouncer, text, token, found);
        }
        let Some(grammar) = self.bounds.next(text.grammar, token) else { return };
        let is_likely = log_prob >= self.token_threshold();
        if is_likely || self.fusion.spells_hotword(&text.fusion, token) {
            let fusion = self.fusion.advance(&text.fusion, token);
            let step = Step { token, word: None };
            found.push(Successor { step, text: Text { fusion, grammar, ..*text } });
        }
    }

    fn find_words(
        &self,
        pronouncer: &Pronouncer,
        text: &Text,
        phone: TokenId,
        found: &mut Vec<Successor>,
    ) {
        let Some(said) = pronouncer.next(text.said, phone) else { return };
        if pronouncer.goes_on(said) {
            let lookahead = self.fusion.lookahead(pronouncer.best_below(said));
            let step = Step { token: phone, word: None };
            found.push(Successor { step, text: Text { said, lookahead, ..*text } });
        }
        for &word in pronouncer.words(said) {
            let tokens = pronouncer.letters(word);
            let fusion = match pronouncer.model_word(word) {
                Some(id) => self.fusion.advance_word(&text.fusion, id, tokens),
                None => {
                    let advance = |fusion, token| self.fusion.advance(&fusion, token);
                    advance(tokens.fold(text.fusion, advance), pronouncer.boundary())
                }
            };
            let step = Step { token: phone, word: Some(word) };
            let text = Text { fusion, said: LexiconNode::ROOT, lookahead: 0.0, ..*text };
            found.push(Successor { step, text });
        }
    }

    fn score_margin(&self) -> f64 {
        match self.bounds.exist() {
            true => self.limits.score_margin.max(RESTRICTED_MARGIN),
            false => self.limits.score_margin,
        }
    }

    /// Makes the kept candidates the beam.
    fn settle(&mut self, frame: u64, log_probs: &[f32]) {
        self.beam.clear();
        for place in self.ranking.places() {
            let Candidate { mut entry, is_new, .. } = self.candidates[place];
            if let Some(token) = entry.token {
                if is_new {
                    let step = Step { token, word: entry.word };
                    entry.prefix = self.prefixes.child(entry.prefix, step);
                }
                if entry.last.begins {
                    let start = Start { frame, log_prob: log_probs[token.0 as usize] };
                    entry.last.start = self.starts.push(entry.last.start, start);
                    entry.last.begins = false;
                }
            }
            self.beam.push(entry);
        }
    }

    /// Drops the prefixes that differ from the best one in tokens too old to change.
    fn commit(&mut self, frame: u64) {
        let Some(oldest) = self.limits.max_unstable_frames.map(|age| frame.saturating_sub(age))
        else {
            return;
        };
        if self.bounds.exist() {
            return;
        }
        let best = *self.best_now().0;
        let young = self.starts.chain(best.any().start).take_while(|s| s.frame >= oldest).count();
        let mut committed = best.prefix;
        for _ in 0..young {
            committed = self.prefixes.arena.before(committed);
        }
        let arena = &self.prefixes.arena;
        // A word whose last phones are young is not settled by its first.
        let is_within_word =
            |link| arena.before(link) != Arena::<Prefix>::NONE && arena.get(link).word.is_none();
        while self.hears_phones && is_within_word(committed) {
            committed = arena.before(committed);
        }
        self.beam.retain(|entry| arena.common(entry.prefix, committed) == committed);
    }

    /// How many tokens all prefixes of the beam begin with.
    fn common_tokens(&self) -> usize {
        let arena = &self.prefixes.arena;
        let links = self.beam.iter().map(|entry| entry.prefix);
        let common = links.reduce(|a, b| arena.common(a, b)).unwrap_or(Arena::<Prefix>::NONE);
        // The empty prefix is a link too.
        arena.chain(common).count().saturating_sub(1)
    }

    fn best_now(&self) -> (&Entry, f64) {
        best(self.beam.iter().map(|entry| (entry, entry.score())))
    }

    fn forget_unused(&mut self) {
        if self.starts.is_crowded() {
            let starts = |entry: &Entry| [entry.blank.start, entry.last.start];
            let moved = self.starts.keep(self.beam.iter().flat_map(starts));
            for side in self.beam.iter_mut().flat_map(|e| [&mut e.blank, &mut e.last]) {
                if side.start != Arena::<Start>::NONE {
                    side.start = moved[side.start as usize];
                }
            }
        }
        if self.prefixes.arena.is_crowded() {
            let moved = self.prefixes.keep(self.beam.iter().map(|entry| entry.prefix));
            self.beam.iter_mut().for_each(|entry| entry.prefix = moved[entry.prefix as usize]);
        }
    }

    fn final_score(&self, entry: &Entry) -> f64 {
        entry.any().sum + self.fusion.finish(&entry.text.fusion)
    }

    fn path(&self, entry: &Entry, score: f64) -> Path {
        let mut steps = self.steps(entry);
        let common = self.common_tokens().min(steps.len());
        let (mut tokens, stable) = match self.pronouncer.as_deref().filter(|_| self.hears_phones) {
            Some(pronouncer) => {
                (pronouncer.spell(&steps), pronouncer.spell(&steps[..common]).len())
            }
            None => (steps.drain(..).map(|(token, _)| token).collect(), common),
        };
        let outcome = self.judge.judge(&self.bounds, entry.any().best, tokens.len());
        let stable = match outcome {
            Outcome::Unrestricted => stable,
            Outcome::Phrase { .. } => 0,
            Outcome::SomethingElse { .. } => {
                tokens = self.judge.heard();
                0
            }
        };
        Path { tokens, stable, score, outcome }
    }

    /// The prefix's tokens, or phones, in time order, each with the word that ends with it.
    fn steps(&self, entry: &Entry) -> Vec<(Token, Option<SpelledWord>)> {
        let prefixes = self.prefixes.arena.chain(entry.prefix);
        let starts = self.starts.chain(entry.any().start);
        // The empty prefix's token belongs to the utterance before, and has no start in this one.
        let steps = starts.zip(prefixes).filter_map(|(start, prefix)| {
            let token = Token { id: prefix.token?, frame: start.frame, log_prob: start.log_prob };
            Some((token, prefix.word))
        });
        let mut steps: Vec<_> = steps.collect();
        steps.reverse();
        steps
    }
}

/// The item of the greatest score, of equals the first.
///
/// The beam is never empty: the best candidate is always kept.
fn best<'a>(scored: impl Iterator<Item = (&'a Entry, f64)>) -> (&'a Entry, f64) {
    scored
        .reduce(|best, other| if other.1 > best.1 { other } else { best })
        .expect("a beam holds at least its best prefix")
}

/// The token's log-probability; none for what is not a number.
fn log_prob(log_probs: &[f32], token: TokenId) -> f64 {
    f64::from(log_probs[token.0 as usize].max(f32::NEG_INFINITY))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames in which A, then B, then an unlikely C is heard.
    fn text(hotwords: &[&str]) -> String {
        let table = TokenTable::parse("<blank>\n▁\nA\nB\nC", TokenId(0)).unwrap();
        let hotword = |&phrase: &&str| Hotword { boost: 3.0, ..Hotword::new(phrase) };
        let hotwords = hotwords.iter().map(hotword).collect();
        let config = PrefixBeamConfig { hotwords, ..PrefixBeamConfig::default() };
        let mut search = PrefixBeam::new(&config, &table).unwrap();
        for (frame, likely) in (0..).zip([2, 3, 0]) {
            let mut row = [-9.0; 5];
            row[likely] = -0.01;
            if likely == 0 {
                row[4] = -7.0;
            }
            search.accept(frame, &row);
        }
        table.text(search.finals()[0].tokens.iter().map(|token| token.id))
    }

    #[test]
    fn an_unlikely_letter_is_tried_where_it_goes_on_with_a_hotword() {
        assert_eq!(text(&[]), "AB");
        assert_eq!(text(&["abc"]), "ABC");
        assert_eq!(text(&["bc", "ac"]), "AB");
    }
}
