//! Slow paths: a cache has no unit or no room; a thread gets a cache, flushes it, or gives it back.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheCell, CacheRecord, thread};
use crate::heap::family::central::Central;
use crate::heap::ground::{Block, LONG_ROW, Row, Shortage};
use crate::os::{ReentrancyGuard, Refused};

impl Heap {
    /// Returns the calling thread's open cache. If the thread has none, opens one. If another thread closed the
    /// cell, so that this one looks for the reason, flushes the cache and opens it again. Returns `None` if calls bypass the caches, if the thread is ending, or if there
    /// is no memory for a cache.
    pub(in crate::heap) fn ensure_open(
        &'static self,
        cell: &CacheCell,
    ) -> Option<&'static CacheRecord> {
        if let Some(cache) = cell.open_cache() {
            return Some(cache);
        }
        match cell.cache() {
            Some(cache) => self.flush(cell, cache),
            None if self.bypasses_caches() => {}
            None => {
                thread::open(self, cell);
            }
        }
        cell.open_cache()
    }

    pub(in crate::heap) fn alloc_one(&'static self, cell: &CacheCell) -> Result<Block, Shortage> {
        let Some(cache) = self.ensure_open(cell) else {
            return self.central().alloc(self, 1);
        };
        loop {
            if let Some(unit) = cache.take(self.geometry.unit(), true) {
                return Ok(unit);
            }
            if cache.refill() {
                if cache.has_risen() {
                    self.central().sample_peak(self);
                }
            } else {
                // If the family became uncached after this call began, the cache must not get units.
                let mut central = self.central();
                if self.bypasses_caches() {
                    return central.alloc(self, 1);
                }
                central.acquire(self, cache)?;
            }
        }
    }

    pub(in crate::heap) fn alloc_row(
        &'static self,
        cell: &CacheCell,
        units: usize,
    ) -> Result<Block, Shortage> {
        let Some(cache) = self.ensure_open(cell) else {
            return self.central().alloc(self, units);
        };
        let bins = (units < LONG_ROW).then(|| cache.make_bins().ok()).flatten();
        let mut central = self.central();
        if self.bypasses_caches() {
            return central.alloc(self, units);
        }
        // The fast path tried this before. But the cell may have had no open cache then, or another thread may
        // have kept this one out of its words.
        if let Some(row) = cache.take_row_locked(units) {
            return Ok(row);
        }
        let row = match bins {
            Some(bins) => central.refill_bin(self, bins, units)?,
            None => central.take_row(self, units)?,
        };
        cache.account_row_taken();
        central.account_peak(self);
        Ok(row)
    }

    /// Puts a row into the calling thread's cache, or releases it.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of this heap.
    /// 2. Nothing uses it any more.
    /// 3. `cell` is the calling thread's cell for this heap.
    /// 4. Caches keep blocks of `units` units.
    pub(in crate::heap) unsafe fn release_row(
        &'static self,
        cell: &CacheCell,
        first: NonNull<u8>,
        units: usize,
    ) {
        let cache = self
            .ensure_open(cell)
            .filter(|cache| can_keep(cache, units));
        let mut central = self.central();
        central.account_peak(self);
        let is_kept = cache.is_some_and(|cache| {
            // Another thread may have redirected the cell before this one got the lock. Then the cache must not
            // get blocks.
            // SAFETY: requirements 1 and 2 are those of `keep_row`, and `ensure_open` gave this heap's cache.
            cell.is_open() && unsafe { self.keep_row(&mut central, cache, (first, units)) }
        });
        if !is_kept {
            // SAFETY: requirements 1 and 2 are those of `Central::release`: `is_kept` says that no cache took
            // the block.
            unsafe { central.release(self, first, units) };
        }
        central.shrink_if_far_below_peak(self);
    }

    /// Puts a block into the calling thread's cache. If the cache is full, makes room. Returns false if that is
    /// not possible.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of this heap, and `cache` is one of this heap's.
    /// 2. Nothing uses it any more.
    unsafe fn keep_row(
        &'static self,
        central: &mut Central,
        cache: &'static CacheRecord,
        (first, units): (NonNull<u8>, usize),
    ) -> bool {
        // SAFETY: requirements 1 and 2 are those of `put_row_locked`. In each earlier round it did not take the
        // block.
        while !unsafe { cache.put_row_locked(first, units) } {
            if !self.make_room(central, cache, units) {
                return false;
            }
        }
        true
    }

    /// Makes room in the calling thread's cache for a block of `units` units. Returns false if that is not
    /// possible.
    fn make_room(&self, central: &mut Central, cache: &CacheRecord, units: usize) -> bool {
        let geometry = &self.geometry;
        if units < LONG_ROW {
            cache.bins().is_some_and(|bins| {
                bins.prepare(geometry, units) || central.free_half_bin(bins, units)
            })
        } else {
            let make_room = |rows| central.make_room(geometry, rows);
            cache.rows().is_some_and(make_room)
        }
    }

    /// Releases a unit for a thread that has no open cache.
    ///
    /// # Safety
    ///
    /// 1. `unit` is a live block of one unit of this heap.
    /// 2. It lies in a VM page.
    /// 3. Nothing uses it any more.
    pub(in crate::heap) unsafe fn release_without_cache(&'static self, unit: NonNull<u8>) {
        let row = Row {
            first: unit,
            units: 1,
        };
        // SAFETY: requirements 1 and 3 are those of `release_past_caches`.
        unsafe { self.release_past_caches(row) };
    }

    /// Gives the calling thread, whose cell is `cell`, the record of an ended thread or a new one.
    pub(in crate::heap) fn open_cache(
        &'static self,
        cell: &CacheCell,
        thread: usize,
    ) -> Result<&'static CacheRecord, Refused> {
        let mut central = self.central();
        if self.is_uncached() {
            return Err(Refused);
        }
        let cache = match central.retained_caches.pop() {
            Some(retained) => retained,
            None => CacheRecord::make(self)?,
        };
        central.caches.push(cache);
        cache.open(cell, thread);
        cell.attach(cache);
        Ok(cache)
    }

    /// Takes a thread's record back when the thread ends.
    ///
    /// # Safety
    ///
    /// 1. The record belongs to the calling thread.
    /// 2. Its cell still exists.
    pub(in crate::heap) unsafe fn close_cache(&'static self, cache: &'static CacheRecord) {
        cache.flush_units();
        let mut central = self.central();
        retire(&mut central, cache);
        // SAFETY: requirements 1 and 2 are those of `close`.
        unsafe { cache.close() };
        central.shrink_if_far_below_peak(self);
    }

    /// Empties the calling thread's cache and gives its free words back to the family. Then opens the
    /// redirected cell again, unless the family is uncached.
    pub(in crate::heap) fn flush(&'static self, cell: &CacheCell, cache: &'static CacheRecord) {
        cache.flush_units();
        let mut central = self.central();
        central.drain_inbox(self);
        central.free_cached_rows(cache);
        central.reclaim_free_words(cache);
        cache.stage().store(0, Relaxed);
        if !self.is_uncached() {
            cell.reopen(cache);
        }
        central.shrink_if_far_below_peak(self);
    }

    /// Frees the rows of the calling thread's cache.
    pub(in crate::heap) fn flush_rows(&'static self, cache: &'static CacheRecord) {
        self.central().free_cached_rows(cache);
    }
}

/// Whether the calling thread's cache can keep blocks of `units` units. Makes the bins or lists for them if
/// necessary.
fn can_keep(cache: &CacheRecord, units: usize) -> bool {
    if units < LONG_ROW {
        cache.make_bins().is_ok()
    } else {
        cache.make_rows().is_ok()
    }
}

/// Takes a cache out of use, so that another thread can get it: frees its blocks and adds its counts to the
/// family's. The caller holds the family's lock. The cache belongs to the calling thread or to none.
pub(in crate::heap) fn retire(central: &mut Central, cache: &'static CacheRecord) {
    central.free_cached_rows(cache);
    cache.drain_inbox();
    // Words lose their owner before the inbox is shut: from then on other threads put units into the family's
    // inbox, and the family frees only units of words without an owner.
    central.reclaim_all_words(cache);
    cache.shut_inbox();
    central.drain_inbox(cache.heap());
    let padding = &mut central.account.padding;
    *padding = padding.wrapping_add(cache.padding());
    let (allocated, released) = cache.take_counts();
    central.account.allocated += allocated;
    central.account.released += released;
    central.account.rows_allocated += cache.take_rows_taken();
    if let Some(rows) = cache.rows() {
        let slack = &mut central.account.slack;
        *slack = slack.wrapping_add(rows.take_slack());
    }
    central.caches.remove(cache);
    central.retained_caches.push(cache);
}

/// Flushes all caches of the calling thread.
pub(crate) fn flush_thread() {
    let _inside = ReentrancyGuard::enter();
    thread::caches()
        .filter(|cache| !cache.is_empty() || cache.owned_words() > 0)
        .for_each(|cache| {
            let heap = cache.heap();
            cache.flush_units();
            let mut central = heap.central();
            central.drain_inbox(heap);
            central.free_cached_rows(cache);
            central.reclaim_free_words(cache);
            central.shrink_if_far_below_peak(heap);
        });
}
