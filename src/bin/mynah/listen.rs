//! `mynah listen`: live captions from a microphone, or from a file played as one.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use anyhow::Result;
use mynah::{Deltas, ListenEvent, Listener};

use crate::{
    args::ListenArgs,
    captions::{Captions, Style},
    live,
    recognizer_args::Defaults,
};

/// Shows captions until the source ends or Ctrl-C is pressed.
///
/// # Errors
///
/// The model, the device or the file can't be opened, or fails later. What was recognized by then
/// has been written.
pub fn run(args: &ListenArgs) -> Result<ExitCode> {
    if args.live.list_devices {
        return live::list_devices();
    }
    args.check();
    let defaults = Defaults { gated: true, ..Defaults::default() };
    let recognizer = args.recognizer.recognizer(defaults)?;
    let listener = live::listen(&recognizer, &args.live, &args.raw)?;
    let mut captions = Captions::new(style(args), args.live.file.as_deref(), recognizer.model());
    captions.formatter = args.formatter(&recognizer);
    captions.deltas = args.deltas.then(Deltas::new);
    show(&listener, recognizer.sample_rate(), &mut captions)?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what the listener tells until its end.
fn show(listener: &Listener, sample_rate: u32, captions: &mut Captions) -> Result<()> {
    for event in listener {
        match event {
            ListenEvent::Recognized { event, .. } => captions.show(&event)?,
            ListenEvent::Gap { samples, at } => {
                captions.warn(&live::gap(samples, sample_rate, at))?;
            }
            ListenEvent::Failed(error) => {
                captions.clear()?;
                return Err(error.into());
            }
            ListenEvent::Ended => return Ok(captions.clear()?),
            _ => {}
        }
    }
    captions.clear()?;
    anyhow::bail!("recognition stopped before its end")
}

fn style(args: &ListenArgs) -> Style {
    Style::new(args.format, args.partials, io::stdout().is_terminal())
}
