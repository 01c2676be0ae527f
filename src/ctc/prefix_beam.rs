//! The likeliest token sequences, each with all its alignments, one encoder frame at a time.
//!
//! Prefix beam search as in Hannun et al., "First-Pass Large Vocabulary Continuous Speech
//! Recognition using Bi-Directional Recurrent DNNs" (2014, arXiv 1408.2873): alignments that end in
//! a blank and those that end in the last token are summed apart. The times of the tokens are those
//! of the best alignment.

use std::collections::HashMap;
use std::sync::Arc;

use super::arena::{Arena, Link};
use super::fusion::{Fusion, FusionState};
use super::{Hotword, LanguageModel, Path, Token};
use crate::tokens::{TokenId, TokenTable};
use crate::{Error, Result};

/// How wide a prefix beam search is, and what else than the encoder counts.
#[derive(Clone, Debug, PartialEq)]
pub struct PrefixBeamConfig {
    /// The prefixes that are kept from one encoder frame to the next; at least 1.
    pub beam: usize,
    /// Tokens whose natural log-probability in a frame is less are not begun there.
    pub token_threshold: f32,
    /// Prefixes whose score is less than the best one's by more than this are dropped; at least 0.
    pub score_margin: f32,
    /// The hypotheses of an utterance that are told, the best included.
    pub nbest: usize,
    /// Tokens that began more encoder frames ago than this change no more: prefixes that have others
    /// there than the best one are dropped. The less, the sooner text is stable and the less what
    /// is said later can correct it. Without it nothing is dropped for its age.
    pub max_unstable_frames: Option<u64>,
    /// What words score; without it the encoder alone decides.
    pub language_model: Option<LanguageModel>,
    /// Phrases that are likely to be said.
    pub hotwords: Arc<[Hotword]>,
}

/// Follows the likeliest prefixes.
#[derive(Clone, Debug)]
pub(crate) struct PrefixBeam {
    blank: TokenId,
    limits: Limits,
    fusion: Arc<Fusion>,
    /// What counts from the next utterance on.
    next_fusion: Option<Arc<Fusion>>,
    prefixes: PrefixTree,
    starts: Arena<Start>,
    beam: Vec<Entry>,
    /// What the next beam is chosen from; here so that its memory is reused, as the lists below.
    candidates: Vec<Candidate>,
    ranking: Vec<(f64, u32)>,
    likely: Vec<(TokenId, f32)>,
    /// The prefixes of the beam that are another one and a token: that one's place, and the token.
    extended: Vec<(u32, TokenId)>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    beam: usize,
    token_threshold: f32,
    score_margin: f64,
    max_unstable_frames: Option<u64>,
}

/// All token sequences at hand, those that go on from another linked to it.
#[derive(Clone, Debug)]
struct PrefixTree {
    arena: Arena<Prefix>,
    children: HashMap<(Link, TokenId), Link>,
}

#[derive(Clone, Copy, Debug)]
struct Prefix {
    /// Its last token; of the empty one, that which ended the utterance before.
    token: Option<TokenId>,
    /// Where it stands in the beam, if it still does.
    place: u32,
}

/// Where a token began.
#[derive(Clone, Copy, Debug)]
struct Start {
    frame: u64,
    log_prob: f32,
}

/// A prefix in the beam.
#[derive(Clone, Copy, Debug)]
struct Entry {
    prefix: Link,
    token: Option<TokenId>,
    /// Alignments that end in a blank.
    blank: Alignments,
    /// Alignments that end in the last token.
    last: Alignments,
    fusion: FusionState,
}

/// Alignments of one prefix: the log of their summed probabilities, and the best of them.
#[derive(Clone, Copy, Debug)]
struct Alignments {
    sum: f64,
    best: f64,
    /// Where the best one's last token began.
    start: Link,
    /// Whether that was in this frame, which `start` does not have yet.
    begins: bool,
}

/// An entry of the next beam, perhaps.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    /// With the prefix that it goes on from, if it is new.
    entry: Entry,
    is_new: bool,
    /// Of the entry.
    score: f64,
}

impl Default for PrefixBeamConfig {
    fn default() -> Self {
        Self {
            beam: 64,
            token_threshold: -5.0,
            score_margin: 12.0,
            nbest: 1,
            max_unstable_frames: None,
            language_model: None,
            hotwords: Arc::default(),
        }
    }
}

impl PrefixBeam {
    /// # Errors
    ///
    /// [`Error::Config`] for a value out of its range.
    pub fn new(config: &PrefixBeamConfig, tokens: &TokenTable) -> Result<Self> {
        let PrefixBeamConfig { beam, token_threshold, score_margin, max_unstable_frames, .. } =
            *config;
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
                max_unstable_frames,
            },
            fusion: Arc::new(Fusion::new(config.language_model.clone(), &config.hotwords, tokens)?),
            next_fusion: None,
            prefixes: PrefixTree { arena: Arena::new(), children: HashMap::new() },
            starts: Arena::new(),
            beam: Vec::new(),
            candidates: Vec::new(),
            ranking: Vec::new(),
            likely: Vec::new(),
            extended: Vec::new(),
        };
        search.reset();
        Ok(search)
    }

    /// Takes the log-probabilities of one encoder frame, `[tokens]`. Returns whether its likeliest
    /// token is the blank.
    pub fn accept(&mut self, frame: u64, log_probs: &[f32]) -> bool {
        let likeliest = self.find_likely(log_probs);
        self.candidates.clear();
        self.stay(log_probs);
        self.extend();
        self.prune();
        self.settle(frame, log_probs);
        self.commit(frame);
        self.forget_unused();
        likeliest == self.blank
    }

    /// The best prefix so far, its last word perhaps unfinished.
    pub fn partial(&self) -> Path {
        let (entry, score) = self.best_now();
        self.path(entry, score)
    }

    /// Whether the best prefix so far is the empty one.
    pub fn is_empty(&self) -> bool {
        self.prefixes.arena.before(self.best_now().0.prefix) == Arena::<Prefix>::NONE
    }

    /// All prefixes of the beam as utterances that end here, the best first.
    pub fn finals(&self) -> Vec<Path> {
        let paths = self.beam.iter().map(|entry| self.path(entry, self.final_score(entry)));
        let mut paths: Vec<_> = paths.collect();
        paths.sort_by(|a, b| b.score.total_cmp(&a.score));
        paths
    }

    /// Begins the next utterance of the same audio: a token that goes on is not given again.
    pub fn start_utterance(&mut self) {
        let scored = self.beam.iter().map(|entry| (entry, self.final_score(entry)));
        let Entry { token, blank, last, .. } = *best(scored).0;
        let sum = log_add(blank.sum, last.sum);
        if sum == f64::NEG_INFINITY {
            return self.reset();
        }
        self.begin(token, blank.relative_to(sum), last.relative_to(sum));
    }

    /// Begins an utterance of other audio.
    pub fn reset(&mut self) {
        self.begin(None, Alignments { sum: 0.0, best: 0.0, ..Alignments::NONE }, Alignments::NONE);
    }

    /// Takes other hotwords from the next utterance on, which is this one if none has begun.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for one that can't be used; those before stay then.
    pub fn set_hotwords(&mut self, hotwords: &[Hotword], tokens: &TokenTable) -> Result<()> {
        let fusion = Arc::new(self.fusion.with_hotwords(hotwords, tokens)?);
        match self.beam.as_mut_slice() {
            [only] if self.prefixes.arena.before(only.prefix) == Arena::<Prefix>::NONE => {
                only.fusion = fusion.begin();
                self.fusion = fusion;
            }
            _ => self.next_fusion = Some(fusion),
        }
        Ok(())
    }

    /// The prefixes and starts held in memory.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.prefixes.arena.len() + self.starts.len()
    }

    fn begin(&mut self, token: Option<TokenId>, blank: Alignments, last: Alignments) {
        if let Some(fusion) = self.next_fusion.take() {
            self.fusion = fusion;
        }
        self.starts.clear();
        self.prefixes.children.clear();
        self.prefixes.arena.clear();
        let prefix = self.prefixes.arena.push(Arena::<Prefix>::NONE, Prefix { token, place: 0 });
        self.beam.clear();
        self.beam.push(Entry { prefix, token, blank, last, fusion: self.fusion.begin() });
    }

    /// Notes the tokens that are worth a try, and returns the likeliest; of equals the first.
    fn find_likely(&mut self, log_probs: &[f32]) -> TokenId {
        self.likely.clear();
        let mut likeliest = (TokenId(0), f32::NEG_INFINITY);
        for (id, &log_prob) in (0..).map(TokenId).zip(log_probs) {
            if log_prob > likeliest.1 {
                likeliest = (id, log_prob);
            }
            if log_prob >= self.limits.token_threshold && id != self.blank {
                self.likely.push((id, log_prob));
            }
        }
        likeliest.0
    }

    /// Puts up the beam's prefixes as they are, by a blank, by their last token going on, or by that
    /// token beginning after the prefix one shorter.
    fn stay(&mut self, log_probs: &[f32]) {
        for (place, entry) in (0..).zip(&self.beam) {
            self.prefixes.arena.get_mut(entry.prefix).place = place;
        }
        self.extended.clear();
        let blank = log_prob(log_probs, self.blank);
        for entry in &self.beam {
            let mut last = Alignments::NONE;
            if let Some(token) = entry.token {
                let log_prob = log_prob(log_probs, token);
                last = entry.last.then(log_prob);
                if let Some(place) = self.place_before(entry) {
                    last = last.or(self.beam[place as usize].extended(token, log_prob));
                    self.extended.push((place, token));
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
        let scores = self.candidates.iter().map(|candidate| candidate.score);
        let mut best = scores.fold(f64::NEG_INFINITY, f64::max);
        for (place, entry) in (0..).zip(&self.beam) {
            let bound = self.fusion.bound(&entry.fusion);
            for &(token, log_prob) in &self.likely {
                if self.extended.binary_search(&(place, token)).is_ok() {
                    continue;
                }
                let last = entry.extended(token, log_prob.into());
                let least = best - self.limits.score_margin;
                if last.sum == f64::NEG_INFINITY || last.sum + bound < least {
                    continue;
                }
                let fusion = self.fusion.advance(&entry.fusion, token);
                let blank = Alignments::NONE;
                let entry = Entry { prefix: entry.prefix, token: Some(token), blank, last, fusion };
                let score = last.sum + fusion.score();
                best = best.max(score);
                self.candidates.push(Candidate { entry, is_new: true, score });
            }
        }
    }

    /// Ranks the candidates that are kept.
    fn prune(&mut self) {
        self.ranking.clear();
        let scores = self.candidates.iter().map(|candidate| candidate.score);
        self.ranking.extend(scores.zip(0..));
        let best = self.ranking.iter().map(|ranked| ranked.0).fold(f64::NEG_INFINITY, f64::max);
        let least = best - self.limits.score_margin;
        self.ranking.retain(|ranked| ranked.0 >= least);
        let beam = self.limits.beam;
        // Of equals the earlier first, so that the result depends on nothing else.
        let order = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if self.ranking.len() > beam {
            self.ranking.select_nth_unstable_by(beam - 1, order);
            self.ranking.truncate(beam);
        }
        // The best first, so that in the next frame little is put up in vain.
        self.ranking.sort_unstable_by(order);
    }

    /// Makes the kept candidates the beam.
    fn settle(&mut self, frame: u64, log_probs: &[f32]) {
        self.beam.clear();
        for &(_, index) in &self.ranking {
            let Candidate { mut entry, is_new, .. } = self.candidates[index as usize];
            if let Some(token) = entry.token {
                if is_new {
                    entry.prefix = self.prefixes.child(entry.prefix, token);
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
        let best = *self.best_now().0;
        let young = self.starts.chain(best.any().start).take_while(|s| s.frame >= oldest).count();
        let mut committed = best.prefix;
        for _ in 0..young {
            committed = self.prefixes.arena.before(committed);
        }
        let arena = &self.prefixes.arena;
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
        entry.any().sum + self.fusion.finish(&entry.fusion)
    }

    fn path(&self, entry: &Entry, score: f64) -> Path {
        let tokens = self.prefixes.arena.chain(entry.prefix);
        let starts = self.starts.chain(entry.any().start);
        // The empty prefix's token belongs to the utterance before, and has no start in this one.
        let tokens = starts.zip(tokens).filter_map(|(start, prefix)| {
            Some(Token { id: prefix.token?, frame: start.frame, log_prob: start.log_prob })
        });
        let mut tokens: Vec<_> = tokens.collect();
        tokens.reverse();
        let stable = self.common_tokens().min(tokens.len());
        Path { tokens, stable, score }
    }
}

impl PrefixTree {
    /// The prefix that is one token longer.
    fn child(&mut self, prefix: Link, token: TokenId) -> Link {
        let arena = &mut self.arena;
        let new = || arena.push(prefix, Prefix { token: Some(token), place: 0 });
        *self.children.entry((prefix, token)).or_insert_with(new)
    }

    /// Drops all but `ends` and what they go on from. Gives each old link's new one.
    fn keep(&mut self, ends: impl Iterator<Item = Link>) -> Vec<Link> {
        let moved = self.arena.keep(ends);
        let children = std::mem::take(&mut self.children);
        let kept = |link: Link| Some(moved[link as usize]).filter(|&l| l != Arena::<Prefix>::NONE);
        self.children = children
            .into_iter()
            .filter_map(|((prefix, token), child)| Some(((kept(prefix)?, token), kept(child)?)))
            .collect();
        moved
    }
}

impl Entry {
    /// All alignments.
    fn any(&self) -> Alignments {
        self.blank.or(self.last)
    }

    /// The score by which entries are compared.
    fn score(&self) -> f64 {
        log_add(self.blank.sum, self.last.sum) + self.fusion.score()
    }

    /// The alignments in which `token` begins after this prefix; without a blank between, the same
    /// token would only go on.
    fn extended(&self, token: TokenId, log_prob: f64) -> Alignments {
        let before = if self.token == Some(token) { self.blank } else { self.any() };
        Alignments { begins: true, ..before.then(log_prob) }
    }
}

impl Alignments {
    const NONE: Self = Self {
        sum: f64::NEG_INFINITY,
        best: f64::NEG_INFINITY,
        start: Arena::<Start>::NONE,
        begins: false,
    };

    /// One frame on.
    fn then(self, log_prob: f64) -> Self {
        Self { sum: self.sum + log_prob, best: self.best + log_prob, ..self }
    }

    /// Those of both.
    fn or(self, other: Self) -> Self {
        let best = if other.best > self.best { other } else { self };
        Self { sum: log_add(self.sum, other.sum), ..best }
    }

    /// The same with nothing behind them, in scores relative to `sum`.
    fn relative_to(self, sum: f64) -> Self {
        Self { sum: self.sum - sum, best: self.best - sum, ..Self::NONE }
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

/// `ln(eᵃ + eᵇ)`.
fn log_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    // Beyond this the sum is the greater one to the last bit.
    if high - low < 40.0 { high + (low - high).exp().ln_1p() } else { high }
}
