//! Which version the header is of, and which the library.

use std::ffi::{CStr, c_char};

/// The version of this header, first number. It changes with the name of the shared library.
pub const MYNAH_VERSION_MAJOR: u32 = 0;
/// The version of this header, second number.
pub const MYNAH_VERSION_MINOR: u32 = 1;
/// The version of this header, third number.
pub const MYNAH_VERSION_PATCH: u32 = 0;

const VERSION: &CStr = c_str(concat!(env!("CARGO_PKG_VERSION"), "\0"));

/// The version of the library that is linked, such as "0.1.0". Never freed.
#[unsafe(no_mangle)]
pub extern "C" fn mynah_version() -> *const c_char {
    VERSION.as_ptr()
}

// The numbers are the package's.
const _: () = {
    assert!(matches!(number(env!("CARGO_PKG_VERSION_MAJOR")), Ok(MYNAH_VERSION_MAJOR)));
    assert!(matches!(number(env!("CARGO_PKG_VERSION_MINOR")), Ok(MYNAH_VERSION_MINOR)));
    assert!(matches!(number(env!("CARGO_PKG_VERSION_PATCH")), Ok(MYNAH_VERSION_PATCH)));
};

const fn number(text: &str) -> Result<u32, std::num::ParseIntError> {
    u32::from_str_radix(text, 10)
}

const fn c_str(text: &str) -> &CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    }
}
