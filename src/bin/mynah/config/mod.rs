//! The configuration file: options that hold where the command line gives none.
//!
//! `location` finds the file, `file` reads it into settings, `schema` relates a setting to an option of clap's
//! definitions, `merge` puts the settings of the invoked command between its name and the arguments given.
//! clap itself then judges the whole, so that the definitions of the options stand in one place.

mod distance;
mod environment;
mod example;
mod file;
mod location;
mod merge;
mod problem;
mod schema;
mod setting;
mod show;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::CommandFactory;

pub use self::location::LocationArgs;
use self::{
    file::ConfigFile,
    location::Location,
    merge::{Invocation, Merged, merge},
    setting::Setting,
};
use crate::args::Args;

/// Show the options that a configuration file may set, and where each value comes from
///
/// The file is $XDG_CONFIG_HOME/mynah/config.toml, by default ~/.config/mynah/config.toml. A section
/// holds the options of the command that it is named after, `[defaults]` those of all commands that have them:
///
///     [defaults]
///     hotwords = "~/hotwords.txt"
///
///     [listen]
///     early-final = 0.48
///     gate = false
///
/// The command line comes first, then MYNAH_COMMAND_OPTION and MYNAH_OPTION in the environment, then the
/// command's section, then `[defaults]`. An option that conflicts with one that comes first is left out.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct ConfigArgs {
    /// Print the path of the file that is read, whether or not it exists
    #[arg(long, conflicts_with_all = ["example", "line"])]
    pub path: bool,

    /// Print a file that explains every option, for redirection into that path
    #[arg(long, conflicts_with = "line")]
    pub example: bool,

    /// A command and its arguments, whose options are shown instead of those of all commands
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    pub line: Vec<OsString>,
}

/// The file's settings, and the path that errors name.
struct Configuration {
    path: Option<PathBuf>,
    settings: Vec<Setting>,
}

/// Parses a command line, completed by the environment and the configuration file; ends the program on
/// wrong usage, as clap does.
///
/// # Errors
///
/// All that is wrong with the configuration, a line each.
pub fn parse_args(argv: Vec<OsString>) -> Result<Option<Args>, Vec<String>> {
    let mut command = built_command();
    let invocation = Invocation::of(argv);
    let argv = match completed(&mut command, &invocation) {
        Ok(argv) => argv,
        // It reports the problems among its own findings.
        Err(_) if invocation.is_diagnosis() => invocation.argv,
        Err(problems) => return Err(problems),
    };
    Ok(Args::of(argv))
}

/// The command line with the settings that hold.
fn completed(
    command: &mut clap::Command,
    invocation: &Invocation,
) -> Result<Vec<OsString>, Vec<String>> {
    if !invocation.is_configurable() {
        return Ok(invocation.argv.clone());
    }
    let configuration = read(command, Location::of(&invocation.matches))?;
    let settings = environment::with_variables(command, &invocation.path, &configuration.settings);
    let Merged { argv, problems, .. } = merge(command, invocation, &settings);
    if problems.is_empty() {
        return Ok(argv);
    }
    let path = configuration.path.as_deref();
    Err(problems.into_iter().map(|problem| problem.named(path)).collect())
}

/// Prints what the arguments ask for.
///
/// # Errors
///
/// There is no such command, or standard output can't be written.
pub fn run(args: &ConfigArgs, location: &LocationArgs) -> Result<ExitCode> {
    let mut command = built_command();
    if args.path {
        return show::path(&location.location());
    }
    if args.example {
        return example::print(&command);
    }
    match read(&mut command, location.location()) {
        Ok(configuration) => show::options(&mut command, &configuration, &args.line),
        Err(problems) => {
            report(&problems);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The file in use, checked: `None` where there is none.
///
/// # Errors
///
/// All that is wrong with it, a line each.
#[cfg(feature = "measure")]
pub fn check(location: &LocationArgs) -> Result<Option<PathBuf>, Vec<String>> {
    Ok(read(&mut built_command(), location.location())?.path)
}

/// Prints a line per problem on standard error.
pub fn report(problems: &[String]) {
    problems
        .iter()
        .for_each(|problem| crate::failure::report(&anyhow::Error::msg(problem.clone())));
}

/// Reads and checks the file at a location.
fn read(command: &mut clap::Command, location: Location) -> Result<Configuration, Vec<String>> {
    let Some(path) = location.file()? else {
        return Ok(Configuration { path: None, settings: Vec::new() });
    };
    let ConfigFile { settings, mut problems } = ConfigFile::read(&path)?;
    problems.extend(schema::unknown_options(command, &settings));
    problems.extend(merge::wrong_values(command, &settings));
    if problems.is_empty() {
        return Ok(Configuration { path: Some(path), settings });
    }
    problems.sort();
    problems.dedup();
    Err(problems.into_iter().map(|problem| problem.named(Some(&path))).collect())
}

/// clap's definitions, with the global options in every command.
fn built_command() -> clap::Command {
    let mut command = Args::command();
    command.build();
    command
}

#[cfg(test)]
mod tests;
