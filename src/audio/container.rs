//! Audio files in a container, demuxed and decoded packet by packet through symphonia.

use std::io::ErrorKind;
use std::path::Path;

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_OPUS, CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F64LE,
};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Symphonia;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

#[cfg(feature = "opus")]
use super::opus::OpusDecoder;
use super::{Input, Piece};

/// Lengths in a WAV header from which on they mean "unknown": writers to a pipe put them there.
const PLACEHOLDER_BYTES: u64 = 0x7FFF_0000;

/// One audio track of a file.
pub(super) struct Container {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    sample_rate: u32,
    len_samples: Option<u64>,
    /// Whether the header's length is exact, so that less means that the file is cut short.
    len_is_exact: bool,
    /// Samples given so far, lost ones included.
    given: u64,
    decoded_any: bool,
    /// A packet that a gap was reported before.
    waiting: Option<Packet>,
    interleaved: Vec<f32>,
}

impl Container {
    /// Finds out the format of `file` and its audio track; the error says what is wrong.
    ///
    /// The path's extension is a hint.
    pub(super) fn open(file: impl MediaSource + 'static, path: &Path) -> Result<Self, String> {
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(extension);
        }
        let stream = MediaSourceStream::new(Box::new(file), Default::default());
        let (format_options, metadata_options) =
            (FormatOptions::default(), MetadataOptions::default());
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, format_options, metadata_options)
            .map_err(|e| match e {
                Symphonia::DecodeError(reason) => format!("its header is damaged ({reason})"),
                _ => "not an audio file of a known kind".to_owned(),
            })?;
        let track = format.default_track(TrackType::Audio).ok_or("it has no audio track")?;
        let (track_id, sample_rate) = (track.id, rate_of(track)?);
        let (decoder, len_samples) = (decoder_for(track)?, length_of(track));
        let len_is_exact = matches!(format.format_info().short_name, "wave" | "flac");
        Ok(Self {
            format,
            decoder,
            track_id,
            sample_rate,
            len_samples,
            len_is_exact,
            given: 0,
            decoded_any: false,
            waiting: None,
            interleaved: Vec::new(),
        })
    }

    /// Goes on with the next of several streams that were written into one file.
    fn restart(&mut self) -> Result<(), String> {
        let track =
            self.format.default_track(TrackType::Audio).ok_or("its second part has no audio")?;
        let rate = rate_of(track)?;
        if rate != self.sample_rate {
            return Err(format!("its sample rate changes from {} to {rate} Hz", self.sample_rate));
        }
        self.decoder = decoder_for(track)?;
        self.track_id = track.id;
        Ok(())
    }

    /// The samples missing before a packet: the demuxer passes over what it can't make out.
    fn missing_before(&self, packet: &Packet) -> u64 {
        let start = u64::try_from(packet.pts.get()).unwrap_or(0);
        if self.len_is_exact { start.saturating_sub(self.given) } else { 0 }
    }

    /// What the end of the packets means.
    fn end(&self) -> Result<Piece, String> {
        match self.len_samples {
            Some(len) if self.len_is_exact && self.given < len => Err(format!(
                "the file is cut short: {:.2} of {:.2} s are there",
                self.given as f64 / f64::from(self.sample_rate),
                len as f64 / f64::from(self.sample_rate)
            )),
            _ if self.given > 0 && !self.decoded_any => {
                Err("none of its audio can be decoded".to_owned())
            }
            _ => Ok(Piece::End),
        }
    }
}

impl Input for Container {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn len_samples(&self) -> Option<u64> {
        self.len_samples
    }

    fn next(&mut self, mono: &mut Vec<f32>) -> Result<Piece, String> {
        loop {
            let next =
                self.waiting.take().map_or_else(|| self.format.next_packet(), |p| Ok(Some(p)));
            let packet = match next {
                Ok(Some(packet)) if packet.track_id == self.track_id => packet,
                Ok(Some(_)) => continue,
                Ok(None) => return self.end(),
                Err(Symphonia::ResetRequired) => {
                    self.restart()?;
                    continue;
                }
                Err(Symphonia::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => {
                    return self.end();
                }
                Err(e) => return Err(e.to_string()),
            };
            let missing = self.missing_before(&packet);
            if missing > 0 {
                self.given += missing;
                self.waiting = Some(packet);
                return Ok(Piece::Lost(missing));
            }
            match self.decoder.decode(&packet) {
                Ok(decoded) => {
                    if decoded.spec().rate() != self.sample_rate {
                        return Err("its sample rate changes".to_owned());
                    }
                    mix_down(&decoded, &mut self.interleaved, mono);
                    self.given += decoded.frames() as u64;
                    self.decoded_any = true;
                    if !mono.is_empty() {
                        return Ok(Piece::Samples);
                    }
                }
                Err(Symphonia::DecodeError(_) | Symphonia::IoError(_)) => {
                    self.given += packet.dur.get();
                    return Ok(Piece::Lost(packet.dur.get()));
                }
                Err(e) => return Err(e.to_string()),
            }
        }
    }
}

/// Appends the mean of the channels to `mono`.
fn mix_down(decoded: &GenericAudioBufferRef<'_>, interleaved: &mut Vec<f32>, mono: &mut Vec<f32>) {
    let channels = decoded.num_planes();
    decoded.copy_to_vec_interleaved(interleaved);
    let gain = 1.0 / channels as f32;
    mono.extend(interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() * gain));
}

fn rate_of(track: &Track) -> Result<u32, String> {
    let params = track.codec_params.as_ref().and_then(|params| params.audio());
    match params.and_then(|params| params.sample_rate) {
        None | Some(0) => Err("its header gives no sample rate".to_owned()),
        Some(rate) => Ok(rate),
    }
}

fn decoder_for(track: &Track) -> Result<Box<dyn AudioDecoder>, String> {
    let params = track.codec_params.as_ref().and_then(|params| params.audio());
    let params = params.ok_or("its audio is of an unknown kind")?;
    if params.channels.as_ref().is_none_or(|channels| channels.count() == 0) {
        return Err("its header gives no channels".to_owned());
    }
    let options = AudioDecoderOptions::default();
    let decoder = if params.codec == CODEC_ID_OPUS {
        #[cfg(not(feature = "opus"))]
        return Err("its audio is Opus, and this build lacks the feature `opus`".to_owned());
        #[cfg(feature = "opus")]
        OpusDecoder::new(params, &options).map(|decoder| Box::new(decoder) as Box<dyn AudioDecoder>)
    } else {
        symphonia::default::get_codecs().make_audio_decoder(params, &options)
    };
    decoder.map_err(|e| e.to_string())
}

fn length_of(track: &Track) -> Option<u64> {
    let params = track.codec_params.as_ref()?.audio()?;
    let frames = track.num_frames?;
    let channels = params.channels.as_ref()?.count() as u64;
    let bits = params.bits_per_coded_sample.unwrap_or(match params.codec {
        CODEC_ID_PCM_F32LE => 32,
        CODEC_ID_PCM_F64LE => 64,
        _ => 8,
    });
    let bytes = u64::from(bits) / 8 * channels * frames;
    if bytes >= PLACEHOLDER_BYTES {
        return None;
    }
    // For Opus the demuxer counts the encoder's delay in.
    let delay = if params.codec == CODEC_ID_OPUS { track.delay.unwrap_or(0) } else { 0 };
    Some(frames.saturating_sub(u64::from(delay)))
}
