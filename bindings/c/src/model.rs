//! Models: loading them, and what they say of themselves.

use std::ffi::{CString, c_char};

use mynah::{LoadOptions, Model};

use crate::argument::{Output, c_string, reference, text};
use crate::call::{call, value};
use crate::model_options::MynahModelOptions;
use crate::object;
use crate::status::{Failure, MynahStatus};

/// A model in memory, for any number of recognizers.
///
/// Threads: any number at once. A recognizer keeps what it needs of a model, which may be freed before it.
pub struct MynahModel {
    pub model: Model,
    name: CString,
    language: CString,
}

impl From<Model> for MynahModel {
    fn from(model: Model) -> Self {
        let config = model.config();
        let (name, language) = (c_string(config.name.clone()), c_string(config.language.clone()));
        Self { name, language, model }
    }
}

/// Gives the model that is inside the library, at `*model`; NULL if it fails. `options` may be NULL.
///
/// Errors: `MYNAH_ERROR_CONFIG` if the model lacks what the options ask for, `MYNAH_ERROR_IO` and `MYNAH_ERROR_MODEL` for
/// a second model, `MYNAH_ERROR_UNSUPPORTED` if none is inside. The caller frees it by `mynah_model_free`.
///
/// # Safety
///
/// `options` is NULL, or from `mynah_model_options_new` and not freed. `model` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_builtin(
    options: *const MynahModelOptions,
    model: *mut *mut MynahModel,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let (model, options) = unsafe { (Output::new(model, "model")?, load_options(options)?) };
        model.give(builtin(&options)?.into());
        Ok(())
    })
}

/// Loads the model in a folder, such as `models/en-small`, at `*model`; NULL if it fails. `options` may be NULL.
///
/// Errors: `MYNAH_ERROR_IO` for a file that can't be read, `MYNAH_ERROR_MODEL` for one that is broken,
/// `MYNAH_ERROR_CONFIG` if the model lacks what the options ask for. The caller frees it by `mynah_model_free`.
///
/// # Safety
///
/// `folder` is text. `options` is NULL, or from `mynah_model_options_new` and not freed. `model` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_load(
    folder: *const c_char,
    options: *const MynahModelOptions,
    model: *mut *mut MynahModel,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let (model, folder, options) = unsafe {
            (Output::new(model, "model")?, text(folder, "folder")?, load_options(options)?)
        };
        model.give(Model::load(folder, options)?.into());
        Ok(())
    })
}

/// Waits for what still loads in the background: the encoder of the second pass. Without this call the first final waits.
///
/// Errors: `MYNAH_ERROR_CONFIG` with the reason if it could not be loaded.
///
/// # Safety
///
/// `model` is from `mynah_model_load` or `mynah_model_builtin`, and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_finish_loading(model: *const MynahModel) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let model = unsafe { reference(model, "model") }?;
        Ok(model.model.finish_loading()?)
    })
}

/// The model's name, such as "en-small"; NULL of NULL. It is valid until the model is freed.
///
/// # Safety
///
/// `model` is NULL, or from `mynah_model_load` or `mynah_model_builtin` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_name(model: *const MynahModel) -> *const c_char {
    value(std::ptr::null(), || {
        // SAFETY: as the caller says.
        unsafe { model.as_ref() }.map(|model| model.name.as_ptr())
    })
}

/// The model's language, such as "en"; NULL of NULL. It is valid until the model is freed.
///
/// # Safety
///
/// `model` is NULL, or from `mynah_model_load` or `mynah_model_builtin` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_language(model: *const MynahModel) -> *const c_char {
    value(std::ptr::null(), || {
        // SAFETY: as the caller says.
        unsafe { model.as_ref() }.map(|model| model.language.as_ptr())
    })
}

/// The rate in Hz at which the model takes samples; 0 of NULL. Streams resample from any other.
///
/// # Safety
///
/// `model` is NULL, or from `mynah_model_load` or `mynah_model_builtin` and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_sample_rate(model: *const MynahModel) -> u32 {
    value(0, || {
        // SAFETY: as the caller says.
        unsafe { model.as_ref() }.map(|model| model.model.config().features.sample_rate)
    })
}

/// Frees a model. NULL is nothing. Recognizers and streams of it live on.
///
/// # Safety
///
/// `model` is NULL, or from `mynah_model_load` or `mynah_model_builtin` and not freed, and no other call uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_model_free(model: *mut MynahModel) {
    // SAFETY: as the caller says.
    unsafe { object::free(model) }
}

/// # Safety
///
/// `options` is null, or from `mynah_model_options_new` and not freed.
unsafe fn load_options(options: *const MynahModelOptions) -> Result<LoadOptions, Failure> {
    // SAFETY: as the caller says.
    let options = unsafe { options.as_ref() };
    options.map_or_else(|| Ok(LoadOptions::default()), MynahModelOptions::load_options)
}

#[cfg(feature = "builtin-model")]
fn builtin(options: &LoadOptions) -> Result<Model, Failure> {
    Ok(Model::builtin_with(options)?)
}

#[cfg(not(feature = "builtin-model"))]
fn builtin(_: &LoadOptions) -> Result<Model, Failure> {
    Err(Failure::unsupported("builtin-model"))
}
