//! `mynah listen`: live captions from a microphone, or from a file played as one.

use std::{
    io::{self, IsTerminal},
    num::NonZeroUsize,
    path::Path,
    process::{self, ExitCode},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result};
use crossbeam_channel::Sender;
use mynah::{Command, GateConfig, ListenEvent, Listener, Recognizer, audio::PacedSource};

use crate::{
    args::ListenArgs,
    audio_input,
    captions::{Captions, Style},
};

/// What a shell reports of a program ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Shows captions until the source ends or Ctrl-C is pressed.
///
/// # Errors
///
/// The model, the device or the file can't be opened, or fails later. What was recognized by then
/// has been written.
pub fn run(args: &ListenArgs) -> Result<ExitCode> {
    if args.list_devices {
        return list_devices();
    }
    let (model, mut config) = args.recognizer.load(NonZeroUsize::MIN)?;
    config.gate = (!args.recognizer.no_gate).then(GateConfig::default);
    let recognizer = Recognizer::new(model, config)?;
    let listener = match &args.file {
        Some(file) => listen_to_file(&recognizer, file, args)?,
        None => listen_to_microphone(&recognizer, args)?,
    };
    stop_on_ctrl_c(listener.commands().clone())?;
    let mut captions = Captions::new(style(args), args.file.as_deref(), recognizer.model());
    show(&listener, recognizer.sample_rate(), &mut captions)?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what the listener tells until its end.
fn show(listener: &Listener, sample_rate: u32, captions: &mut Captions) -> Result<()> {
    for event in listener.events() {
        match event {
            ListenEvent::Recognized { event, .. } => captions.show(&event)?,
            ListenEvent::Gap { samples, at } => captions.warn(&format!(
                "{:.2} s of audio lost at {:.1} s",
                samples as f64 / f64::from(sample_rate),
                at.as_secs_f64()
            ))?,
            ListenEvent::Failed(error) => {
                captions.clear()?;
                return Err(error.into());
            }
            ListenEvent::Ended => return Ok(captions.clear()?),
        }
    }
    captions.clear()?;
    anyhow::bail!("recognition stopped before its end")
}

fn style(args: &ListenArgs) -> Style {
    Style::new(args.format, args.partials, io::stdout().is_terminal())
}

fn listen_to_file(recognizer: &Recognizer, file: &Path, args: &ListenArgs) -> Result<Listener> {
    let source = audio_input::open(file, &args.raw)?;
    Ok(if args.realtime {
        Listener::spawn(recognizer, PacedSource::new(source)?)
    } else {
        Listener::spawn(recognizer, source)
    })
}

#[cfg(feature = "mic")]
fn listen_to_microphone(recognizer: &Recognizer, args: &ListenArgs) -> Result<Listener> {
    let microphone = mynah::audio::Microphone::open(args.device.as_deref())?;
    if io::stderr().is_terminal() {
        eprintln!("listening; Ctrl-C ends");
    }
    Ok(Listener::spawn(recognizer, microphone))
}

#[cfg(feature = "mic")]
fn list_devices() -> Result<ExitCode> {
    use std::io::Write;

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
fn listen_to_microphone(_: &Recognizer, _: &ListenArgs) -> Result<Listener> {
    anyhow::bail!("{NO_MICROPHONE}")
}

#[cfg(not(feature = "mic"))]
fn list_devices() -> Result<ExitCode> {
    anyhow::bail!("{NO_MICROPHONE}")
}

#[cfg(not(feature = "mic"))]
const NO_MICROPHONE: &str = "this mynah was built without the microphone; build it with \
    `--features mic`, or pipe audio into `mynah listen --file -`";

/// The first Ctrl-C ends the utterance and the captions; the second ends the program at once.
fn stop_on_ctrl_c(commands: Sender<Command>) -> Result<()> {
    let stopping = AtomicBool::new(false);
    let handler = move || {
        if stopping.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED);
        }
        // A listener that has ended takes no commands, and needs none.
        let _ = commands.send(Command::Stop);
    };
    ctrlc::set_handler(handler).context("Ctrl-C can't be handled")
}
