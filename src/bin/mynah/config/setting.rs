//! One value of the configuration, before it is related to an option.

use std::path::{Path, PathBuf};

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// In the file, in this line, from 1.
    Line(usize),
    /// In this environment variable.
    Variable(String),
}

/// A value as TOML or the environment writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Flag(bool),
    /// The digits of a number.
    Number(String),
    Text(String),
    /// Several texts or numbers.
    List(Vec<String>),
    /// What an environment variable holds: its type is the option's.
    Untyped(String),
}

/// Which commands a value is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Section {
    /// All that have the option.
    Defaults,
    /// The command of this path, such as `lm`, `build`.
    Command(Vec<String>),
}

/// A key, its value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub section: Section,
    pub key: String,
    pub value: Value,
    pub origin: Origin,
    /// The folder that relative paths begin at; `None`: the current one.
    pub folder: Option<PathBuf>,
}

impl Origin {
    /// The place in words; `file` is the file that lines are of.
    pub fn describe(&self, file: Option<&Path>) -> String {
        match (self, file) {
            (Self::Line(line), Some(file)) => format!("{}:{line}", file.display()),
            (Self::Line(line), None) => format!("line {line}"),
            (Self::Variable(name), _) => name.clone(),
        }
    }
}

impl Section {
    /// The section as it stands in the file.
    pub fn header(&self) -> String {
        match self {
            Self::Defaults => "[defaults]".to_owned(),
            Self::Command(path) => format!("[{}]", path.join(".")),
        }
    }

    /// Whether the command of this path takes values from the section.
    pub fn is_for(&self, command: &[String]) -> bool {
        match self {
            Self::Defaults => true,
            Self::Command(path) => path == command,
        }
    }
}

impl Setting {
    /// What the setting is about, with or without `no-` before it.
    pub fn subject(&self) -> &str {
        self.key.strip_prefix("no-").unwrap_or(&self.key)
    }

    /// The order in which settings hold: the lowest first.
    pub fn rank(&self) -> u8 {
        match (&self.origin, &self.section) {
            (Origin::Variable(_), Section::Command(_)) => 0,
            (Origin::Variable(_), Section::Defaults) => 1,
            (Origin::Line(_), Section::Command(_)) => 2,
            (Origin::Line(_), Section::Defaults) => 3,
        }
    }
}
