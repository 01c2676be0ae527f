//! Lines on their way to a reader of standard output that may stall: neither captions in a file nor the view wait for it.

use std::{
    io::{self, Write},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

/// So many lines may wait before there are too many.
const MOST_WAITING: usize = 64;

/// Writes lines on a thread of its own, in order.
pub struct Printer {
    lines: Sender<Vec<u8>>,
    failure: Receiver<io::Error>,
    thread: JoinHandle<()>,
}

impl Printer {
    /// Writes to `out`.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn new(out: impl Write + Send + 'static) -> io::Result<Self> {
        // The caller sees to it that no more wait than there are finals.
        let (lines, waiting) = unbounded();
        let (failed, failure) = bounded(1);
        let write = move || {
            if let Err(error) = write_all(&waiting, out) {
                // Has room for the only one.
                let _ = failed.send(error);
            }
        };
        let thread = thread::Builder::new().name("mynah-printer".to_owned()).spawn(write)?;
        Ok(Self { lines, failure, thread })
    }

    /// Whether the reader is so slow that lines that may be left out should be.
    pub fn is_behind(&self) -> bool {
        self.lines.len() >= MOST_WAITING
    }

    /// Writes a line as soon as the reader takes it.
    ///
    /// # Errors
    ///
    /// An earlier line could not be written.
    pub fn print(&self, line: Vec<u8>) -> io::Result<()> {
        match self.failure.try_recv() {
            Ok(error) => Err(error),
            Err(_) => self.lines.send(line).map_err(|_| self.failure()),
        }
    }

    /// Waits until the reader has taken every line.
    ///
    /// # Errors
    ///
    /// One could not be written.
    pub fn finish(self) -> io::Result<()> {
        drop(self.lines);
        // A panic is a failure without a reason.
        let joined = self.thread.join().is_ok();
        match self.failure.try_recv() {
            Ok(error) => Err(error),
            Err(_) if joined => Ok(()),
            Err(_) => Err(io::ErrorKind::Other.into()),
        }
    }

    fn failure(&self) -> io::Error {
        self.failure.recv().unwrap_or_else(|_| io::ErrorKind::Other.into())
    }
}

fn write_all(lines: &Receiver<Vec<u8>>, mut out: impl Write) -> io::Result<()> {
    for line in lines {
        out.write_all(&line)?;
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a line when it is let, and fails without that.
    struct Stalled(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.1.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stalled_reader_holds_up_nobody_and_gets_every_line() {
        let (allow, allowed) = unbounded();
        let (taken, lines) = unbounded();
        let printer = Printer::new(Stalled(allowed, taken)).unwrap();
        for n in 0..=MOST_WAITING {
            printer.print(vec![n as u8]).unwrap();
        }
        printer.print(vec![0]).unwrap();
        assert!(printer.is_behind());
        (0..MOST_WAITING + 2).for_each(|_| allow.send(()).unwrap());
        printer.finish().unwrap();
        assert_eq!(lines.iter().count(), MOST_WAITING + 2);
    }

    #[test]
    fn a_closed_pipe_is_reported_by_a_later_line_and_at_the_end() {
        let (taken, _lines) = unbounded();
        let stalled = || Stalled(bounded(0).1, taken.clone());
        let printer = Printer::new(stalled()).unwrap();
        let failed = loop {
            match printer.print(vec![1]) {
                Ok(()) => thread::yield_now(),
                Err(error) => break error,
            }
        };
        assert_eq!(failed.kind(), io::ErrorKind::BrokenPipe);
        let printer = Printer::new(stalled()).unwrap();
        // The thread may have failed before.
        let _ = printer.print(vec![1]);
        assert!(printer.finish().is_err());
    }
}
