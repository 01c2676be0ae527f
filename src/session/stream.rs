//! Samples in, events out: the order in which the stages run.
//!
//! ```text
//! accept_waveform → Fbank → frames → Gate → EncoderState → log-probs → Search → Endpointer → Event
//!                            └→ Finalizer: EncoderState → log-probs → Search → Rescoring → Event::Final
//!                                    attention decoder → AttentionRescorer ──────┘
//! ```

use std::time::Duration;

use crate::audio::check_samples;
use crate::decode::keyword::{Keyword, KeywordHit};
use crate::decode::{GrammarConstraint, Hotword};
use crate::error::Result;
use crate::finalize::Place;
use crate::session::acoustic_scorer::AcousticScorer;
use crate::session::event::Event;
use crate::session::recognizer::Recognizer;
use crate::session::stage_times::StageTimes;
use crate::session::utterance_decoder::UtteranceDecoder;

/// A gap longer than this part of a second ends an utterance: words on both sides are not neighbours.
const LONG_GAPS_PER_SECOND: u32 = 5;

/// One microphone's or file's way through a [`Recognizer`].
///
/// Splitting the samples differently between calls gives the same events, bit for bit. Pieces may
/// be empty, and shorter or longer than a chunk. Each microphone, call or file has a stream of its
/// own.
pub struct Stream {
    recognizer: Recognizer,
    /// Where finals are computed.
    place: Place,
    acoustics: AcousticScorer,
    utterances: UtteranceDecoder,
}

impl Stream {
    pub(crate) fn new(recognizer: &Recognizer, place: Place) -> Self {
        let prototype = recognizer.prototype();
        Self {
            place,
            acoustics: recognizer.acoustics(prototype.gate.clone()),
            utterances: UtteranceDecoder::new(prototype, recognizer.finalizer(place)),
            recognizer: recognizer.clone(),
        }
    }

    /// Takes mono samples in `[-1, 1]` at [`Recognizer::sample_rate`], and decodes the chunks that
    /// they complete.
    ///
    /// After [`Stream::finish`] the encoder begins anew with the first sample, while the clock runs
    /// on.
    ///
    /// # Errors
    ///
    /// [`crate::error::Error::Samples`] if one is not a finite number; none has been taken then.
    /// [`crate::error::Error::Encoder`] if a chunk can't be encoded; call [`Stream::reset`] before going on. What
    /// ended the second pass, once: the samples have been taken, and finals are the first pass's from then on.
    pub fn accept_waveform(&mut self, samples: &[f32]) -> Result<()> {
        check_samples(samples)?;
        // Pieces of a chunk's length at most, so that a whole file does not become frames at once.
        for piece in samples.chunks(self.chunk_samples()) {
            self.utterances.clock.accept(piece.len());
            self.acoustics.accept(piece, &mut self.utterances)?;
        }
        self.utterances.check()
    }

    /// Moves the clock over samples that were lost: what comes later has later times.
    ///
    /// More than 0.2 s end the utterance, as [`Stream::finish`] does. Of fewer the encoder sees the samples
    /// before and after as neighbours.
    ///
    /// # Errors
    ///
    /// Those of [`Stream::finish`]; the clock has moved even so.
    pub fn skip(&mut self, samples: u64) -> Result<()> {
        let is_long = samples > u64::from(self.recognizer.sample_rate() / LONG_GAPS_PER_SECOND);
        let finished = if is_long { self.finish() } else { Ok(()) };
        self.utterances.clock.skip(samples);
        finished
    }

    /// Gives the oldest event not yet given.
    pub fn next_event(&mut self) -> Option<Event> {
        self.utterances.next_event()
    }

    /// Prefers other hotwords from the next utterance on; from this one on if nothing has been found
    /// in it. They hold until they are set anew or the stream is reset.
    ///
    /// # Errors
    ///
    /// [`crate::error::Error::Config`] for one that the tokens can't spell, and by greedy decoding; those before
    /// stay then.
    pub fn set_hotwords(&mut self, hotwords: &[Hotword]) -> Result<()> {
        self.utterances.set_hotwords(hotwords)
    }

    /// Restricts text to another grammar, or to none, from the next utterance on; from this one on if
    /// nothing has been heard in it. It holds until it is set anew or the stream is reset.
    ///
    /// # Errors
    ///
    /// [`crate::error::Error::Config`] with the place of a word that the tokens can't spell, for a grammar that gets
    /// too large or a threshold out of its range, and by greedy decoding; that before stays then.
    pub fn set_grammar(&mut self, constraint: Option<&GrammarConstraint>) -> Result<()> {
        self.utterances.set_grammar(constraint)
    }

    /// Spots other keywords from the next encoder frame on; a keyword that has begun is not reported. They hold
    /// until they are set anew or the stream is reset.
    ///
    /// # Errors
    ///
    /// Those of [`crate::decode::keyword::KeywordSpotter::new`] for a keyword that can't be spelled or has a threshold out of its
    /// range; those before stay then.
    pub fn set_keywords(&mut self, keywords: &[Keyword]) -> Result<()> {
        self.utterances.set_keywords(keywords)
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
    /// [`crate::error::Error::Encoder`] if a chunk can't be encoded; call [`Stream::reset`] before going on.
    pub fn finish(&mut self) -> Result<()> {
        if !self.utterances.clock.is_running() {
            return Ok(());
        }
        self.acoustics.pad(self.recognizer.model().config(), &mut self.utterances)?;
        self.utterances.finish();
        self.acoustics.reset();
        self.utterances.check()
    }

    /// Forgets everything, events not yet given included: what follows is as in a new stream.
    pub fn reset(&mut self) {
        *self = Self::new(&self.recognizer, self.place);
    }

    /// Waits until an event is there; gives whether one is. Without one, no utterance that has ended lacks its
    /// final.
    pub(crate) fn wait_for_event(&mut self) -> bool {
        self.utterances.wait_for_event()
    }

    /// Takes the first pass's finals for those that are still being computed.
    pub(crate) fn finalize_by_first_pass(&mut self) {
        self.utterances.finalize_by_first_pass();
    }

    /// Withdraws what was shown of the utterance, by an event.
    pub(crate) fn withdraw_utterance(&mut self) {
        self.utterances.withdraw();
    }

    /// Begins anew, with the next utterance's number.
    pub(crate) fn reset_utterance(&mut self) {
        let next = self.utterances.utterance() + 1;
        self.reset();
        self.number_from(next);
    }

    /// The number of the utterance that is being decoded, or that comes next.
    pub(crate) fn next_utterance(&self) -> u64 {
        self.utterances.utterance()
    }

    /// Begins with the utterance of this number.
    pub(crate) fn number_from(&mut self, utterance: u64) {
        self.utterances.number_from(utterance);
    }

    /// Utterances that have ended and lack their final, which another thread computes.
    pub(crate) fn finals_pending(&self) -> usize {
        self.utterances.finals_pending()
    }

    /// # Errors
    ///
    /// Why no more finals are computed on another thread, once.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.utterances.check()
    }

    /// The audio clock: samples accepted and skipped since the stream's start.
    pub fn samples_accepted(&self) -> u64 {
        self.utterances.clock.now()
    }

    /// The audio clock as a time.
    pub fn audio_position(&self) -> Duration {
        let (samples, rate) = (self.samples_accepted(), u64::from(self.recognizer.sample_rate()));
        Duration::from_secs(samples / rate)
            + Duration::from_nanos(samples % rate * 1_000_000_000 / rate)
    }

    /// What its stages have taken since it began or was reset.
    pub fn stage_times(&self) -> StageTimes {
        let mut times = self.acoustics.times;
        times += self.utterances.times;
        times
    }

    fn chunk_samples(&self) -> usize {
        let config = self.recognizer.model().config();
        config.encoder.chunk_frames * config.features.frame_shift_samples
    }
}
