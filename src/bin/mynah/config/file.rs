//! The TOML file, read into settings with their lines.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::{
    problem::Problem,
    setting::{Origin, Section, Setting, Value},
};

const DEFAULTS: &str = "defaults";

/// What a file holds, right or wrong.
#[derive(Debug, Default)]
pub struct ConfigFile {
    pub settings: Vec<Setting>,
    /// Values of no use to any option, and values outside of sections.
    pub problems: Vec<Problem>,
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It can't be read, or is not TOML.
    pub fn read(path: &Path) -> Result<Self, Vec<String>> {
        let named = |e: &dyn std::fmt::Display| vec![format!("{}: {e}", path.display())];
        let text = fs::read_to_string(path).map_err(|e| named(&e))?;
        let folder = std::path::absolute(path).map_err(|e| named(&e))?;
        let folder = folder.parent().map(Path::to_owned);
        Self::parse(&text, folder).map_err(|problem| vec![problem.named(Some(path))])
    }

    /// Reads a text; relative paths in it begin at `folder`.
    ///
    /// # Errors
    ///
    /// It is not TOML.
    pub fn parse(text: &str, folder: Option<PathBuf>) -> Result<Self, Problem> {
        let table = DeTable::parse(text).map_err(|e| {
            let at = e.span().unwrap_or_default();
            Problem::new(&origin(text, &at), e.message())
        })?;
        let mut reader = Reader { text, folder, file: Self::default() };
        for (name, value) in table.get_ref() {
            reader.section(name, value);
        }
        Ok(reader.file)
    }
}

struct Reader<'a> {
    text: &'a str,
    folder: Option<PathBuf>,
    file: ConfigFile,
}

impl Reader<'_> {
    /// Reads what stands at the top of the file.
    fn section(&mut self, name: &Spanned<toml::de::DeString<'_>>, value: &Spanned<DeValue<'_>>) {
        let key = name.get_ref().to_string();
        match value.get_ref() {
            DeValue::Table(table) if key == DEFAULTS => self.options(&Section::Defaults, table),
            DeValue::Table(table) => self.options(&Section::Command(vec![key]), table),
            _ => self.problem(
                &name.span(),
                format!(
                    "`{key}` stands outside of a section; move it below [defaults] or [COMMAND]"
                ),
            ),
        }
    }

    /// Reads the options of a section; a table in a command's section is that of a command of it.
    fn options(&mut self, section: &Section, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = name.get_ref().to_string();
            match (value.get_ref(), section) {
                (DeValue::Table(inner), Section::Command(path)) => {
                    let path = path.iter().cloned().chain([key]).collect();
                    self.options(&Section::Command(path), inner);
                }
                (other, _) => match read_value(other) {
                    Some(value) => self.file.settings.push(Setting {
                        section: section.clone(),
                        key,
                        value,
                        origin: origin(self.text, &name.span()),
                        folder: self.folder.clone(),
                    }),
                    None => self.problem(
                        &value.span(),
                        format!("`{key}` is {}, which no option takes", article(other.type_str())),
                    ),
                },
            }
        }
    }

    fn problem(&mut self, span: &Range<usize>, message: String) {
        self.file.problems.push(Problem::new(&origin(self.text, span), message));
    }
}

/// The line that a span begins in.
fn origin(text: &str, span: &Range<usize>) -> Origin {
    let before = text.get(..span.start).unwrap_or(text);
    Origin::Line(1 + before.matches('\n').count())
}

fn read_value(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::Boolean(flag) => Some(Value::Flag(*flag)),
        DeValue::Array(items) => read_list(items),
        scalar => match read_scalar(scalar)? {
            text if scalar.is_str() => Some(Value::Text(text)),
            digits => Some(Value::Number(digits)),
        },
    }
}

fn read_list(items: &DeArray<'_>) -> Option<Value> {
    items.iter().map(|item| read_scalar(item.get_ref())).collect::<Option<_>>().map(Value::List)
}

fn read_scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Float(float) => Some(float.as_str().to_owned()),
        DeValue::Integer(integer) => {
            let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok()?;
            Some(number.to_string())
        }
        _ => None,
    }
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {kind}")
}
