//! Options in environment variables: `MYNAH_LISTEN_EARLY_FINAL` for one command, `MYNAH_EARLY_FINAL` for all.

use std::{collections::BTreeSet, env};

use clap::Command;

use super::{
    schema,
    setting::{Origin, Section, Setting, Value},
};

/// The settings together with those in environment variables for the command of this path.
pub fn with_variables(command: &Command, path: &[String], settings: &[Setting]) -> Vec<Setting> {
    let leaves = schema::leaves(command);
    let leaf = leaves.iter().find(|(of_leaf, _)| of_leaf == path);
    let keys = leaf.map_or_else(BTreeSet::new, |(_, leaf)| schema::keys(leaf));
    let of_variables = keys.into_iter().flat_map(|key| {
        let own = [path.join("_"), key.to_owned()].join("_");
        [setting(Section::Command(path.to_vec()), key, &own), setting(Section::Defaults, key, key)]
    });
    of_variables.flatten().chain(settings.iter().cloned()).collect()
}

fn setting(section: Section, key: &str, name: &str) -> Option<Setting> {
    let name = format!("MYNAH_{}", name.replace('-', "_").to_uppercase());
    let value = env::var(&name).ok().filter(|value| !value.is_empty())?;
    let (key, value) = (key.to_owned(), Value::Untyped(value));
    Some(Setting { section, key, value, origin: Origin::Variable(name), folder: None })
}
