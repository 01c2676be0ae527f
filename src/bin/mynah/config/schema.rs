//! What clap's definitions say about a setting: which options there are, and the arguments that a value is.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, Command, builder::ValueParser};

use super::{
    distance::nearest,
    problem::Problem,
    setting::{Section, Setting, Value},
};

/// Options about the command line itself, and commands without anything to configure.
const NOT_OPTIONS: [&str; 4] = ["help", "version", "config", "no-config"];
const NOT_CONFIGURED: [&str; 2] = ["config", "help"];

/// The arguments that a setting stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The option's id in clap.
    pub id: String,
    /// Nothing where the option is set to be absent.
    pub arguments: Vec<OsString>,
}

/// The commands that have options of their own, with their paths: `listen`, or `lm`, `build`.
pub fn leaves(command: &Command) -> Vec<(Vec<String>, &Command)> {
    let mut leaves = Vec::new();
    for subcommand in command.get_subcommands() {
        let name = subcommand.get_name();
        if subcommand.is_hide_set() || NOT_CONFIGURED.contains(&name) {
            continue;
        }
        if runs_alone(subcommand) && options(subcommand).any(|option| !option.is_global_set()) {
            leaves.push((vec![name.to_owned()], subcommand));
        }
        for (path, leaf) in self::leaves(subcommand) {
            leaves.push(([name.to_owned()].into_iter().chain(path).collect(), leaf));
        }
    }
    leaves
}

/// Whether the command does something without a command of its own after it.
pub fn runs_alone(command: &Command) -> bool {
    !command.is_subcommand_required_set()
}

/// The options of a command that can be configured.
pub fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| {
        !arg.is_hide_set() && arg.get_long().is_some_and(|name| !NOT_OPTIONS.contains(&name))
    })
}

/// Every key that sets an option of the command: its name, and without `no-` if it begins with that.
pub fn keys(command: &Command) -> BTreeSet<&str> {
    let names = options(command).filter_map(Arg::get_long);
    names.flat_map(|name| [Some(name), name.strip_prefix("no-")]).flatten().collect()
}

/// A problem for each setting whose section or key there is not.
pub fn unknown_options(command: &Command, settings: &[Setting]) -> Vec<Problem> {
    settings.iter().filter_map(|setting| unknown_option(command, setting)).collect()
}

fn unknown_option(command: &Command, setting: &Setting) -> Option<Problem> {
    let leaves = leaves(command);
    let mut commands = leaves.iter().filter(|(path, _)| setting.section.is_for(path)).peekable();
    let header = setting.section.header();
    if commands.peek().is_none() {
        let names: Vec<_> = leaves.iter().map(|(path, _)| path.join(".")).collect();
        let names = names.iter().map(String::as_str).chain(["defaults"]);
        let advice = did_you_mean(nearest(header.trim_matches(['[', ']']), names));
        return Some(Problem::new(
            &setting.origin,
            format!("there is no command for {header}{advice}"),
        ));
    }
    let valid: BTreeSet<&str> = commands.flat_map(|(_, command)| keys(command)).collect();
    if valid.contains(setting.key.as_str()) {
        return None;
    }
    let advice = did_you_mean(nearest(&setting.key, valid));
    let whose = match &setting.section {
        Section::Defaults => "no command has an option".to_owned(),
        Section::Command(path) => format!("`{}` has no option", path.join(" ")),
    };
    Some(Problem::new(&setting.origin, format!("{whose} `{}`{advice}", setting.key)))
}

fn did_you_mean(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The arguments that a setting is to a command; `None` where the command has no such option.
///
/// # Errors
///
/// The value's type is not the option's, and which one is.
pub fn given(command: &Command, setting: &Setting) -> Result<Option<Given>, Problem> {
    let named = |name: &str| options(command).find(|arg| arg.get_long() == Some(name));
    let subject = setting.subject();
    let negated = format!("no-{subject}");
    let (yes, no) = if setting.key == subject {
        (named(subject), named(&negated))
    } else {
        (named(&negated), named(subject))
    };
    let Some(option) = yes.or(no) else { return Ok(None) };
    let flag = match as_flag(&setting.value) {
        Some(flag) if yes.is_none() || is_switch(option) || may_lack_value(option) => flag,
        _ if yes.is_none() => return Err(wrong_type(setting, "true or false")),
        _ => return valued(option, setting).map(Some),
    };
    let arguments = if flag { yes } else { no.filter(|other| is_switch(other)) };
    Ok(Some(Given {
        id: arguments.unwrap_or(option).get_id().to_string(),
        arguments: arguments.map(bare).into_iter().collect(),
    }))
}

/// The arguments of an option with a value, or of one that counts.
fn valued(option: &Arg, setting: &Setting) -> Result<Given, Problem> {
    let id = option.get_id().to_string();
    let with_value = |value: &String| {
        let mut argument = bare(option);
        argument.push("=");
        argument.push(
            as_path(option, setting, value).map_or_else(|| value.into(), PathBuf::into_os_string),
        );
        argument
    };
    let arguments = match (option.get_action(), &setting.value) {
        (ArgAction::Count, Value::Number(count) | Value::Untyped(count)) => {
            match count.parse::<u8>() {
                Ok(count) => vec![bare(option); count.into()],
                Err(_) => return Err(wrong_type(setting, "a number from 0 to 255")),
            }
        }
        (ArgAction::Count, _) => return Err(wrong_type(setting, "a number")),
        (ArgAction::SetTrue, _) => return Err(wrong_type(setting, "true or false")),
        (_, Value::Number(value) | Value::Text(value) | Value::Untyped(value)) => {
            vec![with_value(value)]
        }
        (ArgAction::Append, Value::List(values)) => values.iter().map(with_value).collect(),
        (_, Value::Flag(_)) => return Err(wrong_type(setting, "a number or a text in quotes")),
        (_, Value::List(_)) => return Err(wrong_type(setting, "one value, not a list")),
    };
    Ok(Given { id, arguments })
}

fn wrong_type(setting: &Setting, expected: &str) -> Problem {
    Problem::new(&setting.origin, format!("`{}` takes {expected}", setting.key))
}

fn as_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Flag(flag) => Some(*flag),
        Value::Untyped(text) => match text.as_str() {
            "1" | "true" | "yes" | "on" => Some(true),
            "0" | "false" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the option is a flag: `--gate`.
pub fn is_switch(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetTrue)
}

/// Whether the option may stand with and without a value: `--early-final`, `--early-final=0.3`.
pub fn may_lack_value(option: &Arg) -> bool {
    option.get_action().takes_values()
        && option.get_num_args().is_some_and(|values| values.min_values() == 0)
}

fn bare(option: &Arg) -> OsString {
    format!("--{}", option.get_long().unwrap_or_default()).into()
}

/// The path that a value of the file is, if the option takes paths.
fn as_path(option: &Arg, setting: &Setting, value: &str) -> Option<PathBuf> {
    let is_path = option.get_value_parser().type_id() == ValueParser::path_buf().type_id();
    let folder = setting.folder.as_deref().filter(|_| is_path && value != "-")?;
    let in_home = value.strip_prefix("~/").or((value == "~").then_some(""));
    match (in_home, env::home_dir()) {
        (Some(rest), Some(home)) => Some(home.join(rest)),
        _ => Some(folder.join(Path::new(value))),
    }
}
