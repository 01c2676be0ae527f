//! Microphones through cpal: the only file that knows it.
//!
//! A device is taken at its own rate, format and channels; nothing is asked of it. The callback
//! does what [`CaptureSink::push_interleaved`] does and nothing more.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, DeviceId, ErrorKind, SampleFormat, SizedSample, StreamConfig,
    SupportedBufferSize,
};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::boot_instant::BootInstant;
use super::device_clock::DeviceClock;
use super::downmix::{Channel, Downmix};
use super::ring::{CaptureSink, CaptureSource, DeviceSample, capture_ring_of};
use super::{ReadOutcome, Source};
use crate::error::{Error, Result};

/// The ring's length in seconds: longer than any pause of the worker.
const RING_SECONDS: usize = 2;

/// The device buffers that are asked for, per second; a device may round.
///
/// ALSA holds two, so the callback may come 40 ms late on a busy machine before sound is lost.
const BUFFERS_PER_SECOND: u32 = 25;

/// How long a device may be silent, without even zeros, before its state is looked at.
const POLL: Duration = Duration::from_secs(1);

/// How long a device may deliver nothing, not even zeros, before it counts as gone.
///
/// PulseAudio's ALSA plugin reports neither a server that ends nor, at first, any samples for 2 s.
const PATIENCE: Duration = Duration::from_secs(5);

/// The time between two reads that counts as waiting for the device at most: a process that was stopped,
/// or a reader that was busy, has not waited.
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// A microphone that is being recorded.
///
/// Recording starts with [`Microphone::open`] and stops when it is dropped. A device that vanishes
/// ends the source with [`Error::Device`], after what it had delivered.
pub struct Microphone {
    name: String,
    /// None once the device has failed.
    stream: Option<cpal::Stream>,
    captured: CaptureSource,
    failures: Receiver<cpal::Error>,
    failure: Option<cpal::Error>,
    overruns: Arc<AtomicU32>,
    /// Those of the overruns that were logged.
    logged_overruns: u32,
    /// When it was last read.
    read_at: Instant,
    /// How long it has been read without delivering anything.
    waited: Duration,
}

/// A device that can record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// What [`Microphone::open`] finds it by.
    pub id: String,
    /// What the system calls it.
    pub name: String,
    /// Whether it is recorded when none is named.
    pub is_default: bool,
    /// Samples per second.
    pub sample_rate: u32,
    /// Interleaved channels.
    pub channels: u16,
    /// The samples' format, such as `i16`.
    pub format: String,
}

impl Microphone {
    /// Starts to record the device with this id or name, or the default one.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] if there is none, or if it is busy, denied, or of a kind that can't be
    /// used.
    pub fn open(device: Option<&str>) -> Result<Self> {
        Self::open_with(device, Channel::default())
    }

    /// As [`Microphone::open`], with the channels that are recognized.
    ///
    /// # Errors
    ///
    /// As [`Microphone::open`]; also [`Error::Device`] if the device lacks the channel.
    pub fn open_with(device: Option<&str>, channel: Channel) -> Result<Self> {
        let (name, device) = match device {
            Some(wanted) => (wanted.to_owned(), find(wanted)?),
            None => {
                let device = cpal::default_host().default_input_device();
                let none = || Error::Device("there is no microphone".to_owned());
                ("the default microphone".to_owned(), device.ok_or_else(none)?)
            }
        };
        let refused = |e: cpal::Error| Error::Device(format!("{name}: {}", described(&e)));
        let supported = device.default_input_config().map_err(refused)?;
        let format = supported.sample_format();
        let mut config = supported.config();
        config.buffer_size = buffer_size(config.sample_rate, *supported.buffer_size());

        let capacity = config.sample_rate as usize * RING_SECONDS;
        Downmix::new(usize::from(config.channels), channel)
            .map_err(|reason| Error::Device(format!("{name} {reason}")))?;
        let (sink, captured) =
            capture_ring_of(config.sample_rate, config.channels, capacity, channel);
        let (failed, failures) = bounded(1);
        let overruns = Arc::new(AtomicU32::new(0));
        let clock = DeviceClock::new(config.sample_rate);
        let channels = usize::from(config.channels.max(1));
        let callbacks =
            Callbacks { sink, clock, channels, failed, overruns: Arc::clone(&overruns) };
        let stream = callbacks.start(&device, config, format).map_err(refused)?;
        log::info!("{name}: {} Hz, {} channels, {format}", config.sample_rate, config.channels);
        Ok(Self {
            name,
            stream: Some(stream),
            captured,
            failures,
            failure: None,
            overruns,
            logged_overruns: 0,
            read_at: Instant::now(),
            waited: Duration::ZERO,
        })
    }
}

impl Microphone {
    /// How often the system has lost sound since the start, because it was not fetched in time.
    #[must_use]
    pub fn overruns(&self) -> u32 {
        self.overruns.load(Ordering::Relaxed)
    }

    /// Drops the stream on a thread of its own: with a sound server that has ended, ALSA's pulse
    /// plugin never returns, and the drop waits for it for ever.
    fn detach(&mut self) {
        if let Some(stream) = self.stream.take() {
            // Without a thread to spare the stream is dropped here.
            let _ = thread::Builder::new().name("mynah-release".to_owned()).spawn(|| drop(stream));
        }
    }
}

impl Drop for Microphone {
    fn drop(&mut self) {
        self.detach();
    }
}

impl Source for Microphone {
    fn sample_rate(&self) -> u32 {
        self.captured.sample_rate()
    }

    fn buffered_samples(&self) -> usize {
        self.captured.buffered_samples()
    }

    fn read(&mut self, buffer: &mut [f32]) -> Result<ReadOutcome> {
        if let Ok(error) = self.failures.try_recv() {
            self.detach();
            self.failure = Some(error);
        }
        let overruns = self.overruns();
        if mem::replace(&mut self.logged_overruns, overruns) < overruns {
            log::warn!("{}: the system lost some sound; is the machine too busy?", self.name);
        }
        let read = match self.captured.read(buffer)? {
            ReadOutcome::Samples(0) if self.stream.is_none() && !buffer.is_empty() => {
                ReadOutcome::End
            }
            read => read,
        };
        let now = Instant::now();
        self.waited += now.duration_since(self.read_at).min(LONGEST_WAIT);
        self.read_at = now;
        if read != ReadOutcome::Samples(0) || buffer.is_empty() {
            self.waited = Duration::ZERO;
        } else if self.stream.is_some() && self.waited > PATIENCE {
            self.detach();
            let reason = format!("it has delivered nothing for {PATIENCE:?}");
            self.failure = Some(cpal::Error::with_message(ErrorKind::DeviceNotAvailable, reason));
        }
        match self.failure.take_if(|_| read == ReadOutcome::End) {
            Some(e) => Err(Error::Device(format!("{} has gone: {}", self.name, described(&e)))),
            None => Ok(read),
        }
    }
}

/// The devices that can record, in the system's order.
///
/// # Errors
///
/// [`Error::Device`] if the system's audio can't be reached.
pub fn list_devices() -> Result<Vec<DeviceInfo>> {
    let host = cpal::default_host();
    let unreachable =
        |e: cpal::Error| Error::Device(format!("no audio devices: {}", described(&e)));
    let default = host.default_input_device().and_then(|device| device.id().ok());
    let mut devices = Vec::new();
    for device in host.input_devices().map_err(unreachable)? {
        let (Ok(id), Ok(config)) = (device.id(), device.default_input_config()) else { continue };
        devices.push(DeviceInfo {
            is_default: Some(&id) == default.as_ref(),
            id: id.id().to_owned(),
            name: name_of(&device),
            sample_rate: config.sample_rate(),
            channels: config.channels(),
            format: config.sample_format().to_string(),
        });
    }
    Ok(devices)
}

/// What the device's threads need.
struct Callbacks {
    sink: CaptureSink,
    clock: DeviceClock,
    channels: usize,
    failed: Sender<cpal::Error>,
    overruns: Arc<AtomicU32>,
}

impl Callbacks {
    fn start(
        self,
        device: &Device,
        config: StreamConfig,
        format: SampleFormat,
    ) -> Result<cpal::Stream, cpal::Error> {
        let stream = match format {
            SampleFormat::I8 => self.build::<i8>(device, config),
            SampleFormat::I16 => self.build::<i16>(device, config),
            SampleFormat::I24 => self.build::<cpal::I24>(device, config),
            SampleFormat::I32 => self.build::<i32>(device, config),
            SampleFormat::I64 => self.build::<i64>(device, config),
            SampleFormat::U8 => self.build::<u8>(device, config),
            SampleFormat::U16 => self.build::<u16>(device, config),
            SampleFormat::U24 => self.build::<cpal::U24>(device, config),
            SampleFormat::U32 => self.build::<u32>(device, config),
            SampleFormat::U64 => self.build::<u64>(device, config),
            SampleFormat::F32 => self.build::<f32>(device, config),
            SampleFormat::F64 => self.build::<f64>(device, config),
            other => {
                let reason = format!("it delivers {other}, which can't be used");
                Err(cpal::Error::with_message(ErrorKind::UnsupportedConfig, reason))
            }
        }?;
        stream.play()?;
        Ok(stream)
    }

    fn build<T: SizedSample + DeviceSample>(
        self,
        device: &Device,
        config: StreamConfig,
    ) -> Result<cpal::Stream, cpal::Error> {
        let Self { mut sink, mut clock, channels, failed, overruns } = self;
        device.build_input_stream(
            config,
            move |data: &[T], _| {
                sink.lose(clock.lost(BootInstant::now(), data.len() / channels));
                sink.push_interleaved(data);
            },
            move |error| match error.kind() {
                ErrorKind::Xrun => {
                    overruns.fetch_add(1, Ordering::Relaxed);
                }
                ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
                _ => {
                    // Full means that an earlier failure is waiting: the first one counts.
                    let _ = failed.try_send(error);
                }
            },
            Some(POLL),
        )
    }
}

impl DeviceSample for cpal::I24 {
    fn to_f32(self) -> f32 {
        self.inner() as f32 / 8_388_608.0
    }
}

impl DeviceSample for cpal::U24 {
    fn to_f32(self) -> f32 {
        self.inner() as f32 / 8_388_608.0 - 1.0
    }
}

/// Finds a device by its id, with or without the host's name before it, or by its name.
fn find(wanted: &str) -> Result<Device> {
    let host = cpal::default_host();
    if let Some(device) = host.device_by_id(&DeviceId::new(host.id(), wanted)) {
        return Ok(device);
    }
    let unreachable =
        |e: cpal::Error| Error::Device(format!("no audio devices: {}", described(&e)));
    host.devices()
        .map_err(unreachable)?
        .find(|device| {
            device.id().is_ok_and(|id| id.to_string() == wanted)
                || name_of(device).eq_ignore_ascii_case(wanted)
        })
        .ok_or_else(|| Error::Device(format!("there is no device {wanted:?}")))
}

fn name_of(device: &Device) -> String {
    device
        .description()
        .map_or_else(|_| device.to_string(), |description| description.name().to_owned())
}

fn buffer_size(sample_rate: u32, supported: SupportedBufferSize) -> BufferSize {
    match supported {
        SupportedBufferSize::Range { min, max } if min <= max => {
            BufferSize::Fixed((sample_rate / BUFFERS_PER_SECOND).clamp(min, max))
        }
        _ => BufferSize::Default,
    }
}

/// What cpal says, as a part of a sentence.
fn described(error: &cpal::Error) -> String {
    let text = error.to_string();
    text.trim_end_matches('.').replace(". ", ", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_microphone_can_be_handed_to_a_worker() {
        fn is_send<T: Send + 'static>() {}
        is_send::<Microphone>();
    }

    #[test]
    fn a_device_that_is_not_there_is_named_in_the_error() {
        let Err(Error::Device(reason)) = Microphone::open(Some("no such device")) else {
            panic!("a device that does not exist was opened");
        };
        assert!(reason.contains("no such device"), "{reason}");
    }

    #[test]
    fn samples_of_24_bit_keep_their_scale() {
        let signed = |n| cpal::I24::new(n).unwrap().to_f32();
        assert_eq!((signed(-8_388_608), signed(0), signed(4_194_304)), (-1.0, 0.0, 0.5));
        let unsigned = |n| cpal::U24::new(n).unwrap().to_f32();
        assert_eq!((unsigned(0), unsigned(8_388_608)), (-1.0, 0.0));
    }

    #[test]
    fn a_device_buffer_stays_within_what_the_device_can() {
        let range = |min, max| SupportedBufferSize::Range { min, max };
        assert_eq!(buffer_size(48_000, range(64, 8_192)), BufferSize::Fixed(1_920));
        assert_eq!(buffer_size(48_000, range(64, 512)), BufferSize::Fixed(512));
        assert_eq!(buffer_size(48_000, range(4_096, 8_192)), BufferSize::Fixed(4_096));
        assert_eq!(buffer_size(48_000, SupportedBufferSize::Unknown), BufferSize::Default);
    }
}
