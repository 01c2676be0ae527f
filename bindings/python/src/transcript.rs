//! What a file was recognized as.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::event::{Event, Pickled};

/// What an audio file was recognized as.
#[pyclass(frozen, module = "mynah")]
pub struct Transcript {
    pub utterances: Vec<Event>,
    /// The text, an utterance a line, as the command writes it.
    #[pyo3(get)]
    pub text: String,
    /// The length of the audio in seconds.
    #[pyo3(get)]
    pub duration: f64,
}

#[pymethods]
impl Transcript {
    /// The utterances, each a final event.
    #[getter]
    fn utterances<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.utterances.clone())
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<Pickled<'py, (Vec<Event>, String, f64)>> {
        let Self { utterances, text, duration } = slf.get();
        let restored = slf.get_type().getattr("_restored")?;
        Ok((restored, (utterances.clone(), text.clone(), *duration)))
    }

    #[staticmethod]
    fn _restored(utterances: Vec<Event>, text: String, duration: f64) -> Self {
        Self { utterances, text, duration }
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        let utterances = self.utterances.len();
        format!("<mynah.Transcript of {:.2} s, {utterances} utterances>", self.duration)
    }
}
