//! Writes the results of recordings in order.

use std::{path::Path, time::Duration};

use anyhow::{Error, Result, anyhow};
use crossbeam_channel::Receiver;
use mynah::{Event, TextDeltas, TextFormatter};

use super::{
    Work,
    reader::Reading,
    worker::{Ending, JobResult},
};
use crate::{destination::Destination, failure, format::Change, utterance::Utterance};

/// Formats and writes what the jobs recognize.
pub struct Writer<'a, 'b> {
    work: &'b Work<'a>,
    destination: &'b mut Destination,
    formatter: Option<TextFormatter>,
    deltas: Option<TextDeltas>,
    /// Of the file that is being written: what was recognized of it, from when to when.
    recognized: Vec<(Duration, Duration)>,
    is_interrupted: bool,
    error: Option<Error>,
}

impl<'a, 'b> Writer<'a, 'b> {
    pub fn new(work: &'b Work<'a>, destination: &'b mut Destination) -> Self {
        Self {
            work,
            destination,
            formatter: None,
            deltas: None,
            recognized: Vec::new(),
            is_interrupted: false,
            error: None,
        }
    }

    /// Writes all files; returns how many failed.
    ///
    /// # Errors
    ///
    /// Those of the destination.
    pub fn write(mut self, readings: Receiver<(&Path, Reading)>) -> Result<usize> {
        let mut failed = 0;
        for (file, reading) in readings {
            match reading {
                Reading::Opened => self.begin(file)?,
                Reading::Job(results) => self.write_job(file, &results)?,
                Reading::Ended { is_interrupted, result } => {
                    self.is_interrupted |= is_interrupted;
                    self.error = self.error.take().or(result.err());
                    failed += usize::from(self.end(file)?);
                }
            }
        }
        Ok(failed)
    }

    fn begin(&mut self, file: &Path) -> Result<()> {
        self.formatter = self.work.args.formatter(self.work.recognizer);
        self.deltas = self.work.args.deltas.then(TextDeltas::new);
        self.destination.begin_file(file)
    }

    fn write_job(&mut self, file: &Path, results: &Receiver<JobResult>) -> Result<()> {
        for result in results {
            match result {
                JobResult::Event(event) => self.write_event(file, &event)?,
                JobResult::Ended(Ending { from, to, is_interrupted, result }) => {
                    self.add_recognized(from, to);
                    self.is_interrupted |= is_interrupted;
                    self.error = self.error.take().or(result.err());
                    return Ok(());
                }
            }
        }
        Err(anyhow!("{}: its recognition stopped before the end", file.display()))
    }

    fn write_event(&mut self, file: &Path, event: &Event) -> Result<()> {
        let Self { work, destination, formatter, deltas, .. } = self;
        if let Some(deltas) = deltas {
            let change = Change::new(event, deltas);
            return work.progress.suspend(|| destination.change(file, &change));
        }
        let Event::Final { hypothesis, .. } = event else { return Ok(()) };
        let utterance =
            Utterance::of_final(hypothesis, work.recognizer.model(), formatter.as_mut());
        work.progress.suspend(|| destination.utterance(file, &utterance))
    }

    fn add_recognized(&mut self, from: Duration, to: Duration) {
        match self.recognized.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(to),
            _ if to > from => self.recognized.push((from, to)),
            _ => {}
        }
    }

    /// Ends a file; returns whether it failed.
    fn end(&mut self, file: &Path) -> Result<bool> {
        let recognized = std::mem::take(&mut self.recognized);
        let is_interrupted = std::mem::take(&mut self.is_interrupted);
        let error = match self.error.take() {
            None if is_interrupted => Some(interruption(file, &recognized)),
            error => error,
        };
        let audio = recognized.last().map_or(Duration::ZERO, |last| last.1);
        let reason = error.as_ref().map(failure::one_line);
        let Self { work, destination, .. } = self;
        work.progress.suspend(|| destination.end_file(file, audio, reason.as_deref()))?;
        destination.close_file(work.is_interrupted())?;
        error.iter().for_each(|error| work.progress.suspend(|| failure::report(error)));
        Ok(error.is_some())
    }
}

/// Says what was recognized, in seconds: parts behind the first one may have been, too.
fn interruption(file: &Path, recognized: &[(Duration, Duration)]) -> Error {
    let file = file.display();
    match recognized {
        [] => anyhow!("{file}: interrupted after 0.00 s"),
        [(Duration::ZERO, to)] => anyhow!("{file}: interrupted after {:.2} s", to.as_secs_f64()),
        spans => {
            let span = |(from, to): &(Duration, Duration)| {
                format!("{:.2} to {:.2} s", from.as_secs_f64(), to.as_secs_f64())
            };
            let spans: Vec<_> = spans.iter().map(span).collect();
            anyhow!("{file}: interrupted; recognized are {}", spans.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_names_what_was_recognized() {
        let seconds = |from, to| (Duration::from_secs(from), Duration::from_secs(to));
        let reason = |spans: &[_]| interruption(Path::new("a.wav"), spans).to_string();
        assert_eq!(reason(&[]), "a.wav: interrupted after 0.00 s");
        assert_eq!(reason(&[seconds(0, 7)]), "a.wav: interrupted after 7.00 s");
        assert_eq!(
            reason(&[seconds(0, 95), seconds(190, 200)]),
            "a.wav: interrupted; recognized are 0.00 to 95.00 s, 190.00 to 200.00 s"
        );
    }
}
