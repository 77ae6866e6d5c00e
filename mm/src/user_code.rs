//! The only path by which mm calls user code to notify it: subscribers of `tracing`, closures, and C
//! functions.
//!
//! # The rule
//!
//! 1. mm takes its figures first, writes its own lines next, and notifies last.
//! 2. It holds no lock during the call, neither its own nor one of `std`.
//! 3. It catches every panic, including one in a destructor, be it the panic payload's or that of a
//!    closure that is no longer needed. A panic reaches the caller of mm only where the documentation
//!    says so, and never across a C function, which cannot unwind.
//! 4. On a thread that already runs such code it makes no further call: user code allocates, and that
//!    allocation may itself be a reason to notify it. mm also makes no such call while it calls a
//!    library that holds a lock and allocates; see [`undisturbed`].
//! 5. It uses no thread-local with a destructor, as those are destroyed after `main` and at a thread's end.
//!
//! A closure that is an argument of a call, such as that of `from_fn` or `no_leaks`, belongs to the
//! caller: rule 2 applies to it, and its panic propagates to the caller.

use core::any::Any;
use core::cell::Cell;
use core::mem;
use std::panic::{self, AssertUnwindSafe};

std::thread_local! {
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}

// Without a destructor, so that it exists until the very end of the thread.
const _: () = assert!(!mem::needs_drop::<Cell<bool>>());

/// Why user code did not return.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// It was not called: the thread runs user code already.
    Nested,
    Panicked(Panic),
}

/// The payload of a panic. Its destructor is user code, too.
#[derive(Debug)]
pub(crate) struct Panic(Option<Box<dyn Any + Send>>);

/// Returns whether the calling thread runs code that [`notify`] called.
pub(crate) fn is_running() -> bool {
    IS_RUNNING.try_with(Cell::get).unwrap_or(true)
}

/// Calls `f`, which is user code.
pub(crate) fn notify<R>(f: impl FnOnce() -> R) -> Result<R, Unfinished> {
    let _running = Running::begin().ok_or(Unfinished::Nested)?;
    caught(f).map_err(Unfinished::Panicked)
}

/// Calls `f`, and suppresses notifications during the call. `f` holds a lock of a library and allocates, from
/// mm if the global allocator is built on it.
pub(crate) fn undisturbed<R>(f: impl FnOnce() -> R) -> R {
    let _running = Running::begin();
    f()
}

/// Calls `f`, and catches a panic.
pub(crate) fn caught<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    panic::catch_unwind(AssertUnwindSafe(f)).map_err(|thrown| Panic(Some(thrown)))
}

/// Drops a value that user code made.
pub(crate) fn discard<T>(value: T) {
    if let Err(thrown) = panic::catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // The payload of a panic in a destructor may panic in its own destructor, so it is never dropped.
        mem::forget(thrown);
    }
}

impl Panic {
    /// Resumes the panic in the caller.
    pub(crate) fn resume(mut self) {
        if let Some(thrown) = self.0.take() {
            panic::resume_unwind(thrown);
        }
    }
}

impl Drop for Panic {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}

/// While this exists, the calling thread runs user code.
struct Running(());

impl Running {
    /// Begins, unless the thread runs user code already.
    fn begin() -> Option<Self> {
        let was_running = IS_RUNNING.try_with(|running| running.replace(true));
        (was_running == Ok(false)).then(|| Self(()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = IS_RUNNING.try_with(|running| running.set(false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Throws again whenever it is dropped.
    struct Spiteful;

    impl Drop for Spiteful {
        fn drop(&mut self) {
            panic::resume_unwind(Box::new(Self));
        }
    }

    #[test]
    fn a_panic_whose_value_panics_is_caught_whole() {
        for _ in 0..2 {
            let outcome = notify(|| panic::resume_unwind(Box::new(Spiteful)));
            assert!(matches!(outcome, Err(Unfinished::Panicked(_))));
            drop(outcome);
            assert!(!is_running());
        }
        discard(Spiteful);
    }

    #[test]
    fn code_that_is_notified_gets_no_nested_notification() {
        let inner = notify(|| {
            assert!(is_running());
            notify(|| unreachable!("nested"))
        });
        assert!(matches!(inner, Ok(Err(Unfinished::Nested))));
        assert!(notify(|| ()).is_ok());
        let inner = undisturbed(|| notify(|| unreachable!("not now")));
        assert!(matches!(inner, Err(Unfinished::Nested)));
        assert!(notify(|| undisturbed(is_running)).is_ok_and(|is_running| is_running));
        assert!(!is_running());
    }

    #[test]
    fn a_panic_goes_on_if_it_is_told_to() {
        let thrown = panic::catch_unwind(|| {
            if let Err(Unfinished::Panicked(panic)) = notify(|| panic::resume_unwind(Box::new(7))) {
                panic.resume();
            }
        });
        assert_eq!(thrown.expect_err("a panic").downcast_ref(), Some(&7));
    }
}
