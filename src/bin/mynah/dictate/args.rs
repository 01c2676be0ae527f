//! The options of `mynah dictate`.

use std::{path::PathBuf, time::Duration};

use clap::ValueEnum;

use super::{control::Request, output::Tool};
use crate::{
    args::LiveArgs, audio_args::AudioArgs, formatting_args::FormattingArgs,
    recognizer_args::RecognizerArgs,
};

/// The longest pre-roll in seconds.
const LONGEST_PRE_ROLL: f64 = 10.0;

/// Type what is said into the focused window
///
/// Dictation types each final result through the first tool that works, with the space before it: wtype, dotool, ydotool, xdotool,
/// or else into the clipboard. Ctrl-C ends it after the last final result.
///
/// `mynah dictate start`, `stop`, `toggle`, `status` and `quit` control the dictation that runs; SIGUSR1 toggles it
/// and SIGUSR2 stops it. After `stop`, what was said until then is typed.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DictateArgs {
    #[command(subcommand)]
    pub request: Option<Request>,

    /// Where the socket is that the dictation is controlled through
    /// [default: mynah/dictate.sock in $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "FILE", global = true)]
    pub socket: Option<PathBuf>,

    /// Type through this tool alone, or write to standard output what would be typed
    #[arg(long, value_enum, value_name = "NAME")]
    pub backend: Option<Backend>,

    /// Start PROGRAM and write each final to its standard input, a line each, instead of typing;
    /// the last option, as all that follows is the program's
    #[arg(long, value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true)]
    #[arg(conflicts_with_all = ["backend", "as_you_speak"])]
    pub exec: Vec<String>,

    /// Type words as soon as they are settled, before their final; what it changes in marks, case and numbers
    /// is corrected by backspaces
    #[arg(long)]
    pub as_you_speak: bool,

    /// Begin paused, until `mynah dictate start`
    #[arg(long)]
    pub paused: bool,

    /// Recognize so many seconds from before a start as well, from 0 to 10
    #[arg(long, value_name = "SECONDS", value_parser = parse_pre_roll, default_value = "0.7")]
    pub pre_roll: Duration,

    /// Close the microphone while paused; nothing from before a start is recognized then
    #[arg(long, conflicts_with_all = ["pre_roll", "file"])]
    pub release_microphone: bool,

    /// Obey the spoken commands in this file instead of those of --print-commands
    #[arg(long, value_name = "FILE")]
    pub commands: Option<PathBuf>,

    /// Print the spoken commands, as a template for --commands
    #[arg(long)]
    pub print_commands: bool,

    #[command(flatten)]
    pub live: LiveArgs,

    #[command(flatten)]
    pub formatting: FormattingArgs,

    #[command(flatten)]
    pub audio: AudioArgs,

    #[command(flatten)]
    pub recognizer: RecognizerArgs,
}

/// What types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Tool(Tool),
    Stdout,
}

impl ValueEnum for Backend {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Backend; Tool::ALL.len() + 1] = {
            let mut all = [Backend::Stdout; Tool::ALL.len() + 1];
            let mut at = 0;
            while at < Tool::ALL.len() {
                all[at] = Backend::Tool(Tool::ALL[at]);
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        match self {
            Self::Tool(tool) => tool.to_possible_value(),
            Self::Stdout => {
                Some(clap::builder::PossibleValue::new("stdout").help("Standard output"))
            }
        }
    }
}

fn parse_pre_roll(text: &str) -> Result<Duration, String> {
    let seconds =
        text.parse().ok().filter(|seconds: &f64| (0.0..=LONGEST_PRE_ROLL).contains(seconds));
    let seconds = seconds.ok_or_else(|| "expected a number of seconds from 0 to 10".to_owned())?;
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    fn parse(arguments: &[&str]) -> Result<DictateArgs, clap::Error> {
        let all = ["mynah", "dictate"].iter().chain(arguments);
        match Args::try_parse_from(all)?.command {
            Command::Dictate(args) => Ok(*args),
            _ => panic!("not dictate"),
        }
    }

    #[test]
    fn requests_are_words_with_a_socket_at_most() {
        let args = parse(&["toggle", "--socket", "s"]).unwrap();
        assert_eq!((args.request, args.socket), (Some(Request::Toggle), Some("s".into())));
        assert_eq!(parse(&[]).unwrap().request, None);
        assert!(parse(&["--paused", "start"]).is_err());
    }

    #[test]
    fn all_that_follows_exec_is_the_programs() {
        let args = parse(&["--paused", "--exec", "tee", "-a", "--paused", "start"]).unwrap();
        assert_eq!(args.exec, ["tee", "-a", "--paused", "start"]);
        assert!(args.paused && args.request.is_none());
        assert!(parse(&["--backend", "stdout", "--exec", "cat"]).is_err());
    }

    #[test]
    fn back_ends_have_their_tools_names() {
        let backend = |name| parse(&["--backend", name]).map(|args| args.backend);
        assert_eq!(backend("wl-copy").unwrap(), Some(Backend::Tool(Tool::WlCopy)));
        assert_eq!(backend("stdout").unwrap(), Some(Backend::Stdout));
        assert!(backend("ed").is_err());
    }

    #[test]
    fn a_pre_roll_has_its_range() {
        let pre_roll = |text| parse_pre_roll(text).map(|length| length.as_millis());
        assert_eq!((pre_roll("0"), pre_roll("0.5"), pre_roll("10")), (Ok(0), Ok(500), Ok(10_000)));
        for wrong in ["-1", "11", "nan", ""] {
            assert!(pre_roll(wrong).is_err(), "{wrong}");
        }
    }
}
