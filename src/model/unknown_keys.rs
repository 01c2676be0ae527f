//! Parses a `config.json`, and warns of keys that nothing reads, such as misspelt ones.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// The version of the format, which is checked before the rest.
const FORMAT_VERSION: &str = "format_version";
/// The most keys that a warning names, and the most characters of each.
const MOST_KEYS: usize = 5;
const MOST_CHARS: usize = 80;

/// Parses the text of the file `path`, and logs a warning that names the keys of it that are unknown.
///
/// # Errors
///
/// [`Error::Model`] for what is no such configuration.
pub(super) fn parse_json<T: DeserializeOwned>(json: &str, path: &Path) -> Result<T> {
    let mut unknown = Unknown::default();
    let config = unknown.parse(json).map_err(|e| Error::model(path, e.to_string()))?;
    if let Some(list) = unknown.list() {
        log::warn!("{}: unknown keys are ignored: {list}", path.display());
    }
    Ok(config)
}

/// The keys that nothing read, each with those that it stands under.
#[derive(Debug, Default)]
struct Unknown {
    first: Vec<String>,
    count: usize,
}

impl Unknown {
    fn parse<'a, T: Deserialize<'a>>(&mut self, json: &'a str) -> serde_json::Result<T> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let config = serde_ignored::deserialize(&mut reader, |key| self.add(&key))?;
        reader.end()?;
        Ok(config)
    }

    fn add(&mut self, key: &serde_ignored::Path) {
        if let serde_ignored::Path::Map { parent: serde_ignored::Path::Root, key } = key
            && key == FORMAT_VERSION
        {
            return;
        }
        self.count += 1;
        if self.first.len() < MOST_KEYS {
            // A value that may be left out is a level of its own, `?`.
            let key = key.to_string().replace(".?", "");
            self.first.push(key.chars().take(MOST_CHARS).collect());
        }
    }

    /// The keys in quotes, if there are any.
    fn list(&self) -> Option<String> {
        let keys: Vec<_> = self.first.iter().map(|key| format!("{key:?}")).collect();
        let more = match self.count - self.first.len() {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        (self.count > 0).then(|| keys.join(", ") + &more)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ModelConfig;
    use super::*;

    const CONFIG: &str = include_str!("../../tests/data/random/config.json");

    fn unknown_keys(json: &str) -> Option<String> {
        let mut unknown = Unknown::default();
        unknown.parse::<ModelConfig>(json).unwrap();
        unknown.list()
    }

    #[test]
    fn misspelt_optional_keys_are_named() {
        assert_eq!(unknown_keys(CONFIG), None);
        let json = CONFIG.replace("\"chunk_choices\"", "\"chunk_choises\"");
        let phones = r#"{"phones": {"file": "p", "pronunciations": "w", "letters_to_sound": "r"},"#;
        let json = json.replacen('{', phones, 1);
        let expected = r#""phones.letters_to_sound", "encoder.chunk_choises""#;
        assert_eq!(unknown_keys(&json).as_deref(), Some(expected));
    }

    #[test]
    fn the_version_of_the_format_is_known() {
        let json = CONFIG.replacen('{', r#"{"format_version": 1, "format_versions": 1, "#, 1);
        assert_eq!(unknown_keys(&json).as_deref(), Some("\"format_versions\""));
    }

    #[test]
    fn a_warning_is_short_whatever_the_keys_are() {
        let keys: String =
            (0..1_000).map(|n| format!("\"{n}\\n{}\": 0, ", "long".repeat(100))).collect();
        let list = unknown_keys(&CONFIG.replacen('{', &format!("{{{keys}"), 1)).unwrap();
        assert!(
            list.starts_with(r#""0\nlong"#) && list.ends_with(r#"longlo" and 995 more"#),
            "{list}"
        );
        assert!(list.len() < MOST_KEYS * 100, "{list}");
    }

    #[test]
    fn what_follows_a_configuration_is_an_error() {
        let path = Path::new("m/config.json");
        let error = parse_json::<ModelConfig>(&format!("{CONFIG}1"), path).unwrap_err();
        assert!(error.to_string().starts_with("m/config.json: trailing characters"), "{error}");
    }
}
