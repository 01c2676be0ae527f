//! What an idle microphone takes.

use std::time::Duration;

use anyhow::Result;
use mynah::{
    Recognizer, Session, Step,
    audio::{ReadOutcome, Source},
};

/// How long the recognizer may take to learn what silence is; not measured.
const SETTLED: Duration = Duration::from_secs(20);
const MEASURED: Duration = Duration::from_secs(60);

/// Silence with the rustle of a microphone in it: the last bits of 16-bit samples.
struct Silence {
    sample_rate: u32,
    left: usize,
    random: u32,
}

impl Source for Silence {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn read(&mut self, samples: &mut [f32]) -> mynah::Result<ReadOutcome> {
        let count = samples.len().min(self.left);
        for sample in &mut samples[..count] {
            // Numerical Recipes' generator.
            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = ((self.random >> 28) as f32 - 7.5) / 32_768.0;
        }
        self.left -= count;
        Ok(if count == 0 { ReadOutcome::End } else { ReadOutcome::Samples(count) })
    }
}

/// The part of one core that recognition takes while nothing is said.
///
/// # Errors
///
/// The encoder failed.
pub fn cpu_share(recognizer: &Recognizer) -> Result<f64> {
    let sample_rate = recognizer.sample_rate();
    let seconds = (SETTLED + MEASURED).as_secs() as usize;
    let source = Silence { sample_rate, left: seconds * sample_rate as usize, random: 1 };
    let mut session = Session::new(recognizer, source)?;
    while session.audio_position() < SETTLED {
        session.advance()?;
    }
    let (position, computed) = (session.audio_position(), session.compute_time());
    let mut share = 0.0;
    while session.advance()? != Step::Ended {
        let taken = session.compute_time() - computed;
        share = taken.as_secs_f64() / (session.audio_position() - position).as_secs_f64();
    }
    Ok(share)
}
