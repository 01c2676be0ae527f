//! Source → resampler → stream on the calling thread, as fast as it goes.

use std::time::{Duration, Instant};

use mynah::{
    Event, KeywordHit, Recognizer, Result, StageTimes, Stream,
    audio::{Read, Resampler, Source},
    ctc::Hotword,
};

/// Audio is taken in blocks of a size that a microphone may have too: 10 ms.
const BLOCKS_PER_SECOND: u32 = 100;

/// One source on its way into one stream.
pub struct Pipeline<S> {
    source: S,
    resampler: Resampler,
    stream: Stream,
    stream_rate: u32,
    block: Vec<f32>,
    resampled: Vec<f32>,
    read_samples: u64,
    compute: Duration,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Took a block of audio; there may be events.
    Fed,
    /// Found the end and flushed the stream; the last events are there.
    Ended,
}

impl<S: Source> Pipeline<S> {
    /// Puts a source before a new stream of the recognizer.
    pub fn new(recognizer: &Recognizer, source: S) -> Result<Self> {
        let rate = source.sample_rate();
        Ok(Self {
            resampler: Resampler::new(rate, recognizer.sample_rate())?,
            stream: recognizer.stream(),
            stream_rate: recognizer.sample_rate(),
            block: vec![0.0; rate.div_ceil(BLOCKS_PER_SECOND) as usize],
            resampled: Vec::new(),
            read_samples: 0,
            compute: Duration::ZERO,
            source,
        })
    }

    /// Prefers phrases, instead of those that the recognizer was configured with.
    ///
    /// # Errors
    ///
    /// One can't be used.
    pub fn set_hotwords(&mut self, hotwords: &[Hotword]) -> Result<()> {
        self.stream.set_hotwords(hotwords)
    }

    /// Reads a block and recognizes it.
    ///
    /// # Errors
    ///
    /// The source or the stream failed. What was read before has been decoded: its events are
    /// there.
    pub fn step(&mut self) -> Result<Step> {
        match self.source.read(&mut self.block).and_then(|read| self.recognize(read)) {
            Ok(step) => Ok(step),
            Err(error) => {
                if let Err(unflushed) = self.flush() {
                    log::debug!("the rest was not decoded: {unflushed}");
                }
                Err(error)
            }
        }
    }

    /// The next event that the steps so far have brought.
    pub fn next_event(&mut self) -> Option<Event> {
        self.stream.next_event()
    }

    /// The next keyword that the steps so far have brought.
    pub fn next_keyword(&mut self) -> Option<KeywordHit> {
        self.stream.next_keyword()
    }

    /// How much audio has been read.
    pub fn audio_position(&self) -> Duration {
        let rate = u64::from(self.source.sample_rate());
        let rest_nanos = self.read_samples % rate * 1_000_000_000 / rate;
        Duration::from_secs(self.read_samples / rate) + Duration::from_nanos(rest_nanos)
    }

    /// How long resampling and recognition have taken; decoding the file is not counted.
    pub fn compute(&self) -> Duration {
        self.compute
    }

    /// What the stages of recognition have taken.
    pub fn stage_times(&self) -> StageTimes {
        self.stream.stage_times()
    }

    fn recognize(&mut self, read: Read) -> Result<Step> {
        let started = Instant::now();
        let step = match read {
            Read::Samples(count) => {
                self.read_samples += count as u64;
                self.resampled.clear();
                self.resampler.process(&self.block[..count], &mut self.resampled);
                self.stream.accept_waveform(&self.resampled).map(|()| Step::Fed)
            }
            Read::Gap(samples) => {
                self.read_samples += samples;
                self.skip_gap().map(|()| Step::Fed)
            }
            Read::End => self.flush().map(|()| Step::Ended),
        };
        self.compute += started.elapsed();
        step
    }

    /// Hands over what came before the gap, and moves the stream's clock to the source's.
    fn skip_gap(&mut self) -> Result<()> {
        self.drain()?;
        let (from, to) = (u128::from(self.source.sample_rate()), u128::from(self.stream_rate));
        let due = ((u128::from(self.read_samples) * to + from / 2) / from) as u64;
        self.stream.skip(due.saturating_sub(self.stream.samples_accepted()))
    }

    fn flush(&mut self) -> Result<()> {
        self.drain()?;
        self.stream.finish()
    }

    /// Hands over what the resampler still holds.
    fn drain(&mut self) -> Result<()> {
        self.resampled.clear();
        self.resampler.finish(&mut self.resampled);
        self.stream.accept_waveform(&self.resampled)
    }
}
