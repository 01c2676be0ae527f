//! How audio is read: which channels, and what samples without a header are.

use clap::ValueEnum;
use mynah::audio::{Channel, FileOptions, RawFormat, SampleFormat};

/// How audio is read.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Audio input")]
pub struct AudioArgs {
    /// Recognize this channel, counted from 1, or the mean of all as `mix` [default: the mean, and
    /// the loudest channel where it cancels]
    #[arg(long, value_name = "N|mix", value_parser = parse_channel)]
    pub channel: Option<Channel>,

    /// What has no header is raw samples of so many per second [default: 16000]
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(1..))]
    pub raw_rate: Option<u32>,

    /// Interleaved channels of raw samples [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub raw_channels: Option<u16>,

    /// Format of a raw sample [default: s16le]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub raw_format: Option<RawSampleFormat>,
}

/// Sample formats by their names in ffmpeg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RawSampleFormat {
    U8,
    S16le,
    S24le,
    S32le,
    F32le,
}

impl AudioArgs {
    /// The library's options for files and streams.
    pub fn options(&self) -> FileOptions {
        FileOptions { channel: self.channel(), raw: self.raw() }
    }

    /// Which channels are recognized.
    pub fn channel(&self) -> Channel {
        self.channel.unwrap_or_default()
    }

    /// What raw samples are, if anything is said of them.
    fn raw(&self) -> Option<RawFormat> {
        let given =
            self.raw_rate.is_some() || self.raw_channels.is_some() || self.raw_format.is_some();
        let default = RawFormat::default();
        given.then(|| RawFormat {
            sample_rate: self.raw_rate.unwrap_or(default.sample_rate),
            channels: self.raw_channels.unwrap_or(default.channels),
            format: self.raw_format.map_or(default.format, SampleFormat::from),
        })
    }
}

impl From<RawSampleFormat> for SampleFormat {
    fn from(format: RawSampleFormat) -> Self {
        match format {
            RawSampleFormat::U8 => Self::U8,
            RawSampleFormat::S16le => Self::I16,
            RawSampleFormat::S24le => Self::I24,
            RawSampleFormat::S32le => Self::I32,
            RawSampleFormat::F32le => Self::F32,
        }
    }
}

fn parse_channel(text: &str) -> Result<Channel, String> {
    if text == "mix" {
        return Ok(Channel::Mix);
    }
    let number = text.parse().map_err(|_| "expected a channel's number from 1 on, or `mix`");
    Ok(Channel::Only(number?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_numbers_or_their_mean() {
        assert_eq!(parse_channel("mix"), Ok(Channel::Mix));
        assert!(matches!(parse_channel("2"), Ok(Channel::Only(n)) if n.get() == 2));
        for wrong in ["0", "-1", "left", "70000", ""] {
            assert!(parse_channel(wrong).is_err(), "{wrong}");
        }
    }
}
