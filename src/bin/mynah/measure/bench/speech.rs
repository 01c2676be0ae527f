//! Recordings as fast as they go, and what each chunk of them takes.

use std::{path::Path, time::Duration};

use anyhow::{Result, bail};
use mynah::{Event, Recognizer, Session, StageTimes, Step, audio::AudioFile};

use crate::{
    audio_input,
    measure::eval::latency::{ClosedBy, Latencies, LatencyMeter},
    utterance::Utterance,
};

/// What the recordings so far have taken.
#[derive(Default)]
pub struct Speech {
    pub audio: Duration,
    /// Resampling and recognition; decoding the file is not counted.
    pub compute: Duration,
    /// The computation that came with each chunk's length of audio.
    pub chunks: Vec<Duration>,
    pub latencies: Latencies,
    pub stages: StageTimes,
}

/// How much audio a chunk is.
pub fn chunk_length(recognizer: &Recognizer) -> Duration {
    let config = recognizer.model().config();
    config.frames_duration(config.encoder.chunk_frames)
}

impl Speech {
    /// Recognizes a recording from its beginning to its end.
    ///
    /// # Errors
    ///
    /// The file can't be decoded, or holds no audio.
    pub fn add(
        &mut self,
        recognizer: &Recognizer,
        source: AudioFile,
        file: impl AsRef<Path>,
    ) -> Result<()> {
        let file = file.as_ref();
        let mut session = Session::new(recognizer, source)?;
        let mut meter = LatencyMeter::default();
        let chunk_length = chunk_length(recognizer);
        let mut chunk_end = chunk_length;
        let (mut computed, mut computed_before_chunk) = (Duration::ZERO, Duration::ZERO);
        loop {
            let step = session.advance();
            let step =
                step.map_err(|e| audio_input::name_file(e, file, session.audio_position()))?;
            meter.computed(session.audio_position(), session.compute_time() - computed);
            computed = session.compute_time();
            while let Some(event) = session.next_event() {
                let utterance = Utterance::new(event.hypothesis(), recognizer.model());
                match (event, step) {
                    (Event::Partial { .. }, _) => meter.partial(&utterance),
                    (Event::Final { .. }, Step::Ended) => {
                        meter.final_(&utterance, ClosedBy::EndOfAudio);
                    }
                    (Event::Final { .. }, _) => meter.final_(&utterance, ClosedBy::Endpoint),
                }
            }
            if step == Step::Ended {
                break;
            }
            if session.audio_position() >= chunk_end {
                self.chunks.push(computed - computed_before_chunk);
                computed_before_chunk = computed;
                chunk_end += chunk_length;
            }
        }
        if session.audio_position().is_zero() {
            bail!("{}: holds no audio to measure with", file.display());
        }
        self.audio += session.audio_position();
        self.compute += computed;
        self.stages += session.stream().stage_times();
        self.latencies.extend(meter.into_latencies());
        Ok(())
    }
}
