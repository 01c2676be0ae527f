//! From a recognizer to text: streams, their utterances and endpoints, sessions and listeners.
//!
//! ```text
//! Source → Resampler → Stream → AcousticScorer → UtteranceDecoder → Event
//! └────── Session, on the calling thread; Listener, on one of its own ─────┘
//! ```

mod acoustic_scorer;
mod clock;
pub(crate) mod deltas;
pub(crate) mod endpoint;
pub(crate) mod event;
pub(crate) mod listener;
pub(crate) mod recognizer;
pub(crate) mod stage_times;
pub(crate) mod stream;
mod utterance_decoder;

use std::time::Duration;

use web_time::Instant;

use crate::audio::{ReadOutcome, Resampler, Source};
use crate::decode::keyword::KeywordHit;
use crate::error::{Error, Result};
use crate::session::event::Event;
use crate::session::recognizer::Recognizer;
use crate::session::stream::Stream;

/// Audio is read in blocks of 10 ms, as devices deliver it.
const BLOCKS_PER_SECOND: u32 = 100;

/// A [`Source`] on its way through a [`Recognizer`].
///
/// Each [`Session::advance`] reads one block; events follow from it. A [`Listener`](crate::session::listener::Listener) is a
/// thread around a session.
///
/// ```no_run
/// use mynah::audio::AudioFile;
/// use mynah::{Step, Recognizer, Session};
///
/// let recognizer = Recognizer::builtin()?;
/// let mut session = Session::new(&recognizer, AudioFile::open("speech.flac")?)?;
/// loop {
///     let step = session.advance()?;
///     while let Some(event) = session.next_event() {
///         if let Some(hypothesis) = event.into_final() {
///             println!("{}", hypothesis.text);
///         }
///     }
///     if step == Step::Ended {
///         break;
///     }
/// }
/// # Ok::<(), mynah::Error>(())
/// ```
pub struct Session<S = Box<dyn Source>> {
    source: S,
    resampler: Resampler,
    stream: Stream,
    /// The model's rate in Hz.
    model_rate: u32,
    /// At the source's rate.
    block: Vec<f32>,
    /// At the model's rate.
    resampled: Vec<f32>,
    /// Samples of the source so far, lost ones included.
    source_samples: u64,
    compute_time: Duration,
}

/// What one [`Session::advance`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The source had no samples yet.
    Idle,
    /// A block was read and recognized.
    Advanced {
        /// Samples, at the source's rate.
        samples: usize,
    },
    /// The source reported lost samples.
    Gap {
        /// How many, at the model's rate.
        samples: u64,
        /// The audio time of the first of them.
        at: Duration,
    },
    /// The source has ended, and the last utterance with it.
    Ended,
}

impl<S: Source> Session<S> {
    /// Puts a source before a new stream of the recognizer. Finals are computed on the calling thread.
    ///
    /// # Errors
    ///
    /// [`crate::error::Error::Config`] if the source's rate can't be resampled.
    pub fn new(recognizer: &Recognizer, source: S) -> Result<Self> {
        Self::with_stream(recognizer.stream(), recognizer.sample_rate(), source)
    }

    pub(crate) fn with_stream(stream: Stream, model_rate: u32, source: S) -> Result<Self> {
        let rate = source.sample_rate();
        Ok(Self {
            resampler: Resampler::new(rate, model_rate)?,
            block: vec![0.0; rate.div_ceil(BLOCKS_PER_SECOND).max(1) as usize],
            resampled: Vec::new(),
            source_samples: 0,
            compute_time: Duration::ZERO,
            source,
            stream,
            model_rate,
        })
    }

    /// Reads a block and recognizes it. At the source's end the last utterance ends too.
    ///
    /// # Errors
    ///
    /// Those of the source, and of [`Stream::accept_waveform`]. The utterance has ended with what was read
    /// before, and its events are there.
    pub fn advance(&mut self) -> Result<Step> {
        self.advance_by(usize::MAX).inspect_err(|_| {
            if let Err(unfinished) = self.finish() {
                log::debug!("the rest was not decoded: {unfinished}");
            }
        })
    }

    /// As [`Session::advance`], with `limit` samples at most; an error does not end the utterance.
    pub(crate) fn advance_by(&mut self, limit: usize) -> Result<Step> {
        let limit = limit.min(self.block.len());
        let read = self.source.read(&mut self.block[..limit])?;
        let began = Instant::now();
        let step = match read {
            ReadOutcome::Samples(0) => self.stream.accept_waveform(&[]).map(|()| Step::Idle),
            ReadOutcome::Samples(count) if count <= limit => self.accept(count),
            ReadOutcome::Samples(count) => Err(Error::Config(format!(
                "the source says that it read {count} samples into a buffer of {limit}"
            ))),
            ReadOutcome::Gap(lost) => self.skip(lost),
            ReadOutcome::End => self.finish().map(|()| Step::Ended),
        };
        self.compute_time += began.elapsed();
        step
    }

    /// Ends the utterance with what has been read so far. The source may go on.
    ///
    /// # Errors
    ///
    /// Those of [`Stream::finish`].
    pub fn finish(&mut self) -> Result<()> {
        self.drain()?;
        self.stream.finish()
    }

    /// The oldest event not yet given.
    pub fn next_event(&mut self) -> Option<Event> {
        self.stream.next_event()
    }

    /// The oldest keyword not yet given.
    pub fn next_keyword(&mut self) -> Option<KeywordHit> {
        self.stream.next_keyword()
    }

    /// The stream, to set hotwords, a grammar or keywords.
    pub fn stream_mut(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// The stream.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The source.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// The audio time that has been read, lost samples included.
    pub fn audio_position(&self) -> Duration {
        let rate = u64::from(self.source.sample_rate()).max(1);
        let nanos = self.source_samples % rate * 1_000_000_000 / rate;
        Duration::from_secs(self.source_samples / rate) + Duration::from_nanos(nanos)
    }

    /// How long resampling and recognition have computed, without the source's reading.
    pub fn compute_time(&self) -> Duration {
        self.compute_time
    }

    /// Forgets the utterance so far; the clock and the utterances' numbers go on. Hotwords, grammar and keywords
    /// are again those of the recognizer.
    pub(crate) fn reset_utterance(&mut self) -> Result<()> {
        self.resampler.reset();
        self.stream.reset_utterance();
        self.stream.skip(self.samples_due())
    }

    /// Goes on with another stream, whose clock and numbers follow. The utterance must have ended.
    ///
    /// # Errors
    ///
    /// [`crate::error::Error::Config`] if the source's rate can't be brought to the stream's; nothing has changed then.
    pub(crate) fn replace_stream(&mut self, mut stream: Stream, model_rate: u32) -> Result<()> {
        self.resampler = Resampler::new(self.source.sample_rate(), model_rate)?;
        stream.number_from(self.stream.next_utterance());
        self.stream = stream;
        self.model_rate = model_rate;
        self.stream.skip(self.samples_due())
    }

    fn accept(&mut self, count: usize) -> Result<Step> {
        self.source_samples += count as u64;
        self.resampled.clear();
        self.resampler.process(&self.block[..count], &mut self.resampled);
        self.stream.accept_waveform(&self.resampled)?;
        Ok(Step::Advanced { samples: count })
    }

    /// Moves the stream's clock to the source's.
    fn skip(&mut self, lost: u64) -> Result<Step> {
        self.drain()?;
        self.source_samples = self.source_samples.saturating_add(lost);
        let accepted = self.stream.samples_accepted();
        let samples = self.samples_due().saturating_sub(accepted);
        let at = self.stream.audio_position();
        self.stream.skip(samples)?;
        Ok(Step::Gap { samples, at })
    }

    /// Hands over what the resampler still holds.
    fn drain(&mut self) -> Result<()> {
        self.resampled.clear();
        self.resampler.finish(&mut self.resampled);
        self.stream.accept_waveform(&self.resampled)
    }

    /// The samples that the source has given so far, at the model's rate.
    fn samples_due(&self) -> u64 {
        let from = u128::from(self.source.sample_rate()).max(1);
        let due = u128::from(self.source_samples) * u128::from(self.model_rate) + from / 2;
        u64::try_from(due / from).unwrap_or(u64::MAX)
    }
}
