//! The log on standard error, without color.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
};

use env_logger::{Builder, Env, WriteStyle};

/// Lines that would disturb what is drawn on the terminal, while it is drawn.
static HELD: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Keeps lines for [`drain_held`], if standard error is a terminal.
pub fn hold() {
    if io::stderr().is_terminal() {
        *HELD.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }
}

/// The lines since the last call.
pub fn drain_held() -> Vec<String> {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.as_mut().map(std::mem::take).unwrap_or_default()
}

/// Prints lines again, those that were kept first.
pub fn release() {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
    for line in held.unwrap_or_default() {
        // Where standard error is closed, nobody reads it.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// Starts the log at the level of so many `-v`; the variable `RUST_LOG` wins over it.
pub fn start(verbose: u8) {
    Builder::from_env(Env::default().default_filter_or(filter(verbose)))
        .write_style(WriteStyle::Never)
        .format(|out, record| {
            let level = match record.level() {
                log::Level::Error => "error",
                log::Level::Warn => "warning",
                log::Level::Info => "info",
                log::Level::Debug => "debug",
                log::Level::Trace => "trace",
            };
            let line = format!("{level}: {}", record.args());
            match HELD.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                Some(held) => held.push(line),
                None => writeln!(out, "{line}")?,
            }
            Ok(())
        })
        .init();
}

/// Other crates stay one level quieter, so that `-v` speaks of recognition.
fn filter(verbose: u8) -> &'static str {
    match verbose {
        // The command itself tells of lost samples, above the captions.
        0 => "off,mynah=warn,mynah::listener=error",
        1 => "error,mynah=info",
        2 => "warn,mynah=debug",
        _ => "info,mynah=trace",
    }
}
