//! What can be typed, and its turning into the library's configurations.

use std::{
    ffi::OsString,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{
    ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, error::ErrorKind,
};
use mynah::{Keyword, Recognizer, TextFormatter};

#[cfg(unix)]
use crate::dictate::DictateArgs;
#[cfg(feature = "measure")]
use crate::measure::args::{BenchArgs, EvalArgs, SpotEvalArgs, TuneArgs};
use crate::{
    audio_args::AudioArgs,
    audio_input::STDIN,
    config::{ConfigArgs, LocationArgs},
    format::{FileNames, Format},
    formatting_args::FormattingArgs,
    recognizer_args::{ModelArgs, RecognizerArgs},
    shell::{CompletionsArgs, ManArgs},
    transcript_file::FileFormat,
};

/// Streaming speech recognition, offline: audio in, text out while it is being said
///
/// Exit status: 0 on success (a reader that closes the pipe included), 1 on an error, 2 on wrong
/// usage, 130 when interrupted before the end.
#[derive(Debug, Parser)]
#[command(name = "mynah", version)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,

    /// Say more on standard error: -v info, -vv debug, -vvv trace (RUST_LOG wins)
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 100)]
    pub verbose: u8,

    /// Print the licences of this program and of all that it contains
    #[arg(long)]
    pub licenses: bool,
    #[command(flatten)]
    pub location: LocationArgs,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Transcribe(TranscribeArgs),
    Listen(ListenArgs),
    #[cfg(unix)]
    Dictate(Box<DictateArgs>),
    Spot(SpotArgs),
    #[cfg(feature = "serve")]
    Serve(crate::serve::ServeArgs),
    #[command(subcommand)]
    Lm(LmCommand),
    Config(ConfigArgs),
    #[cfg(feature = "measure")]
    Doctor(crate::doctor::DoctorArgs),
    #[cfg(feature = "measure")]
    Eval(EvalArgs),
    #[cfg(feature = "measure")]
    Bench(BenchArgs),
    #[cfg(feature = "measure")]
    Tune(TuneArgs),
    #[command(hide = true)]
    Completions(CompletionsArgs),
    #[command(hide = true)]
    Man(ManArgs),
}

/// Transcribe audio files
///
/// Reads WAV, FLAC, Ogg, MP3, M4A, AAC, MP4, WebM, Matroska, AIFF and CAF at any rate with any number
/// of channels; the content decides, not the name. Files that fail don't keep the others from being
/// transcribed; the exit status is then 1. Ctrl-C ends with what was recognized.
#[derive(Debug, clap::Args)]
pub struct TranscribeArgs {
    /// Audio files; `-` is standard input: the same kinds, or raw samples (see --raw-format)
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// How the transcript is written
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Write the transcript to FILE instead of standard output; until it is complete it is called
    /// FILE.part. Without this, subtitles of several files go to a file beside each
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Begin each line of text with `FILE:` (the default with several files)
    #[arg(short = 'H', long, overrides_with = "no_filename")]
    pub with_filename: bool,

    /// Never begin lines of text with the file's name
    #[arg(long, overrides_with = "with_filename")]
    pub no_filename: bool,

    /// In JSON lines, write what each result adds, partial ones included: `stable` stays and is to
    /// be appended, `unstable` stands behind it until the next line; an utterance's `stable`
    /// together are its final text
    #[arg(long, conflicts_with = "readable")]
    pub deltas: bool,

    /// In JSON, give each utterance's N best hypotheses with their scores; needs beam decoding
    #[arg(long, value_name = "N", default_value = "1")]
    pub nbest: NonZeroUsize,

    /// Recordings, or parts of a long one, recognized at the same time, each on one core [default: the number
    /// of cores]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    pub formatting: FormattingArgs,

    #[command(flatten)]
    pub audio: AudioArgs,

    #[command(flatten)]
    pub recognizer: RecognizerArgs,
}

/// Show live captions from the microphone
///
/// On a terminal captions fill the screen, and stay above the prompt afterwards; elsewhere each final
/// result is a line. Ctrl-C ends the captions after the last final result; the second time, at once.
///
/// Keys: arrows and PageUp, PageDown scroll, End goes back to the newest text, c clears, t shows
/// times, q ends.
#[derive(Debug, clap::Args)]
pub struct ListenArgs {
    #[command(flatten)]
    pub live: LiveArgs,

    /// How the captions are written
    #[arg(short, long, value_enum, default_value_t = CaptionFormat::Text)]
    pub format: CaptionFormat,

    /// Write partial results as well where they can't be redrawn: as lines that end in `…`, or
    /// as JSON lines of type `partial`
    #[arg(long)]
    pub partials: bool,

    /// In JSON lines, write what each result adds: `stable` stays and is to be appended, `unstable`
    /// stands behind it until the next line; an utterance's `stable` together are its final text
    #[arg(long, requires = "partials", conflicts_with = "readable")]
    pub deltas: bool,

    /// Whether captions are drawn on the terminal; `always` draws them on the controlling terminal even
    /// if standard output is not one
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ViewWhen::Auto)]
    pub view: ViewWhen,

    /// Save each final result to FILE as it comes, besides
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// How FILE is written [default: by its suffix, .srt, .vtt or .jsonl, else text]
    #[arg(long, value_enum, value_name = "FORMAT", requires = "output")]
    pub output_format: Option<FileFormat>,

    /// Show only what is said after this phrase, until it is silent for a while; a number after a colon
    /// is the least confidence [default: 0.2]
    #[arg(long, value_name = "PHRASE[:THRESHOLD]")]
    pub after: Option<Keyword>,

    /// The silence after which captions wait for the phrase again
    #[arg(long, value_name = "SECONDS", requires = "after", value_parser = parse_seconds)]
    #[arg(default_value = "5", allow_negative_numbers = true)]
    pub after_silence: Duration,

    #[command(flatten)]
    pub formatting: FormattingArgs,

    #[command(flatten)]
    pub audio: AudioArgs,

    #[command(flatten)]
    pub recognizer: RecognizerArgs,
}

/// What is listened to.
#[derive(Debug, clap::Args)]
pub struct LiveArgs {
    /// Listen to the input device with this id or name instead of the default one
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub device: Option<String>,

    /// Print the input devices, one a line: id, tab, name and properties
    #[arg(long, conflicts_with_all = ["device", "file"])]
    pub list_devices: bool,

    /// Listen to an audio file, or to standard input as `-`, instead of a microphone
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Play the file at the pace of real time instead of as fast as it goes
    #[arg(long, requires = "file")]
    pub realtime: bool,

    /// End with an error when the microphone goes away, instead of waiting for it
    #[arg(long, overrides_with = "reconnect")]
    pub no_reconnect: bool,

    /// Wait for a microphone that goes away (the default)
    #[arg(long, overrides_with = "no_reconnect")]
    pub reconnect: bool,
}

/// When captions are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ViewWhen {
    /// If standard output is a terminal, and captions are text
    Auto,
    Always,
    Never,
}

/// How captions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CaptionFormat {
    /// Lines of text, drawn over the whole screen on a terminal
    Text,
    /// One JSON object per line
    Jsonl,
}

/// Listen for phrases, in files or from the microphone
///
/// Prints a line per phrase that is found: the time at which it begins in seconds, the phrase, and the
/// confidence from 0 to 1, separated by tabs. Needs no training: a phrase is anything that the
/// model's letters can spell. Each phrase is reported once per time it is said, a third of a
/// second after its end or when the next word begins, in steps of the model's chunks.
#[derive(Debug, clap::Args)]
pub struct SpotArgs {
    /// Audio files; `-` is standard input; without any, the microphone
    #[arg(value_name = "FILE", conflicts_with_all = ["device", "list_devices", "file"])]
    pub files: Vec<PathBuf>,

    /// Listen for a phrase; a number after a colon is the least confidence reported for it
    /// [default: 0.2]
    #[arg(long, value_name = "PHRASE[:THRESHOLD]")]
    #[arg(required_unless_present_any = ["keywords", "list_devices"])]
    pub keyword: Vec<String>,

    /// Listen for the phrases in a file, one a line as for --keyword; lines that begin with # are comments
    #[arg(long, value_name = "FILE")]
    pub keywords: Option<PathBuf>,

    /// How hits are written
    #[arg(short, long, value_enum, default_value_t = SpotFormat::Text)]
    pub format: SpotFormat,

    /// Run a program for each hit, with MYNAH_KEYWORD, MYNAH_TIME (seconds) and MYNAH_CONFIDENCE in its
    /// environment. Its arguments follow, up to `;`. No shell is involved unless it is the program
    #[arg(long, value_name = "PROGRAM", num_args = 1.., value_terminator = ";")]
    #[arg(allow_hyphen_values = true)]
    pub exec: Vec<OsString>,

    #[command(flatten)]
    pub live: LiveArgs,

    #[cfg(feature = "measure")]
    #[command(flatten)]
    pub eval: SpotEvalArgs,

    #[command(flatten)]
    pub audio: AudioArgs,

    #[command(flatten)]
    pub model: ModelArgs,
}

/// How hits are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SpotFormat {
    /// Time, phrase and confidence, separated by tabs
    Text,
    /// One JSON object per line
    Jsonl,
}

/// Make language models: of texts, or compact ones of ARPA files
#[derive(Debug, Subcommand)]
pub enum LmCommand {
    Build(LmBuildArgs),
    Convert(LmConvertArgs),
}

/// Estimate word n-grams of texts, for `--lm`
///
/// The texts are read as an English speaker reads them: numbers, abbreviations and initialisms in words. Words
/// that the model's lexicon lacks are pronounced by its rules. The smoothing is modified Kneser-Ney.
#[derive(Debug, clap::Args)]
pub struct LmBuildArgs {
    /// Plain text or Markdown, such as your own notes, mails and documents
    #[arg(required = true, value_name = "TEXT")]
    pub texts: Vec<PathBuf>,

    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// Mix them with the model's n-grams, with this weight of the texts' [default without a value: the weight
    /// under which every tenth sentence of the texts is likeliest]
    #[arg(long, value_name = "WEIGHT", num_args = 0..=1, require_equals = true, value_parser = parse_fit)]
    pub interpolate: Option<Option<f32>>,

    /// The length of the longest n-grams, 2 to 5
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub order: usize,

    #[command(flatten)]
    pub model: ModelArgs,
}

/// Make an ARPA language model compact
///
/// Writes what `--lm` reads as well, faster and from a smaller file: log-probabilities in 8 bits
/// (256 different values of each n-gram length), words in as many bits as their number asks for.
#[derive(Debug, clap::Args)]
pub struct LmConvertArgs {
    /// A back-off model of words as text, of order 5 at most
    #[arg(value_name = "ARPA")]
    pub arpa: PathBuf,

    /// The file to write
    #[arg(value_name = "OUTPUT")]
    pub output: PathBuf,
}

impl Args {
    /// What was typed; `None` if it asks for the licences. Ends the program where it asks for help or is wrong.
    pub fn of(arguments: Vec<OsString>) -> Option<Self> {
        // The licences need no command.
        let command = Self::command().subcommand_required(false);
        #[cfg(feature = "measure")]
        let command = crate::measure::with_heading(command);
        let matches = command.get_matches_from(arguments);
        if matches.get_flag("licenses") {
            return None;
        }
        match Self::from_arg_matches(&matches) {
            Ok(args) => Some(args),
            Err(error) => error.format(&mut Self::command()).exit(),
        }
    }
}

impl TranscribeArgs {
    /// What formats a file's utterances.
    pub fn formatter(&self, recognizer: &Recognizer) -> Option<TextFormatter> {
        self.formatting.formatter(recognizer, self.recognizer.decoding.grammar.is_some())
    }

    /// Every file that is read: recordings, lists and models.
    pub fn read_files(&self) -> impl Iterator<Item = &Path> {
        let recordings = self.files.iter().map(PathBuf::as_path);
        recordings.chain(self.recognizer.read_files())
    }

    /// Whether lines of text begin with the file's name.
    pub fn file_names(&self) -> FileNames {
        match (self.with_filename, self.no_filename) {
            (true, _) => FileNames::Shown,
            (_, true) => FileNames::Hidden,
            _ if self.files.len() > 1 => FileNames::Shown,
            _ => FileNames::Hidden,
        }
    }

    /// Refuses, as wrong usage, what no single option is to blame for.
    pub fn check(&self) {
        if self.format.is_single_file() && self.files.len() > 1 && self.output.is_some() {
            usage_error(
                "subtitles describe one file; leave --output out to write each beside its FILE",
            );
        }
        if self.nbest.get() > 1 && !self.format.has_alternatives() {
            usage_error("--nbest needs --format json or jsonl");
        }
        if self.deltas && self.format != Format::Jsonl {
            usage_error("--deltas needs --format jsonl");
        }
        if self.files.iter().filter(|file| file.as_os_str() == STDIN).count() > 1 {
            usage_error("standard input can be read once only; give `-` once");
        }
    }
}

impl ListenArgs {
    /// What formats the captions.
    pub fn formatter(&self, recognizer: &Recognizer) -> Option<TextFormatter> {
        self.formatting.formatter(recognizer, self.recognizer.decoding.grammar.is_some())
    }

    /// Refuses, as wrong usage, what no single option is to blame for.
    pub fn check(&self) {
        if self.deltas && self.format != CaptionFormat::Jsonl {
            usage_error("--deltas needs --format jsonl");
        }
    }
}

/// Ends the program as for options that exclude one another.
pub fn usage_error(message: &str) -> ! {
    Args::command().error(ErrorKind::ArgumentConflict, message).exit()
}

pub fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a positive number of seconds".to_owned()),
    }
}

pub fn parse_fit(text: &str) -> Result<f32, String> {
    let fit = text.parse().ok().filter(|value: &f32| (0.0..=1.0).contains(value));
    fit.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn seconds_are_positive_numbers() {
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "nan", "inf", "1e99", "", "1s"] {
            assert!(parse_seconds(wrong).is_err(), "{wrong:?}");
        }
    }
}
