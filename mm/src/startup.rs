//! One-time start-up: options, fork handlers, pinning the library.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::family::PageFamily;
use crate::{fork, options, os};

/// Whether start-up is complete. Each step has a record of its own, because it may call mm again.
static IS_DONE: AtomicBool = AtomicBool::new(false);

/// Runs the start-up once, before the first block. Every public call that allocates, lists families or
/// tracks them begins here.
#[inline]
pub(crate) fn begin() {
    if !IS_DONE.load(Relaxed) {
        begin_slow();
    }
}

/// The caller holds no lock of mm: `dlopen` takes a lock of the loader, and a thread that holds that one
/// may wait for a lock of mm in a library's constructor.
#[cold]
fn begin_slow() {
    options::resolve();
    fork::watch();
    os::stay_loaded();
    IS_DONE.store(true, Relaxed);
}

impl PageFamily {
    /// Starts mm, and puts the family on the list of all families.
    #[inline]
    pub(crate) fn start(&'static self) {
        begin();
        self.list();
    }
}
