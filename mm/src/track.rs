//! Whether families record the call sites of their allocations.

use crate::family;
use crate::heap::{self, Scope, from_start, scopes};
use crate::os::ReentrancyGuard;
use crate::registry;

/// Which allocations are recorded, with call site, thread and time.
///
/// While a family is tracked, each of its allocations and releases takes the family's lock.
/// `cargo run --release --example tracking` measures the cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Track {
    /// Records none, and discards what was recorded. Once all families are set to this,
    /// [`trim`](crate::trim) returns the memory of call sites, but not that of thread names.
    #[default]
    Off,
    /// Records each allocation.
    All,
    /// Records every n-th allocation of each family, starting with the next; 0 and 1 act as `All`.
    Every(u32),
}

impl Track {
    /// One in this many blocks is recorded.
    pub(crate) fn every(self) -> u32 {
        match self {
            Self::Off => 0,
            Self::All => 1,
            Self::Every(blocks) => blocks.max(1),
        }
    }
}

/// Sets which allocations are recorded from the start on.
///
/// Another thread may have listed families meanwhile: a thread that finds the options chosen does not wait.
pub(crate) fn track_from_start(every: u32) {
    if every > 0 {
        track_all(every);
    }
}

/// Sets it for all listed families, and for those that are listed later.
pub(crate) fn track_all(every: u32) {
    let _inside = ReentrancyGuard::enter();
    // A family that is being listed meanwhile waits, and then begins with this setting.
    let _listing = family::LISTING.lock();
    from_start::track(every);
    family::listed().for_each(|family| family.heap.track(every));
}

/// Begins a leak scope, in all families.
pub(crate) fn begin_scope() {
    registry::list_linked();
    let _inside = ReentrancyGuard::enter();
    let _listing = family::LISTING.lock();
    heap::account_scope(1);
    from_start::begin_scope();
    family::listed().for_each(|family| family.heap.begin_scopes(1));
}

/// Ends a leak scope, on the same thread. What it leaves belongs to `outer` from now on.
pub(crate) fn end_scope(scope: Scope, outer: Scope) {
    let _inside = ReentrancyGuard::enter();
    let _listing = family::LISTING.lock();
    heap::account_scope(-1);
    from_start::end_scope();
    scopes::end(scope);
    // `outer` ends under the same lock.
    let outer = scopes::running(outer);
    family::listed().for_each(|family| family.heap.end_scope(scope, outer));
}
