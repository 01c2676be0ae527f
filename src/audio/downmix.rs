//! From several channels to one.

use std::num::NonZeroU16;

use super::ring::DeviceSample;

/// A mean this far below the loudest channel's power is no chance: -25 dB.
const CANCELLED: f32 = 0.003;
/// Power below which nothing is concluded, -60 dB of full scale.
const SILENCE: f32 = 1e-6;

/// Which channels of a recording or a device are recognized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    /// Their mean; from where it cancels on, as in a balanced line recorded as stereo, the loudest
    /// of them.
    #[default]
    Auto,
    /// Their mean.
    Mix,
    /// One of them, counted from 1. Of a recording with fewer channels, an error; of a device, the
    /// last one.
    Only(NonZeroU16),
}

/// Mixes interleaved frames down. Never allocates after its making.
#[derive(Debug)]
pub(super) struct Downmix {
    channels: usize,
    choice: Channel,
    /// The channel that is taken alone, counted from 0.
    only: Option<usize>,
    /// Each channel's power in the block at hand.
    powers: Vec<f32>,
}

impl Downmix {
    /// Of so many channels; the error is the number that is missing.
    #[cfg(any(feature = "files", feature = "mic"))]
    pub(super) fn new(channels: usize, choice: Channel) -> Result<Self, String> {
        match choice {
            Channel::Only(number) if usize::from(number.get()) > channels => Err(format!(
                "has {channels} channel{}, so there is no channel {number}",
                if channels == 1 { "" } else { "s" }
            )),
            _ => Ok(Self::of_device(channels, choice)),
        }
    }

    /// Of a device, whose last channel stands for one that it lacks.
    pub(super) fn of_device(channels: usize, choice: Channel) -> Self {
        let channels = channels.max(1);
        let only = match choice {
            Channel::Only(number) => Some(usize::from(number.get()).min(channels) - 1),
            _ => None,
        };
        Self { channels, choice, only, powers: vec![0.0; channels] }
    }

    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// Looks for channels that cancel in the next block; gives the one taken from now on, if it is new.
    pub(super) fn observe<T: DeviceSample>(&mut self, interleaved: &[T]) -> Option<usize> {
        if self.channels < 2 || self.only.is_some() || self.choice != Channel::Auto {
            return None;
        }
        self.powers.fill(0.0);
        let (mut mix, mut frames) = (0.0, 0.0f32);
        for frame in interleaved.chunks_exact(self.channels) {
            let mut sum = 0.0;
            for (power, sample) in self.powers.iter_mut().zip(frame) {
                let sample = sample.to_f32();
                *power += sample * sample;
                sum += sample;
            }
            let mean = sum / self.channels as f32;
            mix += mean * mean;
            frames += 1.0;
        }
        let most = self.powers.iter().copied().fold(0.0, f32::max);
        let loudest = self.powers.iter().position(|power| *power == most)?;
        let cancels = most > SILENCE * frames && mix < CANCELLED * most;
        self.only = cancels.then_some(loudest);
        self.only
    }

    /// One frame's sample.
    pub(super) fn mix<T: DeviceSample>(&self, frame: &[T]) -> f32 {
        match self.only {
            Some(channel) => frame[channel].to_f32(),
            None => frame.iter().map(|sample| sample.to_f32()).sum::<f32>() / self.channels as f32,
        }
    }

    /// Appends a block's samples; gives what [`Downmix::observe`] gives.
    #[cfg(feature = "files")]
    pub(super) fn append(&mut self, interleaved: &[f32], mono: &mut Vec<f32>) -> Option<usize> {
        let new = self.observe(interleaved);
        mono.extend(interleaved.chunks_exact(self.channels).map(|frame| self.mix(frame)));
        new
    }
}

/// What to say of channels that cancel, the one taken counted from 0.
pub(super) fn cancellation(taken: usize) -> String {
    format!(
        "its channels cancel one another (opposite phase); takes channel {} alone from there on",
        taken + 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(number: u16) -> Channel {
        Channel::Only(NonZeroU16::new(number).unwrap())
    }

    fn mixed(choice: Channel, interleaved: &[f32]) -> (Vec<f32>, Option<usize>) {
        let (mut downmix, mut mono) = (Downmix::new(2, choice).unwrap(), Vec::new());
        let new = downmix.append(interleaved, &mut mono);
        (mono, new)
    }

    #[test]
    fn the_mean_is_taken_unless_it_cancels() {
        assert_eq!(mixed(Channel::Auto, &[0.5, 0.25, -0.5, 0.0]), (vec![0.375, -0.25], None));
        assert_eq!(mixed(Channel::Auto, &[0.5, -0.5, -0.25, 0.25]), (vec![0.5, -0.25], Some(0)));
        assert_eq!(mixed(Channel::Mix, &[0.5, -0.5, -0.25, 0.25]), (vec![0.0, 0.0], None));
        // Hum below the threshold says nothing.
        assert_eq!(mixed(Channel::Auto, &[1e-4, -1e-4]).1, None);
    }

    #[test]
    fn one_channel_can_be_chosen() {
        assert_eq!(mixed(only(2), &[0.5, -0.25, 0.75, 0.0]), (vec![-0.25, 0.0], None));
        assert_eq!(Downmix::new(1, only(1)).unwrap().mix(&[0.5f32]), 0.5);
        assert!(Downmix::new(2, only(3)).unwrap_err().contains("no channel 3"));
    }

    #[test]
    fn the_channel_stays_once_it_is_taken() {
        let (mut downmix, mut mono) = (Downmix::new(2, Channel::Auto).unwrap(), Vec::new());
        assert_eq!(downmix.append(&[0.25, -0.25], &mut mono), Some(0));
        assert_eq!(downmix.append(&[0.25, 0.75], &mut mono), None);
        assert_eq!(mono, [0.25, 0.25]);
    }
}
