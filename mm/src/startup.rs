//! One-time start-up: options, fork handlers, pinning the library.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::family::PageFamily;
use crate::{fork, options, os};

/// Whether all of it was done. What it does says itself whether it was done, and may call mm again.
static IS_DONE: AtomicBool = AtomicBool::new(false);

/// Does what comes before the first block, once. Every public call that allocates, lists families or has
/// them record begins here.
#[inline]
pub(crate) fn begin() {
    if !IS_DONE.load(Relaxed) {
        begin_slow();
    }
}

/// Under no lock of mm: `dlopen` takes one, which a thread may hold that waits for a lock of mm in a
/// library's constructor.
#[cold]
fn begin_slow() {
    options::resolve();
    fork::watch();
    os::stay_loaded();
    IS_DONE.store(true, Relaxed);
}

impl PageFamily {
    /// Starts mm, and puts the family on the list of all.
    #[inline]
    pub(crate) fn start(&'static self) {
        begin();
        self.list();
    }
}
