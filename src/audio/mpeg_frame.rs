//! Frame headers of MPEG audio (MP1, MP2, MP3) and of AAC in ADTS, enough to follow a stream of them.

/// Rates of MPEG-1 in Hz; MPEG-2 has half of them, MPEG-2.5 a quarter.
const MPEG_1_RATES: [u32; 3] = [44_100, 48_000, 32_000];
const ADTS_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// Rates of bits in kbit/s, by the header's index less one.
const LAYER_1_KBITS: [u32; 14] =
    [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
const LAYER_2_KBITS: [u32; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
const LAYER_3_KBITS: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const LOW_LAYER_1_KBITS: [u32; 14] =
    [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
const LOW_LAYER_23_KBITS: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/// The bytes that a header takes at most.
const HEADER_BYTES: usize = 7;

/// Frames in a row that make a stream.
const FRAMES_IN_A_ROW: usize = 3;

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MpegFrame {
    pub codec: MpegCodec,
    pub sample_rate: u32,
    /// 0 for AAC whose channels are described in the frame itself.
    pub channels: u8,
    /// With the header.
    pub bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MpegCodec {
    /// MPEG audio of this layer.
    Layer(u8),
    Adts,
}

impl MpegFrame {
    /// Reads the header at the start of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, b, ..] if b & 0xF6 == 0xF0 => Self::read_adts(bytes),
            [0xFF, b, ..] if b & 0xE0 == 0xE0 => Self::read_mpeg(bytes),
            _ => None,
        }
    }

    fn read_adts(bytes: &[u8]) -> Option<Self> {
        let &[_, _, c, d, e, f, ..] = bytes else { return None };
        let sample_rate = *ADTS_RATES.get(usize::from(c >> 2 & 15))?;
        let channels = (c & 1) << 2 | d >> 6;
        let length = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
        (length > HEADER_BYTES).then_some(Self {
            codec: MpegCodec::Adts,
            sample_rate,
            channels,
            bytes: length,
        })
    }

    fn read_mpeg(bytes: &[u8]) -> Option<Self> {
        let &[_, b, c, d, ..] = bytes else { return None };
        let layer = 4 - (b >> 1 & 3);
        let rate_shift = match b >> 3 & 3 {
            3 => 0,
            2 => 1,
            0 => 2,
            _ => return None,
        };
        let kbits = match (layer, rate_shift) {
            (1, 0) => LAYER_1_KBITS,
            (2, 0) => LAYER_2_KBITS,
            (3, 0) => LAYER_3_KBITS,
            (1, _) => LOW_LAYER_1_KBITS,
            (2 | 3, _) => LOW_LAYER_23_KBITS,
            _ => return None,
        };
        let bits = 1_000 * kbits.get(usize::from(c >> 4).checked_sub(1)?)?;
        let sample_rate = MPEG_1_RATES.get(usize::from(c >> 2 & 3))? >> rate_shift;
        let padding = u32::from(c >> 1 & 1);
        let length = match layer {
            1 => (12 * bits / sample_rate + padding) * 4,
            3 if rate_shift > 0 => 72 * bits / sample_rate + padding,
            _ => 144 * bits / sample_rate + padding,
        };
        let channels = if d >> 6 == 3 { 1 } else { 2 };
        Some(Self { codec: MpegCodec::Layer(layer), sample_rate, channels, bytes: length as usize })
    }

    /// The first position from which frames of one codec follow one another, and their codec.
    ///
    /// Where `bytes` are everything, fewer frames do if they reach the end exactly.
    pub(super) fn find(bytes: &[u8], is_all: bool) -> Option<(usize, MpegCodec)> {
        let starts = (0..bytes.len()).filter(|&at| bytes[at] == 0xFF);
        starts.into_iter().find_map(|at| Some((at, row_from(&bytes[at..], is_all)?)))
    }
}

/// The codec of the frames that begin here, if there are enough of them.
fn row_from(bytes: &[u8], is_all: bool) -> Option<MpegCodec> {
    let first = MpegFrame::read(bytes)?;
    let mut at = 0;
    for _ in 0..FRAMES_IN_A_ROW {
        if is_all && at == bytes.len() {
            break;
        }
        let frame = MpegFrame::read(bytes.get(at..)?)?;
        if frame.codec != first.codec || frame.sample_rate != first.sample_rate {
            return None;
        }
        at += frame.bytes;
    }
    Some(first.codec)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of 128 kbit/s at 44.1 kHz, mono.
    fn mp3_frame() -> Vec<u8> {
        let mut frame = vec![0xFF, 0xFB, 0x90, 0xC0];
        frame.resize(417, 0);
        frame
    }

    #[test]
    fn headers_give_rate_channels_and_length() {
        let frame = MpegFrame::read(&mp3_frame()).unwrap();
        let wanted =
            MpegFrame { codec: MpegCodec::Layer(3), sample_rate: 44_100, channels: 1, bytes: 417 };
        assert_eq!(frame, wanted);
        // MPEG-2, layer 3, 64 kbit/s at 22.05 kHz, stereo.
        let frame = MpegFrame::read(&[0xFF, 0xF3, 0x80, 0x00]).unwrap();
        assert_eq!((frame.sample_rate, frame.channels, frame.bytes), (22_050, 2, 208));
        // AAC-LC at 44.1 kHz, two channels, 371 bytes.
        let frame = MpegFrame::read(&[0xFF, 0xF1, 0x50, 0x80, 0x2E, 0x7F, 0xFC]).unwrap();
        assert_eq!(frame.codec, MpegCodec::Adts);
        assert_eq!((frame.sample_rate, frame.channels, frame.bytes), (44_100, 2, 371));
        for wrong in [&[0xFF][..], &[0xFF, 0xFB, 0xF0, 0], &[0xFF, 0xFB, 0x9C, 0], b"ABCD"] {
            assert_eq!(MpegFrame::read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_stream_is_frames_in_a_row() {
        let stream = [vec![0x55; 100], mp3_frame().repeat(4)].concat();
        assert_eq!(MpegFrame::find(&stream, false), Some((100, MpegCodec::Layer(3))));
        assert_eq!(MpegFrame::find(&mp3_frame(), true), Some((0, MpegCodec::Layer(3))));
        assert_eq!(MpegFrame::find(&mp3_frame(), false), None);
        let torn = [mp3_frame(), vec![7; 30], mp3_frame()].concat();
        assert_eq!(MpegFrame::find(&torn, false), None);
    }
}
