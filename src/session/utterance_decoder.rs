//! The first pass: log-probabilities in, utterances and their events out.

use std::collections::VecDeque;
use std::sync::Arc;

use web_time::Instant;

use crate::decode::keyword::{Keyword, KeywordHit, KeywordSpotter};
use crate::decode::{GrammarConstraint, Hotword, Hypothesis, Path, Search};
use crate::error::Result;
use crate::finalize::Pass;
use crate::finalize::{Ended, Finalized, Finalizer};
use crate::model::Model;
use crate::session::acoustic_scorer::ChunkSink;
use crate::session::clock::Clock;
use crate::session::endpoint::Endpointer;
use crate::session::event::Event;
use crate::session::recognizer::{Prototype, clock, spotter};
use crate::session::stage_times::StageTimes;

/// Decodes log-probabilities, finds where utterances end, and has their finals computed.
pub(crate) struct UtteranceDecoder {
    model: Model,
    search: Search,
    /// The second pass; without it the first one's finals are the finals.
    finalizer: Option<Finalizer>,
    /// Whether the second pass lacks hotwords or a grammar that wait for the next utterance.
    is_unshared: bool,
    /// The hypotheses of a final.
    nbest: usize,
    keywords: Arc<[Keyword]>,
    spotter: KeywordSpotter,
    hits: VecDeque<KeywordHit>,
    endpointer: Endpointer,
    pub clock: Clock,
    /// Encoder frames decoded since the encoder began.
    decoded: u64,
    /// The number of the utterance.
    utterance: u64,
    /// The text of the utterance's last partial.
    shown: String,
    events: VecDeque<Event>,
    /// What the search and the second pass have taken.
    pub times: StageTimes,
}

impl UtteranceDecoder {
    pub fn new(prototype: &Prototype, finalizer: Option<Finalizer>) -> Self {
        let mut search = prototype.search.clone();
        if finalizer.is_some() {
            search.leave_finals();
        }
        Self {
            model: prototype.model.clone(),
            search,
            finalizer,
            is_unshared: false,
            nbest: prototype.nbest,
            keywords: prototype.keywords.clone(),
            spotter: prototype.spotter.clone(),
            hits: VecDeque::new(),
            endpointer: prototype.endpointer.clone(),
            clock: clock(&prototype.model),
            decoded: 0,
            utterance: 0,
            shown: String::new(),
            events: VecDeque::new(),
            times: StageTimes::default(),
        }
    }

    /// The oldest event not yet given.
    pub fn next_event(&mut self) -> Option<Event> {
        self.collect_finals();
        self.events.pop_front()
    }

    /// Waits until an event is there; gives whether one is. Without one, no utterance that has ended lacks its
    /// final.
    pub fn wait_for_event(&mut self) -> bool {
        // A final may bring no event, where nothing was said after all.
        while self.events.is_empty() && self.finalizer.as_mut().is_some_and(Finalizer::wait) {
            self.collect_finals();
        }
        !self.events.is_empty()
    }

    /// Takes the first pass's finals for those that are not there.
    pub fn finalize_by_first_pass(&mut self) {
        if let Some(finalizer) = &mut self.finalizer {
            finalizer.finalize_by_first_pass();
        }
    }

    /// # Errors
    ///
    /// Why no more finals are computed on another thread, once.
    pub fn check(&mut self) -> Result<()> {
        self.finalizer.as_mut().and_then(Finalizer::failure).map_or(Ok(()), Err)
    }

    /// The number of the utterance that is being decoded.
    pub fn utterance(&self) -> u64 {
        self.utterance
    }

    /// Begins with the utterance of this number.
    pub fn number_from(&mut self, utterance: u64) {
        self.utterance = utterance;
    }

    /// # Errors
    ///
    /// Those of [`Search::set_hotwords`].
    pub fn set_hotwords(&mut self, hotwords: &[Hotword]) -> Result<()> {
        self.search.set_hotwords(hotwords, self.model.tokens())?;
        self.share_search();
        Ok(())
    }

    /// # Errors
    ///
    /// Those of [`Search::set_grammar`].
    pub fn set_grammar(&mut self, constraint: Option<&GrammarConstraint>) -> Result<()> {
        self.search.set_grammar(constraint, self.model.tokens())?;
        self.share_search();
        Ok(())
    }

    /// # Errors
    ///
    /// Those of [`spotter`]; the keywords before stay then.
    pub fn set_keywords(&mut self, keywords: &[Keyword]) -> Result<()> {
        let spotter = spotter(&self.model, keywords)?;
        self.collect_hits();
        self.spotter = spotter;
        self.keywords = keywords.into();
        Ok(())
    }

    /// Withdraws what was shown of the utterance.
    pub fn withdraw(&mut self) {
        if !std::mem::take(&mut self.shown).is_empty() {
            let (utterance, hypothesis) = (self.utterance, self.best_of(&[]));
            self.events.push_back(Event::Partial { utterance, hypothesis });
        }
    }

    /// The oldest keyword not yet given.
    pub fn next_keyword(&mut self) -> Option<KeywordHit> {
        self.collect_hits();
        self.hits.pop_front()
    }

    fn collect_hits(&mut self) {
        while let Some(hit) = self.spotter.next_hit() {
            let hit = KeywordHit::new(hit, &self.keywords, |frame| self.clock.time_of(frame));
            self.hits.push_back(hit);
        }
    }

    /// Utterances that have ended and lack their final.
    pub fn finals_pending(&self) -> usize {
        self.finalizer.as_ref().map_or(0, Finalizer::pending)
    }

    /// Decodes a chunk: its frames and the log-probabilities that they were encoded as.
    fn accept_chunk(&mut self, frames: &[f32], log_probs: &[f32]) {
        let (began, finals) = (Instant::now(), self.times.finals);
        self.decode_chunk(frames, log_probs);
        self.times.search += began.elapsed().saturating_sub(self.times.finals - finals);
    }

    fn decode_chunk(&mut self, frames: &[f32], log_probs: &[f32]) {
        if let Some(finalizer) = &mut self.finalizer {
            finalizer.accept_frames(frames);
        }
        self.accept_posteriors(log_probs);
        let is_idle = self.search.is_empty();
        if let Some(finalizer) = &mut self.finalizer {
            let began = Instant::now();
            finalizer.advance(is_idle);
            self.times.finals += began.elapsed();
        }
        if is_idle && self.shown.is_empty() {
            return;
        }
        let time_of = |frame| self.clock.time_of(frame);
        let (tokens, words) = (self.model.tokens(), &self.model.config().words);
        let mut path = self.search.partial();
        if self.finalizer.is_some() || self.search.rescores() {
            path.stable = 0;
        }
        if let Some(second) = self.finalizer.as_mut().and_then(Finalizer::partial) {
            path = second.followed_by(&path, tokens);
        }
        self.show(Hypothesis::new(path, tokens, words, time_of));
    }

    /// Decodes rows of log-probabilities, and ends utterances where endpoints are.
    pub fn accept_posteriors(&mut self, log_probs: &[f32]) {
        let blank_token = self.model.tokens().blank().0 as usize;
        for row in log_probs.chunks_exact(self.model.output_dim()) {
            let place = self.clock.place(self.decoded);
            let blank = self.search.accept(place, row);
            self.spotter.accept(place, row);
            self.decoded += 1;
            if let Some(finalizer) = &mut self.finalizer {
                finalizer.accept_place(place);
            }
            if let Some(rule) = self.endpointer.accept(blank, row[blank_token]) {
                self.end_utterance(format_args!("endpoint rule {rule}"));
            }
        }
    }

    /// Emits a partial whose text is not that of the one before.
    fn show(&mut self, hypothesis: Hypothesis) {
        if hypothesis.text != self.shown {
            self.shown.clone_from(&hypothesis.text);
            self.events.push_back(Event::Partial { utterance: self.utterance, hypothesis });
        }
    }

    /// Ends the utterance; the next begins with the next encoder frame of the same audio.
    fn end_utterance(&mut self, cause: std::fmt::Arguments) {
        let mut paths = self.search.finals();
        if let Some(second) = self.finalizer.as_mut().and_then(Finalizer::partial) {
            paths = second.keep_committed(paths, self.model.tokens());
        }
        let is_nothing = self.best_of(&paths).is_nothing();
        let is_shown = !self.shown.is_empty();
        let ended = Ended { utterance: self.utterance, is_shown, paths };
        log::debug!("utterance {} ended, {cause}", ended.utterance);
        match &mut self.finalizer {
            Some(finalizer) if !is_nothing => {
                let began = Instant::now();
                finalizer.end(ended);
                self.times.finals += began.elapsed();
            }
            Some(finalizer) => {
                finalizer.discard();
                self.finalize(Finalized { ended, pass: Pass::First });
            }
            None => self.finalize(Finalized { ended, pass: Pass::First }),
        }
        self.collect_finals();
        self.search.start_utterance();
        if self.is_unshared {
            self.share_search();
        }
        self.endpointer.reset();
        self.shown.clear();
        // One without events needs no number.
        self.utterance += u64::from(is_shown || !is_nothing);
    }

    /// Emits the finals that are there.
    fn collect_finals(&mut self) {
        while let Some(finalized) = self.finalizer.as_mut().and_then(Finalizer::next_final) {
            self.finalize(finalized);
        }
    }

    /// Emits a final; if nothing was said, withdraws what was shown.
    fn finalize(&mut self, finalized: Finalized) {
        let Finalized { ended: Ended { utterance, is_shown, paths }, pass } = finalized;
        let hypothesis = self.best_of(&paths);
        if !hypothesis.is_nothing() {
            let Hypothesis { start, end, tokens, .. } = &hypothesis;
            log::debug!("utterance {utterance}, {start:.2?}..{end:.2?}: {} tokens", tokens.len());
            self.events.push_back(Event::Final { utterance, hypothesis, pass });
        } else if is_shown {
            self.events.push_back(Event::Partial { utterance, hypothesis });
        }
    }

    fn best_of(&self, paths: &[Path]) -> Hypothesis {
        let (tokens, words) = (self.model.tokens(), &self.model.config().words);
        let time_of = |frame| self.clock.time_of(frame);
        Hypothesis::best_of(paths.iter().cloned(), self.nbest, tokens, words, time_of)
    }

    /// Gives the second pass hotwords and a grammar, now or when the utterance has ended.
    fn share_search(&mut self) {
        self.is_unshared = self.search.has_pending();
        if let Some(finalizer) = self.finalizer.as_mut().filter(|_| !self.is_unshared) {
            finalizer.configure(&self.search);
        }
    }

    /// Ends the utterance and the audio that the encoder has seen.
    pub fn finish(&mut self) {
        let began = (Instant::now(), self.times.finals);
        self.end_utterance(format_args!("end of audio"));
        self.times.search += began.0.elapsed().saturating_sub(self.times.finals - began.1);
        self.spotter.finish();
        self.search.reset();
        if let Some(finalizer) = &mut self.finalizer {
            finalizer.clear();
        }
        self.clock.restart();
        self.decoded = 0;
    }
}

impl ChunkSink for UtteranceDecoder {
    fn accept(&mut self, frames: &[f32], log_probs: &[f32]) {
        self.accept_chunk(frames, log_probs);
    }

    /// As if nothing but blanks had been found.
    fn skip(&mut self, frames: &[f32]) {
        let tokens = self.model.tokens();
        let mut row = vec![f32::NEG_INFINITY; self.model.output_dim()];
        row[tokens.blank().0 as usize] = 0.0;
        // The phones' blank is their first.
        row[tokens.len()..].iter_mut().take(1).for_each(|blank| *blank = 0.0);
        let rows = row.repeat(self.model.config().encoder.chunk_encoder_frames());
        self.accept_chunk(frames, &rows);
    }

    fn is_idle(&self) -> bool {
        self.search.is_empty()
    }
}
