//! What later families record from their start.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

use super::request;

/// One of this many blocks is recorded; 0 if none is. The lock of the list of families guards it.
static EVERY: AtomicU32 = AtomicU32::new(0);

/// Leak scopes that are running. The lock of the list of families guards it.
static SCOPES: AtomicU32 = AtomicU32::new(0);

/// Makes later families record one of `every` blocks.
pub(crate) fn track(every: u32) {
    EVERY.store(every, Relaxed);
}

/// Notes that a leak scope began.
pub(crate) fn begin_scope() {
    SCOPES.fetch_add(1, Relaxed);
}

/// Notes that a leak scope ended.
pub(crate) fn end_scope() {
    SCOPES.fetch_sub(1, Relaxed);
}

/// Forgets, in a forked child, the leak scopes of threads that the child does not have.
pub(crate) fn adopt_in_child() {
    SCOPES.store(request::scopes_begun(), Relaxed);
}

/// What a new family records: one of how many blocks, and how many leak scopes are running. The caller has the
/// lock of the list of families.
pub(in crate::heap) fn chosen() -> (u32, u32) {
    (EVERY.load(Relaxed), SCOPES.load(Relaxed))
}
