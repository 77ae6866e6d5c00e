//! Where the calling thread's stack is.

use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ptr;

/// The addresses of one thread's stack, once they were asked for.
#[derive(Debug)]
pub(in crate::sampling) struct Bounds {
    /// The first address, and the one behind the last. Both are 1 if the system does not tell.
    known: Cell<(usize, usize)>,
}

/// What the kernel or the C library did not tell.
const UNKNOWN: (usize, usize) = (1, 1);

impl Bounds {
    pub(in crate::sampling) const fn new() -> Self {
        Self {
            known: Cell::new((0, 0)),
        }
    }

    /// Returns the first address of the calling thread's stack, and the one behind the last.
    ///
    /// On a stack that the program made itself, such as a coroutine's or a signal handler's, they do not contain the
    /// stack pointer.
    pub(super) fn get(&self) -> (usize, usize) {
        if self.known.get() == (0, 0) {
            self.known.set(ask().unwrap_or(UNKNOWN));
        }
        self.known.get()
    }

    #[cfg(test)]
    pub(super) fn set_for_test(&self, bounds: (usize, usize)) {
        self.known.set(bounds);
    }
}

/// Asks the C library. Source: `pthread_getattr_np(3)`. For the first thread it reads `/proc/self/maps`.
fn ask() -> Option<(usize, usize)> {
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: `pthread_self` has no requirement.
    let this = unsafe { libc::pthread_self() };
    // SAFETY: `this` is the calling thread, which lives, and `attributes` has room for the answer.
    if unsafe { libc::pthread_getattr_np(this, attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let (mut start, mut bytes) = (ptr::null_mut(), 0);
    // SAFETY: `pthread_getattr_np` wrote `attributes`; the other two have room for the answers.
    let answer =
        unsafe { libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut start, &raw mut bytes) };
    // SAFETY: `pthread_getattr_np` wrote `attributes`, which is not used any more.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    let end = start.addr().checked_add(bytes)?;
    (answer == 0).then_some((start.addr(), end))
}
