//! One-time start-up: options, fork handlers, pinning the library.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::family::PageFamily;
use crate::{fork, options, os};

/// Whether start-up is complete. A step may call mm, which begins start-up again, so each step also remembers
/// whether it was done.
static IS_DONE: AtomicBool = AtomicBool::new(false);

/// Whether start-up is complete for untyped memory.
static IS_DONE_FOR_UNTYPED: AtomicBool = AtomicBool::new(false);

/// Runs the start-up once, before the first typed block. Every public call that allocates, lists families or
/// tracks them begins here. From then on the options are what they are.
#[inline]
pub(crate) fn begin() {
    if !IS_DONE.load(Relaxed) {
        begin_slow();
    }
}

/// Runs the start-up of untyped memory once, before its first block. `main` may choose options later.
#[inline]
pub(crate) fn begin_untyped() {
    if !IS_DONE_FOR_UNTYPED.load(Relaxed) {
        begin_untyped_slow();
    }
}

/// Call this without a lock of mm. `stay_loaded` takes the loader's lock by `dlopen`. Another thread may hold
/// that lock while it runs a library's constructor, and wait there for the lock of mm.
#[cold]
fn begin_slow() {
    options::resolve();
    fork::watch();
    os::stay_loaded();
    IS_DONE.store(true, Relaxed);
}

/// As [`begin_slow`], call this without a lock of mm.
#[cold]
fn begin_untyped_slow() {
    options::resolve_untyped();
    fork::watch();
    os::stay_loaded();
    IS_DONE_FOR_UNTYPED.store(true, Relaxed);
}

impl PageFamily {
    /// Starts mm, and adds the family to the list of all families.
    #[inline]
    pub(crate) fn start(&'static self) {
        if self.is_untyped() {
            begin_untyped();
        } else {
            begin();
        }
        self.list();
    }
}
