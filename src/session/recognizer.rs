//! A model and how it is decoded: what streams begin as.

use std::sync::Arc;

use crate::audio::check_samples;
use crate::decode::keyword::{Keyword, KeywordSpotter};
use crate::decode::{Decoding, GrammarConstraint, Hotword, Hypothesis, Search};
use crate::error::Result;
use crate::features::Fbank;
use crate::features::gate::{Gate, GateConfig};
use crate::finalize::{Finalizer, Place};
use crate::model::Model;
use crate::session::acoustic_scorer::{AcousticScorer, ChunkSink};
use crate::session::clock::Clock;
use crate::session::endpoint::{EndpointConfig, Endpointer};
use crate::session::event::Event;
use crate::session::stream::Stream;
use crate::session::utterance_decoder::UtteranceDecoder;

/// How a model's output is decoded and cut into utterances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecognizerConfig {
    /// When an utterance ends.
    pub endpoint: EndpointConfig,
    /// How tokens are found; without it as the model is to be decoded ([`Model::default_decoding`]).
    pub decoding: Option<Decoding>,
    /// Whether silence is kept from the encoder, and what counts as silence. By default all is
    /// encoded.
    pub gate: Option<GateConfig>,
    /// What to listen for besides; see [`Stream::next_keyword`].
    pub keywords: Vec<Keyword>,
}

/// A model and how to decode it. Cheap to clone; shared between threads and streams.
///
/// ```no_run
/// use mynah::{Event, Model, Precision, Recognizer};
///
/// let model = Model::load("models/en-small", Precision::Int8)?;
/// let recognizer = Recognizer::new(model)?;
/// let mut stream = recognizer.stream();
/// stream.accept_waveform(&[0.0; 16_000])?;
/// stream.finish()?;
/// while let Some(event) = stream.next_event() {
///     if let Event::Final { hypothesis, .. } = event {
///         println!("{:.2?} {}", hypothesis.start, hypothesis.text);
///     }
/// }
/// # Ok::<(), mynah::Error>(())
/// ```
#[derive(Clone)]
pub struct Recognizer(Arc<Prototype>);

/// What every stream begins as.
pub(crate) struct Prototype {
    pub model: Model,
    pub fbank: Fbank,
    pub gate: Option<Gate>,
    pub search: Search,
    /// The hypotheses of a final.
    pub nbest: usize,
    pub keywords: Arc<[Keyword]>,
    pub spotter: KeywordSpotter,
    pub endpointer: Endpointer,
}

impl Recognizer {
    /// A recognizer that decodes a model as its makers advise.
    ///
    /// # Errors
    ///
    /// Those of [`Recognizer::with_config`].
    pub fn new(model: Model) -> Result<Self> {
        Self::with_config(model, RecognizerConfig::default())
    }

    /// A recognizer of the model that is compiled into the library, at the quality of `mynah listen`.
    ///
    /// # Errors
    ///
    /// Those of [`Model::builtin`].
    #[cfg(feature = "builtin-model")]
    pub fn builtin() -> Result<Self> {
        Self::new(Model::builtin()?)
    }

    /// Checks the configuration against the model.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Config`] if an endpoint rule would end every utterance at once, a value of the
    /// decoding or the gate is out of its range, for a hotword or a grammar that the tokens can't spell, or for a
    /// keyword that [`KeywordSpotter::new`] refuses.
    pub fn with_config(model: Model, config: RecognizerConfig) -> Result<Self> {
        let fbank = Fbank::new(&model.config().features)?;
        let decoding = config.decoding.as_ref().unwrap_or(model.default_decoding());
        let nbest = match decoding {
            Decoding::Greedy => 1,
            Decoding::PrefixBeam(beam) => beam.nbest,
        };
        let mut search = Search::new(decoding, model.tokens())?;
        let encoder = &model.config().encoder;
        if encoder.offline_chunk_frames == Some(encoder.chunk_frames) {
            search.rescore_finals();
        }
        Ok(Self(Arc::new(Prototype {
            gate: config
                .gate
                .map(|gate| Gate::new(gate, fbank.dim(), encoder.chunk_frames))
                .transpose()?,
            fbank,
            search,
            nbest,
            spotter: spotter(&model, &config.keywords)?,
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

    /// Begins a stream that computes finals where an utterance ends, on the thread that gives it samples.
    pub fn stream(&self) -> Stream {
        Stream::new(self, Place::Stream)
    }

    /// Begins a stream that computes finals on a thread of its own, for a source that does not wait if it
    /// `is_live`.
    pub(crate) fn stream_with_worker(&self, is_live: bool) -> Stream {
        Stream::new(self, Place::Worker { is_live })
    }

    pub(crate) fn prototype(&self) -> &Prototype {
        &self.0
    }

    /// The log-probabilities that a stream would decode for these samples, its end included:
    /// `[encoder frames, columns]`; see [`Model::output_dim`].
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
    /// model: the finals of a stream without a second pass. Values after the last whole
    /// frame are ignored.
    pub fn decode(&self, log_probs: &[f32]) -> Vec<Hypothesis> {
        let mut utterances = UtteranceDecoder::new(&self.0, None);
        utterances.accept_posteriors(log_probs);
        utterances.finish();
        let events = std::iter::from_fn(|| utterances.next_event());
        events.filter_map(Event::into_final).collect()
    }

    /// # Errors
    ///
    /// Those of [`Stream::set_hotwords`].
    pub(crate) fn check_hotwords(&self, hotwords: &[Hotword]) -> Result<()> {
        self.0.search.clone().set_hotwords(hotwords, self.model().tokens())
    }

    /// # Errors
    ///
    /// Those of [`Stream::set_grammar`].
    pub(crate) fn check_grammar(&self, constraint: Option<&GrammarConstraint>) -> Result<()> {
        self.0.search.clone().set_grammar(constraint, self.model().tokens())
    }

    /// # Errors
    ///
    /// Those of [`Stream::set_keywords`].
    pub(crate) fn check_keywords(&self, keywords: &[Keyword]) -> Result<()> {
        spotter(self.model(), keywords).map(drop)
    }

    pub(crate) fn finalizer(&self, place: Place) -> Option<Finalizer> {
        let encoder = self.model().final_pass_encoder()?;
        Some(Finalizer::new(self.model(), encoder, &self.0.search, place))
    }

    pub(crate) fn acoustics(&self, gate: Option<Gate>) -> AcousticScorer {
        AcousticScorer::new(self.model(), self.0.fbank.clone(), gate)
    }
}

pub(crate) fn spotter(model: &Model, keywords: &[Keyword]) -> Result<KeywordSpotter> {
    KeywordSpotter::of(keywords, model.tokens(), model.default_decoding().lexicon())
}

pub(crate) fn clock(model: &Model) -> Clock {
    Clock::new(model.config().features.sample_rate, model.config().encoder_frame_samples())
}

impl ChunkSink for Vec<f32> {
    fn accept(&mut self, _: &[f32], log_probs: &[f32]) {
        self.extend_from_slice(log_probs);
    }

    fn skip(&mut self, _: &[f32]) {}

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
