//! Entry points for allocations and releases that the fast paths cannot serve.

use core::ptr::NonNull;

use super::Heap;
use super::cache::CacheCell;
use crate::heap::ground::{Block, EMPTY_BLOCK, Placement, Refusal, Row, Shortage};
#[cfg(feature = "capi")]
use crate::heap::pages::Record;
use crate::heap::pages::SPACE;
use crate::heap::tracking::Caller;
use crate::os::{ReentrancyGuard, annotate};

impl Heap {
    /// Allocates a block after the cell's cache had none.
    #[cold]
    #[inline(never)]
    pub(crate) fn alloc(
        &'static self,
        cell: &CacheCell,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<Block, Shortage> {
        if units == 0 {
            return Ok(Block::empty());
        }
        let is_cacheable = self.caches_blocks_of(units);
        let is_open = is_cacheable && self.ensure_open(cell).is_some();
        if !is_open && self.bypasses_caches() {
            return self.alloc_uncached(units, caller);
        }
        if !is_cacheable {
            return self.central().alloc(self, units);
        }
        if units == 1 {
            return self.alloc_one(cell);
        }
        self.alloc_row(cell, units)
    }

    /// Releases a block after the cell's cache had no room for it.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of this heap.
    /// 2. Nothing uses it any more.
    /// 3. `cell` is the calling thread's cell for this heap.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn release(
        &'static self,
        cell: &CacheCell,
        first: NonNull<u8>,
        units: usize,
    ) {
        if units == 0 {
            return;
        }
        if units == 1 && self.geometry.placement() == Placement::Paged {
            // SAFETY: requirements 1 to 3 are the first, third and fourth of `release_unit`. `placement` says
            // that units lie in VM pages.
            return unsafe { self.release_unit(cell, first) };
        }
        let is_open = self.caches_blocks_of(units) && self.ensure_open(cell).is_some();
        if !is_open && self.bypasses_caches() {
            // SAFETY: requirements 1 and 2 are those of `release_past_caches`.
            return unsafe { self.release_past_caches(Row { first, units }) };
        }
        if self.geometry.keeps_rows(units) {
            // SAFETY: requirements 1 to 3 are the first three of `release_row`, and `keeps_rows` says the last.
            return unsafe { self.release_row(cell, first, units) };
        }
        let mut central = self.central();
        // SAFETY: requirements 1 and 2 are those of `Central::release`.
        unsafe { central.release(self, first, units) };
        central.shrink_if_far_below_peak(self);
    }

    /// Finds the family of the address `first` and releases the block that starts there, if the maps and all
    /// caches show that it is live. If `expected` is a family, the block must belong to it.
    ///
    /// # Errors
    ///
    /// Returns why the block was not released, and the heap whose memory contains the address, if there is one.
    /// Nothing was changed.
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    pub(crate) unsafe fn release_raw(
        first: NonNull<u8>,
        expected: Option<&'static Self>,
    ) -> Result<(), (Refusal, Option<&'static Self>)> {
        if first.addr() == EMPTY_BLOCK {
            return Ok(());
        }
        let _inside = ReentrancyGuard::enter();
        let record = SPACE.record_at(first.addr().get());
        let record = record.ok_or((Refusal::Foreign, None))?;
        let heap = Self::of(record.heap());
        let refused = |refusal| (refusal, Some(heap));
        // The program has it from `Box` or `Vec`, and not from a family.
        if heap.is_untyped() {
            return Err((Refusal::Foreign, None));
        }
        if expected.is_some_and(|expected| !core::ptr::eq(expected, heap)) {
            return Err(refused(Refusal::WrongFamily));
        }
        let mut central = heap.central();
        let units = central.live_units_at(record, first).map_err(refused)?;
        let bytes = units * heap.geometry().unit();
        annotate::take_back(first, bytes);
        // With canaries, a second release is noticed even if the units are in another thread's cache by then.
        #[cfg(feature = "capi")]
        if matches!(record, Record::Extent(_)) {
            // SAFETY: `live_units_at` found a live block of this heap, in a VM page, and by requirement 1
            // nothing uses it.
            unsafe { heap.mark_released(first) };
        }
        // SAFETY: `live_units_at` found a live block of `units` units of this heap, and by requirement 1
        // nothing uses it.
        unsafe { central.release_past_caches(heap, Row { first, units }) };
        central.shrink_if_far_below_peak(heap);
        Ok(())
    }

    /// Allocates a block under the lock, past all caches, within the family's limit.
    pub(crate) fn alloc_uncached(
        &'static self,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<Block, Shortage> {
        if units == 0 {
            return Ok(Block::empty());
        }
        if self.is_uncached() {
            return self.alloc_admitted(units, caller);
        }
        self.central().alloc_past_caches(self, units)
    }
}
