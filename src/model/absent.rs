//! `Model::builtin` of a build that found no model to build in.

use std::path::Path;

use super::{LoadOptions, Model};
use crate::error::{Error, Result};

/// Where the build looks.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/en-small");
const REASON: &str = "no model is built in, because the package of crates.io has none; load the folder \
                      models/en-small of Mynah's repository with `Model::load`, or build with \
                      MYNAH_BUILTIN_MODEL=FOLDER in the environment";

impl Model {
    /// Gives an error: the build found no model.
    ///
    /// # Errors
    ///
    /// [`Error::Model`], always.
    pub fn builtin() -> Result<Self> {
        Self::builtin_with(&LoadOptions::default())
    }

    /// Gives an error: the build found no model.
    ///
    /// # Errors
    ///
    /// [`Error::Model`], always.
    pub fn builtin_with(_: &LoadOptions) -> Result<Self> {
        Err(Error::model(Path::new(FOLDER), REASON))
    }

    /// Gives an error: the build found no model.
    ///
    /// # Errors
    ///
    /// [`Error::Model`], always.
    pub fn verify_builtin() -> Result<()> {
        Err(Error::model(Path::new(FOLDER), REASON))
    }
}
