//! The memory of one family: pages behind a lock, the caches of threads, allocation and release.

pub(in crate::heap) mod cache;
pub(in crate::heap) mod central;
mod entry;
mod fast;
#[cfg(feature = "capi")]
mod freed_canaries;
mod hardened;
mod owner;
mod purge;
pub(in crate::heap) mod quarantine;
pub(crate) mod quota;
mod relocate;
mod resize;
mod sampled;
mod slow;
mod tracked;
mod uncached;
#[cfg(test)]
mod wishes;

use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

pub use cache::CacheCell;
pub(crate) use cache::Flow;
#[cfg(test)]
pub(crate) use cache::forget_retained_tables;
use cache::{CacheRecord, Inbox};
use central::Central;
#[cfg(feature = "capi")]
pub(in crate::heap) use freed_canaries::{FreedCanaries, Marking};
pub(crate) use sampled::{replace_sample, sample_of};
pub(crate) use slow::flush_thread;
pub(in crate::heap) use slow::retire;

use crate::heap::ground::hardening::{Contents, Hardening};
use crate::heap::ground::{Geometry, HeapRef, Placement, RECORDS, SPARSE};
#[cfg(not(feature = "capi"))]
use crate::heap::pages::Extent;
use crate::heap::pages::SPACE;
use crate::heap::tracking::recording;
use crate::os::{Lock, Look, MutexGuard, ReentrancyGuard, Refused};
use crate::sync::{AtomicBool, AtomicUsize};

/// The value of `Heap::number` for the next family that needs a number.
static NEXT_NUMBER: AtomicUsize = AtomicUsize::new(1);

/// The memory of one family.
#[derive(Debug)]
pub(crate) struct Heap {
    pub(in crate::heap) geometry: Geometry,
    /// The family's number plus one; 0 until the family needs a number. Families are numbered in that order.
    pub(in crate::heap) number: AtomicUsize,
    #[cfg(feature = "capi")]
    pub(in crate::heap) marking: Marking,
    /// Whether every call takes the lock; see `uncached`. The lock guards it.
    uncached: AtomicBool,
    /// The most units that may be live. The lock guards it.
    limit: AtomicU64,
    /// Released units of words without an owner.
    inbox: Inbox,
    pub(in crate::heap) central: Lock<Central>,
}

impl Heap {
    /// Makes the heap of a family of units of `layout`, padded to its alignment.
    pub(crate) const fn new(layout: Layout) -> Self {
        Self {
            geometry: Geometry::new(layout),
            number: AtomicUsize::new(0),
            #[cfg(feature = "capi")]
            marking: Marking::None,
            uncached: AtomicBool::new(false),
            limit: AtomicU64::new(quota::NONE),
            inbox: Inbox::new(0),
            central: Lock::new(Central::new()),
        }
    }

    /// Leaves the release of blocks to the global allocator, before the heap is used.
    pub(crate) const fn begin_untyped(&mut self) {
        self.geometry.begin_untyped();
    }

    /// Whether the global allocator alone releases the blocks.
    pub(crate) const fn is_untyped(&self) -> bool {
        matches!(self.geometry.contents(), Contents::Untyped)
    }

    /// Whether blocks have a type.
    pub(crate) const fn contents(&self) -> Contents {
        self.geometry.contents()
    }

    /// Whether the family is hardened in any way.
    pub(in crate::heap) fn is_hardened(&self) -> bool {
        self.geometry.contents().are_hardened()
    }

    /// How the family is hardened.
    pub(in crate::heap) fn hardening(&self) -> Hardening {
        self.geometry.contents().hardening()
    }

    /// Sets the limit of live units, before the heap is used.
    pub(crate) const fn begin_with_limit(&mut self, units: u64) {
        self.uncached = AtomicBool::new(true);
        self.limit = AtomicU64::new(units);
    }

    /// Whether released blocks have canaries, which every release looks for.
    #[cfg(feature = "capi")]
    #[inline]
    pub(crate) fn keeps_canaries(&self) -> bool {
        !matches!(self.marking, Marking::None)
    }

    /// Whether every call must bypass the threads' caches.
    pub(in crate::heap) fn bypasses_caches(&self) -> bool {
        self.is_uncached() || self.is_hardened()
    }

    /// Whether caches keep blocks of `units` units.
    pub(in crate::heap) fn caches_blocks_of(&self, units: usize) -> bool {
        let is_unit = units == 1 && self.geometry.placement() == Placement::Paged;
        is_unit || self.geometry.keeps_rows(units)
    }

    /// Does nothing, since without `capi` no release looks for page hints.
    #[cfg(not(feature = "capi"))]
    #[allow(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "only families of C programs have hints"
    )]
    pub(in crate::heap) fn make_hints(&self, _: &Extent) -> Result<(), Refused> {
        Ok(())
    }

    /// Does nothing, since without `capi` no block gets canaries.
    ///
    /// # Safety
    ///
    /// 1. Each of the blocks starts with a taken unit of this heap.
    /// 2. Nothing uses them.
    #[cfg(not(feature = "capi"))]
    #[allow(
        clippy::unused_self,
        reason = "only families of C programs have canaries"
    )]
    pub(in crate::heap) unsafe fn mark_never_handed_out(
        &self,
        _: impl Iterator<Item = NonNull<u8>>,
    ) -> bool {
        false
    }

    pub(in crate::heap) fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// A reference to the heap, for modules below heaps.
    pub(in crate::heap) fn reference(&'static self) -> HeapRef {
        // SAFETY: `HeapRef` is made of the heap and its `geometry`, which both come from this `&'static`
        // reference.
        unsafe { HeapRef::new(&self.geometry, NonNull::from(self).cast()) }
    }

    /// The heap that a reference stands for.
    #[inline]
    pub(in crate::heap) fn of(reference: HeapRef) -> &'static Self {
        // SAFETY: by invariant 1 of `HeapRef` the pointer was made from a `&'static Heap`.
        unsafe { reference.heap().cast().as_ref() }
    }

    /// Units of a VM page; 0 unless the family is paged.
    pub(in crate::heap) fn page_capacity(&self) -> usize {
        self.geometry.page_capacity()
    }

    /// Whether a block of `units` units fits a VM page.
    pub(in crate::heap) fn fits_page(&self, units: usize) -> bool {
        units <= self.page_capacity()
    }

    /// The family's number, from 0. The first call chooses it.
    #[inline]
    pub(crate) fn number(&self) -> usize {
        match self.number.load(Relaxed).checked_sub(1) {
            Some(number) => number,
            None => self.make_number(),
        }
    }

    #[cold]
    fn make_number(&self) -> usize {
        let new = NEXT_NUMBER.fetch_add(1, Relaxed);
        match self.number.compare_exchange(0, new, Relaxed, Relaxed) {
            Ok(_) => new - 1,
            Err(others) => others - 1,
        }
    }

    pub(in crate::heap) fn central(&self) -> MutexGuard<'_, Central> {
        self.central.lock()
    }

    /// Calls `f` with the calling thread's cell for this heap. This is for callers that have no static cell.
    /// `f` gets `None` if the thread is ending or there is no memory for the cell.
    #[inline]
    pub(crate) fn with_cell<R>(&'static self, f: impl FnOnce(Option<&CacheCell>) -> R) -> R {
        cache::thread::with_cell(self.number(), f)
    }

    /// Gives all free memory back to the kernel, and makes other threads flush their caches at their next call.
    /// Returns the bytes that went back.
    pub(crate) fn trim(&'static self) -> usize {
        let _inside = ReentrancyGuard::enter();
        let mut central = self.central();
        central.caches.iter().for_each(CacheRecord::ask_to_flush);
        central.trim(self)
    }
}

/// The number of families that have a number.
pub(crate) fn numbered_families() -> usize {
    NEXT_NUMBER.load(Relaxed) - 1
}

/// Bytes of address space that all families have committed so far.
#[cfg(test)]
pub(crate) fn committed_bytes() -> usize {
    SPACE.committed()
}

/// Resident bytes of all maps, records and tables.
pub(crate) fn records_resident(look: &Look) -> Result<usize, Refused> {
    Ok(RECORDS.resident(look)?
        + SPARSE.resident(look)?
        + SPACE.tables_resident(look)?
        + recording::resident(look)?)
}
