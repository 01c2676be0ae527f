//! Arrays of samples from NumPy.

use numpy::{
    Element, PyArray1, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods,
    dtype,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use mynah::audio::Feed;

use crate::errors::Failure;

/// Puts an array's samples into a queue, all or none.
///
/// # Errors
///
/// `TypeError` for what is no array of float32 or int16, `ValueError` for one of other dimensions or with gaps, and
/// `SamplesError` with the position of a sample that is not finite.
pub fn push(samples: &Bound<'_, PyAny>, feed: &Feed) -> PyResult<()> {
    let py = samples.py();
    let Ok(array) = samples.cast::<PyUntypedArray>() else {
        let name = samples.get_type().fully_qualified_name()?;
        return Err(PyTypeError::new_err(format!(
            "samples must be a NumPy array of float32 or int16, not {name}; np.frombuffer makes one of bytes"
        )));
    };
    check_shape(array)?;
    let kind = array.dtype();
    if kind.is_equiv_to(&dtype::<f32>(py)) {
        let samples = contiguous::<f32>(array)?;
        let samples = samples.try_readonly().map_err(|e| PyValueError::new_err(e.to_string()))?;
        let samples = samples.as_slice()?;
        check_finite(samples).map_err(|failure| failure.exception(py))?;
        feed.push(samples.iter().copied());
        Ok(())
    } else if kind.is_equiv_to(&dtype::<i16>(py)) {
        let samples = contiguous::<i16>(array)?;
        let samples = samples.try_readonly().map_err(|e| PyValueError::new_err(e.to_string()))?;
        feed.push(samples.as_slice()?.iter().map(|&sample| f32::from(sample) / 32_768.0));
        Ok(())
    } else {
        Err(PyTypeError::new_err(format!(
            "samples are of {kind}; they must be of float32 in [-1, 1] or of int16, in the machine's byte order"
        )))
    }
}

fn check_shape(array: &Bound<'_, PyUntypedArray>) -> PyResult<()> {
    if array.ndim() != 1 {
        let shape = array.shape();
        return Err(PyValueError::new_err(format!(
            "samples have the shape {shape:?}; they must be of one channel and one dimension"
        )));
    }
    if !array.is_contiguous() || !array.is_aligned() {
        return Err(PyValueError::new_err(
            "samples are not contiguous and aligned in memory; np.ascontiguousarray copies them so",
        ));
    }
    Ok(())
}

fn contiguous<'a, 'py, T: Element>(
    array: &'a Bound<'py, PyUntypedArray>,
) -> PyResult<&'a Bound<'py, PyArray1<T>>> {
    Ok(array.cast::<PyArray1<T>>()?)
}

fn check_finite(samples: &[f32]) -> Result<(), Failure> {
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(index) => Err(mynah::Error::Samples { index, value: samples[index] }.into()),
        None => Ok(()),
    }
}
