//! The commands that measure recognition: error rates, speed, memory, and a language model's weights.

pub mod args;
pub mod bench;
pub mod eval;
mod recording;
pub mod spot;
pub mod tune;

use clap::Command;

/// The measuring commands, in the order of the help.
const COMMANDS: [&str; 3] = ["eval", "bench", "tune"];

/// Lists the measuring commands under a heading of their own in `mynah --help`.
pub fn with_heading(command: Command) -> Command {
    let mut help = "Measuring:".to_owned();
    for name in COMMANDS {
        let about = command.find_subcommand(name).and_then(Command::get_about);
        let about = about.map(ToString::to_string).unwrap_or_default();
        help.push_str(&format!("\n  {name:<10}  {about}"));
    }
    let hide =
        |command: Command, name| command.mut_subcommand(name, |measuring| measuring.hide(true));
    COMMANDS.into_iter().fold(command, hide).after_help(help)
}
