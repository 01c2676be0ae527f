//! Settings between the command's name and its arguments: those that clap accepts beside the arguments.
//!
//! clap alone knows which options exclude or need one another. So each setting is added in turn, the one that
//! comes first of all first, and what clap answers decides: a conflict leaves the setting out, a missing
//! companion puts it off until another setting brings that, and a value that is refused is a problem.

use std::{collections::BTreeSet, ffi::OsString};

use clap::{
    ArgMatches, Command, CommandFactory,
    error::{ContextKind, ContextValue, ErrorKind},
    parser::ValueSource,
};

use super::{
    problem::Problem,
    schema::{self, Given},
    setting::Setting,
};
use crate::args::Args;

/// A command line, and what clap makes of it by itself.
pub struct Invocation {
    pub argv: Vec<OsString>,
    /// The names of the command, such as `lm`, `build`.
    pub path: Vec<String>,
    /// What could be parsed.
    pub matches: ArgMatches,
    /// The options that were given, by their ids.
    given: BTreeSet<String>,
}

/// A command line with the settings in it.
#[derive(Debug, Default)]
pub struct Merged {
    pub argv: Vec<OsString>,
    /// The settings that hold, with the options' ids.
    pub applied: Vec<(String, Setting)>,
    /// The settings that don't, with the reason.
    pub left_out: Vec<(Setting, String)>,
    pub problems: Vec<Problem>,
}

impl Invocation {
    /// Parses a command line as far as it can be.
    pub fn of(argv: Vec<OsString>) -> Self {
        // Set before clap builds the commands below, which take the setting over.
        let lenient = Args::command().ignore_errors(true);
        // What is left is a request for help or the version, which the strict parsing answers.
        let matches = lenient.try_get_matches_from(&argv).unwrap_or_default();
        let (mut path, mut given, mut level) = (Vec::new(), BTreeSet::new(), &matches);
        while let Some((name, inner)) = level.subcommand() {
            path.push(name.to_owned());
            level = inner;
        }
        for id in level.ids() {
            if level.value_source(id.as_str()) == Some(ValueSource::CommandLine) {
                given.insert(id.to_string());
            }
        }
        Self { argv, path, matches, given }
    }

    /// Whether the command has options that can be configured.
    pub fn is_configurable(&self) -> bool {
        let informs = ["config", "completions", "man"];
        self.path.first().is_some_and(|name| !informs.contains(&name.as_str()))
    }

    /// Whether the command examines the configuration itself.
    pub fn is_diagnosis(&self) -> bool {
        self.path.first().is_some_and(|name| name == "doctor")
    }
}

/// Every value of the settings that clap refuses, and every two in one section that exclude one another.
pub fn wrong_values(command: &mut Command, settings: &[Setting]) -> Vec<Problem> {
    let paths: Vec<_> = schema::leaves(command).into_iter().map(|(path, _)| path).collect();
    let mut problems = Vec::new();
    for path in paths {
        let argv = ["mynah"].into_iter().chain(path.iter().map(String::as_str)).map(OsString::from);
        let invocation = Invocation::of(argv.collect());
        problems.extend(merge(command, &invocation, settings).problems);
    }
    problems
}

/// Adds the settings that hold to the command line.
pub fn merge(command: &mut Command, invocation: &Invocation, settings: &[Setting]) -> Merged {
    let untouched = Merged { argv: invocation.argv.clone(), ..Merged::default() };
    let Some(leaf) = find_leaf(command, &invocation.path) else { return untouched };
    let leaf = leaf.clone();
    let at = insertion_point(command, &invocation.argv, &invocation.path);
    let missing = match command.try_get_matches_from_mut(&invocation.argv) {
        Ok(_) => BTreeSet::new(),
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => missing(&error),
        // The final parsing answers it.
        Err(_) => return untouched,
    };
    let mut merger =
        Merger { command, invocation, at, missing, accepted: Vec::new(), merged: untouched };
    let mut waiting = merger.candidates(&leaf, settings);
    loop {
        let before = waiting.len();
        waiting.retain(|(setting, given)| merger.add(setting, given).is_err());
        if waiting.is_empty() || waiting.len() == before {
            break;
        }
    }
    for (setting, given) in waiting {
        if let Err(needed) = merger.add(&setting, &given) {
            let needed = needed.into_iter().collect::<Vec<_>>().join(", ");
            merger.merged.left_out.push((setting, format!("needs {needed}")));
        }
    }
    merger.finish()
}

struct Merger<'a> {
    command: &'a mut Command,
    invocation: &'a Invocation,
    /// Where settings go in the command line.
    at: usize,
    /// The required arguments that are not there so far.
    missing: BTreeSet<String>,
    accepted: Vec<(Setting, Given)>,
    merged: Merged,
}

impl Merger<'_> {
    /// The settings that may hold, those that come first first: one per option, and none whose option was given.
    fn candidates(&mut self, leaf: &Command, settings: &[Setting]) -> Vec<(Setting, Given)> {
        let here = settings.iter().filter(|setting| setting.section.is_for(&self.invocation.path));
        let mut here: Vec<_> = here.cloned().collect();
        here.sort_by_key(Setting::rank);
        let (mut subjects, mut candidates) = (BTreeSet::new(), Vec::new());
        for setting in here {
            match schema::given(leaf, &setting) {
                Err(problem) => self.merged.problems.push(problem),
                Ok(None) => {}
                Ok(Some(given)) if self.invocation.given.contains(&given.id) => {
                    self.merged.left_out.push((setting, "the command line gives it".to_owned()));
                }
                Ok(Some(given)) => {
                    let is_first = subjects.insert(setting.subject().to_owned());
                    if is_first && given.arguments.is_empty() {
                        self.merged.applied.push((given.id, setting));
                    } else if is_first {
                        candidates.push((setting, given));
                    }
                }
            }
        }
        candidates
    }

    /// Adds a setting if clap takes it.
    ///
    /// # Errors
    ///
    /// The arguments that it needs beside it.
    fn add(&mut self, setting: &Setting, given: &Given) -> Result<(), BTreeSet<String>> {
        let error = match self.parse(&self.argv(Some(given))) {
            Ok(()) => return self.accept(setting, given, BTreeSet::new()),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::MissingRequiredArgument => {
                let missing = missing(&error);
                let needed: BTreeSet<_> = missing.difference(&self.missing).cloned().collect();
                if needed.is_empty() { self.accept(setting, given, missing) } else { Err(needed) }
            }
            ErrorKind::ArgumentConflict => {
                self.leave_out(setting, given, &error);
                Ok(())
            }
            _ => {
                let problem = Problem::new(&setting.origin, refusal(setting, &error));
                self.merged.problems.push(problem);
                Ok(())
            }
        }
    }

    fn accept(
        &mut self,
        setting: &Setting,
        given: &Given,
        missing: BTreeSet<String>,
    ) -> Result<(), BTreeSet<String>> {
        self.missing = missing;
        self.accepted.push((setting.clone(), given.clone()));
        Ok(())
    }

    /// Leaves out a setting that conflicts with what comes before it; two of one section contradict each other.
    fn leave_out(&mut self, setting: &Setting, given: &Given, error: &clap::Error) {
        let mut beside = self.accepted.clone();
        beside.retain(|(other, _)| other.rank() == setting.rank());
        for (other, other_given) in beside {
            let mut argv = self.invocation.argv[..self.at].to_vec();
            argv.extend(other_given.arguments.iter().chain(&given.arguments).cloned());
            if self.parse(&argv).is_err_and(|error| error.kind() == ErrorKind::ArgumentConflict) {
                let message = format!(
                    "`{}` can't stand beside `{}` of {}",
                    setting.key,
                    other.key,
                    other.origin.describe(None)
                );
                self.merged.problems.push(Problem::new(&setting.origin, message));
                return;
            }
        }
        let with = error
            .get(ContextKind::PriorArg)
            .map_or_else(String::new, |with| format!(" with {with}"));
        self.merged.left_out.push((setting.clone(), format!("conflicts{with}")));
    }

    fn parse(&mut self, argv: &[OsString]) -> Result<(), clap::Error> {
        self.command.try_get_matches_from_mut(argv).map(drop)
    }

    /// The command line with the accepted settings and another; what comes first stands last, where it overrides.
    fn argv(&self, another: Option<&Given>) -> Vec<OsString> {
        let (before, after) = self.invocation.argv.split_at(self.at);
        let accepted = self.accepted.iter().rev().map(|(_, given)| given);
        let inserted = another.into_iter().chain(accepted).flat_map(|given| &given.arguments);
        before.iter().chain(inserted).chain(after).cloned().collect()
    }

    fn finish(mut self) -> Merged {
        self.merged.argv = self.argv(None);
        let accepted = self.accepted.into_iter().map(|(setting, given)| (given.id, setting));
        self.merged.applied.extend(accepted);
        self.merged
    }
}

fn find_leaf<'a>(command: &'a Command, path: &[String]) -> Option<&'a Command> {
    let leaf = path.iter().try_fold(command, |level, name| level.find_subcommand(name))?;
    (!path.is_empty() && schema::runs_alone(leaf)).then_some(leaf)
}

/// Where the arguments of the command of this path begin.
fn insertion_point(command: &Command, argv: &[OsString], path: &[String]) -> usize {
    let (mut at, mut level) = (1, command);
    for name in path {
        while argv.get(at).is_some_and(|argument| argument != name.as_str()) {
            at += 1 + usize::from(is_followed_by_value(level, &argv[at]));
        }
        at += 1;
        level = level.find_subcommand(name).unwrap_or(level);
    }
    at.min(argv.len())
}

/// Whether the next argument is this one's value.
fn is_followed_by_value(command: &Command, argument: &OsString) -> bool {
    let name = argument.to_str().and_then(|text| text.strip_prefix("--"));
    let option = command
        .get_arguments()
        .find(|option| option.get_long().is_some() && option.get_long() == name);
    option.is_some_and(|option| option.get_action().takes_values())
}

/// The required arguments that an error says are missing.
fn missing(error: &clap::Error) -> BTreeSet<String> {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(arguments)) => arguments.iter().cloned().collect(),
        Some(ContextValue::String(argument)) => BTreeSet::from([argument.clone()]),
        _ => BTreeSet::new(),
    }
}

/// Why clap refuses a value.
fn refusal(setting: &Setting, error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let reason = std::error::Error::source(error).map(ToString::to_string);
    let expected = text(ContextKind::ValidValue).map(|valid| format!("expected one of {valid}"));
    let reason = reason.or(expected).unwrap_or_else(|| error.kind().to_string());
    let nearest = text(ContextKind::SuggestedValue)
        .map_or_else(String::new, |value| format!("; did you mean `{value}`?"));
    match text(ContextKind::InvalidValue) {
        Some(value) => format!("`{}` can't be `{value}`: {reason}{nearest}", setting.key),
        None => format!("`{}`: {reason}{nearest}", setting.key),
    }
}
