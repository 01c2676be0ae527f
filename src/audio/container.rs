//! Audio in a container, demuxed and decoded packet by packet through symphonia.

use std::io::ErrorKind;

use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3, CODEC_ID_OPUS,
};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::{Error as Symphonia, Result as SymphoniaResult};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadBytes};
use symphonia::core::packet::Packet;
use symphonia::core::units::Duration;
use symphonia::default::formats::{
    AdtsReader, AiffReader, CafReader, FlacReader, IsoMp4Reader, MkvReader, MpaReader, OggReader,
    WavReader,
};

use super::downmix::{self, Channel, Downmix};
use super::ebml::Cut;
use super::kind::Kind;
use super::mpeg_frame::MpegFrame;
#[cfg(feature = "opus")]
use super::opus::OpusDecoder;
use super::resample::Resampler;
use super::{Input, Piece};

/// Rates of AAC by their index in its configuration, in Hz.
const AAC_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// The rate of what Opus decodes to, in Hz.
#[cfg(feature = "opus")]
const OPUS_RATE: u32 = 48_000;

/// An encoder pads MPEG audio with less than so many frames.
const PADDING_FRAMES: u64 = 2;

/// A length that is off by less than this is no cut.
const CUT_SECONDS: f64 = 0.5;

/// What is known of a recording before its demuxer looks at it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Length {
    /// Frames that are there.
    pub frames: Option<u64>,
    /// Frames that the header gives, if more.
    pub promised: Option<u64>,
}

/// One audio track of a file.
pub(super) struct Container {
    name: String,
    kind: Kind,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    /// The rate of what is given.
    sample_rate: u32,
    choice: Channel,
    downmix: Downmix,
    /// Brings what is decoded at another rate to `sample_rate`.
    resampler: Option<(u32, Resampler)>,
    len_samples: Option<u64>,
    /// What the header promises; less means that the file is cut short.
    promised: Option<u64>,
    /// Samples given so far, lost ones included.
    given: u64,
    decoded_any: bool,
    /// What the file lacks, once its end has been read.
    cut: Cut,
    /// A packet that a gap was reported before.
    waiting: Option<Packet>,
    interleaved: Vec<f32>,
    decoded: Vec<f32>,
}

impl Container {
    /// Opens the audio track of a recording of this kind; the error says what is wrong.
    pub(super) fn open(
        kind: Kind,
        media: Box<dyn MediaSource>,
        length: Length,
        choice: Channel,
        name: String,
    ) -> Result<Self, String> {
        let format = demuxer(kind, media).map_err(|e| match e {
            Symphonia::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
                "it ends within its header".to_owned()
            }
            Symphonia::IoError(e) => format!("can't be read: {e}"),
            Symphonia::Unsupported(reason) if reason.ends_with("missing moov atom") => {
                "it is cut short: its index, which stands at the end, is missing".to_owned()
            }
            e => format!("its header is damaged ({e})"),
        })?;
        let track = format.default_track(TrackType::Audio).ok_or("it has no audio track")?;
        let (decoder, downmix) =
            (decoder_for(track, kind)?, Downmix::new(channels_of(track)?, choice)?);
        let sample_rate = rate_of(decoder.codec_params())?;
        let len_samples = length.frames.or_else(|| length_of(track, kind));
        let promised = match kind {
            Kind::Wav => length.promised.or(length.frames),
            Kind::Flac | Kind::Mp4 | Kind::Aiff | Kind::Caf => len_samples,
            // Only an encoder's own header knows the delay; else the length is a guess.
            Kind::Mpeg => len_samples.filter(|_| track.delay.is_some()),
            _ => None,
        };
        Ok(Self {
            name,
            kind,
            track_id: track.id,
            format,
            decoder,
            sample_rate,
            choice,
            downmix,
            resampler: None,
            len_samples,
            promised,
            given: 0,
            decoded_any: false,
            cut: Cut::default(),
            waiting: None,
            interleaved: Vec::new(),
            decoded: Vec::new(),
        })
    }

    /// Goes on with the next of several streams that were written into one file.
    fn restart(&mut self) -> Result<(), String> {
        let track =
            self.format.default_track(TrackType::Audio).ok_or("its second part has no audio")?;
        self.decoder = decoder_for(track, self.kind)?;
        self.track_id = track.id;
        Ok(())
    }

    /// The samples missing before a packet: the demuxer passes over what it can't make out.
    fn missing_before(&self, packet: &Packet) -> u64 {
        let start = u64::try_from(packet.pts.get()).unwrap_or(0);
        if self.kind == Kind::Flac { start.saturating_sub(self.given) } else { 0 }
    }

    /// Prepares for a packet of MPEG audio, whose own header says what it holds.
    fn adapt(&mut self, packet: &mut Packet) {
        let params = self.decoder.codec_params();
        if !matches!(params.codec, CODEC_ID_MP1 | CODEC_ID_MP2 | CODEC_ID_MP3) {
            return;
        }
        // The length of the first part does not hold for what was appended to it.
        if packet.trim_end.get() > packet.dur.get().saturating_mul(PADDING_FRAMES) {
            packet.trim_end = Duration::ZERO;
        }
        let Some(frame) = MpegFrame::read(&packet.data) else { return };
        let channels = params.channels.as_ref().map_or(0, Channels::count);
        let same = params.sample_rate == Some(frame.sample_rate)
            && channels == usize::from(frame.channels);
        if same {
            return;
        }
        let mut params = params.clone();
        params.with_sample_rate(frame.sample_rate);
        if let Some(positions) = Position::from_count(u32::from(frame.channels)) {
            params.with_channels(Channels::Positioned(positions));
        }
        let options = AudioDecoderOptions::default();
        if let Ok(decoder) = symphonia::default::get_codecs().make_audio_decoder(&params, &options)
        {
            log::info!(
                "{}: goes on with {} Hz and {} channels",
                self.name,
                frame.sample_rate,
                frame.channels
            );
            self.decoder = decoder;
        }
    }

    /// Decodes a packet and appends its samples; false if it can't be decoded.
    fn decode(&mut self, packet: &Packet, mono: &mut Vec<f32>) -> Result<bool, String> {
        let decoded = match self.decoder.decode(packet) {
            Ok(decoded) => decoded,
            Err(Symphonia::DecodeError(reason)) => {
                log::debug!("{}: {reason}", self.name);
                return Ok(false);
            }
            Err(Symphonia::IoError(_)) => return Ok(false),
            Err(e) => return Err(e.to_string()),
        };
        let (channels, rate) = (decoded.num_planes(), decoded.spec().rate());
        decoded.copy_to_vec_interleaved(&mut self.interleaved);
        if channels != self.downmix.channels() {
            self.downmix = Downmix::new(channels, self.choice)?;
        }
        self.decoded_any = true;
        let before = mono.len();
        let target = if rate == self.sample_rate { &mut *mono } else { &mut self.decoded };
        target.truncate(if rate == self.sample_rate { before } else { 0 });
        if let Some(taken) = self.downmix.append(&self.interleaved, target) {
            log::warn!("{}: {}", self.name, downmix::cancellation(taken));
        }
        if rate == self.sample_rate {
            self.drain_into(before, mono);
        } else {
            self.resample(rate, mono)?;
        }
        self.given = self.given.saturating_add((mono.len() - before) as u64);
        Ok(true)
    }

    /// Puts what a resampler still holds before the samples that were decoded after it.
    fn drain_into(&mut self, before: usize, mono: &mut Vec<f32>) {
        if let Some((_, mut resampler)) = self.resampler.take() {
            let new = mono.split_off(before);
            resampler.finish(mono);
            mono.extend(new);
        }
    }

    fn resample(&mut self, rate: u32, mono: &mut Vec<f32>) -> Result<(), String> {
        if self.resampler.as_ref().is_some_and(|(from, _)| *from != rate) {
            self.drain_into(mono.len(), mono);
        }
        if self.resampler.is_none() {
            let resampler = Resampler::new(rate, self.sample_rate).map_err(|e| e.to_string())?;
            self.resampler = Some((rate, resampler));
        }
        if let Some((_, resampler)) = &mut self.resampler {
            resampler.process(&self.decoded, mono);
        }
        Ok(())
    }

    /// The same with a watch on the file's end.
    pub fn watching(self, cut: Cut) -> Self {
        Self { cut, ..self }
    }

    /// What the end of the packets means.
    fn end(&mut self, mono: &mut Vec<f32>, is_torn: bool) -> Result<Piece, String> {
        let before = mono.len();
        self.drain_into(before, mono);
        if mono.len() > before {
            self.given = self.given.saturating_add((mono.len() - before) as u64);
            return Ok(Piece::Samples);
        }
        let seconds = |samples: u64| samples as f64 / f64::from(self.sample_rate);
        // Compressed samples can't be counted to the last one.
        let is_exact = matches!(self.kind, Kind::Wav | Kind::Flac | Kind::Aiff);
        let slack = if is_exact { 0.0 } else { CUT_SECONDS };
        let there = seconds(self.given);
        let promised = self.promised.map(seconds).filter(|promised| there + slack < *promised);
        if let Some(promised) = promised {
            return Err(format!("the file is cut short: {there:.2} of {promised:.2} s are there"));
        }
        if self.given > 0 && !self.decoded_any {
            return Err("none of its audio can be decoded".to_owned());
        }
        if self.given == 0 && is_torn && self.kind != Kind::Wav {
            return Err("the file is cut short: none of its audio is there".to_owned());
        }
        if let Some(reason) = self.cut.reason() {
            return Err(reason.to_owned());
        }
        Ok(Piece::End)
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
            let mut packet = match next {
                Ok(Some(packet)) if packet.track_id == self.track_id => packet,
                Ok(Some(_)) => continue,
                Ok(None) => return self.end(mono, false),
                Err(Symphonia::ResetRequired) => {
                    self.restart()?;
                    continue;
                }
                Err(Symphonia::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => {
                    return self.end(mono, true);
                }
                Err(e) => return Err(e.to_string()),
            };
            let missing = self.missing_before(&packet);
            if missing > 0 {
                self.given = self.given.saturating_add(missing);
                self.waiting = Some(packet);
                return Ok(Piece::Lost(missing));
            }
            self.adapt(&mut packet);
            if !self.decode(&packet, mono)? {
                self.given = self.given.saturating_add(packet.dur.get());
                return Ok(Piece::Lost(packet.dur.get()));
            }
            if !mono.is_empty() {
                return Ok(Piece::Samples);
            }
        }
    }
}

fn demuxer(kind: Kind, media: Box<dyn MediaSource>) -> SymphoniaResult<Box<dyn FormatReader>> {
    let mut stream = MediaSourceStream::new(media, Default::default());
    let options = FormatOptions::default();
    Ok(match kind {
        Kind::Wav => Box::new(WavReader::try_new(stream, options)?),
        Kind::Flac => Box::new(FlacReader::try_new(stream, options)?),
        Kind::Ogg => Box::new(OggReader::try_new(stream, options)?),
        Kind::Mpeg => Box::new(MpaReader::try_new(stream, options)?),
        Kind::Adts => Box::new(AdtsReader::try_new(stream, options)?),
        Kind::Mp4 => {
            // It goes back by the length of the first box, which a probe would have read.
            stream.ignore_bytes(4)?;
            Box::new(IsoMp4Reader::try_new(stream, options)?)
        }
        Kind::Matroska => Box::new(MkvReader::try_new(stream, options)?),
        Kind::Aiff => Box::new(AiffReader::try_new(stream, options)?),
        Kind::Caf => Box::new(CafReader::try_new(stream, options)?),
    })
}

fn params_of(track: &Track) -> Result<&AudioCodecParameters, String> {
    let params = track.codec_params.as_ref().and_then(|params| params.audio());
    params.ok_or_else(|| "its audio is of an unknown kind".to_owned())
}

fn rate_of(params: &AudioCodecParameters) -> Result<u32, String> {
    params
        .sample_rate
        .filter(|rate| *rate > 0)
        .ok_or_else(|| "its header gives no sample rate".to_owned())
}

fn channels_of(track: &Track) -> Result<usize, String> {
    let count = params_of(track)?.channels.as_ref().map_or(0, Channels::count);
    if count == 0 { Err("its header gives no channels".to_owned()) } else { Ok(count) }
}

#[cfg_attr(not(feature = "opus"), allow(unused_variables))]
fn decoder_for(track: &Track, kind: Kind) -> Result<Box<dyn AudioDecoder>, String> {
    let params = params_of(track)?;
    rate_of(params)?;
    channels_of(track)?;
    let options = AudioDecoderOptions::default();
    let codecs = symphonia::default::get_codecs();
    let decoder = match params.codec {
        #[cfg(not(feature = "opus"))]
        CODEC_ID_OPUS => {
            return Err("its audio is Opus, and this build lacks the feature `opus`".to_owned());
        }
        #[cfg(feature = "opus")]
        CODEC_ID_OPUS => OpusDecoder::new(&opus_of(params, kind), &options)
            .map(|decoder| Box::new(decoder) as Box<dyn AudioDecoder>),
        CODEC_ID_AAC => codecs.make_audio_decoder(&core_of(params), &options),
        _ => codecs.make_audio_decoder(params, &options),
    };
    decoder.map_err(|e| format!("its audio can't be decoded ({e})"))
}

/// Opus always decodes at 48 kHz. Its header has big-endian numbers in MP4 alone.
#[cfg(feature = "opus")]
fn opus_of(params: &AudioCodecParameters, kind: Kind) -> AudioCodecParameters {
    let mut params = params.clone();
    params.with_sample_rate(OPUS_RATE);
    if let (Kind::Mp4, Some(head)) = (kind, &mut params.extra_data) {
        for field in [10..12, 12..16, 16..18] {
            head.get_mut(field).into_iter().for_each(<[u8]>::reverse);
        }
    }
    params
}

/// Of HE-AAC its core, AAC-LC at half the rate: what is left out lies above the voice.
fn core_of(params: &AudioCodecParameters) -> AudioCodecParameters {
    let mut core = params.clone();
    let Some(&[a, b, ..]) = params.extra_data.as_deref() else { return core };
    let (object, rate, channels) = (a >> 3, (a & 7) << 1 | b >> 7, b >> 3 & 15);
    let (Some(&rate), 2 | 5 | 29, 1 | 2) = (AAC_RATES.get(usize::from(rate)), object, channels)
    else {
        return core;
    };
    if let Some(positions) = Position::from_count(u32::from(channels)) {
        core.with_sample_rate(rate).with_channels(Channels::Positioned(positions));
        core.extra_data = None;
    }
    core
}

fn length_of(track: &Track, kind: Kind) -> Option<u64> {
    let params = track.codec_params.as_ref()?.audio()?;
    // Of ADTS the length is a guess; of MP4 in fragments it is 0.
    let frames = track.num_frames.filter(|frames| *frames > 0 || kind != Kind::Mp4)?;
    if kind == Kind::Adts {
        return None;
    }
    // For Opus the demuxer counts the encoder's delay in.
    let delay = if params.codec == CODEC_ID_OPUS { track.delay.unwrap_or(0) } else { 0 };
    Some(frames.saturating_sub(u64::from(delay)))
}
