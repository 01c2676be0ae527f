//! Opus packets to samples, for symphonia, which demuxes Ogg Opus but has no decoder for it.

use opus_pure::MAX_PACKET_SAMPLES;
use symphonia::core::audio::{
    AsGenericAudioBufferRef, Audio, AudioBuffer, AudioMut, AudioSpec, GenericAudioBufferRef,
};
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, FinalizeResult,
};
use symphonia::core::errors::{Error, Result};
use symphonia::core::packet::PacketRef;

/// The rate at which Opus counts its samples, in Hz.
const SAMPLE_RATE: u32 = 48_000;

const INFO: CodecInfo = CodecInfo { short_name: "opus", long_name: "Opus", profiles: &[] };

/// Decodes the packets of one mono or stereo Opus stream at 48 kHz.
///
/// Leaves out the encoder's delay (the header's pre-skip) and applies the header's gain, as
/// RFC 7845 asks of players.
pub(super) struct OpusDecoder {
    params: AudioCodecParameters,
    decoder: opus_pure::OpusDecoder,
    /// One packet, interleaved.
    pcm: Vec<f32>,
    buffer: AudioBuffer<f32>,
    /// Samples per channel that are still to be left out at the start.
    pre_skip: usize,
}

impl OpusDecoder {
    pub(super) fn new(
        params: &AudioCodecParameters,
        options: &AudioDecoderOptions,
    ) -> Result<Self> {
        let Some(channels) = params.channels.clone().filter(|c| matches!(c.count(), 1 | 2)) else {
            return Err(Error::Unsupported("Opus with more than two channels"));
        };
        // RFC 7845, section 5.1: pre-skip at byte 10, gain at byte 16 as Q7.8 dB.
        let head = params.extra_data.as_deref().unwrap_or_default();
        let field = |at: usize| Some([*head.get(at)?, *head.get(at + 1)?]);
        let (Some(pre_skip), Some(gain)) = (field(10), field(16)) else {
            return Err(Error::DecodeError("the Opus header is too short"));
        };
        let count = channels.count();
        let mut decoder = opus_pure::OpusDecoder::new(SAMPLE_RATE as i32, count)
            .map_err(|_| Error::Unsupported("this kind of Opus stream"))?;
        decoder.gain_q8 = i32::from(i16::from_le_bytes(gain));
        let pre_skip = if options.gapless { u16::from_le_bytes(pre_skip) } else { 0 };
        Ok(Self {
            params: params.clone(),
            decoder,
            pcm: vec![0.0; MAX_PACKET_SAMPLES * count],
            buffer: AudioBuffer::new(AudioSpec::new(SAMPLE_RATE, channels), MAX_PACKET_SAMPLES),
            pre_skip: usize::from(pre_skip),
        })
    }
}

impl AudioDecoder for OpusDecoder {
    fn reset(&mut self) {
        // The only error is an unknown rate, which `new` has refused.
        let _ = self.decoder.reset_state();
    }

    fn codec_info(&self) -> &CodecInfo {
        &INFO
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.params
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.buffer.clear();
        let frames = self
            .decoder
            .decode(packet.data, MAX_PACKET_SAMPLES, &mut self.pcm)
            .map_err(|_| Error::DecodeError("an Opus packet is damaged"))?;
        let count = self.buffer.spec().channels().count();
        self.buffer.render_silence(Some(frames));
        self.buffer.copy_from_slice_interleaved(&&self.pcm[..frames * count]);

        let skipped = self.pre_skip.min(frames);
        self.pre_skip -= skipped;
        let padding = usize::try_from(packet.trim_end.get()).unwrap_or(frames);
        self.buffer.trim(skipped, padding.min(frames - skipped));
        Ok(self.buffer.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.buffer.as_generic_audio_buffer_ref()
    }
}
