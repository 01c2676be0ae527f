//! The log on standard error, without color.

use std::io::Write;

use env_logger::{Builder, Env, WriteStyle};

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
            writeln!(out, "{level}: {}", record.args())
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
