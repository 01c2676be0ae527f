//! Recognizers: a model and how it is decoded.

use mynah::{TextFormatter, TextFormatterConfig};
use pyo3::prelude::*;

use crate::errors::detached;
use crate::file::FileTranscription;
use crate::model::Model;
use crate::options::{Lines, RecognizerChoice};
use crate::stream::Stream;
use crate::transcript::Transcript;

/// A model and how it is decoded, for any number of streams and threads.
///
/// ``endpoint``: whether silence ends utterances; without it they end when the audio does, or after a minute.
/// ``endpoint_silence``: after so many seconds of it, 1.2 unless given.
/// ``early_endpoint``: also after so many seconds that the model is sure of; never unless given.
/// ``longest_utterance``: the seconds after which an utterance ends in any case, 60 unless given.
/// ``gate``: whether silence is kept from the encoder, which computes nothing in it.
/// ``nbest``: the texts of each final, at least 1.
/// ``words``: words for the lexicon, each a line ``WORD`` or ``WORD = PRONUNCIATION, ...``.
/// ``hotwords``: phrases to prefer, each a line ``PHRASE`` or ``PHRASE:BOOST``.
/// ``grammar``: the phrases that text is restricted to, each a line, or a grammar in JSGF.
/// ``grammar_threshold``: how well speech must fit a phrase, from 0 to 1; 0.2 unless given.
/// ``keywords``: phrases to spot, each a line ``PHRASE`` or ``PHRASE:THRESHOLD``.
/// ``formatting``: whether text has punctuation, case and digits; unless given, if the model has them and there is no
/// grammar. ``spoken_punctuation``: whether words such as ``comma`` are written as marks.
///
/// Lists are sequences of lines, or texts of several lines. Raises ``ConfigError`` for a value out of its range, and
/// with the line for what can't be used of a list.
#[pyclass(frozen, module = "mynah")]
pub struct Recognizer {
    pub recognizer: mynah::Recognizer,
    /// What the text of a stream is formatted by, as it begins.
    pub formatter: Option<TextFormatter>,
    /// Decides where a file is cut.
    pub endpoint: mynah::EndpointConfig,
    #[pyo3(get)]
    /// The model.
    model: Py<Model>,
}

#[pymethods]
impl Recognizer {
    #[new]
    #[pyo3(signature = (
        model, *, endpoint = true, endpoint_silence = None, early_endpoint = None, longest_utterance = None,
        gate = false, nbest = 1, words = None, hotwords = None, grammar = None, grammar_threshold = None,
        keywords = None, formatting = None, spoken_punctuation = true
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keywords")]
    fn new(
        py: Python<'_>,
        model: Py<Model>,
        endpoint: bool,
        endpoint_silence: Option<f64>,
        early_endpoint: Option<f64>,
        longest_utterance: Option<f64>,
        gate: bool,
        nbest: i64,
        words: Option<Lines>,
        hotwords: Option<Lines>,
        grammar: Option<Lines>,
        grammar_threshold: Option<f32>,
        keywords: Option<Lines>,
        formatting: Option<bool>,
        spoken_punctuation: bool,
    ) -> PyResult<Self> {
        let [words, hotwords, grammar, keywords] =
            [words, hotwords, grammar, keywords].map(|lines| lines.map(Lines::text));
        let has_grammar = grammar.is_some();
        let choice = RecognizerChoice {
            endpoint,
            endpoint_silence,
            early_endpoint,
            longest_utterance,
            gate,
            nbest,
            words,
            hotwords,
            grammar,
            grammar_threshold,
            keywords,
        };
        let of = &model.get().model;
        let (recognizer, endpoint) =
            detached(py, || Ok((choice.recognizer(of)?, choice.endpoint()?)))?;
        let punctuation = recognizer.model().punctuation().cloned();
        let is_formatted = formatting.unwrap_or(punctuation.is_some() && !has_grammar);
        let user_words = recognizer.model().user_words().into();
        let config = TextFormatterConfig { punctuation, spoken_punctuation, user_words };
        let formatter = is_formatted.then(|| TextFormatter::new(config));
        Ok(Self { recognizer, formatter, endpoint, model })
    }

    /// Begins a stream of one source's samples, at this rate in Hz: 4,000 to 384,000. Raises ``ConfigError`` for another.
    #[pyo3(signature = (sample_rate = 16_000))]
    fn stream(&self, py: Python<'_>, sample_rate: i64) -> PyResult<Stream> {
        Stream::of(py, self, sample_rate)
    }

    /// Recognizes an audio file, given by its path or as its bytes, on the calling thread.
    ///
    /// A model loaded with ``chunk="offline"`` makes the fewest errors in files; ``Model.transcribe`` takes that one. Raises
    /// ``FileError`` and ``AudioError``, whose ``transcript`` has what was recognized before a file breaks off.
    #[pyo3(name = "transcribe", signature = (audio, /))]
    pub fn transcribe(&self, audio: &Bound<'_, PyAny>) -> PyResult<Transcript> {
        FileTranscription::of(self, audio)?.transcript(audio.py())
    }

    fn __repr__(&self) -> String {
        format!("<mynah.Recognizer of {:?}>", self.recognizer.model().config().name)
    }
}
