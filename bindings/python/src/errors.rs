//! Errors and panics of the library become exceptions of `mynah._errors`.

use std::any::Any;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mynah::Error;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// Why a call could not be done.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    /// The file that an error of the system is about, and the error's number.
    file: Option<(Option<i32>, OsString)>,
}

/// The exception's class.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Config,
    Io,
    Audio,
    Model,
    Samples,
    Encoder,
    State,
    Internal,
}

impl Failure {
    pub fn config(message: impl Into<String>) -> Self {
        Self::of(Kind::Config, message)
    }

    pub fn state(message: impl Into<String>) -> Self {
        Self::of(Kind::State, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::of(Kind::Internal, message)
    }

    fn of(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), file: None }
    }

    /// Names the argument of which an error names the line.
    pub fn within(self, argument: &str) -> Self {
        Self { message: format!("{argument}: {}", self.message), ..self }
    }

    /// The exception.
    pub fn exception(self, py: Python<'_>) -> PyErr {
        match (class(py, self.kind), self.file) {
            (Ok(class), Some((number, file))) => {
                PyErr::from_type(class, (self.message, number, file))
            }
            (Ok(class), None) => PyErr::from_type(class, (self.message,)),
            (Err(error), _) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Config(_) => Kind::Config,
            Error::Io { .. } => Kind::Io,
            Error::Audio { .. } => Kind::Audio,
            Error::Model { .. } => Kind::Model,
            Error::Samples { .. } => Kind::Samples,
            Error::Encoder(_) => Kind::Encoder,
            _ => Kind::Internal,
        };
        let message = error.to_string();
        let file = match error {
            Error::Io { path, source } => Some((source.raw_os_error(), path.into_os_string())),
            _ => None,
        };
        Self { kind, message, file }
    }
}

/// Runs without the GIL what computes or waits. A panic becomes an `InternalError`.
///
/// # Errors
///
/// Those of `body`.
pub fn detached<T: Send>(
    py: Python<'_>,
    body: impl FnOnce() -> Result<T, Failure> + Send,
) -> PyResult<T> {
    // What a panic leaves half done is behind a mutex, which is poisoned, or is dropped unused.
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(body)));
    let outcome = outcome.unwrap_or_else(|payload| Err(panicked(payload)));
    outcome.map_err(|failure| failure.exception(py))
}

fn panicked(payload: Box<dyn Any + Send>) -> Failure {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    // Its drop may panic.
    std::mem::forget(payload);
    let text = text.unwrap_or_else(|| "a panic".to_owned());
    Failure::internal(format!("{text}; this is a defect of Mynah: please report it"))
}

fn class<'py>(py: Python<'py>, kind: Kind) -> PyResult<Bound<'py, PyType>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module =
        MODULE.get_or_try_init(py, || py.import("mynah._errors").map(Bound::unbind))?.bind(py);
    let name = match kind {
        Kind::Config => "ConfigError",
        Kind::Io => "FileError",
        Kind::Audio => "AudioError",
        Kind::Model => "ModelError",
        Kind::Samples => "SamplesError",
        Kind::Encoder => "EncoderError",
        Kind::State => "StateError",
        Kind::Internal => "InternalError",
    };
    Ok(module.getattr(name)?.cast_into::<PyType>()?)
}
