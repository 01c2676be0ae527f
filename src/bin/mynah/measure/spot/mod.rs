//! `mynah spot --eval`: every threshold at once, on recordings whose text is known.

mod det;
mod noise;
mod plot;

use std::{process::ExitCode, sync::Arc, thread::available_parallelism, time::Duration};

use anyhow::{Context, Result, bail};
use mynah::{Keyword, Model, Recognizer, RecognizerConfig, Stream, decode::Decoding};
use rayon::{ThreadPoolBuilder, prelude::*};

use self::det::{Counts, Curve, THRESHOLDS};
use crate::{
    measure::args::SpotEvalArgs,
    measure::eval::{
        manifest::{self, Entry, Selection},
        normalize::normalize,
    },
    measure::recording::read_whole,
    output::Output,
    progress::Progress,
};

/// Measures, and prints the table.
///
/// # Errors
///
/// A manifest or a recording can't be read, a phrase is said nowhere or everywhere, or the results
/// can't be written.
pub fn run(model: &Model, keywords: &[Keyword], args: &SpotEvalArgs) -> Result<ExitCode> {
    let recordings = read_manifests(args)?;
    let work = Work {
        recognizer: Recognizer::with_config(model.clone(), at_all_thresholds(keywords))?,
        phrases: keywords.iter().map(|keyword| words(&keyword.phrase)).collect(),
        noise_snr: args.noise_snr,
    };
    let counts = count_all(&work, &recordings, args)?;
    let curves = curves(keywords, &counts)?;
    let thresholds: Vec<_> = keywords.iter().map(|keyword| keyword.threshold).collect();
    det::write_table(&mut Output::stdout(), &curves, &thresholds)?;
    if let Some(path) = &args.plot {
        let noise = args
            .noise_snr
            .map_or("no noise added".to_owned(), |snr| format!("white noise at {snr} dB"));
        plot::write(path, &curves, &format!("{}, {noise}", model.config().name))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A line of a manifest.
struct Recording {
    manifest: Arc<str>,
    entry: Entry,
}

/// What the recordings share.
struct Work {
    /// Listens for each phrase at each threshold: [`THRESHOLDS`] keywords per phrase.
    recognizer: Recognizer,
    phrases: Vec<Vec<String>>,
    noise_snr: Option<f64>,
}

fn read_manifests(args: &SpotEvalArgs) -> Result<Vec<Recording>> {
    let mut recordings = Vec::new();
    for path in &args.manifests {
        let manifest: Arc<str> = path.display().to_string().into();
        let recording = |entry| Recording { manifest: Arc::clone(&manifest), entry };
        let entries = manifest::read(path, Selection::ALL)?;
        recordings.extend(entries.into_iter().map(recording));
    }
    Ok(recordings)
}

/// Every phrase at every threshold is a keyword of its own, so that what is counted is what the
/// spotter reports, not what a curve through its scores would promise.
fn at_all_thresholds(keywords: &[Keyword]) -> RecognizerConfig {
    let at_all = |keyword: &Keyword| {
        let phrase = keyword.phrase.clone();
        (0..THRESHOLDS)
            .map(move |i| Keyword { phrase: phrase.clone(), threshold: det::threshold(i) })
    };
    RecognizerConfig {
        keywords: keywords.iter().flat_map(at_all).collect(),
        decoding: Some(Decoding::Greedy),
        ..RecognizerConfig::default()
    }
}

/// Counts per phrase over all recordings.
fn count_all(work: &Work, recordings: &[Recording], args: &SpotEvalArgs) -> Result<Vec<Counts>> {
    let progress = Progress::over_recordings(recordings.len());
    let cores = || available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.map_or_else(cores, usize::from);
    let pool = ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let counts: Result<Vec<_>> = pool.install(|| {
        let count = |recording: &Recording| {
            let Recording { manifest, entry } = recording;
            let counts = work.count(entry).with_context(|| format!("{manifest}:{}", entry.line));
            progress.advance_recording();
            counts
        };
        recordings.par_iter().map(count).collect()
    });
    progress.finish();
    let mut sums = vec![Counts::default(); work.phrases.len()];
    for recording in &counts? {
        sums.iter_mut().zip(recording).for_each(|(sum, counts)| *sum += counts);
    }
    Ok(sums)
}

fn curves(keywords: &[Keyword], counts: &[Counts]) -> Result<Vec<Curve>> {
    let curve = |(keyword, counts): (&Keyword, &Counts)| {
        let phrase = &keyword.phrase;
        if counts.occurrences == 0 {
            bail!("no recording's text contains {phrase:?}; add recordings of it");
        }
        if counts.background.is_zero() {
            bail!("every recording's text contains {phrase:?}; add recordings without it");
        }
        Ok(Curve::new(phrase.clone(), counts))
    };
    keywords.iter().zip(counts).map(curve).collect()
}

impl Work {
    /// Counts per phrase in one recording.
    fn count(&self, entry: &Entry) -> Result<Vec<Counts>> {
        let rate = self.recognizer.sample_rate();
        let mut samples = read_whole(&entry.path, rate)?;
        if let Some(snr) = self.noise_snr {
            noise::add(&mut samples, snr, entry.line as u64);
        }
        let mut stream = self.recognizer.stream();
        let mut hits = vec![0; self.phrases.len() * THRESHOLDS];
        stream.accept_waveform(&samples)?;
        stream.finish()?;
        count_hits(&mut stream, &mut hits);
        let length = Duration::from_secs_f64(samples.len() as f64 / f64::from(rate));
        let text = words(&entry.text);
        let count = |(phrase, hits): (&Vec<String>, &[u64])| {
            let occurrences = text.windows(phrase.len().max(1)).filter(|w| w == phrase).count();
            Counts::recording(occurrences as u64, hits, length)
        };
        Ok(self.phrases.iter().zip(hits.chunks(THRESHOLDS)).map(count).collect())
    }
}

fn count_hits(stream: &mut Stream, hits: &mut [u64]) {
    while let Some(hit) = stream.next_keyword() {
        hits[hit.index] += 1;
    }
}

fn words(text: &str) -> Vec<String> {
    normalize(text).split(' ').map(str::to_owned).collect()
}
