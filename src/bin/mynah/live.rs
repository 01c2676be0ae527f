//! A listener on what the command line names: a microphone, or a file played as one.

use std::{
    io::{self, IsTerminal},
    path::Path,
    process::{self, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use mynah::{
    ListenEvent, Listener, ListenerHandle, Recognizer,
    audio::{Channel, RealtimeSource, Source},
};

use crate::{
    args::LiveArgs,
    audio_args::AudioArgs,
    audio_input,
    captions::screen,
    meter::{Meter, MeteredSource},
};

/// What a shell reports of a program ended by Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// A listener, what is known of its source, and the wish to end it.
pub struct Live {
    listener: Listener,
    interrupts: Arc<Interrupts>,
    pub meter: Arc<Meter>,
    pub kind: SourceKind,
}

/// What is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    Microphone,
    /// Standard input.
    Stream,
    File,
}

/// How often an end was asked for, and who takes care of the second time.
#[derive(Default)]
struct Interrupts {
    count: AtomicUsize,
    /// Whether the captions end the program themselves.
    is_watched: AtomicBool,
}

impl Live {
    /// Listens to what the arguments name, until it ends or Ctrl-C is pressed.
    ///
    /// # Errors
    ///
    /// The device or the file can't be opened.
    pub fn open(recognizer: &Recognizer, args: &LiveArgs, audio: &AudioArgs) -> Result<Self> {
        let meter = Arc::<Meter>::default();
        let (source, kind) = open(args, audio, &meter)?;
        let listener = Listener::spawn(recognizer, MeteredSource::new(source, &meter));
        let interrupts = Arc::<Interrupts>::default();
        stop_on_ctrl_c(listener.handle(), Arc::clone(&interrupts))?;
        Ok(Self { listener, interrupts, meter, kind })
    }

    /// Waits for the next event, no longer than `patience`; without one as long as it takes, so that `None`
    /// comes after the last event.
    pub fn receive(&self, patience: Option<Duration>) -> Option<ListenEvent> {
        match patience {
            Some(patience) => self.listener.recv_timeout(patience),
            None => self.listener.recv(),
        }
    }

    /// Asks for the end of the utterance and of listening, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.interrupts.count.fetch_add(1, Ordering::Relaxed);
        self.stop();
    }

    /// Ends the utterance and listening.
    pub fn stop(&self) {
        // Fails only after its end.
        let _ = self.listener.stop();
    }

    /// How often an end was asked for.
    pub fn interrupts(&self) -> usize {
        self.interrupts.count.load(Ordering::Relaxed)
    }

    /// Leaves the second Ctrl-C to the caller, who looks at [`Live::interrupts`].
    pub fn watch_interrupts(&self, is_watched: bool) {
        self.interrupts.is_watched.store(is_watched, Ordering::Relaxed);
    }
}

/// Opens what the arguments name.
///
/// # Errors
///
/// The device or the file can't be opened.
pub fn open(
    args: &LiveArgs,
    audio: &AudioArgs,
    meter: &Arc<Meter>,
) -> Result<(Box<dyn Source>, SourceKind)> {
    let Some(file) = &args.file else {
        return Ok((microphone(args, audio.channel(), meter)?, SourceKind::Microphone));
    };
    let source = audio_input::open(file, audio)?;
    let is_stdin = file == Path::new(audio_input::STDIN);
    let kind = if is_stdin { SourceKind::Stream } else { SourceKind::File };
    if args.realtime {
        return Ok((Box::new(RealtimeSource::new(source)?), kind));
    }
    Ok((Box::new(source), kind))
}

/// What to say of lost samples.
pub fn gap(samples: u64, sample_rate: u32, at: Duration) -> String {
    let seconds = samples as f64 / f64::from(sample_rate);
    format!("{seconds:.2} s of audio lost at {:.1} s", at.as_secs_f64())
}

/// Says on standard error that the microphone is on, where nothing else shows it.
pub fn announce() {
    if io::stderr().is_terminal() {
        eprintln!("listening; Ctrl-C ends");
    }
}

#[cfg(feature = "mic")]
fn microphone(args: &LiveArgs, channel: Channel, meter: &Arc<Meter>) -> Result<Box<dyn Source>> {
    microphone_opener(args, channel, meter)()
        .map_err(|error| anyhow::anyhow!("{error}; `--list-devices` shows what there is"))
}

/// What opens the microphone of the arguments, as often as it is called.
#[cfg(feature = "mic")]
pub fn microphone_opener(
    args: &LiveArgs,
    channel: Channel,
    meter: &Arc<Meter>,
) -> impl Fn() -> mynah::Result<Box<dyn Source>> + Send + 'static {
    use mynah::audio::Microphone;

    use crate::reconnect::{Open, ReconnectingSource};

    let (device, waits, meter) = (args.device.clone(), !args.no_reconnect, Arc::clone(meter));
    let open: Open =
        Arc::new(move || Ok(Box::new(Microphone::open_with(device.as_deref(), channel)?)));
    move || {
        if waits {
            return Ok(Box::new(ReconnectingSource::new(Arc::clone(&open), &meter)?));
        }
        open()
    }
}

#[cfg(not(feature = "mic"))]
pub fn microphone_opener(
    _: &LiveArgs,
    _: Channel,
    _: &Arc<Meter>,
) -> impl Fn() -> mynah::Result<Box<dyn Source>> + Send + 'static {
    || Err(mynah::Error::Device(NO_MICROPHONE.to_owned()))
}

/// Prints the input devices.
///
/// # Errors
///
/// The system does not tell them.
#[cfg(feature = "mic")]
pub fn list_devices() -> Result<ExitCode> {
    use std::io::Write;

    use mynah::audio::DeviceInfo;

    use crate::quiet::quietly;

    let devices = quietly(mynah::audio::list_devices)?;
    let mut out = io::stdout().lock();
    for device in &devices {
        let default = if device.is_default { ", default" } else { "" };
        let DeviceInfo { id, name, sample_rate, channels, .. } = device;
        writeln!(out, "{id}\t{name}, {sample_rate} Hz, {channels} channels{default}")?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(feature = "mic"))]
fn microphone(_: &LiveArgs, _: Channel, _: &Arc<Meter>) -> Result<Box<dyn Source>> {
    anyhow::bail!("{NO_MICROPHONE}")
}

#[cfg(not(feature = "mic"))]
pub fn list_devices() -> Result<ExitCode> {
    anyhow::bail!("{NO_MICROPHONE}")
}

#[cfg(not(feature = "mic"))]
const NO_MICROPHONE: &str = "this mynah was built without the microphone; build it with \
    `--features mic`, or pipe audio into `--file -`";

/// The first Ctrl-C ends the utterance and the listening; the second ends the program at once, or the third
/// where captions watch.
fn stop_on_ctrl_c(listener: ListenerHandle, interrupts: Arc<Interrupts>) -> Result<()> {
    let handler = move || {
        let before = interrupts.count.fetch_add(1, Ordering::Relaxed);
        let is_watched = interrupts.is_watched.load(Ordering::Relaxed);
        if before > usize::from(is_watched) {
            screen::restore();
            process::exit(i32::from(INTERRUPTED));
        }
        // Fails only after its end.
        let _ = listener.stop();
    };
    ctrlc::set_handler(handler).context("Ctrl-C can't be handled")
}

/// The first Ctrl-C does what `end` does; the second ends the program at once.
///
/// # Errors
///
/// The system refuses the handler.
pub fn on_ctrl_c(end: impl Fn() + Send + 'static) -> Result<()> {
    let ending = AtomicBool::new(false);
    let handler = move || {
        if ending.swap(true, Ordering::Relaxed) {
            process::exit(i32::from(INTERRUPTED));
        }
        end();
    };
    ctrlc::set_handler(handler).context("Ctrl-C can't be handled")
}
