//! Streams: samples in, events out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use mynah::audio::Feed;
use pyo3::prelude::*;

use crate::errors::{Failure, detached};
use crate::event::Event;
use crate::options::Lines;
use crate::recognizer::Recognizer;
use crate::samples;
use crate::stream_state::StreamState;

/// The samples of one source on their way to events. Calls of several threads wait for each other.
///
/// Each iteration gives the events that are there, and ends where there are none: finals are computed by the call that gives
/// the samples, on its thread. After ``InternalError`` it refuses all further calls.
#[pyclass(frozen, module = "mynah")]
pub struct Stream {
    state: Mutex<StreamState>,
    /// Filled with the GIL held, in the order of the calls.
    feed: Feed,
    is_finished: AtomicBool,
    rate: u32,
}

#[pymethods]
impl Stream {
    /// The rate in Hz of the samples that it accepts.
    #[getter]
    fn sample_rate(&self) -> u32 {
        self.rate
    }

    /// The audio time in seconds that has been recognized or skipped since the stream's start.
    #[getter]
    fn position(&self, py: Python<'_>) -> PyResult<f64> {
        self.with(py, |state| Ok(state.session.audio_position().as_secs_f64()))
    }

    /// Recognizes samples: a contiguous NumPy array of one dimension, of float32 in [-1, 1] or of int16.
    ///
    /// The samples are copied from the array into the stream's queue, as float32, before the call computes. Raises
    /// ``TypeError`` and ``ValueError`` for other arrays, ``SamplesError`` for a sample that is not finite, and ``StateError``
    /// after ``finish``; none of the samples is accepted then.
    #[pyo3(signature = (samples, /))]
    fn accept(&self, samples: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = samples.py();
        self.check_unfinished(py)?;
        samples::push(samples, &self.feed)?;
        self.advance(py)
    }

    /// Moves the clock over so many lost samples. More than 0.2 s of them end the utterance. Raises ``ConfigError`` for a
    /// negative number.
    #[pyo3(signature = (samples, /))]
    fn skip(&self, py: Python<'_>, samples: i64) -> PyResult<()> {
        self.check_unfinished(py)?;
        let samples = u64::try_from(samples).map_err(|_| {
            let reason = format!("the lost samples are {samples}; they must be 0 or more");
            Failure::config(reason).exception(py)
        })?;
        // What is waiting comes before the gap.
        self.advance(py)?;
        self.feed.lose(samples);
        self.advance(py)
    }

    /// Ends the utterance, after ``EncoderError`` too. Samples may follow.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        let recognized = self.recognize(py)?;
        recognized.and(self.with(py, |state| Ok(state.session.finish()?)))
    }

    /// Ends the utterance and the stream, whose last events follow. Samples are refused until it is reset.
    ///
    /// After an error or Ctrl-C the stream is not finished: the call may be repeated.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_finished.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        self.flush(py).inspect_err(|_| self.is_finished.store(false, Ordering::Relaxed))
    }

    /// Makes the stream as new. Hotwords, grammar and keywords are those of its recognizer again.
    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, StreamState::reset)?;
        self.is_finished.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// The oldest event not yet given, or None. Keywords come before other events. Never waits for audio.
    fn next_event(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        self.with(py, |state| Ok(state.next_event()))
    }

    /// Prefers other hotwords from the next utterance on, until the stream is reset.
    #[pyo3(signature = (hotwords, /))]
    fn set_hotwords(&self, py: Python<'_>, hotwords: Option<Lines>) -> PyResult<()> {
        let list = hotwords.map(Lines::text).unwrap_or_default();
        self.with(py, |state| state.set_hotwords(&list))
    }

    /// Restricts text to another grammar from the next utterance on, until the stream is reset.
    #[pyo3(signature = (grammar, /, threshold = None))]
    fn set_grammar(
        &self,
        py: Python<'_>,
        grammar: Option<Lines>,
        threshold: Option<f32>,
    ) -> PyResult<()> {
        let grammar = grammar.map(Lines::text);
        self.with(py, |state| state.set_grammar(grammar.as_deref(), threshold))
    }

    /// Spots other keywords from now on, until the stream is reset.
    #[pyo3(signature = (keywords, /))]
    fn set_keywords(&self, py: Python<'_>, keywords: Option<Lines>) -> PyResult<()> {
        let list = keywords.map(Lines::text).unwrap_or_default();
        self.with(py, |state| state.set_keywords(&list))
    }

    fn __iter__(slf: Py<Self>) -> EventIterator {
        EventIterator { stream: slf, is_over: AtomicBool::new(false) }
    }

    fn __repr__(&self) -> String {
        format!("<mynah.Stream at {} Hz>", self.rate)
    }
}

/// An iteration over the events of a stream that are there. It ends once: later events are of another iteration.
#[pyclass(frozen, module = "mynah")]
pub struct EventIterator {
    stream: Py<Stream>,
    is_over: AtomicBool,
}

#[pymethods]
impl EventIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        if self.is_over.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let event = self.stream.get().next_event(py)?;
        if event.is_none() {
            self.is_over.store(true, Ordering::Relaxed);
        }
        Ok(event)
    }
}

impl Stream {
    pub fn of(py: Python<'_>, recognizer: &Recognizer, rate: i64) -> PyResult<Self> {
        let rate = u32::try_from(rate).map_err(|_| {
            let reason = format!("sample_rate is {rate} Hz; it must be 4,000 to 384,000");
            Failure::config(reason).exception(py)
        })?;
        let feed = Feed::new(rate);
        let state = detached(py, || StreamState::new(recognizer, feed.clone()))?;
        Ok(Self { state: Mutex::new(state), feed, is_finished: AtomicBool::new(false), rate })
    }

    /// Recognizes what has been fed, as [`Self::recognize`].
    fn advance(&self, py: Python<'_>) -> PyResult<()> {
        self.recognize(py)?
    }

    /// Recognizes what has been fed; Ctrl-C interrupts it, and what is left is recognized by the next call. Goes past
    /// errors of the encoder, of which the first is inside.
    fn recognize(&self, py: Python<'_>) -> PyResult<PyResult<()>> {
        let mut outcome = Ok(());
        loop {
            match self.with(py, StreamState::advance) {
                Ok(true) => return Ok(outcome),
                Ok(false) => {}
                Err(error) if self.state.is_poisoned() => return Err(error),
                Err(error) => outcome = outcome.and(Err(error)),
            }
            py.check_signals()?;
        }
    }

    fn with<T: Send>(
        &self,
        py: Python<'_>,
        body: impl FnOnce(&mut StreamState) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        detached(py, || body(&mut *self.lock()?))
    }

    fn lock(&self) -> Result<MutexGuard<'_, StreamState>, Failure> {
        self.state.lock().map_err(|_| {
            Failure::internal(
                "an earlier call of this stream met a defect of Mynah; make another stream",
            )
        })
    }

    fn check_unfinished(&self, py: Python<'_>) -> PyResult<()> {
        if !self.is_finished.load(Ordering::Relaxed) {
            return Ok(());
        }
        let reason =
            "the stream is finished; reset it, or flush it where more samples are to follow";
        Err(Failure::state(reason).exception(py))
    }
}
