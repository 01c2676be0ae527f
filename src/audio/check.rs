//! The check of samples that come from outside.

use crate::error::{Error, Result};

/// Accepts samples that are all finite.
///
/// # Errors
///
/// [`Error::Samples`] with the position of the first that is not.
pub fn check_samples(samples: &[f32]) -> Result<()> {
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(index) => Err(Error::Samples { index, value: samples[index] }),
        None => Ok(()),
    }
}
