//! Time-synchronous token passing through the phones of words (Young, Russell and Thornton, "Token Passing:
//! a Simple Conceptual Model for Connected Speech Recognition Systems", 1989), with the blanks of CTC.
//!
//! ```text
//! log-probs of a frame → stay: blank, or the phone goes on ─┐
//!                      → expand: arcs of the tree of phones ┼→ Candidates, one a state → prune → tokens
//!                                arcs of words (WordGraph) ─┘        └ worse ones between words → Lattice
//! ```
//!
//! A token stands at a state: a context, a node of the tree, and the phone that led there. It has the sums of
//! its alignments, those that end in a blank apart from those that end in the phone, as in prefix beam
//! search. Its score has these parts:
//!
//! | part | when |
//! | --- | --- |
//! | log-probabilities of phones and blanks, all alignments summed | every frame |
//! | language model, word bonus, hotwords | where a word ends |
//! | look-ahead: the unigram score of the likeliest word below a node | within a word, replaced where it ends |
//!
//! Recombination: hypotheses at one state score alike whatever follows; alignments of the same words are
//! summed, of different words the better ones are followed and the others noted in the lattice.

mod candidates;
mod contexts;
mod memory;
mod outcome;
#[cfg(test)]
mod tests;
mod utterance;
mod word_graph;

use std::sync::Arc;

use candidates::{Active, Beginning, Candidate, Candidates};
use word_graph::WordGraph;

use crate::decode::PrefixBeamConfig;
use crate::decode::arena::{Arena, NodeId};
use crate::decode::fusion::Fusion;
use crate::decode::grammar_constraint::Rejecter;
use crate::decode::grammar_graph::GrammarGraph;
use crate::decode::lattice::{LATTICE_MARGIN, Lattice, LatticeArc};
use crate::decode::lexicon_tree::{LexiconTree, WordEnd};
use crate::decode::path_scores::TokenStart;
use crate::decode::prefix_beam_config::Limits;
use crate::decode::prefix_tree::{Prefix, PrefixTree};
use crate::error::Result;
use crate::lexicon::Lexicon;
use crate::lexicon::tokens::{TokenId, TokenTable};

/// The score margin at least, with a grammar: what was said is often unlikely beside words that the grammar
/// does not have.
const GRAMMAR_MARGIN: f32 = 40.0;

/// Log-probabilities are taken for no less, so that sums stay numbers.
const LEAST_LOG_PROB: f32 = -1e4;

/// How much more than by the look-ahead a word is assumed to score at most, before the language model is
/// asked. Tuned with `en-small`: 0 to 100 give the same text, and 100 takes five times as long.
const WORD_GAIN: f32 = 1.0;

/// The blank among phones is their first.
const BLANK: u8 = 0;

/// Follows the likeliest hypotheses.
#[derive(Clone, Debug)]
pub(crate) struct TokenPassing {
    limits: Limits,
    /// What [`TokenPassing::limits`] are for finals.
    final_limits: Limits,
    lexicon: Lexicon,
    fusion: Arc<Fusion>,
    graph: WordGraph,
    /// What counts from the next utterance on.
    next: Next,
    /// The tree of the language model's words, while a grammar's is in use.
    lexicon_tree: Arc<LexiconTree>,
    grammar: Option<Grammar>,
    rejecter: Rejecter,
    /// The number of the model's tokens; a row's values behind them are of phones.
    columns_before: usize,
    active: Vec<Active>,
    /// What the scores of the tokens are relative to.
    offset: f64,
    histories: PrefixTree<WordEnd>,
    starts: Arena<TokenStart>,
    /// What was dropped, if finals ask for more than the best.
    lattice: Lattice,
    /// Whether finals are rescored.
    rescores: bool,
    /// What the next tokens are chosen from; here so that its memory is reused, as the lists below.
    candidates: Candidates,
    /// The scores and places of the candidates that are kept.
    ranked: Vec<(f32, u32)>,
    /// Candidates that were dropped for the one at a place.
    dropped: Vec<(Candidate, u32)>,
    /// The log-probabilities of the phones of a frame.
    row: Vec<f32>,
    /// The phones that may begin in a frame.
    likely: Vec<bool>,
    /// Each candidate's history, while dropped ones are noted.
    kept_histories: Vec<NodeId>,
}

/// What changes with the next utterance.
#[derive(Clone, Debug, Default)]
struct Next {
    /// Of other hotwords.
    words: Option<(Arc<LexiconTree>, Arc<Fusion>)>,
    grammar: Option<Option<Grammar>>,
}

/// A grammar and the least fit of its phrases.
#[derive(Clone, Debug)]
struct Grammar {
    graph: Arc<GrammarGraph>,
    threshold: f32,
}

/// Where tokens are passed to.
struct Expansion<'a> {
    /// The best score so far.
    best: f32,
    margin: f32,
    candidates: &'a mut Candidates,
    histories: &'a PrefixTree<WordEnd>,
    dropped: &'a mut Vec<(Candidate, u32)>,
    /// Whether the lattice is asked for.
    notes: bool,
}

impl Expansion<'_> {
    /// Whether a score is within the margin.
    fn reaches(&self, score: f32) -> bool {
        score >= self.best - self.margin
    }

    fn pass(&mut self, candidate: Candidate) {
        self.best = self.best.max(candidate.total);
        let histories = self.histories;
        let worse = self.candidates.meet(candidate, |a, b| a.has_words_of(b, histories));
        self.dropped.extend(worse.filter(|_| self.notes && candidate.word.is_some()));
    }
}

impl TokenPassing {
    /// # Errors
    ///
    /// [`Error::Config`] for a value out of its range.
    pub fn new(config: &PrefixBeamConfig, lexicon: &Lexicon, tokens: &TokenTable) -> Result<Self> {
        let limits = Limits::new(config)?;
        let language_model = config.language_model.clone();
        let user_words = lexicon.user_words();
        let fusion = Fusion::new(language_model, &config.hotwords, user_words.into(), tokens)?;
        let fusion = Arc::new(fusion);
        let lexicon_tree = LexiconTree::shared(lexicon, &fusion, tokens)?;
        let constraint = config.constraint.as_ref();
        let grammar = Grammar::new(constraint, lexicon, tokens)?;
        let mut search = Self {
            limits,
            final_limits: limits,
            lexicon: lexicon.clone(),
            graph: WordGraph::of_ngrams(lexicon_tree.clone(), fusion.clone()),
            lexicon_tree,
            fusion,
            next: Next::default(),
            grammar,
            rejecter: Rejecter::new(TokenId(BLANK.into())),
            columns_before: tokens.len(),
            active: Vec::new(),
            offset: 0.0,
            histories: PrefixTree::new(),
            starts: Arena::new(),
            lattice: Lattice::default(),
            rescores: false,
            candidates: Candidates::new(),
            ranked: Vec::new(),
            dropped: Vec::new(),
            row: Vec::new(),
            likely: Vec::new(),
            kept_histories: Vec::new(),
        };
        if let Some(grammar) = &search.grammar {
            search.graph = WordGraph::Grammar(grammar.graph.clone());
        }
        search.reset();
        Ok(search)
    }

    /// Takes the log-probabilities of one encoder frame, `[tokens + phones]`. Returns whether the likeliest
    /// phone is the blank.
    pub fn accept(&mut self, frame: u64, log_probs: &[f32]) -> bool {
        let phones = &log_probs[self.columns_before.min(log_probs.len())..];
        if self.graph.is_grammar() {
            self.rejecter.accept(frame, phones);
        }
        self.row.clear();
        let finite = |value: &f32| match value.is_nan() {
            true => LEAST_LOG_PROB,
            false => value.clamp(LEAST_LOG_PROB, 0.0),
        };
        self.row.extend(phones.iter().map(finite));
        // A row that lacks phones has them as unlikely as can be.
        self.row.resize(self.row.len().max(self.lexicon.phone_count()), LEAST_LOG_PROB);
        let (likeliest, begin) = self.find_likely();
        self.candidates.clear();
        self.dropped.clear();
        let mut best = self.stay(begin);
        if begin {
            best = self.expand(best);
        }
        self.prune(best);
        self.settle(frame);
        self.commit(frame);
        self.forget_unused();
        likeliest == BLANK
    }

    /// Finds the phones that may begin; gives the likeliest, of equals the first, and whether any may.
    fn find_likely(&mut self) -> (u8, bool) {
        let least = match self.graph.is_grammar() {
            true => f32::NEG_INFINITY,
            false => self.limits.token_threshold,
        };
        self.likely.clear();
        self.likely.extend(self.row.iter().map(|&log_prob| log_prob >= least));
        if let Some(blank) = self.likely.first_mut() {
            *blank = false;
        }
        let mut likeliest = (BLANK, f32::NEG_INFINITY);
        for (phone, &log_prob) in (0..=u8::MAX).zip(&self.row) {
            if log_prob > likeliest.1 {
                likeliest = (phone, log_prob);
            }
        }
        (likeliest.0, self.likely.contains(&true))
    }

    /// Keeps the tokens where they are, by a blank or by their phone going on. Gives the best score.
    /// `meets`: whether others may come to their states.
    fn stay(&mut self, meets: bool) -> f32 {
        let Self { active, candidates, row, .. } = self;
        let log_prob = |phone: u8| row.get(usize::from(phone)).copied().unwrap_or(LEAST_LOG_PROB);
        let blank = log_prob(BLANK);
        let mut best = f32::NEG_INFINITY;
        for token in active.iter() {
            let candidate = Candidate::new(Active {
                blank: token.any() + blank,
                blank_start: token.start(),
                last: token.phone.map_or(f32::NEG_INFINITY, |phone| token.last + log_prob(phone)),
                ..*token
            });
            best = best.max(candidate.total);
            if meets {
                candidates.push(candidate);
            } else {
                candidates.push_alone(candidate);
            }
        }
        best
    }

    /// Passes the tokens on along arcs of likely phones, and of the words that end with them. Gives the best
    /// score.
    fn expand(&mut self, best: f32) -> f32 {
        let (margin, notes) = (self.margin(), self.hypotheses() > 1);
        let Self { active, candidates, graph, histories, dropped, row, likely, .. } = self;
        let lexicon_tree = graph.shared_pronouncer();
        let root_lookahead = graph.root_lookahead();
        let mut expansion = Expansion { best, margin, candidates, histories, dropped, notes };
        for token in active.iter() {
            let any = token.any();
            let of_word = token.node == graph.root(token.context);
            let before = if of_word { root_lookahead } else { graph.lookahead(token.node) };
            for (phone, node) in lexicon_tree.branches(token.node) {
                if !likely[usize::from(phone)] {
                    continue;
                }
                // Without a blank between, the same phone would only go on.
                let repeats = token.phone == Some(phone);
                let (from, start) =
                    if repeats { (token.blank, token.blank_start) } else { (any, token.start()) };
                let score = from - before + row[usize::from(phone)];
                let begins = Some(Beginning { of_word });
                let candidate = |context, node, score, word| {
                    let active = Active {
                        context,
                        node,
                        phone: Some(phone),
                        history: token.history,
                        blank: f32::NEG_INFINITY,
                        blank_start: Arena::<TokenStart>::NONE,
                        last: score,
                        last_start: start,
                    };
                    Candidate { active, total: score, word, begins }
                };
                let lookahead = graph.lookahead(node);
                if lexicon_tree.has_branches(node) && expansion.reaches(score + lookahead) {
                    expansion.pass(candidate(token.context, node, score + lookahead, None));
                }
                let score = score + root_lookahead;
                if !expansion.reaches(score + lookahead + WORD_GAIN) {
                    continue;
                }
                for &word in lexicon_tree.words(node) {
                    let said = WordEnd { word, node };
                    let Some(arc) = graph.follow(token.context, said) else { continue };
                    if expansion.reaches(score + arc.score) {
                        let root = graph.root(arc.to);
                        expansion.pass(candidate(arc.to, root, score + arc.score, Some(said)));
                    }
                }
            }
        }
        expansion.best
    }

    /// Ranks the candidates: up to `beam` whose score is less than the best one's by no more than the margin.
    fn prune(&mut self, best: f32) {
        let least = best - self.margin();
        let totals = self.candidates.list().iter().map(|candidate| candidate.total);
        self.ranked.clear();
        self.ranked.extend(totals.zip(0..).filter(|&(total, _)| total >= least));
        if self.ranked.len() > self.limits.beam {
            // Of equals the earlier, so that the result depends on nothing else.
            self.ranked.select_nth_unstable_by(self.limits.beam - 1, |a, b| {
                b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
            });
            self.ranked.truncate(self.limits.beam);
        }
        // The best first, so that in the next frame little is passed on in vain.
        let first =
            (0..self.ranked.len()).max_by(|&a, &b| self.ranked[a].0.total_cmp(&self.ranked[b].0));
        if let Some(first) = first {
            self.ranked.swap(0, first);
        }
    }

    /// Makes the kept candidates the tokens, and notes what was dropped for them.
    fn settle(&mut self, frame: u64) {
        let Some(&(best, _)) = self.ranked.first() else { return };
        self.active.clear();
        let ranked = std::mem::take(&mut self.ranked);
        self.kept_histories.clear();
        if !self.dropped.is_empty() {
            let none = Arena::<Prefix<WordEnd>>::NONE;
            self.kept_histories.resize(self.candidates.list().len(), none);
        }
        for &(_, place) in &ranked {
            let mut token = self.adopt(self.candidates.list()[place as usize], frame);
            if let Some(history) = self.kept_histories.get_mut(place as usize) {
                *history = token.history;
            }
            token.blank -= best;
            token.last -= best;
            self.active.push(token);
        }
        self.ranked = ranked;
        self.offset += f64::from(best);
        self.note_dropped(frame);
    }

    /// The token of a candidate, its history and start in memory.
    fn adopt(&mut self, candidate: Candidate, frame: u64) -> Active {
        let Candidate { mut active, word, begins, .. } = candidate;
        if let Some(word) = word {
            active.history = self.histories.child(active.history, word);
        }
        if let (Some(Beginning { of_word }), Some(phone)) = (begins, active.phone) {
            let log_prob = self.row[usize::from(phone)];
            let start = TokenStart { frame, log_prob, begins_word: of_word };
            active.last_start = self.starts.push(active.last_start, start);
        }
        active
    }

    /// Puts what was dropped for tokens between words into the lattice.
    fn note_dropped(&mut self, frame: u64) {
        let dropped = std::mem::take(&mut self.dropped);
        for &(candidate, place) in &dropped {
            let into = self.kept_histories[place as usize];
            // Before the first word there is no other text.
            if into == Arena::<Prefix<WordEnd>>::NONE || self.is_root(into) {
                continue;
            }
            let delta_cost =
                f64::from(self.candidates.list()[place as usize].total - candidate.total);
            if delta_cost <= LATTICE_MARGIN {
                let from = self.adopt(candidate, frame);
                let start = from.start();
                self.lattice.add_arc(LatticeArc { into, from: from.history, start, delta_cost });
            }
        }
        self.dropped = dropped;
    }

    fn margin(&self) -> f32 {
        match self.graph.is_grammar() {
            true => self.limits.score_margin.max(GRAMMAR_MARGIN),
            false => self.limits.score_margin,
        }
    }

    /// Whether a history is of no words.
    fn is_root(&self, history: NodeId) -> bool {
        self.histories.arena.before(history) == Arena::<Prefix<WordEnd>>::NONE
    }

    /// The best token and its score, of equals the first. There is always one.
    fn best(&self) -> (&Active, f64) {
        let scored = self.active.iter().map(|token| (token, token.any()));
        let (best, score) = scored
            .reduce(|best, other| if other.1 > best.1 { other } else { best })
            .expect("pruning keeps at least the best token");
        (best, self.offset + f64::from(score))
    }
}
