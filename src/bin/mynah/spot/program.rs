//! A program that is run for each hit.

use std::{
    ffi::OsString,
    io,
    process::{Child, Command, Stdio},
    thread,
};

use mynah::KeywordHit;

use crate::failure;

/// Runs a program for each hit and waits for none of them.
pub struct Program {
    /// The program and its arguments.
    command: Vec<OsString>,
    failures: u64,
}

impl Program {
    /// A program and its arguments; nothing is run without one.
    pub fn new(command: &[OsString]) -> Self {
        Self { command: command.to_vec(), failures: 0 }
    }

    /// Starts the program. Its output goes to standard error, since standard output carries hits.
    ///
    /// A program that can't be started is warned of; hits go on.
    pub fn run(&mut self, hit: &KeywordHit) {
        let Some((program, arguments)) = self.command.split_first() else { return };
        let started = Command::new(program)
            .args(arguments)
            .env("MYNAH_KEYWORD", &hit.phrase)
            .env("MYNAH_TIME", format!("{:.2}", hit.start.as_secs_f64()))
            .env("MYNAH_CONFIDENCE", format!("{:.2}", hit.confidence))
            .stdin(Stdio::null())
            .stdout(io::stderr())
            .spawn();
        let started = started.and_then(|child| reap(child, program.display().to_string()));
        if let Err(error) = started {
            self.failures += 1;
            failure::warn(&format!("{}: can't be run: {error}", program.display()));
        }
    }

    /// Whether every hit had its program.
    pub fn has_always_run(&self) -> bool {
        self.failures == 0
    }
}

/// Waits for a program on a thread of its own, so that the system can forget it.
fn reap(mut child: Child, name: String) -> io::Result<()> {
    let wait = move || match child.wait() {
        Ok(status) if status.success() => {}
        Ok(status) => log::warn!("{name}: {status}"),
        Err(error) => log::warn!("{name}: {error}"),
    };
    thread::Builder::new().name("mynah-reap".to_owned()).spawn(wait).map(|_| ())
}
