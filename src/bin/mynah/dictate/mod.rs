//! `mynah dictate`: what is said, typed into the focused window.
//!
//! ```text
//! microphone → SwitchedSource → Recognition → Segments → Output
//!              ↑ Switch          ↑ finalize    formatter, spacing,   tools, program, standard output
//! socket, signals, Ctrl-C → Control            commands
//! ```

mod args;
mod chord;
mod commands;
mod control;
mod output;
mod recognition;
mod segments;
mod spacing;
mod switch;

use std::{
    fs,
    io::{self, IsTerminal, Write},
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, Error, Result};
use crossbeam_channel::Receiver;
use mynah::{ListenEvent, Recognizer};

pub use args::DictateArgs;

use self::{
    args::Backend,
    commands::Commands,
    control::{Control, Order, Request, Server},
    output::{Environment, Output, ProgramInput, StandardOutput, Typist},
    recognition::Recognition,
    segments::{Asked, Segments},
    switch::{Switch, SwitchedSource, WhileOff},
};
use crate::{failure, live, recognizer_args::Defaults};

/// How often events and orders are looked for.
const POLL: Duration = Duration::from_millis(20);

/// Dictates until the source ends, Ctrl-C is pressed or it is asked to quit; or sends a request to the dictation that runs.
///
/// # Errors
///
/// The model, the source or the output can't be opened, or fails later; another dictation runs. What was recognized by
/// then has been written.
pub fn run(args: &DictateArgs) -> Result<ExitCode> {
    let socket = args.socket.clone().unwrap_or_else(control::default_path);
    if let Some(request) = args.request {
        writeln!(io::stdout(), "{}", control::request(&socket, request)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.print_commands {
        write!(io::stdout(), "{}", commands::DEFAULTS)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.live.list_devices {
        return live::list_devices();
    }
    let commands = args.commands()?;
    let server = Server::bind(&socket)?;
    let output = args.output()?;
    let switch = Switch::new(!args.paused);
    let (control, orders) = Control::new(switch.clone());
    obey(&server, &control)?;

    let recognizer = args.recognizer.recognizer(Defaults { gated: true, ..Defaults::default() })?;
    let source = args.source(switch)?;
    let recognition = Recognition::spawn(&recognizer, source);
    let formatter = args.formatter(&recognizer);
    let mut segments = Segments::new(formatter, commands, output, args.as_you_speak);
    announce(&control);
    let rate = recognizer.sample_rate();
    let outcome = dictate(&recognition, rate, &orders, &control, &mut segments);
    outcome.and(segments.finish())?;
    Ok(ExitCode::SUCCESS)
}

/// Obeys whatever can control dictation.
fn obey(server: &Server, control: &Control) -> Result<()> {
    server.answer(control.clone())?;
    control::obey_signals(control.clone())?;
    let control = control.clone();
    live::on_ctrl_c(move || {
        control.obey(Request::Quit);
    })
}

/// Writes what is recognized and follows orders, until the end.
fn dictate(
    recognition: &Recognition,
    sample_rate: u32,
    orders: &Receiver<Order>,
    control: &Control,
    segments: &mut Segments,
) -> Result<()> {
    loop {
        for order in orders.try_iter() {
            match order {
                Order::Begin => segments.begin(),
                Order::Finalize => recognition.finalize(),
                Order::End => recognition.end(),
            }
        }
        match recognition.next_event() {
            None => thread::sleep(POLL),
            Some(ListenEvent::Recognized { event, .. }) => {
                if segments.accept(&event)? == Asked::ToStop {
                    control.obey(Request::Stop);
                }
            }
            Some(ListenEvent::Gap { samples, at }) => {
                failure::warn(&live::gap(samples, sample_rate, at));
            }
            Some(ListenEvent::Failed(error)) => return Err(error.into()),
            Some(ListenEvent::Ended) => return Ok(()),
            Some(_) => {}
        }
    }
}

/// Says on a terminal that dictation has begun.
fn announce(control: &Control) {
    if io::stderr().is_terminal() {
        eprintln!("{}; `mynah dictate toggle` starts and stops, Ctrl-C ends", control.state());
    }
}

impl DictateArgs {
    /// The spoken commands.
    fn commands(&self) -> Result<Commands> {
        let Some(file) = &self.commands else {
            return Commands::parse(commands::DEFAULTS).map_err(Error::msg);
        };
        let name = || file.display().to_string();
        let text = fs::read_to_string(file).with_context(name)?;
        Commands::parse(&text).map_err(Error::msg).with_context(name)
    }

    /// Where the text goes.
    fn output(&self) -> Result<Box<dyn Output>> {
        if !self.exec.is_empty() {
            return Ok(Box::new(ProgramInput::start(&self.exec)?));
        }
        let forced = match self.backend {
            Some(Backend::Stdout) => return Ok(Box::new(StandardOutput::new())),
            Some(Backend::Tool(tool)) => Some(tool),
            None => None,
        };
        Ok(Box::new(Typist::new(&Environment::of_process(), forced)?))
    }

    /// The microphone or the file, behind the switch.
    fn source(&self, switch: Switch) -> Result<SwitchedSource> {
        let source = live::open(&self.live, &self.audio, &Arc::default())?.0;
        let while_off = if self.release_microphone {
            let channel = self.audio.channel();
            WhileOff::Closed(Box::new(live::microphone_opener(
                &self.live,
                channel,
                &Arc::default(),
            )))
        } else {
            WhileOff::PreRoll(self.pre_roll)
        };
        Ok(SwitchedSource::new(source, switch, while_off))
    }

    /// What formats the text.
    fn formatter(&self, recognizer: &Recognizer) -> Option<mynah::TextFormatter> {
        self.formatting.formatter(recognizer, self.recognizer.decoding.grammar.is_some())
    }
}
