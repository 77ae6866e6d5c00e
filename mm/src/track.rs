//! Whether families record who allocates.

use crate::family;
use crate::heap::{self, Scope, from_start, scopes};
use crate::os::ReentrancyGuard;
use crate::registry;

/// Which allocations are recorded, with call site, thread and time.
///
/// Where a family is tracked, each of its calls takes the family's lock; what that costs is measured
/// by `cargo run --release --example tracking`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Track {
    /// None, and what was recorded is forgotten. Once that holds for all families,
    /// [`trim`](crate::trim) gives back the memory of call sites, but not that of names of threads.
    #[default]
    Off,
    /// Each.
    All,
    /// The next, and of each family every so-many-th from there on; 0 and 1 are as `All`.
    Every(u32),
}

impl Track {
    /// Of how many blocks one is recorded.
    pub(crate) fn every(self) -> u32 {
        match self {
            Self::Off => 0,
            Self::All => 1,
            Self::Every(blocks) => blocks.max(1),
        }
    }
}

/// Says which allocations are recorded from the start on.
///
/// Another thread may have listed families meanwhile: whoever finds options chosen goes on.
pub(crate) fn track_from_start(every: u32) {
    if every > 0 {
        track_all(every);
    }
}

/// Says it to the families that are listed, and to those to come.
pub(crate) fn track_all(every: u32) {
    let _inside = ReentrancyGuard::enter();
    // Whoever lists itself meanwhile waits, and then begins as is said here.
    let _listing = family::LISTING.lock();
    from_start::track(every);
    family::listed().for_each(|family| family.heap.track(every));
}

/// Begins a part of a test, in all families.
pub(crate) fn begin_scope() {
    registry::list_linked();
    let _inside = ReentrancyGuard::enter();
    let _listing = family::LISTING.lock();
    heap::account_scope(1);
    from_start::begin_scope();
    family::listed().for_each(|family| family.heap.begin_scopes(1));
}

/// Ends it, on the same thread. What it leaves belongs to `outer` from now on.
pub(crate) fn end_scope(scope: Scope, outer: Scope) {
    let _inside = ReentrancyGuard::enter();
    let _listing = family::LISTING.lock();
    heap::account_scope(-1);
    from_start::end_scope();
    scopes::end(scope);
    // Which ends under the same lock.
    let outer = scopes::running(outer);
    family::listed().for_each(|family| family.heap.end_scope(scope, outer));
}
