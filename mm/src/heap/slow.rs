//! What happens when a cell has nothing at hand, or no room; and how caches begin and end.

use core::ptr::NonNull;

use super::cache::{CacheCell, CacheRecord, Portion};
use super::central::Central;
use super::geometry::LONG_ROW;
use super::{Block, Heap, Shortage, thread};
use crate::os::{Inside, Refused};

impl Heap {
    pub(super) fn alloc_one(&'static self, cell: &CacheCell) -> Result<Block, Shortage> {
        loop {
            if let Some(unit) = cell.take(self.geometry.unit()) {
                return Ok(unit);
            }
            match cell.cache() {
                Some(cache) if cache.is_asked_to_flush() => self.flush(cache),
                // Supervised since this call began, or without memory for a cache.
                Some(cache) if cache.is_shut() => return self.central().alloc(self, 1),
                Some(cache) if cache.next_claim() => {}
                Some(cache) => self.central().refill(self, cache)?,
                None if thread::open(self, cell) => {}
                None => return self.central().alloc(self, 1),
            }
        }
    }

    pub(super) fn alloc_row(
        &'static self,
        cell: &CacheCell,
        units: usize,
    ) -> Result<Block, Shortage> {
        // Again: the cell may not have had a cache, or one that was to be flushed.
        if let Some(row) = cell.take_row(units) {
            return Ok(row);
        }
        if cell.cache().is_none() && !thread::open(self, cell) {
            return self.central().alloc(self, units);
        }
        let Some(cache) = cell.cache().filter(|cache| !cache.is_shut()) else {
            return self.central().alloc(self, units);
        };
        let bins = (units < LONG_ROW).then(|| cache.make_bins().ok()).flatten();
        let mut central = self.central();
        let row = match bins {
            Some(bins) => central.refill_bin(self, bins, units)?,
            None => central.take_row(self, units)?,
        };
        cache.account_allocated();
        central.account_peak(self);
        Ok(row)
    }

    /// # Safety
    ///
    /// As for [`release`](Self::release), and the block is one that caches keep.
    pub(super) unsafe fn release_row(
        &'static self,
        cell: &CacheCell,
        first: NonNull<u8>,
        units: usize,
    ) {
        loop {
            // SAFETY: the caller promises the same, and the block was not put anywhere yet.
            if unsafe { cell.put_row(first, units) } {
                return;
            }
            let may_fit = match cell.cache() {
                Some(cache) if cache.is_asked_to_flush() => {
                    self.flush(cache);
                    true
                }
                Some(cache) if cache.is_shut() => false,
                Some(cache) => self.make_room(cache, units),
                None => thread::open(self, cell),
            };
            if !may_fit {
                let mut central = self.central();
                central.release(self, first, units);
                return central.shrink_if_fallen(self);
            }
        }
    }

    /// Makes room in the calling thread's cache for a block of `units` units, if that can be.
    fn make_room(&'static self, cache: &'static CacheRecord, units: usize) -> bool {
        if units < LONG_ROW {
            let Ok(bins) = cache.make_bins() else {
                return false;
            };
            return bins.prepare(&self.geometry, units)
                || self.flush_part(|central| central.free_half_bin(bins, units));
        }
        let Ok(rows) = cache.make_rows() else {
            return false;
        };
        self.flush_part(|central| central.make_room(&self.geometry, rows))
    }

    /// Changes the calling thread's cache; returns what `free` says.
    fn flush_part<R>(&'static self, free: impl FnOnce(&mut Central) -> R) -> R {
        let mut central = self.central();
        central.account_peak(self);
        let answer = free(&mut central);
        central.shrink_if_fallen(self);
        answer
    }

    /// # Safety
    ///
    /// As for [`release`](Self::release), and the unit lies in a VM page.
    pub(super) unsafe fn release_one(&'static self, cell: &CacheCell, unit: NonNull<u8>) {
        loop {
            // SAFETY: the caller promises the same, and the unit was not put anywhere yet.
            if unsafe { cell.put(unit) } {
                return;
            }
            match cell.cache() {
                Some(cache) if cache.is_asked_to_flush() => self.flush(cache),
                Some(cache) if cache.is_shut() => return self.central().release(self, unit, 1),
                Some(cache) if cache.grow_stack(&self.geometry) => {}
                Some(cache) if cache.stacked() > 0 => self.flush_half(cache),
                None if thread::open(self, cell) => {}
                // No memory for a cache, or for even its smallest stack.
                _ => return self.central().release(self, unit, 1),
            }
        }
    }

    /// Finds or makes a record for the calling thread, whose cell is `cell`.
    pub(super) fn open_cache(
        &'static self,
        cell: &CacheCell,
        thread: usize,
    ) -> Result<&'static CacheRecord, Refused> {
        let mut central = self.central();
        if self.is_supervised() {
            return Err(Refused);
        }
        let cache = match central.spare_caches.pop() {
            Some(spare) => spare,
            None => CacheRecord::make(self)?,
        };
        central.caches.push(cache);
        cache.open(cell, thread);
        Ok(cache)
    }

    /// Takes a thread's record back when the thread ends.
    ///
    /// # Safety
    ///
    /// The calling thread is the record's, and its cell still exists.
    pub(super) unsafe fn close_cache(&'static self, cache: &'static CacheRecord) {
        let mut central = self.central();
        retire(&mut central, cache);
        // SAFETY: the caller promises the same.
        unsafe { cache.close() };
        central.shrink_if_fallen(self);
    }

    /// Frees all units of the calling thread's cache.
    pub(super) fn flush(&'static self, cache: &'static CacheRecord) {
        let mut central = self.central();
        drain(&mut central, cache);
        cache.account_flushed(self.is_supervised());
        central.shrink_if_fallen(self);
    }

    /// Frees the older half of the calling thread's stack.
    fn flush_half(&'static self, cache: &'static CacheRecord) {
        let half = cache.stacked().div_ceil(2);
        while self.flush_part(|central| free_portion(central, cache, half)) {}
    }
}

/// Takes a cache out of use, which is the calling thread's or nobody's: what it holds is freed, what
/// it counted is kept, and another thread may have it. The caller has the family's lock.
pub(super) fn retire(central: &mut Central, cache: &'static CacheRecord) {
    drain(central, cache);
    central.account.allocated += cache.take_allocated();
    if let Some(rows) = cache.rows() {
        let surplus = &mut central.account.surplus;
        *surplus = surplus.wrapping_add(rows.take_surplus());
    }
    central.caches.remove(cache);
    central.spare_caches.push(cache);
}

/// Frees all units of a cache, which is the calling thread's or nobody's. The caller has the
/// family's lock.
fn drain(central: &mut Central, cache: &CacheRecord) {
    let heap = cache.heap();
    while cache.stacked() > 0 {
        free_portion(central, cache, cache.stacked());
    }
    central.free_units(heap, cache.hot_unit().as_slice());
    central.free_words(heap, cache.claims());
    central.free_kept_rows(cache);
    cache.account_drained();
}

/// Frees some of the oldest units, of the first `until` of the calling thread's stack; whether
/// there are more. In the same step they leave the cache: who looks for a unit in the maps and in
/// the caches finds it as what it is.
fn free_portion(central: &mut Central, cache: &CacheRecord, until: usize) -> bool {
    let mut portion: Portion = [NonNull::dangling(); _];
    let count = cache.copy_oldest(&mut portion, until);
    central.free_units(cache.heap(), &portion[..count]);
    cache.account_freed(count, until);
    cache.freed() > 0
}

/// Flushes all caches of the calling thread.
pub(crate) fn flush_thread() {
    let _inside = Inside::enter();
    thread::caches()
        .filter(|cache| !cache.is_empty() || cache.is_asked_to_flush())
        .for_each(|cache| cache.heap().flush(cache));
}
