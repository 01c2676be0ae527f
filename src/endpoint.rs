//! Where an utterance ends, by how long the decoder has found nothing but blanks.
//!
//! The rules are those of Kaldi's `OnlineEndpointConfig` (online2/online-endpoint.h), without its
//! `max_relative_cost`, which greedy decoding has no use for. Kaldi's rule 3 asks for no silence at
//! all, and cuts words in two.

use std::time::Duration;

use crate::{Error, Result};

/// Ends an utterance when all its conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRule {
    /// Whether a token must have been decoded (Kaldi's `must_contain_nonsilence`).
    pub must_have_decoded: bool,
    /// The least time of nothing but blanks up to now. [`Duration::MAX`] switches the rule off.
    pub trailing_silence: Duration,
    /// The least length of the utterance, its silence before and after included.
    pub utterance_length: Duration,
}

/// When an utterance ends: when any of three rules holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointConfig {
    /// Whether utterances end before the stream does.
    pub enabled: bool,
    /// Silence in which nothing was said. By default after 2.4 s.
    pub rule1: EndpointRule,
    /// Silence after something was said. By default after 1.2 s.
    pub rule2: EndpointRule,
    /// Long speech. By default at the first silence of 240 ms after 20 s.
    pub rule3: EndpointRule,
}

/// Counts encoder frames and says where an utterance ends.
#[derive(Clone, Debug)]
pub struct Endpointer {
    enabled: bool,
    rules: [FrameRule; 3],
    has_decoded: bool,
    trailing_blank_frames: u64,
    utterance_frames: u64,
}

/// An [`EndpointRule`] in encoder frames.
#[derive(Clone, Debug)]
struct FrameRule {
    must_have_decoded: bool,
    trailing_blank_frames: u64,
    utterance_frames: u64,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        let rule = |must_have_decoded, silence_ms, length_ms| EndpointRule {
            must_have_decoded,
            trailing_silence: Duration::from_millis(silence_ms),
            utterance_length: Duration::from_millis(length_ms),
        };
        Self {
            enabled: true,
            rule1: rule(false, 2400, 0),
            rule2: rule(true, 1200, 0),
            rule3: rule(false, 240, 20_000),
        }
    }
}

impl Endpointer {
    /// `encoder_frame`: the audio time of one encoder frame. A rule's times are rounded up to it.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if a rule has no time at all, so that it would end every utterance at once.
    pub fn new(config: &EndpointConfig, encoder_frame: Duration) -> Result<Self> {
        let rules = [&config.rule1, &config.rule2, &config.rule3];
        for (number, rule) in (1..).zip(rules) {
            if config.enabled && rule.trailing_silence.max(rule.utterance_length).is_zero() {
                return Err(Error::Config(format!(
                    "endpoint rule {number} has a trailing silence and an utterance length of 0 s; \
                     give it one of them"
                )));
            }
        }
        let frames = |time: Duration| {
            let frames = time.as_nanos().div_ceil(encoder_frame.as_nanos().max(1));
            u64::try_from(frames).unwrap_or(u64::MAX)
        };
        let rules = rules.map(|rule| FrameRule {
            must_have_decoded: rule.must_have_decoded,
            trailing_blank_frames: frames(rule.trailing_silence),
            utterance_frames: frames(rule.utterance_length),
        });
        let enabled = config.enabled;
        Ok(Self {
            enabled,
            rules,
            has_decoded: false,
            trailing_blank_frames: 0,
            utterance_frames: 0,
        })
    }

    /// Takes whether an encoder frame is blank; returns the number of the rule, 1 to 3, by which the
    /// utterance ends with this frame. The first that holds counts.
    ///
    /// The caller then begins the next utterance with [`Endpointer::reset`].
    pub fn accept(&mut self, blank: bool) -> Option<usize> {
        self.utterance_frames += 1;
        self.trailing_blank_frames = if blank { self.trailing_blank_frames + 1 } else { 0 };
        self.has_decoded |= !blank;
        let holds = |rule: &FrameRule| {
            (self.has_decoded || !rule.must_have_decoded)
                && self.trailing_blank_frames >= rule.trailing_blank_frames
                && self.utterance_frames >= rule.utterance_frames
        };
        (1..)
            .zip(&self.rules)
            .find(|(_, rule)| self.enabled && holds(rule))
            .map(|(number, _)| number)
    }

    /// Begins an utterance.
    pub fn reset(&mut self) {
        self.has_decoded = false;
        self.trailing_blank_frames = 0;
        self.utterance_frames = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(40);

    /// Feeds `(blank?, frames)` runs; returns the frame count and the rule of the first endpoint.
    fn first(config: &EndpointConfig, runs: &[(bool, usize)]) -> Option<(usize, usize)> {
        let mut endpointer = Endpointer::new(config, FRAME).unwrap();
        let frames = runs.iter().flat_map(|&(blank, count)| std::iter::repeat_n(blank, count));
        (1..).zip(frames).find_map(|(at, blank)| Some((at, endpointer.accept(blank)?)))
    }

    #[test]
    fn each_rule_fires_at_its_frame() {
        type Case = (&'static [(bool, usize)], Option<(usize, usize)>);
        let table: [Case; 10] = [
            (&[(true, 59)], None),
            (&[(true, 60)], Some((60, 1))),
            (&[(false, 1), (true, 29)], None),
            (&[(false, 1), (true, 30)], Some((31, 2))),
            (&[(true, 59), (false, 1), (true, 30)], Some((90, 2))),
            (&[(false, 1), (true, 29), (false, 1), (true, 30)], Some((61, 2))),
            (&[(false, 600)], None),
            (&[(false, 600), (true, 5)], None),
            (&[(false, 600), (true, 6)], Some((606, 3))),
            (&[(false, 490), (true, 20)], Some((500, 3))),
        ];
        for (runs, expected) in table {
            assert_eq!(first(&EndpointConfig::default(), runs), expected, "{runs:?}");
        }
    }

    #[test]
    fn times_round_up_to_encoder_frames() {
        let mut config = EndpointConfig::default();
        config.rule2.trailing_silence = Duration::from_millis(81);
        assert_eq!(first(&config, &[(false, 1), (true, 9)]), Some((4, 2)));
    }

    #[test]
    fn rules_can_be_switched_off_alone_and_together() {
        let mut config = EndpointConfig::default();
        config.rule1.trailing_silence = Duration::MAX;
        config.rule3.trailing_silence = Duration::MAX;
        assert_eq!(first(&config, &[(true, 1000)]), None);
        assert_eq!(first(&config, &[(false, 1), (true, 30)]), Some((31, 2)));
        config.enabled = false;
        assert_eq!(first(&config, &[(false, 1), (true, 1000)]), None);
    }

    #[test]
    fn reset_begins_a_new_utterance() {
        let mut endpointer = Endpointer::new(&EndpointConfig::default(), FRAME).unwrap();
        endpointer.accept(false);
        assert_eq!((0..30).find_map(|_| endpointer.accept(true)), Some(2));
        endpointer.reset();
        assert_eq!((1..=60).find(|_| endpointer.accept(true).is_some()), Some(60));
    }

    #[test]
    fn a_rule_without_any_time_is_refused_unless_switched_off() {
        let mut config = EndpointConfig::default();
        config.rule2.trailing_silence = Duration::ZERO;
        let error = Endpointer::new(&config, FRAME).unwrap_err().to_string();
        assert!(error.starts_with("endpoint rule 2 has a trailing silence"), "{error}");
        config.enabled = false;
        assert!(Endpointer::new(&config, FRAME).is_ok());
    }
}
