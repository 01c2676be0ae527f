//! A part of a recording, as a source of its own with the recording's times.

use std::{collections::VecDeque, time::Duration};

use mynah::{
    Result,
    audio::{ReadOutcome, Source},
};

/// Samples from a place of a recording on.
pub struct Part {
    sample_rate: u32,
    /// The place, in samples.
    start: u64,
    stretches: VecDeque<Stretch>,
    /// How many samples of the first stretch have been read.
    read: usize,
    /// Samples, lost ones included.
    len: u64,
}

/// What lies between two gaps, or a gap.
enum Stretch {
    Samples(Vec<f32>),
    Gap(u64),
}

impl Part {
    /// An empty part from a place on.
    pub fn new(sample_rate: u32, start: u64) -> Self {
        let mut part = Self { sample_rate, start, stretches: VecDeque::new(), read: 0, len: 0 };
        // Times count from the recording's start.
        part.stretches.extend((start > 0).then_some(Stretch::Gap(start)));
        part
    }

    /// Appends samples.
    pub fn push(&mut self, samples: &[f32]) {
        self.len += samples.len() as u64;
        match self.stretches.back_mut() {
            Some(Stretch::Samples(last)) => last.extend_from_slice(samples),
            _ => self.stretches.push_back(Stretch::Samples(samples.to_vec())),
        }
    }

    /// Appends so many lost samples.
    pub fn push_gap(&mut self, samples: u64) {
        self.len += samples;
        self.stretches.push_back(Stretch::Gap(samples));
    }

    /// Cuts the last samples off; gives a part of them. They must not reach behind a gap.
    pub fn split_off(&mut self, samples: usize) -> Self {
        let mut rest = Self::new(self.sample_rate, self.end() - samples as u64);
        if let Some(Stretch::Samples(last)) = self.stretches.back_mut() {
            let cut = last.split_off(last.len().saturating_sub(samples));
            self.len -= cut.len() as u64;
            rest.push(&cut);
        }
        rest
    }

    /// Whether it has no samples.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The length, lost samples included.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.len as f64 / f64::from(self.sample_rate))
    }

    /// Where it begins in the recording.
    pub fn start(&self) -> Duration {
        let rate = u64::from(self.sample_rate).max(1);
        Duration::from_secs(self.start / rate)
            + Duration::from_nanos(self.start % rate * 1_000_000_000 / rate)
    }

    /// The place behind it, in samples.
    pub fn end(&self) -> u64 {
        self.start + self.len
    }
}

impl Source for Part {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn is_live(&self) -> bool {
        false
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        let samples = match self.stretches.front() {
            None => return Ok(ReadOutcome::End),
            Some(&Stretch::Gap(lost)) => {
                self.stretches.pop_front();
                return Ok(ReadOutcome::Gap(lost));
            }
            Some(Stretch::Samples(samples)) => samples,
        };
        let count = buffer.len().min(samples.len() - self.read);
        buffer[..count].copy_from_slice(&samples[self.read..][..count]);
        self.read += count;
        if self.read == samples.len() {
            self.stretches.pop_front();
            self.read = 0;
        }
        Ok(ReadOutcome::Samples(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(mut part: Part) -> (Vec<f32>, Vec<u64>) {
        let (mut samples, mut gaps, mut block) = (Vec::new(), Vec::new(), [0.0; 3]);
        loop {
            match part.read(&mut block).unwrap() {
                ReadOutcome::Samples(count) => samples.extend_from_slice(&block[..count]),
                ReadOutcome::Gap(lost) => gaps.push(lost),
                ReadOutcome::End => return (samples, gaps),
            }
        }
    }

    #[test]
    fn a_part_gives_its_samples_after_a_gap_up_to_its_start() {
        let mut part = Part::new(10, 20);
        assert!(part.is_empty());
        part.push(&[1.0, 2.0, 3.0, 4.0]);
        part.push_gap(5);
        part.push(&[5.0]);
        part.push(&[6.0, 7.0]);
        assert_eq!(
            (part.start(), part.duration()),
            (Duration::from_secs(2), Duration::from_millis(1_200))
        );
        let rest = part.split_off(2);
        assert_eq!((rest.start(), rest.end()), (Duration::from_secs(3), 32));
        assert_eq!(read_all(part), (vec![1.0, 2.0, 3.0, 4.0, 5.0], vec![20, 5]));
        assert_eq!(read_all(rest), (vec![6.0, 7.0], vec![30]));
        assert_eq!(read_all(Part::new(10, 0)), (vec![], vec![]));
    }
}
