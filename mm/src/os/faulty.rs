//! In tests: a page source that refuses the nth call this thread makes.

use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr::NonNull;

use super::{PageSource, Refused};

/// Passes calls on to `S`, but for those that [`failing_at`] picked.
#[derive(Debug)]
pub(crate) struct Faulty<S>(PhantomData<S>);

std::thread_local! {
    /// Calls still to let through before one is refused; `None`: refuse none.
    static COUNTDOWN: Cell<Option<usize>> = const { Cell::new(None) };

    /// Bytes above which nothing is reserved or committed.
    static MOST_BYTES: Cell<usize> = const { Cell::new(usize::MAX) };

    /// Bytes below which nothing is reserved or committed.
    static LEAST_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Runs `f` while this thread can reserve and commit no less than `bytes` at a time.
pub(crate) fn refusing_below<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    LEAST_BYTES.set(bytes);
    let result = f();
    LEAST_BYTES.set(0);
    result
}

/// Runs `f` while this thread can reserve and commit no more than `bytes` at a time.
pub(crate) fn refusing_above<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    MOST_BYTES.set(bytes);
    let result = f();
    MOST_BYTES.set(usize::MAX);
    result
}

/// Runs `f` while call number `nth` of this thread (from 0) is refused, and every later one.
///
/// Returns what `f` returned, and whether any call was refused.
pub(crate) fn failing_at<R>(nth: usize, f: impl FnOnce() -> R) -> (R, bool) {
    COUNTDOWN.set(Some(nth));
    let result = f();
    let refused = COUNTDOWN.replace(None) == Some(0);
    (result, refused)
}

fn check_bytes(bytes: usize) -> Result<(), Refused> {
    if bytes > MOST_BYTES.get() || bytes < LEAST_BYTES.get() {
        return Err(Refused);
    }
    check()
}

fn check() -> Result<(), Refused> {
    match COUNTDOWN.get() {
        Some(0) => Err(Refused),
        Some(left) => {
            COUNTDOWN.set(Some(left - 1));
            Ok(())
        }
        None => Ok(()),
    }
}

// SAFETY: a call either does what `S` does, or nothing.
unsafe impl<S: PageSource> PageSource for Faulty<S> {
    const MEASURES_RESIDENT: bool = S::MEASURES_RESIDENT;
    const ARENA_BYTES: usize = S::ARENA_BYTES;

    fn page_bytes() -> usize {
        S::page_bytes()
    }

    fn reserve(bytes: usize, align: usize) -> Result<NonNull<u8>, Refused> {
        check_bytes(bytes)?;
        S::reserve(bytes, align)
    }

    unsafe fn unreserve(start: NonNull<u8>, bytes: usize, align: usize) {
        // SAFETY: the caller's promise is the same.
        unsafe { S::unreserve(start, bytes, align) };
    }

    unsafe fn commit(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        check_bytes(bytes)?;
        // SAFETY: the caller's promise is the same.
        unsafe { S::commit(start, bytes) }
    }

    unsafe fn discard(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        check()?;
        // SAFETY: the caller's promise is the same.
        unsafe { S::discard(start, bytes) }
    }

    unsafe fn guard(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        check()?;
        // SAFETY: the caller's promise is the same.
        unsafe { S::guard(start, bytes) }
    }

    unsafe fn unguard(start: NonNull<u8>, bytes: usize) -> Result<(), Refused> {
        check()?;
        // SAFETY: the caller's promise is the same.
        unsafe { S::unguard(start, bytes) }
    }

    unsafe fn prefer_huge(start: NonNull<u8>, bytes: usize, wanted: bool) {
        // SAFETY: the caller's promise is the same.
        unsafe { S::prefer_huge(start, bytes, wanted) };
    }

    unsafe fn resident(start: NonNull<u8>, pages: &mut [u8]) -> Result<(), Refused> {
        // SAFETY: the caller's promise is the same.
        unsafe { S::resident(start, pages) }
    }
}
