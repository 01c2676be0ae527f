//! A file that explains every option, all of them commented out.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Result;
use clap::{Arg, Command};

use super::{schema, show::quoted};

const WIDTH: usize = 96;

const HEADER: &str = "\
Options that hold where the command line gives none. Remove the `#` before an option to set it. Relative paths begin at \
this file's folder, `~` is the home folder. `mynah config` shows what is in force.";

/// Prints the file.
///
/// # Errors
///
/// It can't be written.
pub fn print(command: &Command) -> Result<ExitCode> {
    io::stdout().write_all(text(command).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The file's text: options that several commands share below `[defaults]`, all others below their commands.
pub fn text(command: &Command) -> String {
    let leaves = schema::leaves(command);
    let mut users: BTreeMap<&str, usize> = BTreeMap::new();
    let options = || leaves.iter().flat_map(|(_, leaf)| schema::options(leaf));
    options().for_each(|option| *users.entry(name(option)).or_default() += 1);
    let mut text = comment(HEADER);
    text.push_str("\n[defaults]\n");
    let mut written = Vec::new();
    for option in options().filter(|option| users[name(option)] > 1) {
        if !written.contains(&name(option)) {
            written.push(name(option));
            text.push_str(&entry(option));
        }
    }
    for (path, leaf) in &leaves {
        text.push_str(&format!("\n[{}]\n", path.join(".")));
        schema::options(leaf)
            .filter(|option| users[name(option)] == 1)
            .for_each(|option| text.push_str(&entry(option)));
    }
    text
}

fn name(option: &Arg) -> &str {
    option.get_long().unwrap_or_default()
}

/// An option's help, and the line that sets it to its default or to what stands for a value.
fn entry(option: &Arg) -> String {
    let help = option.get_long_help().or(option.get_help()).map(ToString::to_string);
    let values: Vec<_> = option.get_possible_values();
    let values: Vec<_> = values.iter().map(|value| value.get_name()).collect();
    let choice = match values.as_slice() {
        values if values.is_empty() || schema::is_switch(option) => String::new(),
        values => format!(" [one of: {}]", values.join(", ")),
    };
    format!(
        "\n{}# {} = {}\n",
        comment(&(help.unwrap_or_default() + &choice)),
        name(option),
        value(option)
    )
}

fn value(option: &Arg) -> String {
    let defaults = option.get_default_values();
    match (defaults.first(), option.get_value_names()) {
        _ if schema::is_switch(option) => "true".to_owned(),
        (Some(default), _) => quoted(&default.to_string_lossy()),
        _ if !option.get_action().takes_values() => "1".to_owned(),
        _ if matches!(option.get_action(), clap::ArgAction::Append) => {
            format!("[{}]", placeholder(option))
        }
        _ => placeholder(option),
    }
}

fn placeholder(option: &Arg) -> String {
    let name = option.get_value_names().and_then(|names| names.first());
    quoted(name.map_or("VALUE", |name| name.as_str()))
}

/// Lines of `#` and at most [`WIDTH`] characters, unless a word is longer.
fn comment(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!(" {word}")),
        }
    }
    lines.iter().map(|line| format!("#{line}\n")).collect()
}
