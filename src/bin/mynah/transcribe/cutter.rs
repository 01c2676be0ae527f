//! A recording cut at pauses into parts, which are recognized side by side.
//!
//! Where the cuts are depends on the recording alone, not on the number of cores: the text is the same on every machine.

use std::time::Duration;

use mynah::{
    EndpointConfig, Result,
    audio::{ReadOutcome, Source},
};

use super::{part::Part, pause::PauseDetector};

/// A part is cut at the first pause behind this.
const SHORTEST_PART: Duration = Duration::from_secs(90);
/// A part without a pause is cut at its quietest moment.
const LONGEST_PART: Duration = Duration::from_secs(600);
/// Where that is searched: in the last seconds of the part.
const QUIETEST_SECONDS: usize = 60;
/// So much of a pause belongs to the part behind it.
const LEAD: Duration = Duration::from_millis(600);
/// A pause is longer than the endpoint's silence by so much, at least.
const MARGIN: Duration = Duration::from_millis(800);
const BLOCKS_PER_SECOND: u32 = 100;

/// Reads a source to its end, in parts.
pub struct Cutter<S> {
    source: S,
    block: Vec<f32>,
    part: Part,
    pauses: PauseDetector,
    /// The shortest pause to cut at.
    pause: Duration,
    is_at_end: bool,
}

impl<S: Source> Cutter<S> {
    /// Cuts where an utterance ends anyway.
    ///
    /// # Errors
    ///
    /// The source, if utterances do not end at pauses.
    pub fn new(source: S, endpoint: &EndpointConfig) -> std::result::Result<Self, S> {
        let silence = endpoint.rule1.trailing_silence.max(endpoint.rule2.trailing_silence);
        let Some(pause) = silence.checked_add(MARGIN).filter(|_| endpoint.enabled) else {
            return Err(source);
        };
        let rate = source.sample_rate();
        Ok(Self {
            block: vec![0.0; rate.div_ceil(BLOCKS_PER_SECOND).max(1) as usize],
            part: Part::new(rate, 0),
            pauses: PauseDetector::new(rate),
            source,
            pause,
            is_at_end: false,
        })
    }

    /// The next part; `None` behind the last one. Ends early where `is_interrupted`.
    ///
    /// # Errors
    ///
    /// Those of the source; [`Cutter::rest`] has what was read before.
    pub fn next_part(&mut self, is_interrupted: impl Fn() -> bool) -> Result<Option<Part>> {
        while !self.is_at_end && !is_interrupted() {
            match self.source.read(&mut self.block)? {
                ReadOutcome::Samples(count) => self.push(count),
                ReadOutcome::Gap(lost) => {
                    self.part.push_gap(lost);
                    // It ends an utterance, if it is long, as a pause does.
                    self.pauses = PauseDetector::new(self.source.sample_rate());
                }
                ReadOutcome::End => self.is_at_end = true,
            }
            if let Some(part) = self.cut() {
                return Ok(Some(part));
            }
        }
        Ok(self.rest())
    }

    /// What has been read and is in no part yet.
    pub fn rest(&mut self) -> Option<Part> {
        let next = Part::new(self.source.sample_rate(), self.part.end());
        Some(std::mem::replace(&mut self.part, next)).filter(|part| !part.is_empty())
    }

    /// Whether the source has been read to its end.
    pub fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// The place up to which the source has been read.
    pub fn position(&self) -> Duration {
        let rate = f64::from(self.source.sample_rate());
        Duration::from_secs_f64(self.part.end() as f64 / rate)
    }

    fn push(&mut self, count: usize) {
        self.part.push(&self.block[..count]);
        self.pauses.accept(&self.block[..count]);
    }

    /// Cuts the part, if it is long enough and this is a place to cut it at.
    fn cut(&mut self) -> Option<Part> {
        let duration = self.part.duration();
        let rate = self.source.sample_rate();
        let samples = if duration >= LONGEST_PART {
            self.pauses.quietest(QUIETEST_SECONDS)
        } else if duration >= SHORTEST_PART
            && self.pauses.pause_seconds() >= self.pause.as_secs_f64()
            && self.pauses.is_steady(self.pause.as_secs_f64())
        {
            (LEAD.as_secs_f64() * f64::from(rate)) as usize
        } else {
            return None;
        };
        let rest = self.part.split_off(samples);
        self.pauses = PauseDetector::new(rate);
        Some(std::mem::replace(&mut self.part, rest))
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::PI;

    use super::*;

    const RATE: u32 = 1_000;

    /// Four syllables a second of a loudness, or gaps, each with its seconds.
    struct Script(Vec<(Option<f32>, f64)>);

    impl Source for Script {
        fn sample_rate(&self) -> u32 {
            RATE
        }

        fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
            let Some((loudness, seconds)) = self.0.first_mut() else { return Ok(ReadOutcome::End) };
            let left = (*seconds * f64::from(RATE)).round() as usize;
            let Some(loudness) = *loudness else {
                self.0.remove(0);
                return Ok(ReadOutcome::Gap(left as u64));
            };
            let count = left.min(buffer.len());
            for (i, sample) in buffer[..count].iter_mut().enumerate() {
                let syllable = (PI * 4.0 * (left - i) as f32 / RATE as f32).sin();
                *sample = if i % 2 == 0 { loudness * syllable } else { -loudness * syllable };
            }
            *seconds -= count as f64 / f64::from(RATE);
            if count == left {
                self.0.remove(0);
            }
            Ok(ReadOutcome::Samples(count))
        }
    }

    /// The parts' starts and lengths, in seconds.
    fn cut(script: &[(Option<f32>, f64)]) -> Vec<(f64, f64)> {
        let cutter = Cutter::new(Script(script.to_vec()), &EndpointConfig::default());
        let mut cutter = cutter.unwrap_or_else(|_| panic!("utterances end at pauses"));
        let mut parts = Vec::new();
        while let Some(part) = cutter.next_part(|| false).unwrap() {
            parts.push((part.start().as_secs_f64(), part.duration().as_secs_f64()));
        }
        parts
    }

    #[test]
    fn parts_are_cut_within_long_pauses_alone() {
        let (loud, quiet) = (Some(0.2), Some(0.001));
        assert_eq!(cut(&[(loud, 20.0), (quiet, 5.0), (loud, 10.0)]), [(0.0, 35.0)]);
        let parts = cut(&[
            (loud, 60.0),
            (quiet, 5.0),
            (loud, 60.0),
            (quiet, 2.0),
            (loud, 20.0),
            (quiet, 5.0),
            (loud, 7.0),
        ]);
        let [(0.0, first), (second, rest)] = parts[..] else { panic!("{parts:?}") };
        // 60 + 5 + 60 + 2 + 20 s, and 3.2 s of the pause behind them, but for the lead.
        assert!((149.5..150.0).contains(&first) && first == second, "{parts:?}");
        assert!((first + rest - 159.0).abs() < 1e-6, "{parts:?}");
    }

    #[test]
    fn what_has_no_pause_is_cut_at_its_quietest() {
        let (loud, lower) = (Some(0.2), Some(0.05));
        let parts = cut(&[(loud, 580.0), (lower, 0.2), (loud, 700.0)]);
        assert_eq!(parts.len(), 3, "{parts:?}");
        assert!((580.0..=580.2).contains(&parts[0].1), "{parts:?}");
        assert!((parts.iter().map(|part| part.1).sum::<f64>() - 1_280.2).abs() < 1e-6);
    }

    #[test]
    fn gaps_keep_their_length() {
        let parts = cut(&[(Some(0.2), 30.0), (None, 600.0), (Some(0.2), 3.0)]);
        assert!((parts.iter().map(|part| part.1).sum::<f64>() - 633.0).abs() < 1e-6, "{parts:?}");
        assert_eq!(cut(&[]), []);
    }

    #[test]
    fn without_endpoints_nothing_is_cut() {
        let endpoint = EndpointConfig { enabled: false, ..EndpointConfig::default() };
        assert!(Cutter::new(Script(Vec::new()), &endpoint).is_err());
    }
}
