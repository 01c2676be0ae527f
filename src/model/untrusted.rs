//! Reads a model's files, which may come from anywhere.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::bounded_file;
use crate::error::{Error, Result};

/// The most bytes of a graph.
const MOST_GRAPH_BYTES: u64 = 1 << 30;
/// The most bytes of a text, such as the pronunciations.
const MOST_TEXT_BYTES: u64 = 1 << 26;

/// Loads a graph, which may make its reader panic.
///
/// # Errors
///
/// Those of `load`; [`Error::Model`] where it panics.
pub(super) fn guard<T>(path: &Path, load: impl FnOnce() -> Result<T>) -> Result<T> {
    let broken = "the ONNX graph is damaged: reading it panicked";
    catch_unwind(AssertUnwindSafe(load)).unwrap_or_else(|_| Err(Error::model(path, broken)))
}

/// # Errors
///
/// [`Error::Io`], and [`Error::Model`] for a file of a size that no text has.
pub(super) fn read_text(path: &Path) -> Result<String> {
    bounded_file::read_text(path, MOST_TEXT_BYTES)
}

/// # Errors
///
/// [`Error::Io`], and [`Error::Model`] for a file of a size that no graph has.
pub(super) fn read_graph(path: &Path) -> Result<Vec<u8>> {
    bounded_file::read(path, MOST_GRAPH_BYTES)
}
