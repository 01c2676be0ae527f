//! Recognizers: a model and how it is decoded.

use mynah::Recognizer;

use crate::argument::{Output, reference};
use crate::call::call;
use crate::formatting::Formatting;
use crate::model::MynahModel;
use crate::object;
use crate::recognizer_options::MynahRecognizerOptions;
use crate::status::MynahStatus;

/// A model and how it is decoded, for any number of streams.
///
/// Threads: any number at once. A stream keeps what it needs of a recognizer, which may be freed before it.
pub struct MynahRecognizer {
    pub recognizer: Recognizer,
    /// What the text of a stream is formatted by, as it begins.
    pub formatting: Option<Formatting>,
}

/// Makes a recognizer of a model, at `*recognizer`; NULL if it fails. `options` may be NULL.
///
/// Errors: `MYNAH_ERROR_CONFIG` for a value out of its range, and with the line for what can't be used of a list or a
/// grammar. The caller frees it by `mynah_recognizer_free`.
///
/// # Safety
///
/// `model` is not freed. `options` is NULL, or from `mynah_recognizer_options_new` and not freed. `recognizer` may be
/// written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_new(
    model: *const MynahModel,
    options: *const MynahRecognizerOptions,
    recognizer: *mut *mut MynahRecognizer,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let (place, model, options) = unsafe {
            (Output::new(recognizer, "recognizer")?, reference(model, "model")?, options.as_ref())
        };
        let default = MynahRecognizerOptions::default();
        let options = options.unwrap_or(&default);
        let recognizer = options.recognizer(&model.model)?;
        let formatting = options.formatting(recognizer.model());
        place.give(MynahRecognizer { recognizer, formatting });
        Ok(())
    })
}

/// Frees a recognizer. NULL is nothing. Its streams live on.
///
/// # Safety
///
/// `recognizer` is NULL, or from `mynah_recognizer_new` and not freed, and no other call uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_recognizer_free(recognizer: *mut MynahRecognizer) {
    // SAFETY: as the caller says.
    unsafe { object::free(recognizer) }
}
