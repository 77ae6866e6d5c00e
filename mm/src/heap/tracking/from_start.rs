//! What later families record from their start.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

use super::{Counted, request};
use crate::heap::ground::hardening::Contents;

/// One of this many blocks is recorded; 0 if none is. The lock of the list of families guards it.
static EVERY: AtomicU32 = AtomicU32::new(0);

/// Leak scopes that are running and count these [`Contents`]. The lock of the list of families guards it.
static SCOPES: [AtomicU32; 2] = [AtomicU32::new(0), AtomicU32::new(0)];

/// Makes later families record one of `every` blocks.
pub(crate) fn track(every: u32) {
    EVERY.store(every, Relaxed);
}

/// Notes that a leak scope began.
pub(crate) fn begin_scope(counted: Counted) {
    scopes_with(counted).for_each(|scopes| _ = scopes.fetch_add(1, Relaxed));
}

/// Notes that a leak scope ended.
pub(crate) fn end_scope(counted: Counted) {
    scopes_with(counted).for_each(|scopes| _ = scopes.fetch_sub(1, Relaxed));
}

fn scopes_with(counted: Counted) -> impl Iterator<Item = &'static AtomicU32> {
    let contents = Contents::ALL.into_iter();
    let with = contents.filter(move |contents| counted.has(*contents));
    with.map(|contents| &SCOPES[contents as usize])
}

/// Forgets, in a forked child, the leak scopes of threads that the child does not have.
pub(crate) fn adopt_in_child() {
    for contents in Contents::ALL {
        SCOPES[contents as usize].store(request::scopes_begun(contents), Relaxed);
    }
}

/// What a new family records: one of how many blocks, and how many leak scopes that count it are running. The
/// caller has the lock of the list of families.
pub(in crate::heap) fn chosen(contents: Contents) -> (u32, u32) {
    let scopes = &SCOPES[contents as usize];
    (EVERY.load(Relaxed), scopes.load(Relaxed))
}
