//! Models.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use mynah::{Chunk, Finals, LoadOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{Failure, detached};
use crate::options::{ChunkChoice, ModelChoice};
use crate::recognizer::Recognizer;
use crate::transcript::Transcript;

/// A model in memory, for any number of recognizers and threads.
#[pyclass(frozen, module = "mynah")]
pub struct Model {
    pub model: mynah::Model,
    origin: Origin,
    options: LoadOptions,
    /// The model in the chunks for files, once a file has been transcribed, where this one has others.
    offline: Mutex<Option<mynah::Model>>,
}

/// Where a model is from.
#[derive(Clone)]
enum Origin {
    Builtin,
    Folder(PathBuf),
}

impl Origin {
    fn load(&self, options: &LoadOptions) -> Result<mynah::Model, Failure> {
        Ok(match self {
            Self::Builtin => mynah::Model::builtin_with(options)?,
            Self::Folder(folder) => mynah::Model::load(folder, options.clone())?,
        })
    }
}

#[pymethods]
impl Model {
    /// Loads the model inside the package.
    ///
    /// ``preset``: "balanced"; "low_latency", with the shortest chunks and a single pass; or "accurate", with a second model.
    /// ``second_model``: the folder of a model that rescores finals, such as ``models/en-decoder``.
    /// ``precision``: "auto", "int8" or "f32", which the model inside the package lacks.
    /// ``chunk``: the audio of one call of the encoder, "streaming", "offline", "shortest" or milliseconds.
    /// ``finals``: "second_pass", or "first_pass" for half the computing and about twice the errors.
    ///
    /// Raises ``ConfigError`` for what the model can't do, and ``FileError`` and ``ModelError`` for its files.
    #[staticmethod]
    #[pyo3(signature = (*, preset = "balanced", second_model = None, precision = "auto", chunk = None, finals = None))]
    fn builtin(
        py: Python<'_>,
        preset: &str,
        second_model: Option<PathBuf>,
        precision: &str,
        chunk: Option<ChunkChoice>,
        finals: Option<String>,
    ) -> PyResult<Self> {
        let (preset, precision) = (preset.to_owned(), precision.to_owned());
        let choice = ModelChoice { preset, second_model, precision, chunk, finals };
        Self::of(py, Origin::Builtin, &choice)
    }

    /// Loads the model in a folder, such as ``models/en-small``.
    ///
    /// ``preset``: "balanced"; "low_latency", with the shortest chunks and a single pass; or "accurate", with a second model.
    /// ``second_model``: the folder of a model that rescores finals, such as ``models/en-decoder``.
    /// ``precision``: "auto", "int8" or "f32", which the model inside the package lacks.
    /// ``chunk``: the audio of one call of the encoder, "streaming", "offline", "shortest" or milliseconds.
    /// ``finals``: "second_pass", or "first_pass" for half the computing and about twice the errors.
    ///
    /// Raises ``ConfigError`` for what the model can't do, and ``FileError`` and ``ModelError`` for its files.
    #[staticmethod]
    #[pyo3(signature = (folder, *, preset = "balanced", second_model = None, precision = "auto", chunk = None, finals = None))]
    fn load(
        py: Python<'_>,
        folder: PathBuf,
        preset: &str,
        second_model: Option<PathBuf>,
        precision: &str,
        chunk: Option<ChunkChoice>,
        finals: Option<String>,
    ) -> PyResult<Self> {
        let (preset, precision) = (preset.to_owned(), precision.to_owned());
        let choice = ModelChoice { preset, second_model, precision, chunk, finals };
        Self::of(py, Origin::Folder(folder), &choice)
    }

    /// The model's name, such as "en-small".
    #[getter]
    fn name(&self) -> &str {
        &self.model.config().name
    }

    /// The model's language, such as "en".
    #[getter]
    fn language(&self) -> &str {
        &self.model.config().language
    }

    /// The rate in Hz at which the model takes samples. Streams resample from any other.
    #[getter]
    fn sample_rate(&self) -> u32 {
        self.model.config().features.sample_rate
    }

    /// Whether finals are of a second pass.
    #[getter]
    fn has_second_pass(&self) -> bool {
        self.model.has_second_pass()
    }

    /// Waits for what still loads in the background: the encoder of the second pass.
    fn finish_loading(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || Ok(self.model.finish_loading()?))
    }

    /// Recognizes an audio file, given by its path or as its bytes; the text is that of ``mynah transcribe``.
    ///
    /// ``options`` are those of ``Recognizer``. The first call loads the model a second time, in the chunks for files, unless
    /// it was loaded with ``chunk="offline"`` or another choice of chunks, or has no second pass. Computes on the calling thread. Raises
    /// ``FileError`` and ``AudioError``, whose ``transcript`` has what was recognized before a file breaks off.
    #[pyo3(signature = (audio, /, **options))]
    fn transcribe<'py>(
        slf: &Bound<'py, Self>,
        audio: &Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Transcript> {
        let py = slf.py();
        let offline = Bound::new(py, slf.get().offline(py)?)?;
        let recognizer = py.get_type::<Recognizer>().call((offline,), options)?;
        recognizer.cast::<Recognizer>()?.get().transcribe(audio)
    }

    fn __repr__(&self) -> String {
        format!("<mynah.Model {:?}>", self.name())
    }
}

impl Model {
    fn of(py: Python<'_>, origin: Origin, choice: &ModelChoice) -> PyResult<Self> {
        detached(py, || {
            let options = choice.load_options()?;
            let model = origin.load(&options)?;
            Ok(Self { model, origin, options, offline: Mutex::default() })
        })
    }

    /// The model in the chunks for files, unless others were chosen.
    fn offline(&self, py: Python<'_>) -> PyResult<Self> {
        let options = LoadOptions { chunk: Chunk::Offline, ..self.options.clone() };
        let model = detached(py, || {
            if self.options.chunk != Chunk::Streaming || self.options.finals == Finals::FirstPass {
                return Ok(self.model.clone());
            }
            let mut kept = self.offline.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.is_none() {
                *kept = Some(self.origin.load(&options)?);
            }
            Ok(kept.clone().unwrap_or_else(|| self.model.clone()))
        })?;
        Ok(Self { model, origin: self.origin.clone(), options, offline: Mutex::default() })
    }
}
