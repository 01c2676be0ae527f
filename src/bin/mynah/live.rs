//! A listener on what the command line names: a microphone, or a file played as one.

use std::{
    process::{self, ExitCode},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use mynah::{Listener, ListenerHandle, Recognizer, audio::PacedSource};

use crate::{
    args::{LiveArgs, RawArgs},
    audio_input,
};

/// What a shell reports of a program ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Listens to what the arguments name, until it ends or Ctrl-C is pressed.
///
/// # Errors
///
/// The device or the file can't be opened.
pub fn listen(recognizer: &Recognizer, args: &LiveArgs, raw: &RawArgs) -> Result<Listener> {
    let listener = match &args.file {
        None => listen_to_microphone(recognizer, args.device.as_deref())?,
        Some(file) => {
            let source = audio_input::open(file, raw)?;
            if args.realtime {
                Listener::spawn(recognizer, PacedSource::new(source)?)
            } else {
                Listener::spawn(recognizer, source)
            }
        }
    };
    stop_on_ctrl_c(listener.handle())?;
    Ok(listener)
}

/// What to say of lost samples.
pub fn gap(samples: u64, sample_rate: u32, at: Duration) -> String {
    let seconds = samples as f64 / f64::from(sample_rate);
    format!("{seconds:.2} s of audio lost at {:.1} s", at.as_secs_f64())
}

#[cfg(feature = "mic")]
fn listen_to_microphone(recognizer: &Recognizer, device: Option<&str>) -> Result<Listener> {
    use std::io::{self, IsTerminal};

    let microphone = mynah::audio::Microphone::open(device)
        .map_err(|error| anyhow::anyhow!("{error}; `--list-devices` shows what there is"))?;
    if io::stderr().is_terminal() {
        eprintln!("listening; Ctrl-C ends");
    }
    Ok(Listener::spawn(recognizer, microphone))
}

/// Prints the input devices.
///
/// # Errors
///
/// The system does not tell them.
#[cfg(feature = "mic")]
pub fn list_devices() -> Result<ExitCode> {
    use std::io::{self, Write};

    use mynah::audio::DeviceInfo;

    let devices = mynah::audio::list_devices()?;
    let mut out = io::stdout().lock();
    for device in &devices {
        let default = if device.is_default { ", default" } else { "" };
        let DeviceInfo { id, name, sample_rate, channels, .. } = device;
        writeln!(out, "{id}\t{name}, {sample_rate} Hz, {channels} channels{default}")?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(feature = "mic"))]
fn listen_to_microphone(_: &Recognizer, _: Option<&str>) -> Result<Listener> {
    anyhow::bail!("{NO_MICROPHONE}")
}

#[cfg(not(feature = "mic"))]
pub fn list_devices() -> Result<ExitCode> {
    anyhow::bail!("{NO_MICROPHONE}")
}

#[cfg(not(feature = "mic"))]
const NO_MICROPHONE: &str = "this mynah was built without the microphone; build it with \
    `--features mic`, or pipe audio into `--file -`";

/// The first Ctrl-C ends the utterance and the listening; the second ends the program at once.
fn stop_on_ctrl_c(listener: ListenerHandle) -> Result<()> {
    let stopping = AtomicBool::new(false);
    let handler = move || {
        if stopping.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED);
        }
        // Fails only after its end.
        let _ = listener.stop();
    };
    ctrlc::set_handler(handler).context("Ctrl-C can't be handled")
}
