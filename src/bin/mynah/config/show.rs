//! The options in force and where they come from, in the form of the file.

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Result;
use clap::{Arg, ArgMatches, Command, parser::ValueSource};

use super::{
    Configuration, environment,
    location::Location,
    merge::{Invocation, Merged, merge},
    schema,
};

/// Where the comments begin, if the option leaves room.
const COLUMN: usize = 40;

/// Prints where the file is looked for.
///
/// # Errors
///
/// There is no such place.
pub fn path(location: &Location) -> Result<ExitCode> {
    let Some(path) = location.path() else {
        anyhow::bail!(
            "no configuration file is read: there is no home folder, or --no-config was given"
        );
    };
    writeln!(io::stdout(), "{}", path.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the options of one command line, or of every command without arguments.
///
/// # Errors
///
/// The command line has no command, or a variable in the environment is broken.
pub fn options(
    command: &mut Command,
    configuration: &Configuration,
    line: &[OsString],
) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    match &configuration.path {
        Some(path) => writeln!(out, "# {}", path.display())?,
        None => writeln!(out, "# no configuration file")?,
    }
    let lines = if line.is_empty() {
        let paths = schema::leaves(command).into_iter().map(|(path, _)| path);
        paths.map(|path| path.into_iter().map(OsString::from).collect()).collect()
    } else {
        vec![line.to_vec()]
    };
    for line in lines {
        let argv = [OsString::from("mynah")].into_iter().chain(line).collect();
        write_command(command, configuration, Invocation::of(argv), &mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write_command(
    command: &mut Command,
    configuration: &Configuration,
    invocation: Invocation,
    out: &mut impl Write,
) -> Result<()> {
    let settings = environment::with_variables(command, &invocation.path, &configuration.settings);
    let merged = merge(command, &invocation, &settings);
    if let Some(problem) = merged.problems.first() {
        anyhow::bail!("{}", problem.named(configuration.path.as_deref()));
    }
    let leaves = schema::leaves(command);
    let Some((path, leaf)) = leaves.iter().find(|(path, _)| *path == invocation.path) else {
        anyhow::bail!(
            "no command with options: {:?}; `mynah --help` lists the commands",
            invocation.path.join(" ")
        );
    };
    let matches = Invocation::of(merged.argv.clone()).matches;
    let of_command = path.iter().try_fold(&matches, |level, name| level.subcommand_matches(name));
    writeln!(out, "\n[{}]", path.join("."))?;
    for option in schema::options(leaf) {
        write_option(option, of_command, &merged, configuration, out)?;
    }
    for (setting, reason) in &merged.left_out {
        let origin = setting.origin.describe(configuration.path.as_deref());
        writeln!(out, "# `{}` of {origin} is left out: {reason}", setting.key)?;
    }
    Ok(())
}

fn write_option(
    option: &Arg,
    matches: Option<&ArgMatches>,
    merged: &Merged,
    configuration: &Configuration,
    out: &mut impl Write,
) -> io::Result<()> {
    let (id, name) = (option.get_id().as_str(), option.get_long().unwrap_or_default());
    let source = matches.and_then(|matches| matches.value_source(id));
    let value = match matches {
        Some(matches) if schema::is_switch(option) => Some(matches.get_flag(id).to_string()),
        Some(matches) if !option.get_action().takes_values() => {
            Some(matches.get_count(id).to_string())
        }
        Some(matches) => values(option, matches),
        None => None,
    };
    let applied = merged.applied.iter().find(|(applied, _)| applied == id);
    let origin = match (applied, source) {
        (Some((_, setting)), _) => setting.origin.describe(configuration.path.as_deref()),
        (None, Some(ValueSource::CommandLine)) => "command line".to_owned(),
        _ => "default".to_owned(),
    };
    let text = match value {
        Some(value) => format!("{name} = {value}"),
        None => format!("# {name}"),
    };
    writeln!(out, "{text:<COLUMN$}  # {origin}")
}

/// The values as TOML; `None` where there are none.
fn values(option: &Arg, matches: &ArgMatches) -> Option<String> {
    let raw = matches.try_get_raw(option.get_id().as_str()).ok().flatten()?;
    let raw: Vec<_> = raw.map(|value| quoted(&value.to_string_lossy())).collect();
    match raw.as_slice() {
        [] => Some("true".to_owned()),
        [one] if !matches!(option.get_action(), clap::ArgAction::Append) => Some(one.clone()),
        several => Some(format!("[{}]", several.join(", "))),
    }
}

/// A number as it is, and all else in quotes.
pub fn quoted(value: &str) -> String {
    let is_number = value.parse::<f64>().is_ok_and(f64::is_finite) && !value.starts_with('+');
    let is_toml = is_number && toml::de::DeValue::parse(value).is_ok();
    if is_toml { value.to_owned() } else { toml::Value::from(value).to_string() }
}
