//! A program that gets each final as a line.

use std::{
    io::{self, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
};

use anyhow::{Context, Result, bail};

use super::Output;
use crate::{dictate::chord::Chord, failure};

/// The standard input of a program that is started once. After its end, lines go to standard output.
pub struct ProgramInput {
    name: String,
    child: Child,
    /// None once the program has ended.
    stdin: Option<ChildStdin>,
    /// The line written last, which a program that ended since may not have read.
    last: Option<String>,
    /// Where lines go that the program does not take.
    kept: Box<dyn Write>,
}

impl ProgramInput {
    /// Starts a program, without a shell.
    ///
    /// # Errors
    ///
    /// It can't be started.
    pub fn start(program: &[String]) -> Result<Self> {
        let Some((name, arguments)) = program.split_first() else { bail!("no program is given") };
        let started = Command::new(name).args(arguments).stdin(Stdio::piped()).spawn();
        let mut child = started.with_context(|| format!("{name}: can't be started"))?;
        let stdin = child.stdin.take();
        let kept = Box::new(io::stdout());
        Ok(Self { name: name.clone(), child, stdin, last: None, kept })
    }

    /// Reports the program's end; what it may not have read goes to standard output.
    fn end(&mut self, status: Option<ExitStatus>) -> Result<()> {
        self.stdin = None;
        let ended = status.map_or_else(String::new, |status| format!(" with {status}"));
        failure::warn(&format!(
            "{}: has ended{ended}; lines go to standard output, beginning with the last one that it was given",
            self.name
        ));
        match self.last.take() {
            Some(line) => self.keep(&line),
            None => Ok(()),
        }
    }

    fn keep(&mut self, line: &str) -> Result<()> {
        writeln!(self.kept, "{line}")?;
        Ok(self.kept.flush()?)
    }
}

impl Output for ProgramInput {
    fn insert(&mut self, text: &str) -> Result<()> {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            return Ok(());
        }
        if self.stdin.is_some()
            && let Some(status) = self.child.try_wait()?
        {
            self.end(Some(status))?;
        }
        if let Some(stdin) = &mut self.stdin {
            if writeln!(stdin, "{line}").is_ok() {
                self.last = Some(line);
                return Ok(());
            }
            self.end(None)?;
        }
        self.keep(&line)
    }

    fn erase(&mut self, _: usize) -> Result<()> {
        bail!("{} has the line already, and keeps it", self.name);
    }

    fn can_erase(&self) -> bool {
        false
    }

    fn press(&mut self, chord: &Chord) -> Result<()> {
        bail!("{} can't be pressed in a program's input", chord.keysyms());
    }

    /// Closes the program's input and waits for its end.
    fn finish(&mut self) -> Result<()> {
        if self.stdin.is_some() {
            match self.child.try_wait()? {
                Some(status) => self.end(Some(status))?,
                None => self.stdin = None,
            }
        }
        let status = self.child.wait()?;
        if !status.success() {
            bail!("{}: ended with {status}", self.name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        sync::{Arc, Mutex},
        thread,
        time::Duration,
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn start(script: &str) -> (ProgramInput, Kept) {
        let program = ["sh", "-c", script].map(str::to_owned);
        let mut input = ProgramInput::start(&program).unwrap();
        let kept = Kept::default();
        input.kept = Box::new(kept.clone());
        (input, kept)
    }

    impl Kept {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn a_program_gets_each_final_as_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lines");
        let (mut input, kept) = start(&format!("cat >'{}'", file.display()));
        for text in ["One.", " Two\nlines.", "\n\n"] {
            input.insert(text).unwrap();
        }
        input.finish().unwrap();
        assert_eq!(fs::read_to_string(file).unwrap(), "One.\nTwo lines.\n");
        assert_eq!(kept.text(), "");
    }

    #[test]
    fn after_its_end_nothing_is_lost() {
        let (mut input, kept) = start("read line");
        input.insert("One.").unwrap();
        while input.child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(5));
        }
        input.insert("Two.").unwrap();
        input.insert("Three.").unwrap();
        input.finish().unwrap();
        assert_eq!(kept.text(), "One.\nTwo.\nThree.\n");
    }

    #[test]
    fn a_program_that_fails_is_an_error() {
        let (mut input, _) = start("cat >/dev/null; exit 3");
        input.insert("One.").unwrap();
        let error = input.finish().unwrap_err().to_string();
        assert!(error.contains("exit status: 3"), "{error}");
        let error = ProgramInput::start(&["/no/such/program".to_owned()]).err().unwrap();
        assert!(error.to_string().contains("/no/such/program"), "{error}");
    }
}
