//! The audio of a client's messages.

use axum::body::Bytes;

use super::message::Message;

const SAMPLE_BYTES: usize = 2;

/// What a stream's 16-bit samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioFormat {
    /// Samples per second and channel.
    pub rate: u32,
    /// 1 to 8.
    channels: usize,
}

impl AudioFormat {
    /// What `audio-start` or the first `audio-chunk` says.
    ///
    /// # Errors
    ///
    /// The samples are of another width, or the channels too many; the reason is for the client.
    pub fn of(message: &Message) -> Result<Self, String> {
        let number = |key, default| message.number(key).unwrap_or(default);
        let width = number("width", SAMPLE_BYTES as u64);
        let (rate, channels) = (number("rate", 16_000), number("channels", 1));
        if width != SAMPLE_BYTES as u64 {
            return Err(format!("samples of {width} bytes; send 16-bit samples, a width of 2"));
        }
        if !(1..=8).contains(&channels) {
            return Err(format!("{channels} channels; send 1 to 8"));
        }
        // The resampler refuses rates that are none.
        Ok(Self { rate: u32::try_from(rate).unwrap_or(u32::MAX), channels: channels as usize })
    }

    /// The mean of the channels; samples that are not whole are left out.
    pub fn mixed_down(&self, payload: Vec<u8>) -> Bytes {
        if self.channels == 1 {
            return payload.into();
        }
        let frames = payload.chunks_exact(self.channels * SAMPLE_BYTES);
        let mean = |frame: &[u8]| {
            let samples =
                frame.chunks_exact(2).map(|sample| i16::from_le_bytes([sample[0], sample[1]]));
            (samples.map(i32::from).sum::<i32>() / self.channels as i32) as i16
        };
        frames.flat_map(|frame| mean(frame).to_le_bytes()).collect::<Vec<u8>>().into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn channels_are_mixed_down() {
        let bytes = |samples: &[i16]| samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        let samples: Vec<u8> = bytes(&[100, 300, -7, -9]);
        let format = |channels| AudioFormat { rate: 16_000, channels };
        assert_eq!(format(2).mixed_down(samples.clone()), bytes(&[200, -8]));
        assert_eq!(format(1).mixed_down(samples.clone()), samples);
    }

    #[test]
    fn other_samples_than_16_bit_are_refused() {
        let format = |data| AudioFormat::of(&Message::new("audio-start", data));
        assert_eq!(format(json!({})), Ok(AudioFormat { rate: 16_000, channels: 1 }));
        assert!(format(json!({ "width": 4 })).is_err());
        assert!(format(json!({ "channels": 0 })).is_err());
    }
}
