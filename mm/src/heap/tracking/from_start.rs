//! What families that come on the list later record from their start on.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

use super::request;

/// Of so many blocks one is recorded; 0 while none is. Changed under the lock of the list.
static EVERY: AtomicU32 = AtomicU32::new(0);

/// Parts of tests that run now. Changed under the lock of the list.
static SCOPES: AtomicU32 = AtomicU32::new(0);

/// Has later families record one of `every` blocks.
pub(crate) fn track(every: u32) {
    EVERY.store(every, Relaxed);
}

/// Notes that a part of a test began.
pub(crate) fn begin_scope() {
    SCOPES.fetch_add(1, Relaxed);
}

/// Notes that a part of a test ended.
pub(crate) fn end_scope() {
    SCOPES.fetch_sub(1, Relaxed);
}

/// Leaves, in a forked child, the parts of tests to the threads that are not there.
pub(crate) fn adopt_in_child() {
    SCOPES.store(request::scopes_begun(), Relaxed);
}

/// What a family records from its start on: one of so many blocks, and the parts of tests that run. The list is
/// locked.
pub(in crate::heap) fn chosen() -> (u32, u32) {
    (EVERY.load(Relaxed), SCOPES.load(Relaxed))
}
