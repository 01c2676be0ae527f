//! How an error ends the command: one line on standard error, or silence where the reader left.

use std::io::{self, Write};

/// Whether the error comes from a reader that closed the pipe the command writes to.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Prints `error: …` in one line.
pub fn report(error: &anyhow::Error) {
    // Where standard error is closed, nobody is left to be told.
    let _ = writeln!(io::stderr(), "error: {}", one_line(error));
}

/// Prints `warning: …`.
pub fn warn(warning: &str) {
    // Where standard error is closed, nobody is left to be warned.
    let _ = writeln!(io::stderr(), "warning: {warning}");
}

/// The error and its causes in one line.
///
/// A cause that the error before it has quoted already, as the library's errors do, is not
/// repeated.
pub fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if line.is_empty() {
            line = cause;
        } else if !line.ends_with(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_cause_quoted_already_is_not_repeated() {
        let source = io::Error::new(io::ErrorKind::NotFound, "no such file");
        let error = mynah::Error::Io { path: "a.wav".into(), source };
        let error = Err::<(), _>(error).context("line 3").unwrap_err();
        assert_eq!(one_line(&error), "line 3: a.wav: no such file");
    }

    #[test]
    fn line_breaks_become_spaces() {
        assert_eq!(one_line(&anyhow::anyhow!("first\n  second")), "first second");
    }

    #[test]
    fn a_closed_pipe_is_found_under_context() {
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        let error = Err::<(), _>(closed).context("writing").unwrap_err();
        assert!(is_closed_pipe(&error));
        assert!(!is_closed_pipe(&anyhow::anyhow!("other")));
    }
}
