//! Putting a block into the calling thread's cache by its address: through the hint of its page, or after a
//! look at the maps.

use core::ptr::NonNull;

use super::page_hints::PageHint;
use crate::heap::family::cache::{CacheCell, CacheRecord, thread};
use crate::heap::family::{FreedCanaries, Heap};
use crate::heap::pages::{Extent, Record, Slack, Spot};
use crate::os::annotate;

impl PageHint {
    /// Puts the block of one unit at `first` into the calling thread's cache, and marks it. Does nothing and
    /// returns false if the block is already marked.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a taken unit of the page, and the block there has one unit.
    /// 2. If a live block starts there, nothing uses it any more.
    /// 3. If the block there was released and not handed out again, the program has not changed its canaries
    ///    since.
    #[inline]
    pub(super) unsafe fn put_unit(&self, first: NonNull<u8>) -> bool {
        // SAFETY: requirements 1 to 3 are those of `cache_for`.
        let Some((cache, canaries)) = (unsafe { self.cache_for(first) }) else {
            return false;
        };
        // SAFETY: `cache_for` found that the block is live, and gave a cache of its family. By requirement 1 it
        // has one unit, and by requirement 2 nothing uses it.
        let is_put = unsafe { cache.put(first, self.unit()) };
        if is_put {
            canaries.set();
        }
        is_put
    }

    /// As [`put_unit`](Self::put_unit), for a short row.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a taken unit of the page, and the block there has `units` units, more than one
    ///    and fewer than `LONG_ROW`.
    /// 2. If a live block starts there, nothing uses it any more.
    /// 3. If the block there was released and not handed out again, the program has not changed its canaries
    ///    since.
    #[inline]
    pub(super) unsafe fn put_short_row(&self, first: NonNull<u8>, units: usize) -> bool {
        // SAFETY: requirements 1 to 3 are those of `cache_for`.
        let Some((cache, canaries)) = (unsafe { self.cache_for(first) }) else {
            return false;
        };
        // SAFETY: `cache_for` found that the block is live, and gave a cache of its family. By requirement 1 it
        // has `units` units, and by requirement 2 nothing uses it.
        let is_put = unsafe { cache.put_short_row(first, units) };
        if is_put {
            canaries.set();
        }
        is_put
    }

    /// The calling thread's cache, and the canaries of the block at `first`. `None` if the cache is not open, or
    /// if the block is marked, and so may not be live.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a taken unit of the page.
    /// 2. If a live block starts there, nothing uses it any more.
    /// 3. If the block there was released and not handed out again, the program has not changed its canaries
    ///    since.
    #[inline]
    unsafe fn cache_for(
        &self,
        first: NonNull<u8>,
    ) -> Option<(&'static CacheRecord, FreedCanaries)> {
        // SAFETY: invariant 3; the cell is used for this call alone.
        let cell = unsafe { thread::fast_cell(self.number()) };
        let cache = cell.and_then(CacheCell::open_cache)?;
        // SAFETY: requirement 1 is that of `canaries_of`. The canaries are set only after a cache took the block,
        // which then has none. One that is not live has some: a release set them, or
        // `mark_never_handed_out`, and by requirement 3 the program has not changed them. So it is live, and
        // by requirement 2 nothing uses it.
        let canaries = unsafe { self.canaries_of(first) };
        (!canaries.is_any_set()).then_some((cache, canaries))
    }
}

impl Extent {
    /// Caches the block at `first`. `record` is this extent's. Returns false and changes nothing if there is no
    /// live block, or if the slow path has to find out.
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    /// 2. If the block there was released and not handed out again, the program has not changed its canaries
    ///    since.
    /// 3. `first` lies in this extent, and `cell` is the calling thread's of the extent's family.
    pub(super) unsafe fn put(
        &'static self,
        record: &'static Record,
        cell: &CacheCell,
        first: NonNull<u8>,
    ) -> bool {
        // A thread with a cache of its own may read the length of blocks: see `slack`.
        if !cell.is_open() && (cell.cache().is_some() || !Heap::of(self.heap).open_for(cell)) {
            return false;
        }
        let Some((spot, units)) = self.block_at(first) else {
            return false;
        };
        // SAFETY: `block_at` found a taken unit at `first`. The canaries are set only after the block turned out
        // to be live, so that by requirement 1 nothing uses it.
        let Some((canaries, cache)) =
            unsafe { Heap::of(self.heap).canaries_of(first) }.zip(cell.cache())
        else {
            return false;
        };
        let unit = self.geometry().unit();
        if canaries.is_any_set() || cache.holds(first, spot.page, spot.index) {
            return false;
        }
        // The kernel may have taken the canaries with the memory, before a cache claimed the block.
        let may_lack_canaries =
            !Heap::of(self.heap).marks_never_handed_out() && self.may_have_lost_canaries();
        let is_unsure = may_lack_canaries && canaries.is_any_zero();
        if is_unsure
            && Heap::of(self.heap)
                .central()
                .live_units_at(record, first)
                .is_err()
        {
            return false;
        }
        annotate::take_back(first, units * unit);
        canaries.set();
        // SAFETY: `block_at` found a block of `units` units. It has no canary, so that by requirement 2 it was
        // not released, unless canaries went with memory, and then `live_units_at` found it live. By
        // requirement 1 nothing uses it; and by requirement 3 the cell is the thread's of this family.
        unsafe { Heap::of(self.heap).put_or_release(cell, first, units) };
        true
    }

    /// The place of the block at `first`, and the units that it was handed out for. `None` unless a taken unit
    /// there begins a block.
    fn block_at(&'static self, first: NonNull<u8>) -> Option<(Spot, usize)> {
        let spot = self.spot_at(first.addr().get())?;
        if !spot.is_taken() {
            return None;
        }
        let units = if spot.page.has_rows() {
            spot.units()?
        } else {
            1
        };
        Some((spot, units))
    }
}

impl Spot {
    /// Whether the unit is taken.
    #[inline]
    fn is_taken(&self) -> bool {
        let word = self.page.words().get(self.index / 64);
        word.is_some_and(|word| word.taken() >> (self.index % 64) & 1 != 0)
    }

    /// The units that the block here was handed out for. `None` if the unit, which is taken, does not begin a
    /// block.
    fn units(self) -> Option<usize> {
        let map = self.page.whole_map();
        let units = (!map.continues(self.index)).then(|| map.block_units(self.index))?;
        units.checked_sub(Slack::at(self, units))
    }
}
