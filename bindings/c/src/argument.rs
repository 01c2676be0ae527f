//! What comes from C, checked: references, texts, arrays and the places for outputs.

use std::ffi::{CStr, CString, c_char};
use std::ptr::{self, NonNull};
use std::time::Duration;

use crate::status::Failure;

/// The object that `pointer` points to.
///
/// # Errors
///
/// The pointer is null.
///
/// # Safety
///
/// `pointer` is null, or points to a `T` that is neither freed nor changed, but through its own locks, in `'a`.
pub unsafe fn reference<'a, T>(pointer: *const T, name: &str) -> Result<&'a T, Failure> {
    // SAFETY: as the caller says.
    unsafe { pointer.as_ref() }.ok_or_else(|| is_null(name))
}

/// The object that `pointer` points to, to be changed.
///
/// # Errors
///
/// The pointer is null.
///
/// # Safety
///
/// `pointer` is null, or points to a `T` that nothing else uses in `'a`.
pub unsafe fn reference_mut<'a, T>(pointer: *mut T, name: &str) -> Result<&'a mut T, Failure> {
    // SAFETY: as the caller says.
    unsafe { pointer.as_mut() }.ok_or_else(|| is_null(name))
}

/// The text that `pointer` points to.
///
/// # Errors
///
/// The pointer is null, or the text is not UTF-8.
///
/// # Safety
///
/// `pointer` is null, or points to bytes that end with a zero and don't change in `'a`.
pub unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, Failure> {
    if pointer.is_null() {
        return Err(is_null(name));
    }
    // SAFETY: it is not null, and for the rest as the caller says.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|error| {
        Failure::argument(format!("{name} is not UTF-8 from byte {} on", error.valid_up_to()))
    })
}

/// As [`text`], where null stands for no text.
///
/// # Errors
///
/// The text is not UTF-8.
///
/// # Safety
///
/// That of [`text`].
pub unsafe fn optional_text<'a>(
    pointer: *const c_char,
    name: &str,
) -> Result<Option<&'a str>, Failure> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: as the caller says.
    unsafe { text(pointer, name) }.map(Some)
}

/// The array of `count` values that `pointer` points to. An empty one may be null.
///
/// # Errors
///
/// The pointer is null or not aligned, or the array is longer than memory.
///
/// # Safety
///
/// `pointer` is null, or points to `count` values that don't change in `'a`.
pub unsafe fn slice<'a, T>(
    pointer: *const T,
    count: usize,
    name: &str,
) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(is_null(name));
    }
    if !pointer.is_aligned() {
        let alignment = align_of::<T>();
        return Err(Failure::argument(format!("{name} must be aligned to {alignment} bytes")));
    }
    if count > isize::MAX as usize / size_of::<T>() {
        return Err(Failure::argument(format!("{name} can't have {count} values")));
    }
    // SAFETY: it is neither null nor misaligned, its size fits, and for the rest as the caller says.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

/// A place of the caller's for a pointer to a new object; null until the object is there.
pub struct Output<T>(NonNull<*mut T>);

impl<T> Output<T> {
    /// # Errors
    ///
    /// The place is null.
    ///
    /// # Safety
    ///
    /// `place` is null, or may be written to as long as this lives.
    pub unsafe fn new(place: *mut *mut T, name: &str) -> Result<Self, Failure> {
        let place = NonNull::new(place).ok_or_else(|| is_null(name))?;
        // SAFETY: as the caller says.
        unsafe { place.write(ptr::null_mut()) };
        Ok(Self(place))
    }

    /// Gives an object to the caller, who frees it.
    pub fn give(self, object: T) {
        self.give_pointer(Box::into_raw(Box::new(object)));
    }

    fn give_pointer(self, pointer: *mut T) {
        // SAFETY: as the caller of `new` said.
        unsafe { self.0.write(pointer) };
    }
}

impl Output<c_char> {
    /// Gives a text to the caller, who frees it by `mynah_string_free`.
    pub fn give_text(self, text: String) {
        self.give_pointer(c_string(text).into_raw());
    }
}

/// A text for C, without zeros, which would end it.
pub fn c_string(mut text: String) -> CString {
    text.retain(|character| character != '\0');
    CString::new(text).unwrap_or_default()
}

/// A time from C.
///
/// # Errors
///
/// It is negative, not a number, or longer than any.
pub fn duration(seconds: f64, name: &str) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Failure::config(format!("{name} is {seconds} s; it must be 0 or more")))
}

/// What stands for a number of an enumeration.
///
/// # Errors
///
/// It has no such number.
pub fn variant<T: Copy>(value: i32, all: &[(i32, T)], name: &str) -> Result<T, Failure> {
    let found = all.iter().find(|(number, _)| *number == value);
    found.map(|(_, variant)| *variant).ok_or_else(|| {
        let last = all.iter().map(|(number, _)| *number).max().unwrap_or(0);
        Failure::argument(format!("{name} is {value}; it must be from 0 to {last}"))
    })
}

fn is_null(name: &str) -> Failure {
    Failure::argument(format!("{name} is NULL"))
}
