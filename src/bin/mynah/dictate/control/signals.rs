//! Signals: SIGUSR1 toggles, SIGUSR2 stops.

use std::thread;

use anyhow::{Context, Result};
use signal_hook::{
    consts::{SIGUSR1, SIGUSR2},
    iterator::Signals,
};

use super::{Control, Request};

/// Obeys signals from now on, in a thread of its own.
///
/// # Errors
///
/// The system refuses the handlers or the thread.
pub fn obey_signals(control: Control) -> Result<()> {
    let mut signals = Signals::new([SIGUSR1, SIGUSR2]).context("signals can't be handled")?;
    let obey = move || {
        for signal in signals.forever() {
            let request = if signal == SIGUSR1 { Request::Toggle } else { Request::Stop };
            log::info!("{}", control.obey(request));
        }
    };
    let thread = thread::Builder::new().name("mynah-signals".to_owned()).spawn(obey);
    thread.map(|_| ()).context("no thread to handle signals with")
}
