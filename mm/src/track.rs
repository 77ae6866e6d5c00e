//! Tracking: turns the records of call sites on and off.

use crate::family;
use crate::heap::{self, Counted, Heap, Scope, from_start, scopes};
use crate::os::ReentrancyGuard;
use crate::registry;
use crate::sampling;

/// Which allocations are recorded, with call site, thread and time.
///
/// While a family is tracked, each of its allocations and releases takes the family's lock.
/// `cargo run --release --example tracking` measures the cost.
///
/// Of the untyped memory of [`Global`](crate::Global), `All` samples every block, for
/// [`heap_profile`](crate::heap_profile()). Other threads begin with that after at most 16 KiB of allocations. `Every`
/// leaves the samples of untyped memory as they are.
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
    /// Returns the sample interval: one in this many blocks is recorded, none for 0.
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
/// It also changes families that are listed already, as other threads may list families before the options take
/// effect.
pub(crate) fn track_from_start(sample_interval: u32) {
    if sample_interval > 0 {
        track_all(sample_interval);
    }
}

/// Sets the sample interval of all listed families, and of those that are listed later.
pub(crate) fn track_all(sample_interval: u32) {
    let _inside = ReentrancyGuard::enter();
    // A family that is about to be listed waits for the lock, and starts with this setting.
    let _listing = family::LISTING.lock();
    from_start::track(sample_interval);
    let typed = family::listed().filter(|family| !family.is_untyped());
    typed.for_each(|family| family.heap.track(sample_interval));
    // Untyped blocks are told apart by their stacks. Every n-th of them is not recorded: samples are better.
    sampling::set_exact(sample_interval == 1);
    sampling::begin_again();
}

/// Begins a leak scope, in all families that it counts.
pub(crate) fn begin_scope(counted: Counted) {
    registry::list_linked();
    let _inside = ReentrancyGuard::enter();
    let _listing = family::LISTING.lock();
    heap::account_scope(counted, 1);
    from_start::begin_scope(counted);
    heaps_with(counted).for_each(|heap| heap.begin_scopes(1));
}

/// Ends a leak scope, on the same thread. What it leaves belongs to `outer` from now on.
pub(crate) fn end_scope(counted: Counted, scope: Scope, outer: Scope) {
    let _inside = ReentrancyGuard::enter();
    let _listing = family::LISTING.lock();
    heap::account_scope(counted, -1);
    from_start::end_scope(counted);
    scopes::end(scope);
    // `outer` ends under the same lock.
    let outer = scopes::running(outer);
    heaps_with(counted).for_each(|heap| heap.end_scope(scope, outer));
}

/// The heaps of all listed families that a leak scope counts.
fn heaps_with(counted: Counted) -> impl Iterator<Item = &'static Heap> {
    let heaps = family::listed().map(|family| &family.heap);
    heaps.filter(move |heap| counted.has(heap.contents()))
}
