//! A tool that runs to its end, with its input, its errors, and a limit to its time.

use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

const POLL: Duration = Duration::from_millis(2);

/// How long errors are waited for after the tool's end: a child of its own may keep their pipe open.
const ERRORS_GRACE: Duration = Duration::from_millis(100);

/// What tools print of a compositor that can't be typed through, some of them with exit status 0.
const REFUSALS: [&str; 2] = ["virtual keyboard protocol", "virtual-keyboard"];

/// Runs a tool with this standard input, without a shell.
///
/// # Errors
///
/// Why it failed: it can't be started, takes longer than `limit`, ends with another status than 0, or reports
/// that the session refuses it.
pub fn run(
    program: &Path,
    arguments: &[String],
    input: &str,
    limit: Duration,
) -> Result<(), String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("it can't be started: {error}"))?;
    let errors = collect_errors(&mut child);
    feed(&mut child, input);
    let status = wait(&mut child, limit)?;
    let errors = received(&errors);
    let first_line =
        errors.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if !status.success() {
        return Err(format!("it ended with {status}: {first_line}")
            .trim_end_matches(": ")
            .to_owned());
    }
    if REFUSALS.iter().any(|refusal| errors.to_lowercase().contains(refusal)) {
        return Err(first_line.to_owned());
    }
    if !first_line.is_empty() {
        log::warn!("{}: {first_line}", program.display());
    }
    Ok(())
}

/// Writes the input from a thread of its own: a tool that reads nothing holds up nobody.
fn feed(child: &mut Child, input: &str) {
    let Some(mut stdin) = child.stdin.take() else { return };
    let input = input.to_owned();
    // A tool that ends without reading has its exit status to say why.
    thread::spawn(move || stdin.write_all(input.as_bytes()));
}

/// Receives what the tool writes on standard error.
fn collect_errors(child: &mut Child) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut stderr) = child.stderr.take() {
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stderr.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

fn received(errors: &Receiver<Vec<u8>>) -> String {
    let mut bytes = Vec::new();
    while let Ok(piece) = errors.recv_timeout(ERRORS_GRACE) {
        bytes.extend(piece);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus, String> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if began.elapsed() < limit => thread::sleep(POLL),
            Ok(None) => {
                // It may have ended just now, and then there is nothing to kill.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it did not end within {limit:.0?}"));
            }
            Err(error) => return Err(format!("its end can't be waited for: {error}")),
        }
    }
}
