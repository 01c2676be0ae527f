//! The end of what C holds.

use std::ffi::{CString, c_char};

use crate::call::value;

/// Frees what an [`Output`](crate::argument::Output) gave. Null is nothing.
///
/// # Safety
///
/// `object` is null, or from an `Output` and not freed, and nothing uses it any more.
pub unsafe fn free<T>(object: *mut T) {
    value((), || {
        if !object.is_null() {
            // SAFETY: it is of a `Box`, and the caller's to free.
            drop(unsafe { Box::from_raw(object) });
        }
        Some(())
    });
}

/// Frees a text that a call gave as `char **`. NULL is nothing.
///
/// # Safety
///
/// `text` is NULL, or from such a call, not freed, and not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mynah_string_free(text: *mut c_char) {
    value((), || {
        if !text.is_null() {
            // SAFETY: it is of a `CString`, and the caller's to free.
            drop(unsafe { CString::from_raw(text) });
        }
        Some(())
    });
}
