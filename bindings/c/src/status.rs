//! What a call came to, and why.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};

use mynah::Error;

use crate::argument::c_string;

/// What a call came to. Later versions may add values.
#[allow(non_camel_case_types, reason = "the names of the header")]
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MynahStatus {
    /// It was done.
    MYNAH_OK = 0,
    /// An argument is NULL where it must not be, no UTF-8, or no value of its enumeration.
    MYNAH_ERROR_ARGUMENT = 1,
    /// A value is out of its range, or is nothing that the model can do: a phrase that can't be spelled, say.
    MYNAH_ERROR_CONFIG = 2,
    /// A file could not be opened, read or written.
    MYNAH_ERROR_IO = 3,
    /// A file does not hold audio that can be decoded.
    MYNAH_ERROR_AUDIO = 4,
    /// A model's file is missing, broken, or contradicts another of its files.
    MYNAH_ERROR_MODEL = 5,
    /// A sample is not a finite number. None of the call's samples has been accepted.
    MYNAH_ERROR_SAMPLES = 6,
    /// The encoder or the attention decoder could not be run. Reset the stream before going on.
    MYNAH_ERROR_ENCODER = 7,
    /// The call does not fit what has been called before: samples after `mynah_stream_finish`.
    MYNAH_ERROR_STATE = 8,
    /// The library was built without the feature that the call needs.
    MYNAH_ERROR_UNSUPPORTED = 9,
    /// A defect of Mynah; please report its message. A stream or formatter whose call gave this refuses all further
    /// calls but its `_free`.
    MYNAH_ERROR_INTERNAL = 10,
}

use MynahStatus::*;

/// Why a call could not be done.
#[derive(Debug)]
pub struct Failure {
    pub status: MynahStatus,
    pub message: String,
}

thread_local! {
    static LAST_MESSAGE: RefCell<CString> = RefCell::default();
}

/// Says why the last call of this thread that failed did so, in one line of UTF-8: what, where and what to do.
///
/// Each thread has a message of its own, as with `errno`. The text is valid until another call of the same thread fails;
/// it is empty before the first. A call that succeeds leaves it. Never freed. A language whose tasks move between
/// threads must read it on the thread of the call, before anything else can run there.
#[unsafe(no_mangle)]
pub extern "C" fn mynah_error_message() -> *const c_char {
    // A thread that is ending may have no message any more.
    LAST_MESSAGE.try_with(|message| message.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// Describes a status, a `MynahStatus`, in a few words. Never freed.
#[unsafe(no_mangle)]
pub extern "C" fn mynah_status_text(status: i32) -> *const c_char {
    describe(status).as_ptr()
}

fn describe(status: i32) -> &'static CStr {
    const TEXTS: [(MynahStatus, &CStr); 11] = [
        (MYNAH_OK, c"success"),
        (MYNAH_ERROR_ARGUMENT, c"invalid argument"),
        (MYNAH_ERROR_CONFIG, c"value out of range or not possible with this model"),
        (MYNAH_ERROR_IO, c"file can't be read or written"),
        (MYNAH_ERROR_AUDIO, c"not audio that can be decoded"),
        (MYNAH_ERROR_MODEL, c"broken or missing model file"),
        (MYNAH_ERROR_SAMPLES, c"sample is not a finite number"),
        (MYNAH_ERROR_ENCODER, c"encoder failed"),
        (MYNAH_ERROR_STATE, c"call in a wrong state"),
        (MYNAH_ERROR_UNSUPPORTED, c"built without this feature"),
        (MYNAH_ERROR_INTERNAL, c"internal error"),
    ];
    let text = TEXTS.iter().find(|(known, _)| *known as i32 == status);
    text.map_or(c"unknown status", |(_, text)| text)
}

/// Keeps the message for [`mynah_error_message`].
pub fn set_last_message(message: String) {
    let message = c_string(message);
    let _ = LAST_MESSAGE.try_with(|last| last.replace(message));
}

impl Failure {
    pub fn new(status: MynahStatus, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(MYNAH_ERROR_ARGUMENT, message)
    }

    pub fn config(message: impl Into<String>) -> Self {
        Self::new(MYNAH_ERROR_CONFIG, message)
    }

    #[cfg_attr(
        all(feature = "builtin-model", feature = "files", feature = "itn"),
        allow(dead_code, reason = "everything is supported")
    )]
    pub fn unsupported(feature: &str) -> Self {
        let message =
            format!("this libmynah was built without the feature {feature}; build it with it");
        Self::new(MYNAH_ERROR_UNSUPPORTED, message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Io { .. } => MYNAH_ERROR_IO,
            Error::Audio { .. } => MYNAH_ERROR_AUDIO,
            Error::Model { .. } => MYNAH_ERROR_MODEL,
            Error::Samples { .. } => MYNAH_ERROR_SAMPLES,
            Error::Config(_) => MYNAH_ERROR_CONFIG,
            Error::Encoder(_) => MYNAH_ERROR_ENCODER,
            _ => MYNAH_ERROR_INTERNAL,
        };
        Self::new(status, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_text_of_its_own() {
        let texts: Vec<_> = (0..=MYNAH_ERROR_INTERNAL as i32).map(describe).collect();
        for (at, text) in texts.iter().enumerate() {
            assert!(!texts[..at].contains(text) && *text != describe(-1), "{text:?}");
        }
        assert_eq!(describe(MYNAH_ERROR_INTERNAL as i32 + 1), describe(-1));
    }
}
