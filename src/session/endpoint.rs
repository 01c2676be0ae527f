//! Where an utterance ends, by how long the decoder has found nothing but blanks.
//!
//! The rules are those of Kaldi's `OnlineEndpointConfig` (online2/online-endpoint.h), without its
//! `max_relative_cost`, which greedy decoding has no use for. Kaldi's rule 3 asks for no silence at
//! all, and cuts words in two. The early rule is ours: it asks the blanks how sure they are.

use std::time::Duration;

use crate::error::{Error, Result};

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
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointConfig {
    /// Whether utterances end before the stream does.
    pub enabled: bool,
    /// Silence in which nothing was said. By default after 2.4 s.
    pub rule1: EndpointRule,
    /// Silence after something was said. By default after 1.2 s.
    pub rule2: EndpointRule,
    /// Long speech. By default at the first silence of 240 ms after 20 s.
    pub rule3: EndpointRule,
    /// A fourth rule, for those who would rather be answered soon than in whole sentences. By default
    /// there is none.
    pub early: Option<EarlyEndpoint>,
    /// The length at which an utterance ends at the next blank, even if `enabled` is false: what is kept of an
    /// utterance grows with it. By default 60 s.
    pub longest_utterance: Duration,
}

/// Ends an utterance of which something has been decoded, after blanks that the model is sure of.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlyEndpoint {
    /// The least time of nothing but sure blanks up to now. By default 0.48 s.
    pub trailing_silence: Duration,
    /// The least probability of each of these blanks, from 0 to 1. By default 0.99.
    pub blank_probability: f32,
}

impl Default for EarlyEndpoint {
    fn default() -> Self {
        Self { trailing_silence: Duration::from_millis(480), blank_probability: 0.99 }
    }
}

/// Counts encoder frames and says where an utterance ends.
#[derive(Clone, Debug)]
pub struct Endpointer {
    enabled: bool,
    rules: [FrameRule; 3],
    early: Option<EarlyFrames>,
    /// At this length the utterance ends at a blank, and an eighth later anywhere.
    longest_frames: u64,
    has_decoded: bool,
    trailing_blank_frames: u64,
    sure_blank_frames: u64,
    utterance_frames: u64,
}

/// An [`EarlyEndpoint`] in encoder frames.
#[derive(Clone, Debug)]
struct EarlyFrames {
    sure_blank_frames: u64,
    blank_log_prob: f32,
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
            early: None,
            longest_utterance: Duration::from_secs(60),
        }
    }
}

impl Endpointer {
    /// `encoder_frame`: the audio time of one encoder frame. A rule's times are rounded up to it.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if a rule has no time at all, so that it would end every utterance at once,
    /// for an early one whose probability is none, and for a longest utterance of 0 s.
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
        if config.longest_utterance.is_zero() {
            return Err(Error::Config("the longest utterance has 0 s; give it more".to_owned()));
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
        let early = config.early.as_ref().filter(|_| config.enabled);
        let early = early.map(|early| {
            early.check()?;
            Ok(EarlyFrames {
                sure_blank_frames: frames(early.trailing_silence),
                blank_log_prob: early.blank_probability.ln(),
            })
        });
        Ok(Self {
            enabled: config.enabled,
            rules,
            early: early.transpose()?,
            longest_frames: frames(config.longest_utterance),
            has_decoded: false,
            trailing_blank_frames: 0,
            sure_blank_frames: 0,
            utterance_frames: 0,
        })
    }

    /// Takes whether an encoder frame is decoded as blank, and the natural log-probability of blank
    /// in it; returns the number of the rule, 1 to 5, by which the utterance ends with this frame.
    /// The first that holds counts; 4 is the early one, 5 the longest utterance.
    ///
    /// The caller then begins the next utterance with [`Endpointer::reset`].
    pub fn accept(&mut self, blank: bool, blank_log_prob: f32) -> Option<usize> {
        self.utterance_frames += 1;
        self.trailing_blank_frames = if blank { self.trailing_blank_frames + 1 } else { 0 };
        self.has_decoded |= !blank;
        let is_early = self.count_sure(blank, blank_log_prob);
        let holds = |rule: &FrameRule| {
            (self.has_decoded || !rule.must_have_decoded)
                && self.trailing_blank_frames >= rule.trailing_blank_frames
                && self.utterance_frames >= rule.utterance_frames
        };
        (1..)
            .zip(&self.rules)
            .find(|(_, rule)| self.enabled && holds(rule))
            .map(|(number, _)| number)
            .or(is_early.then_some(4))
            .or(self.is_longest(blank).then_some(5))
    }

    fn is_longest(&self, blank: bool) -> bool {
        let longest = self.longest_frames;
        self.utterance_frames >= longest
            && (blank || self.utterance_frames >= longest.saturating_add(longest / 8))
    }

    /// Counts the blanks that the early rule is sure of; returns whether it holds.
    fn count_sure(&mut self, blank: bool, blank_log_prob: f32) -> bool {
        let Some(early) = &self.early else { return false };
        let sure = blank && blank_log_prob >= early.blank_log_prob;
        self.sure_blank_frames = if sure { self.sure_blank_frames + 1 } else { 0 };
        self.has_decoded && self.sure_blank_frames >= early.sure_blank_frames
    }

    /// Begins an utterance.
    pub fn reset(&mut self) {
        self.has_decoded = false;
        self.trailing_blank_frames = 0;
        self.sure_blank_frames = 0;
        self.utterance_frames = 0;
    }
}

impl EarlyEndpoint {
    fn check(&self) -> Result<()> {
        if self.trailing_silence.is_zero() {
            return Err(Error::Config(
                "the early endpoint has a trailing silence of 0 s; give it one".to_owned(),
            ));
        }
        if !(0.0..=1.0).contains(&self.blank_probability) {
            return Err(Error::Config(format!(
                "the early endpoint's blank probability is {}; it must be from 0 to 1",
                self.blank_probability
            )));
        }
        Ok(())
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
        let log_prob = f32::NEG_INFINITY;
        (1..).zip(frames).find_map(|(at, blank)| Some((at, endpointer.accept(blank, log_prob)?)))
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
    fn an_utterance_has_an_end_even_without_endpoints() {
        let config = EndpointConfig { enabled: false, ..Default::default() };
        assert_eq!(first(&config, &[(false, 1490), (true, 20)]), Some((1500, 5)));
        assert_eq!(first(&config, &[(false, 1502), (true, 1)]), Some((1503, 5)));
        assert_eq!(first(&config, &[(false, 3000)]), Some((1687, 5)));
        let never = EndpointConfig { longest_utterance: Duration::MAX, ..config.clone() };
        assert_eq!(first(&never, &[(false, 3000), (true, 3000)]), None);
        let none = EndpointConfig { longest_utterance: Duration::ZERO, ..config };
        let error = Endpointer::new(&none, FRAME).unwrap_err().to_string();
        assert!(error.starts_with("the longest utterance has 0 s"), "{error}");
    }

    #[test]
    fn reset_begins_a_new_utterance() {
        let mut endpointer = Endpointer::new(&EndpointConfig::default(), FRAME).unwrap();
        endpointer.accept(false, -9.0);
        assert_eq!((0..30).find_map(|_| endpointer.accept(true, -9.0)), Some(2));
        endpointer.reset();
        assert_eq!((1..=60).find(|_| endpointer.accept(true, -9.0).is_some()), Some(60));
    }

    /// 480 ms are 12 frames; a blank below 0.99 begins the count anew, and before any token none counts.
    #[test]
    fn the_early_rule_waits_for_sure_blanks_after_a_token() {
        let config = EndpointConfig { early: Some(EarlyEndpoint::default()), ..Default::default() };
        let sure = |probability: f32| (true, probability.ln());
        let (token, sure, unsure) = ((false, -5.0), sure(0.999), sure(0.98));
        let ends_at = |runs: &[((bool, f32), usize)]| {
            let mut endpointer = Endpointer::new(&config, FRAME).unwrap();
            let frames = runs.iter().flat_map(|&(frame, count)| std::iter::repeat_n(frame, count));
            (1..)
                .zip(frames)
                .find_map(|(at, (blank, log_prob))| Some((at, endpointer.accept(blank, log_prob)?)))
        };
        assert_eq!(ends_at(&[(token, 1), (sure, 11)]), None);
        assert_eq!(ends_at(&[(token, 1), (sure, 12)]), Some((13, 4)));
        assert_eq!(ends_at(&[(token, 1), (sure, 11), (unsure, 1), (sure, 12)]), Some((25, 4)));
        assert_eq!(ends_at(&[(token, 1), (unsure, 40)]), Some((31, 2)));
        assert_eq!(ends_at(&[(sure, 59)]), None);
        let off = EndpointConfig { enabled: false, ..config.clone() };
        let mut endpointer = Endpointer::new(&off, FRAME).unwrap();
        assert!((0..99).all(|i| endpointer.accept(i > 0, 0.0).is_none()));
    }

    #[test]
    fn an_early_rule_without_sense_is_refused() {
        let refusal = |early| {
            let config = EndpointConfig { early: Some(early), ..Default::default() };
            Endpointer::new(&config, FRAME).unwrap_err().to_string()
        };
        let early = EarlyEndpoint::default();
        let error = refusal(EarlyEndpoint { blank_probability: 1.5, ..early.clone() });
        assert!(error.contains("is 1.5; it must be from 0 to 1"), "{error}");
        let error = refusal(EarlyEndpoint { trailing_silence: Duration::ZERO, ..early });
        assert!(error.contains("0 s"), "{error}");
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
