//! Whom a family tells that it holds more than so much.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use super::PageFamily;
use crate::heap::quota::Crossings;

/// Who wants to know that a family holds more than so much.
pub(crate) struct SoftLimit {
    call: Box<dyn Fn(&'static PageFamily) + Send + Sync>,
    /// Those that it is still to be told of.
    pub(crate) crossings: Crossings,
    older: AtomicPtr<SoftLimit>,
}

/// The newest; each leads to the one before. Nobody follows them but leak checkers, which do not look
/// where families without a type lie.
static NEWEST: AtomicPtr<SoftLimit> = AtomicPtr::new(ptr::null_mut());

impl SoftLimit {
    /// Keeps `call` for ever, as threads may be running it at any time.
    pub(crate) fn kept(call: Box<dyn Fn(&'static PageFamily) + Send + Sync>) -> &'static Self {
        let new: &'static Self = Box::leak(Box::new(Self {
            call,
            crossings: Crossings::new(),
            older: AtomicPtr::new(ptr::null_mut()),
        }));
        let before = NEWEST.swap(ptr::from_ref(new).cast_mut(), Relaxed);
        new.older.store(before, Relaxed);
        new
    }

    pub(crate) fn notify(&self, family: &'static PageFamily) {
        (self.call)(family);
    }
}
