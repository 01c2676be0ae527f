//! What is fed with generated inputs.

mod audio;
mod grammar;
mod language_model;
mod model_config;
mod model_graph;
mod punctuation;
mod samples;
mod server;
mod text;

use std::env;
use std::process::exit;
use std::sync::LazyLock;

use libfuzzer_sys::fuzzer_mutate;

/// A target. Panics, and inputs that take too long or too much memory, are findings.
pub struct Target {
    name: &'static str,
    /// Called once, before the first input.
    pub prepare: fn(),
    pub run: fn(&[u8]),
    /// Changes an input of a size within its buffer; gives the new size.
    pub mutate: fn(&mut [u8], usize, usize, u32) -> usize,
}

const TARGETS: [Target; 9] = [
    Target {
        prepare: crate::containers::check,
        mutate: audio::mutate,
        ..Target::new("audio", audio::run)
    },
    Target::new("grammar", grammar::run),
    Target::new("language_model", language_model::run),
    Target::new("model_config", model_config::run),
    Target { prepare: model_graph::prepare, ..Target::new("model_graph", model_graph::run) },
    Target::new("punctuation", punctuation::run),
    Target::new("samples", samples::run),
    Target::new("server", server::run),
    Target::new("text", text::run),
];

/// The one that the environment names.
pub static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let wanted = env::var("MYNAH_FUZZ").unwrap_or_default();
    let names = TARGETS.map(|target| target.name).join(", ");
    TARGETS.into_iter().find(|target| target.name == wanted).unwrap_or_else(|| {
        eprintln!("MYNAH_FUZZ is {wanted:?}; set it to one of {names}");
        exit(2)
    })
});

impl Target {
    const fn new(name: &'static str, run: fn(&[u8])) -> Self {
        Self {
            name,
            prepare: || {},
            run,
            mutate: |data, size, most, _| fuzzer_mutate(data, size, most),
        }
    }
}
