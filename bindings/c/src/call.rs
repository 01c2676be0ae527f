//! The boundary: errors and panics become statuses.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::status::MynahStatus::{self, MYNAH_ERROR_INTERNAL, MYNAH_OK};
use crate::status::{Failure, set_last_message};

thread_local! {
    static IS_IN_CALL: Cell<bool> = const { Cell::new(false) };
    /// What panicked and where.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a call that may fail; its message is kept for this thread.
pub fn call(body: impl FnOnce() -> Result<(), Failure>) -> MynahStatus {
    let Err(failure) = contain(body) else { return MYNAH_OK };
    set_last_message(failure.message);
    failure.status
}

/// Runs a call that gives a value, and `fallback` where there is none.
pub fn value<T>(fallback: T, body: impl FnOnce() -> Option<T>) -> T {
    contain(|| Ok(body())).ok().flatten().unwrap_or(fallback)
}

/// Makes a failure of a panic.
fn contain<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    record_panics();
    let was_in_call = IS_IN_CALL.replace(true);
    // What a panic leaves half done is behind a mutex, which is poisoned, or is freed unused.
    let outcome = catch_unwind(AssertUnwindSafe(body));
    IS_IN_CALL.set(was_in_call);
    outcome.unwrap_or_else(|payload| Err(panicked(payload)))
}

fn panicked(payload: Box<dyn Any + Send>) -> Failure {
    let recorded = PANIC.take().unwrap_or_else(|| "a panic".to_owned());
    // Its drop may panic.
    std::mem::forget(payload);
    let message = format!("{recorded}; this is a defect of Mynah: please report it");
    Failure::new(MYNAH_ERROR_INTERNAL, message.replace('\n', " "))
}

/// Records the panics of calls for their message, instead of printing them. Other threads' are printed as ever.
fn record_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if IS_IN_CALL.get() {
                PANIC.set(Some(info.to_string()));
            } else {
                print(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::last_message;

    #[test]
    fn a_panic_is_an_internal_error_that_says_where() {
        let status = call(|| panic!("not {}", "so"));
        assert_eq!(status, MYNAH_ERROR_INTERNAL);
        let message = last_message();
        assert!(message.contains("call.rs:") && message.contains("not so"), "{message}");
        assert!(!message.contains('\n'), "{message}");
        assert_eq!(value(7, || panic!("no value")), 7);
        assert_eq!(call(|| Ok(())), MYNAH_OK);
    }

    #[test]
    fn each_thread_has_its_own_message() {
        call(|| Err(Failure::config("here")));
        let other = std::thread::spawn(|| {
            assert_eq!(last_message(), "");
            call(|| Err(Failure::config("there")));
            last_message()
        });
        assert_eq!(other.join().unwrap(), "there");
        assert_eq!(last_message(), "here");
    }
}
