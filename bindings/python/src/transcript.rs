//! What a file was recognized as.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::event::Event;

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

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        let utterances = self.utterances.len();
        format!("<mynah.Transcript of {:.2} s, {utterances} utterances>", self.duration)
    }
}
