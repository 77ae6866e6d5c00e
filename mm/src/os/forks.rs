//! How many forks lie between the first process of the program and this one.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static FORKS: AtomicU64 = AtomicU64::new(0);

/// A number that differs in a process and all that it descends from by forks. The kernel gives the id
/// of a process again to another, perhaps to its own grandchild.
pub(crate) fn count() -> u64 {
    FORKS.load(Relaxed)
}

/// Notes, in the child, that a fork happened.
pub(crate) fn account() {
    FORKS.fetch_add(1, Relaxed);
}
