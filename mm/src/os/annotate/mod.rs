//! Tells valgrind and AddressSanitizer which blocks are handed out and released.
//!
//! To both tools, mm's memory is one large mapping that the program may read and write freely. With these
//! annotations they report a use after release as they do for malloc. Without the features `valgrind` and
//! `asan` these functions do nothing, and compile to nothing.
//!
//! | call | the block's bytes then are |
//! | --- | --- |
//! | [`begin`] | as before: address space for any family |
//! | [`keep`] | inaccessible: address space that a family took |
//! | [`hand_out`] | the program's, and hold nothing, or zero |
//! | [`take_back`] | inaccessible again; valgrind remembers the block |
//! | [`lend`] | accessible to the engine, for one step |
//!
//! A release is reported before the engine takes the block, since another thread may get it right after.
//! The entry points of mm report it, since they know the block's length; the caches do not.

mod asan;
mod valgrind;

use core::ptr::NonNull;

/// Whether a tool is told. The portable backend's memory is the global allocator's.
const TO_VALGRIND: bool = cfg!(all(feature = "valgrind", not(mm_portable)));
pub(super) const TO_ASAN: bool = cfg!(all(feature = "asan", not(mm_portable)));

/// Reports that address space belongs to a family from now on, and must not be accessed.
#[inline]
pub(crate) fn keep(first: NonNull<u8>, bytes: usize) {
    if is_valgrind_there() {
        valgrind::forbid(first, bytes);
    }
    if TO_ASAN {
        asan::forbid(first, bytes);
    }
}

/// Reports that the program has a new block. With `zero` its bytes are zero, or the caller zeroes them
/// next; otherwise they are uninitialised.
#[inline]
pub(crate) fn hand_out(first: NonNull<u8>, bytes: usize, zero: bool) {
    if is_valgrind_there() {
        valgrind::hand_out(first, bytes, zero);
    }
    if TO_ASAN {
        asan::allow(first, bytes);
    }
}

/// Reports that the program has released a block that [`hand_out`] reported with the same length.
#[inline]
pub(crate) fn take_back(first: NonNull<u8>, bytes: usize) {
    if is_valgrind_there() {
        valgrind::take_back(first, bytes);
    }
    if TO_ASAN {
        asan::forbid(first, bytes);
    }
}

/// Checks whether the program runs under valgrind, before there is address space to report.
#[cfg(feature = "capi")]
pub(crate) fn look() {
    if TO_VALGRIND {
        valgrind::begin();
    }
}

/// Whether a tool is told about blocks. Then mm must not read a released block, and in a live one only bytes
/// that the program wrote are initialised.
#[inline]
pub(crate) fn is_on() -> bool {
    TO_ASAN || is_valgrind_there()
}

/// Whether the program runs under valgrind, if that was checked already.
#[inline]
pub(super) fn is_valgrind_there() -> bool {
    TO_VALGRIND && valgrind::is_there()
}

/// Lets the engine access bytes that belong to no block, while `work` runs.
#[inline]
pub(crate) fn lend<R>(first: NonNull<u8>, bytes: usize, work: impl FnOnce() -> R) -> R {
    if is_valgrind_there() {
        valgrind::allow(first, bytes);
    }
    if TO_ASAN {
        asan::allow(first, bytes);
    }
    let done = work();
    keep(first, bytes);
    done
}

/// Tells of address space for families, which stays mm's. LeakSanitizer looks there for pointers,
/// but not in what [`keep`] and [`take_back`] told of. The caller has a lock.
pub(crate) fn begin(first: NonNull<u8>, bytes: usize) {
    if TO_VALGRIND {
        valgrind::begin();
    }
    if TO_ASAN {
        asan::search(first, bytes);
    }
}

/// Takes the lock of this module, before a fork.
pub(crate) fn lock_for_fork() {
    if TO_ASAN {
        asan::EDGES.lock_for_fork();
    }
}

/// Ends what [`lock_for_fork`] began.
///
/// # Safety
///
/// 1. The calling thread called [`lock_for_fork`] before, or is the copy in a child of the one that did.
pub(crate) unsafe fn unlock_after_fork() {
    if TO_ASAN {
        // SAFETY: by requirement 1 `lock_for_fork` locked it, on this thread or on the one that this is the copy of.
        unsafe { asan::EDGES.unlock_after_fork() };
    }
}
