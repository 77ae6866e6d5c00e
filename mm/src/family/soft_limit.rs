//! Soft limits: closures that are called when a family crosses one.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use super::PageFamily;
use crate::heap::quota::Crossings;

/// A soft limit's closure, and its crossings.
pub(crate) struct SoftLimit {
    call: Box<dyn Fn(&'static PageFamily) + Send + Sync>,
    /// Crossings that were not reported yet.
    pub(crate) crossings: Crossings,
    older: AtomicPtr<SoftLimit>,
}

/// The newest soft limit. Each links to the one made before it. Only leak checkers follow this list: they do
/// not search the memory of families without a type, so without the list they would report the closures as
/// leaks.
static NEWEST: AtomicPtr<SoftLimit> = AtomicPtr::new(ptr::null_mut());

impl SoftLimit {
    /// Makes a soft limit that is never dropped, since another thread may be running `call` at any time.
    pub(crate) fn leaked(call: Box<dyn Fn(&'static PageFamily) + Send + Sync>) -> &'static Self {
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
