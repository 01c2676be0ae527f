//! A text formatter by itself.

use std::ffi::c_char;
use std::sync::{Mutex, MutexGuard};

use crate::argument::{Output, reference, text};
use crate::call::call;
use crate::formatting::Formatting;
use crate::model::MynahModel;
use crate::object;
use crate::status::MynahStatus::MYNAH_ERROR_INTERNAL;
use crate::status::{Failure, MynahStatus};

/// Writes recognized words as text that people read, one utterance after the other. Streams have one of their own.
///
/// Threads: any number at once; calls of one formatter wait for each other.
pub struct MynahFormatter(Mutex<Formatting>);

impl MynahFormatter {
    /// # Errors
    ///
    /// A call has panicked.
    fn lock(&self) -> Result<MutexGuard<'_, Formatting>, Failure> {
        self.0.lock().map_err(|_| {
            let reason =
                "an earlier call of this formatter met a defect of Mynah; free it and make another";
            Failure::new(MYNAH_ERROR_INTERNAL, reason)
        })
    }
}

/// Makes a formatter, at `*formatter`; NULL if it fails. The model's punctuation model gives marks and case; without a model
/// (NULL) rules do.
///
/// Errors: `MYNAH_ERROR_UNSUPPORTED` if the library was built without the feature itn. The caller frees it by
/// `mynah_formatter_free`.
///
/// # Safety
///
/// `model` is NULL, or not freed. `formatter` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_formatter_new(
    model: *const MynahModel,
    formatter: *mut *mut MynahFormatter,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let (place, model) = unsafe { (Output::new(formatter, "formatter")?, model.as_ref()) };
        Formatting::check()?;
        if let Some(formatting) = Formatting::new(model.map(|model| &model.model), true) {
            place.give(MynahFormatter(Mutex::new(formatting)));
        }
        Ok(())
    })
}

/// Formats the words of an utterance, at `*formatted`; NULL if it fails. The caller frees it by `mynah_string_free`.
///
/// # Safety
///
/// `formatter` is not freed. `words` is text. `formatted` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_formatter_format(
    formatter: *mut MynahFormatter,
    words: *const c_char,
    formatted: *mut *mut c_char,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let (place, formatter, words) = unsafe {
            let formatter = reference(formatter.cast_const(), "formatter");
            (Output::new(formatted, "formatted")?, formatter?, text(words, "words")?)
        };
        place.give_text(formatter.lock()?.text(words));
        Ok(())
    })
}

/// Begins a sentence with the next utterance, whatever stood before it.
///
/// # Safety
///
/// `formatter` is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_formatter_begin_sentence(
    formatter: *mut MynahFormatter,
) -> MynahStatus {
    call(|| {
        // SAFETY: as the caller says.
        let formatter = unsafe { reference(formatter.cast_const(), "formatter") }?;
        formatter.lock()?.begin_sentence();
        Ok(())
    })
}

/// Frees a formatter. NULL is nothing.
///
/// # Safety
///
/// `formatter` is NULL, or from `mynah_formatter_new` and not freed, and no other call uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_formatter_free(formatter: *mut MynahFormatter) {
    // SAFETY: as the caller says.
    unsafe { object::free(formatter) }
}
