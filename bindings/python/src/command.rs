//! The command `mynah`, which the wheel's script executes.

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::catch_unwind;
use std::process::ExitCode;

use pyo3::prelude::*;

/// What a Rust program ends with after a panic, whose message is on standard error by then.
const PANICKED: u8 = 101;

/// Executes a command line, whose first word is the program's name, and returns the status to exit with.
///
/// Wrong usage and ``--help`` end the process.
#[pyfunction]
pub fn execute(py: Python<'_>, argv: Vec<OsString>) -> u8 {
    py.detach(|| {
        let code = catch_unwind(|| mynah_command::execute(argv));
        // The end of a Rust program would; a closed pipe is no error there either.
        let _ = io::stdout().flush();
        code.map_or(PANICKED, number)
    })
}

/// The number of a status, which the standard library keeps to itself.
fn number(code: ExitCode) -> u8 {
    (0..=u8::MAX).find(|&number| ExitCode::from(number) == code).unwrap_or(1)
}
