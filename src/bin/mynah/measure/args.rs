//! The arguments of the measuring commands.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use crate::{args::parse_seconds, recognizer_args::RecognizerArgs};

/// How misses and false alarms are measured.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Measuring")]
pub struct SpotEvalArgs {
    /// Measure misses and false alarms on these recordings
    ///
    /// The manifest is that of `mynah eval`. A recording whose text has the phrase's words in a row is
    /// expected to give that many hits; hits beyond, and all hits in other recordings, are false alarms.
    /// Their rate is over the length of the other recordings. The threshold runs from 0.01 to 0.99 in steps
    /// of 0.01; the miss rate at so many false alarms per hour is the lowest at any threshold that gives no
    /// more.
    #[arg(long = "eval", value_name = "MANIFEST", num_args = 1..)]
    #[arg(conflicts_with_all = ["files", "device", "list_devices", "file", "format", "exec"])]
    pub manifests: Vec<PathBuf>,

    /// Add white noise so many decibels below each recording's mean power; the same in each run
    #[arg(long, value_name = "DB", requires = "manifests", allow_negative_numbers = true)]
    #[arg(value_parser = parse_decibels)]
    pub noise_snr: Option<f64>,

    /// Draw misses against false alarms to FILE as an SVG picture
    #[arg(long, value_name = "FILE", requires = "manifests")]
    pub plot: Option<PathBuf>,

    /// Recordings taken at the same time [default: the number of cores]
    #[arg(short, long, value_name = "N", requires = "manifests")]
    pub jobs: Option<NonZeroUsize>,
}

/// The recordings that are measured on.
#[derive(Debug, clap::Args)]
pub struct RecordingsArgs {
    /// The recordings and their references as JSON lines
    #[arg(value_name = "MANIFEST")]
    pub manifest: PathBuf,

    /// Take every Nth recording, the first included
    #[arg(long, value_name = "N", default_value = "1")]
    pub every: NonZeroUsize,

    /// Take no more than N recordings
    #[arg(long, value_name = "N")]
    pub limit: Option<NonZeroUsize>,
}

/// Measure error rates, speed and latency on a set of recordings
///
/// The manifest has one JSON object per line: {"audio": path relative to the manifest, "text":
/// what is said}; "hotwords": ["PHRASE", …] are preferred in that recording instead of those of
/// --hotwords; "rare_words": ["WORD", …] are words whose errors are counted apart from all others';
/// further keys are ignored.
///
/// Normalization, of references and results alike: upper case; ’ becomes '; every character but
/// A–Z and the apostrophe separates words.
///
/// Error rates: the fewest substituted, deleted and inserted words (or characters, the spaces
/// between words included) over the number of words (characters) in the references.
///
/// With --grammar, the references that are in it are told apart from the others: how many recordings
/// give their phrase, another one (or more than theirs), or out of grammar; and how many of
/// the others are taken for a phrase.
///
/// Real-time factor: the time spent in resampling and recognition on one core over the length of
/// the audio. The reading and decoding of files is not counted.
///
/// Latency: each recording is simulated to arrive in real time, in blocks of 10 ms. A block's
/// computation starts when the block has arrived and the computation before has ended, and takes
/// as long as measured; its events come when it ends. Partial latency: per word, from its end as
/// the recognizer gives it, to the first event (partial or final) that shows the word as it stays. Final latency: from the end of the utterance's last token to the final event,
/// told apart by whether an endpoint closed the utterance or the end of the audio did.
/// Stability: words that a partial showed and a later event changed, per word of a final, and the
/// time from a word's end to the first event that tells it as stable. Percentiles are nearest-rank.
#[derive(Debug, clap::Args)]
pub struct EvalArgs {
    #[command(flatten)]
    pub recordings: RecordingsArgs,

    /// Recordings recognized at the same time; more than one disturbs the measured times
    #[arg(short, long, value_name = "N", default_value = "1")]
    pub jobs: NonZeroUsize,

    /// Write the report as one JSON object
    #[arg(long)]
    pub json: bool,

    /// Write each recording's reference, result, errors and times to FILE as JSON lines
    #[arg(long, value_name = "FILE")]
    pub hypotheses: Option<PathBuf>,

    #[command(flatten)]
    pub recognizer: RecognizerArgs,
}

/// Measure what recognition takes on this machine
///
/// Recognizes a recording again and again as fast as it goes, on one core, and then silence.
///
/// Start-up: from the call to the model's readiness. Real-time factor and latencies: as in `mynah
/// eval`. Per chunk: the computation that comes with the audio of one encoder call; it must stay
/// well below the chunk's length. Memory: resident, after the recordings and at most. In silence:
/// the computation in a minute of faint noise over its length.
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// The recording [default: four seconds of synthetic speech inside this program]
    pub file: Option<PathBuf>,

    /// Recognize at least this much audio
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, default_value = "60")]
    pub seconds: Duration,

    /// Write the report as one JSON object
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub recognizer: RecognizerArgs,
}

/// Find the language model's weights on a set of recordings
///
/// Reads a manifest as `mynah eval` does. The encoder runs once over each recording; then weight,
/// word bonus and out-of-vocabulary penalty are varied, one at a time, by steps that get smaller,
/// beginning at the values given or the model's. Each line shows what was tried, its errors, and the
/// decoding's time beside the encoder's. The last line is for the model's config.json; the file named
/// there is what `mynah lm convert` writes, in the model's folder.
#[derive(Debug, clap::Args)]
pub struct TuneArgs {
    #[command(flatten)]
    pub recordings: RecordingsArgs,

    /// Recordings worked on at the same time; more than one disturbs the measured times
    #[arg(short, long, value_name = "N", default_value = "1")]
    pub jobs: NonZeroUsize,

    #[command(flatten)]
    pub recognizer: RecognizerArgs,
}

fn parse_decibels(text: &str) -> Result<f64, String> {
    let decibels = text.parse().ok().filter(|value: &f64| value.abs() <= 200.0);
    decibels.ok_or_else(|| "expected a number of decibels from -200 to 200".to_owned())
}
