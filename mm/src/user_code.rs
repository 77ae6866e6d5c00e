//! The one way from mm to code of others that it notifies: subscribers of `tracing`, closures, and
//! functions of C.
//!
//! # The rule
//!
//! 1. mm takes its figures first, writes its own lines next, and notifies last.
//! 2. It holds no lock meanwhile: none of its own, and none of `std`'s.
//! 3. It catches every panic, also that of a destructor: of what was thrown, and of a closure that is
//!    no longer needed. Who called mm learns of a panic only where the documentation says so, and
//!    never across a function of C, which cannot unwind.
//! 4. On a thread that is in such code already it notifies nobody: what is called allocates, and what
//!    it allocates may be what it would be notified of.
//!    Nor does it while it calls a library that holds a lock and allocates; see [`undisturbed`].
//! 5. It uses no thread-local with a destructor: after `main`, and at a thread's end, they are gone.
//!
//! Code that a caller hands to a call, such as the closure of `from_fn` or `no_leaks`, is the caller's
//! own: it runs under 2, and its panic goes on to the caller.

use core::any::Any;
use core::cell::Cell;
use core::mem;
use std::panic::{self, AssertUnwindSafe};

std::thread_local! {
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}

// So that a thread has it until its very end.
const _: () = assert!(!mem::needs_drop::<Cell<bool>>());

/// Why code of others did not return.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// It was not called: the thread is in such code already.
    Nested,
    Panicked(Panic),
}

/// What was thrown. Its destructor is code of others, too.
#[derive(Debug)]
pub(crate) struct Panic(Option<Box<dyn Any + Send>>);

/// Whether the calling thread is in code that [`notify`] called.
pub(crate) fn is_running() -> bool {
    IS_RUNNING.try_with(Cell::get).unwrap_or(true)
}

/// Calls `f`, which is code of others.
pub(crate) fn notify<R>(f: impl FnOnce() -> R) -> Result<R, Unfinished> {
    let _running = Running::begin().ok_or(Unfinished::Nested)?;
    caught(f).map_err(Unfinished::Panicked)
}

/// Calls `f`, in which mm notifies nobody: it holds a lock that is not ours to let go, and allocates,
/// from mm if the global allocator is made of it.
pub(crate) fn undisturbed<R>(f: impl FnOnce() -> R) -> R {
    let _running = Running::begin();
    f()
}

/// Calls `f`, and catches a panic.
pub(crate) fn caught<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    panic::catch_unwind(AssertUnwindSafe(f)).map_err(|thrown| Panic(Some(thrown)))
}

/// Drops a value of others.
pub(crate) fn discard<T>(value: T) {
    if let Err(thrown) = panic::catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // Of a panic in a destructor that was thrown by a destructor, there may be no end.
        mem::forget(thrown);
    }
}

impl Panic {
    /// Goes on with the panic, in the caller.
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

/// While it is there, the calling thread is in code of others.
struct Running(());

impl Running {
    /// Begins, unless the thread is in such code.
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
            let told = notify(|| panic::resume_unwind(Box::new(Spiteful)));
            assert!(matches!(told, Err(Unfinished::Panicked(_))));
            drop(told);
            assert!(!is_running());
        }
        discard(Spiteful);
    }

    #[test]
    fn nobody_is_notified_inside_of_code_that_is_notified() {
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
