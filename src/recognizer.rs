//! Samples in, events out: the order in which the stages run.
//!
//! ```text
//! accept_waveform → Fbank → frames → Gate → EncoderState → log-probs → Search → Endpointer → Event
//!                            └→ SecondPass: EncoderState → log-probs → Search → Rescoring → Event::Final
//!                                    attention decoder → AttentionRescorer ──────┘
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use crate::acoustics::{Acoustics, TakeChunk};
use crate::clock::Clock;
use crate::ctc::{Decoding, Hotword, Hypothesis, Path, Restriction, Search};
use crate::endpoint::{EndpointConfig, Endpointer};
use crate::features::Fbank;
use crate::gate::{Gate, GateConfig};
use crate::model::Model;
use crate::second_pass::SecondPass;
use crate::{Error, Keyword, KeywordHit, KeywordSpotter, Result};

/// How a model's output is decoded and cut into utterances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecognizerConfig {
    /// When an utterance ends.
    pub endpoint: EndpointConfig,
    /// How tokens are found.
    pub decoding: Decoding,
    /// Whether silence is kept from the encoder, and what counts as silence. By default all is
    /// encoded.
    pub gate: Option<GateConfig>,
    /// What to listen for besides; see [`Stream::next_keyword`].
    pub keywords: Vec<Keyword>,
}

/// A model and how to decode it. Cheap to clone; shared between threads and streams.
///
/// ```no_run
/// use mynah::{Event, Model, Precision, Recognizer, RecognizerConfig};
///
/// let model = Model::load("models/en-small", Precision::Int8)?;
/// let recognizer = Recognizer::new(model, RecognizerConfig::default())?;
/// let mut stream = recognizer.stream();
/// stream.accept_waveform(&[0.0; 16_000])?;
/// stream.finish()?;
/// while let Some(event) = stream.next_event() {
///     if let Event::Final(hypothesis) = event {
///         println!("{:.2?} {}", hypothesis.start, hypothesis.text);
///     }
/// }
/// # Ok::<(), mynah::Error>(())
/// ```
#[derive(Clone)]
pub struct Recognizer(Arc<Prototype>);

/// What every stream begins as.
struct Prototype {
    model: Model,
    fbank: Fbank,
    gate: Option<Gate>,
    search: Search,
    nbest: usize,
    keywords: Arc<[Keyword]>,
    spotter: KeywordSpotter,
    endpointer: Endpointer,
}

/// One microphone's or file's way through a [`Recognizer`].
///
/// Splitting the samples differently between calls gives the same events, bit for bit. Pieces may
/// be empty, and shorter or longer than a chunk. Each microphone, call or file has a stream of its
/// own.
pub struct Stream {
    recognizer: Recognizer,
    acoustics: Acoustics,
    utterances: Utterances,
}

/// What a [`Stream`] tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The utterance so far, whole; its text may change. Once per chunk that changed the text; empty
    /// where prefix beam search takes back all that it showed.
    Partial(Hypothesis),
    /// The utterance has ended as this; the next event is of the next one. Its text is empty only if
    /// a grammar does not have what was said; see [`Hypothesis::outcome`](crate::ctc::Hypothesis::outcome).
    Final(Hypothesis),
}

impl Event {
    /// What is recognized, be it partial or final.
    pub fn hypothesis(&self) -> &Hypothesis {
        match self {
            Self::Partial(hypothesis) | Self::Final(hypothesis) => hypothesis,
        }
    }
}

impl Recognizer {
    /// Checks the configuration against the model.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if an endpoint rule would end every utterance at once, a value of the
    /// decoding is out of its range, for a hotword or a grammar that the tokens can't spell, or for a
    /// keyword that [`KeywordSpotter::new`] refuses.
    pub fn new(model: Model, config: RecognizerConfig) -> Result<Self> {
        let fbank = Fbank::new(&model.config().features)?;
        let nbest = match &config.decoding {
            Decoding::Greedy => 1,
            Decoding::PrefixBeam(beam) => beam.nbest,
        };
        let mut search = Search::new(&config.decoding, model.tokens())?;
        let encoder = &model.config().encoder;
        if encoder.offline_chunk_frames == Some(encoder.chunk_frames) {
            search.rescore_finals();
        }
        Ok(Self(Arc::new(Prototype {
            gate: config.gate.map(|gate| Gate::new(gate, fbank.dim())),
            fbank,
            search,
            nbest,
            spotter: KeywordSpotter::of(
                &config.keywords,
                model.tokens(),
                model.decoding().pronunciations(),
            )?,
            keywords: config.keywords.into(),
            endpointer: Endpointer::new(&config.endpoint, clock(&model).time_of(1))?,
            model,
        })))
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.0.model
    }

    /// Samples per second that its streams take.
    pub fn sample_rate(&self) -> u32 {
        self.model().config().features.sample_rate
    }

    /// Begins a stream.
    pub fn stream(&self) -> Stream {
        Stream {
            recognizer: self.clone(),
            acoustics: self.acoustics(self.0.gate.clone()),
            utterances: Utterances::new(&self.0, self.second_pass()),
        }
    }

    /// The log-probabilities that a stream would decode for these samples, its end included:
    /// `[encoder frames, columns]`; see [`Model::columns`].
    ///
    /// # Errors
    ///
    /// Those of [`Stream::accept_waveform`].
    pub fn log_probs(&self, samples: &[f32]) -> Result<Vec<f32>> {
        check_samples(samples)?;
        let mut log_probs = Vec::new();
        if samples.is_empty() {
            return Ok(log_probs);
        }
        let mut acoustics = self.acoustics(None);
        acoustics.accept(samples, &mut log_probs)?;
        acoustics.pad(self.model().config(), &mut log_probs)?;
        Ok(log_probs)
    }

    /// Decodes what [`Recognizer::log_probs`] gave, by this recognizer or by another one of the same
    /// model: the finals that a stream without a second pass would tell. Values after the last whole
    /// frame are ignored.
    pub fn decode(&self, log_probs: &[f32]) -> Vec<Hypothesis> {
        let mut utterances = Utterances::new(&self.0, None);
        // Only a second pass can fail, and these have none.
        let _ = utterances.accept_rows(log_probs).and_then(|()| utterances.finish());
        let finals = utterances.events.into_iter().filter_map(|event| match event {
            Event::Final(hypothesis) => Some(hypothesis),
            Event::Partial(_) => None,
        });
        finals.collect()
    }

    fn second_pass(&self) -> Option<SecondPass> {
        let encoder = self.model().second_encoder()?;
        Some(SecondPass::new(self.model(), encoder, &self.0.search))
    }

    fn acoustics(&self, gate: Option<Gate>) -> Acoustics {
        Acoustics::new(self.model(), self.0.fbank.clone(), gate)
    }
}

impl Stream {
    /// Takes mono samples in `[-1, 1]` at [`Recognizer::sample_rate`], and decodes the chunks that
    /// they complete.
    ///
    /// After [`Stream::finish`] the encoder begins anew with the first sample, while the clock runs
    /// on.
    ///
    /// # Errors
    ///
    /// [`Error::Samples`] if one is not a finite number; none has been taken then.
    /// [`Error::Encoder`] if a chunk can't be encoded; call [`Stream::reset`] before going on.
    pub fn accept_waveform(&mut self, samples: &[f32]) -> Result<()> {
        check_samples(samples)?;
        // Pieces of a chunk's length at most, so that a whole file does not become frames at once.
        for piece in samples.chunks(self.chunk_samples()) {
            self.utterances.clock.accept(piece.len());
            self.acoustics.accept(piece, &mut self.utterances)?;
        }
        Ok(())
    }

    /// Moves the clock over samples that were lost: what comes later has later times.
    ///
    /// The encoder sees the samples before and after as neighbours.
    pub fn skip(&mut self, samples: u64) {
        self.utterances.clock.skip(samples);
    }

    /// Gives the oldest event not yet given.
    pub fn next_event(&mut self) -> Option<Event> {
        self.utterances.events.pop_front()
    }

    /// Prefers other hotwords from the next utterance on; from this one on if nothing has been found
    /// in it. They hold until they are set anew or the stream is reset.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for one that the tokens can't spell, and by greedy decoding; those before
    /// stay then.
    pub fn set_hotwords(&mut self, hotwords: &[Hotword]) -> Result<()> {
        let tokens = self.utterances.model.tokens();
        self.utterances.search.set_hotwords(hotwords, tokens)?;
        self.utterances.share_search();
        Ok(())
    }

    /// Restricts text to another grammar, or to none, from the next utterance on; from this one on if
    /// nothing has been heard in it. It holds until it is set anew or the stream is reset.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the place of a word that the tokens can't spell, for a grammar that gets
    /// too large or a threshold out of its range, and by greedy decoding; that before stays then.
    pub fn set_restriction(&mut self, restriction: Option<&Restriction>) -> Result<()> {
        let tokens = self.utterances.model.tokens();
        self.utterances.search.set_restriction(restriction, tokens)?;
        self.utterances.share_search();
        Ok(())
    }

    /// Gives the oldest keyword not yet given. Utterances and their events are independent of them.
    pub fn next_keyword(&mut self) -> Option<KeywordHit> {
        self.utterances.next_keyword()
    }

    /// Decodes the samples still waiting, and ends the utterance.
    ///
    /// At least a whole chunk of silence after the last sample is decoded, since the encoder may
    /// give a token later than it was heard. Without samples since the start or the last `finish`
    /// nothing happens. Samples may follow; see [`Stream::accept_waveform`].
    ///
    /// # Errors
    ///
    /// [`Error::Encoder`] if a chunk can't be encoded; call [`Stream::reset`] before going on.
    pub fn finish(&mut self) -> Result<()> {
        if !self.utterances.clock.is_running() {
            return Ok(());
        }
        self.acoustics.pad(self.recognizer.model().config(), &mut self.utterances)?;
        self.utterances.finish()?;
        self.acoustics.reset();
        Ok(())
    }

    /// Forgets everything, events not yet given included: what follows is as in a new stream.
    pub fn reset(&mut self) {
        *self = self.recognizer.stream();
    }

    /// The audio clock: samples accepted and skipped since the stream's start.
    pub fn samples_accepted(&self) -> u64 {
        self.utterances.clock.now()
    }

    fn chunk_samples(&self) -> usize {
        let config = self.recognizer.model().config();
        config.encoder.chunk_frames * config.features.frame_shift_samples
    }
}

fn clock(model: &Model) -> Clock {
    Clock::new(model.config().features.sample_rate, model.config().encoder_frame_samples())
}

fn check_samples(samples: &[f32]) -> Result<()> {
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(index) => Err(Error::Samples { index, value: samples[index] }),
        None => Ok(()),
    }
}

/// Turns log-probabilities into utterances and their events.
struct Utterances {
    model: Model,
    search: Search,
    /// What hears each utterance again for its final.
    second_pass: Option<SecondPass>,
    /// The hypotheses that a final tells.
    nbest: usize,
    keywords: Arc<[Keyword]>,
    spotter: KeywordSpotter,
    endpointer: Endpointer,
    clock: Clock,
    /// Encoder frames decoded since the encoder began.
    decoded: u64,
    /// The text of the utterance's last partial.
    shown: String,
    events: VecDeque<Event>,
}

impl Utterances {
    fn new(prototype: &Prototype, second_pass: Option<SecondPass>) -> Self {
        let mut search = prototype.search.clone();
        if second_pass.is_some() {
            search.leave_finals();
        }
        Self {
            model: prototype.model.clone(),
            search,
            second_pass,
            nbest: prototype.nbest,
            keywords: prototype.keywords.clone(),
            spotter: prototype.spotter.clone(),
            endpointer: prototype.endpointer.clone(),
            clock: clock(&prototype.model),
            decoded: 0,
            shown: String::new(),
            events: VecDeque::new(),
        }
    }

    fn accept_chunk(&mut self, frames: &[f32], log_probs: &[f32]) -> Result<()> {
        if let Some(second) = &mut self.second_pass {
            second.hear(frames);
        }
        self.accept_rows(log_probs)?;
        let is_idle = self.search.is_empty();
        match &mut self.second_pass {
            Some(second) if is_idle && !second.has_begun() => second.wait(),
            Some(second) => second.advance()?,
            None => {}
        }
        if is_idle && self.shown.is_empty() {
            return Ok(());
        }
        let time_of = |frame| self.clock.time_of(frame);
        let (tokens, words) = (self.model.tokens(), &self.model.config().words);
        let mut path = self.search.partial();
        if self.second_pass.is_some() || self.search.rescores() {
            path.stable = 0;
        }
        self.show(Hypothesis::new(path, tokens, words, time_of));
        Ok(())
    }

    fn accept_rows(&mut self, log_probs: &[f32]) -> Result<()> {
        let blank_token = self.model.tokens().blank().0 as usize;
        for row in log_probs.chunks_exact(self.model.columns()) {
            let place = self.clock.place(self.decoded);
            let blank = self.search.accept(place, row);
            self.spotter.accept(place, row);
            self.decoded += 1;
            if let Some(second) = &mut self.second_pass {
                second.place(place);
            }
            if let Some(rule) = self.endpointer.accept(blank, row[blank_token]) {
                self.end_utterance(format_args!("endpoint rule {rule}"))?;
            }
        }
        Ok(())
    }

    /// Tells a partial whose text is not that of the one before.
    fn show(&mut self, hypothesis: Hypothesis) {
        if hypothesis.text != self.shown {
            self.shown.clone_from(&hypothesis.text);
            self.events.push_back(Event::Partial(hypothesis));
        }
    }

    /// Ends the utterance; the next begins with the next encoder frame of the same audio.
    fn end_utterance(&mut self, cause: std::fmt::Arguments) -> Result<()> {
        let mut hypothesis = self.best_of(self.search.finals());
        match &mut self.second_pass {
            Some(second) if hypothesis.is_nothing() => second.give_up(),
            Some(second) => {
                let paths = second.finish()?;
                hypothesis = self.best_of(paths);
            }
            None => {}
        }
        if hypothesis.is_nothing() {
            self.show(hypothesis);
        } else {
            let Hypothesis { start, end, tokens, .. } = &hypothesis;
            log::debug!("utterance {start:.2?}..{end:.2?}: {} tokens, {cause}", tokens.len());
            self.events.push_back(Event::Final(hypothesis));
        }
        self.search.start_utterance();
        self.share_search();
        self.endpointer.reset();
        self.shown.clear();
        Ok(())
    }

    fn best_of(&self, paths: Vec<Path>) -> Hypothesis {
        let (tokens, words) = (self.model.tokens(), &self.model.config().words);
        let time_of = |frame| self.clock.time_of(frame);
        Hypothesis::best_of(paths, self.nbest, tokens, words, time_of)
    }

    /// Gives the second pass the hotwords and the grammar of an utterance that has not begun.
    fn share_search(&mut self) {
        let begins = self.search.is_empty() && !self.search.has_pending();
        if let Some(second) =
            self.second_pass.as_mut().filter(|second| begins && !second.has_begun())
        {
            second.search_like(&self.search);
        }
    }

    /// Ends the utterance and the audio that the encoder has seen.
    fn finish(&mut self) -> Result<()> {
        self.end_utterance(format_args!("finish"))?;
        self.spotter.finish();
        self.search.reset();
        if let Some(second) = &mut self.second_pass {
            second.clear();
        }
        self.clock.restart();
        self.decoded = 0;
        Ok(())
    }

    fn next_keyword(&mut self) -> Option<KeywordHit> {
        let hit = self.spotter.next_hit()?;
        Some(KeywordHit::new(hit, &self.keywords, |frame| self.clock.time_of(frame)))
    }
}

impl TakeChunk for Utterances {
    fn take(&mut self, frames: &[f32], log_probs: &[f32]) -> Result<()> {
        self.accept_chunk(frames, log_probs)
    }

    /// As if nothing but blanks had been found.
    fn skip(&mut self, frames: &[f32]) -> Result<()> {
        let tokens = self.model.tokens();
        let mut row = vec![f32::NEG_INFINITY; self.model.columns()];
        row[tokens.blank().0 as usize] = 0.0;
        // The phones' blank is their first.
        row[tokens.len()..].iter_mut().take(1).for_each(|blank| *blank = 0.0);
        let rows = row.repeat(self.model.config().encoder.chunk_encoder_frames());
        self.accept_chunk(frames, &rows)
    }

    fn is_idle(&self) -> bool {
        self.search.is_empty()
    }
}

impl TakeChunk for Vec<f32> {
    fn take(&mut self, _: &[f32], log_probs: &[f32]) -> Result<()> {
        self.extend_from_slice(log_probs);
        Ok(())
    }

    fn skip(&mut self, _: &[f32]) -> Result<()> {
        Ok(())
    }

    fn is_idle(&self) -> bool {
        false
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    const fn movable<T: Send>() {}
    shared::<Recognizer>();
    movable::<Stream>();
};
