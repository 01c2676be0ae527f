//! The native module of the Python package: `mynah._mynah`.
//!
//! ```text
//! Python objects → samples, options → detached (no GIL; errors and panics → exceptions) → mynah, mynah-command
//! ```
//!
//! # Invariants
//!
//! - What computes or waits runs inside [`errors::detached`]: without the GIL, and no panic leaves it.
//! - Samples are copied with the GIL held, straight from the array into the stream's queue.
//! - The locks of streams and models are acquired without the GIL alone, so that no thread waits for the one while it holds
//!   the other. That of a stream's queue is acquired with the GIL too: who holds it copies samples, and waits for nothing.
//! - Exceptions are classes of `mynah._errors`, so that they have built-in bases too.

mod command;
mod errors;
mod event;
mod file;
mod model;
mod options;
mod recognizer;
mod samples;
mod stream;
mod stream_state;
mod transcript;

use pyo3::prelude::*;

/// The native part of the package `mynah`, which exports its classes.
#[pymodule]
mod _mynah {
    #[pymodule_export]
    use crate::command::execute;
    #[pymodule_export]
    use crate::event::{Event, Hypothesis, Word};
    #[pymodule_export]
    use crate::model::Model;
    #[pymodule_export]
    use crate::recognizer::Recognizer;
    #[pymodule_export]
    use crate::stream::{EventIterator, Stream};
    #[pymodule_export]
    use crate::transcript::Transcript;
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
