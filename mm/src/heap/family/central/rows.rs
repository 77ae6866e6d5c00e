//! Rows, and single units that no cache serves.

use core::ptr::NonNull;

use super::Central;
use crate::heap::family::Heap;
use crate::heap::family::cache::{Bins, CacheRecord, Rows, is_own};
use crate::heap::ground::{Block, Geometry};
use crate::heap::pages::{Page, Run, Spot, is_block, released_twice, spot_of, take_slack_at};
use crate::os::Refused;

impl Central {
    /// Allocates one block of `units` units in a VM page.
    pub(super) fn alloc_in_page(
        &mut self,
        heap: &'static Heap,
        units: usize,
    ) -> Result<Block, Refused> {
        let block = self.take_row(heap, units)?;
        self.account.account_allocated(units);
        Ok(block)
    }

    /// Takes a row for a cache to hand out.
    pub(in crate::heap) fn take_row(
        &mut self,
        heap: &'static Heap,
        units: usize,
    ) -> Result<Block, Refused> {
        let (page, index, zero) = self.claim_run(heap, units)?;
        self.account_rows(page, 1, units);
        let first = page.unit(index);
        Ok(Block { first, zero })
    }

    /// Takes rows of `units` units for the bins of a cache, and returns one more to hand out.
    pub(in crate::heap) fn refill_bin(
        &mut self,
        heap: &'static Heap,
        bins: &Bins,
        units: usize,
    ) -> Result<Block, Refused> {
        let mut blocks = bins.blocks_per_refill(heap.geometry(), units);
        // The family does not grow for rows that no call asked for yet.
        while blocks > 1 {
            if let Some(run) = self.runs.claim(units * blocks) {
                return Ok(self.split_run(heap, bins, run, (units, blocks)));
            }
            blocks /= 2;
        }
        self.take_row(heap, units)
    }

    /// Cuts a run into `blocks` rows of `units` units, and puts all but one into the bins.
    fn split_run(
        &mut self,
        heap: &'static Heap,
        bins: &Bins,
        (page, index, zero): (Page, usize, bool),
        (units, blocks): (usize, usize),
    ) -> Block {
        page.split(index, units, blocks);
        self.account_rows(page, blocks, units);
        let first = page.unit(index);
        let step = units * heap.geometry().unit();
        // The pointer has the provenance of the whole reservation, so no step leaves it.
        let at = |block| NonNull::new(first.as_ptr().wrapping_add(block * step));
        let kept = || (1..blocks).filter_map(at);
        // SAFETY: `page.split` made the units at `at` the first ones of taken blocks, which are in no cache yet.
        let is_marked = unsafe { heap.mark_never_handed_out(kept()) };
        // SAFETY: `page.split` made blocks of `units` units at `at`, which are taken, and nothing uses them yet.
        unsafe { bins.refill(kept(), units, zero && !is_marked) };
        Block { first, zero }
    }

    /// Takes back all rows of a cache.
    pub(in crate::heap) fn free_cached_rows(&mut self, cache: &CacheRecord) {
        if let Some(bins) = cache.bins() {
            // SAFETY: by invariant 2 of `Bins` the row is taken in the maps and in no other place. `drain`
            // removes it from the bins.
            bins.drain(|row| unsafe { self.free_row(row.first, row.units) });
        }
        if let Some(rows) = cache.rows() {
            // SAFETY: by invariant 3 of `Rows` the row is taken in the maps and in no other place. `drain`
            // removes it from the lists.
            rows.drain(true, |row| unsafe { self.free_row(row.first, row.units) });
        }
    }

    /// Takes back half of the rows of `units` units in the bins; returns whether there were any.
    pub(in crate::heap) fn free_half_bin(&mut self, bins: &Bins, units: usize) -> bool {
        // SAFETY: by invariant 2 of `Bins` the row is taken in the maps and in no other place. `drain_half`
        // removes it from the bins.
        bins.drain_half(units, |row| unsafe { self.free_row(row.first, row.units) })
    }

    /// Makes room for more long rows: because the family grew, or by taking some back. Returns whether that was
    /// possible.
    pub(in crate::heap) fn make_room(&mut self, geometry: &Geometry, rows: &Rows) -> bool {
        let taken = usize::try_from(self.account.taken_units).unwrap_or(usize::MAX);
        if rows.prepare(geometry, taken) {
            return true;
        }
        let any = !rows.is_empty();
        // SAFETY: by invariant 3 of `Rows` the row is taken in the maps and in no other place. `drain` removes
        // it from the lists.
        rows.drain(false, |row| unsafe { self.free_row(row.first, row.units) });
        any
    }

    /// Takes back a row of one VM page, with its slack units.
    ///
    /// # Safety
    ///
    /// 1. A row of this family that is taken in the maps and has `units` units there starts at `first`.
    /// 2. Nothing uses it, and no cache hands it out any more.
    pub(super) unsafe fn free_row(&mut self, first: NonNull<u8>, units: usize) {
        let spot = spot_of(first);
        if !is_block(spot, units) {
            released_twice(first);
        }
        let Spot { page, index } = spot;
        let run = Run {
            first: index,
            units,
        };
        page.unclaim_run(run);
        self.account.account_freed(units);
        self.account_freed(page);
    }

    /// Frees the last units of a row, from `new` on, with its slack units.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `old` units of this family, in a VM page.
    /// 2. Nothing else releases or resizes the block meanwhile, and nothing uses units from `new` on any more.
    /// 3. `new` is at least 2, and less than `old`.
    pub(in crate::heap) unsafe fn shorten_row(
        &mut self,
        first: NonNull<u8>,
        old: usize,
        new: usize,
    ) {
        let slack = take_slack_at(first, old);
        self.account.slack = self.account.slack.wrapping_sub(slack as u64);
        let spot = spot_of(first);
        if !is_block(spot, old + slack) {
            released_twice(first);
        }
        let run = Run {
            first: spot.index + new,
            units: old + slack - new,
        };
        spot.page.unclaim_run_end(run);
        self.account.account_end_freed(run.units);
        self.account_freed(spot.page);
    }

    /// Frees the slack units of all blocks, unless another thread has a cache.
    pub(in crate::heap) fn free_slack(&mut self) {
        if self.slack() == 0 || !self.caches.iter().all(is_own) {
            return;
        }
        self.pages().for_each(|page| self.free_slack_of(page));
    }

    /// Counts the slack units of live blocks again. Only the caller has a cache.
    pub(in crate::heap) fn count_slack(&mut self) {
        let found: usize = self.pages().map(Page::slack_units).sum();
        let known = self.slack_of_caches();
        self.account.slack = (found as u64).wrapping_sub(known);
    }

    fn free_slack_of(&mut self, page: Page) {
        page.take_all_slack(|run| {
            page.unclaim_run_end(run);
            self.account.account_end_freed(run.units);
            self.account.slack = self.account.slack.wrapping_sub(run.units as u64);
            self.account_freed(page);
        });
    }

    /// Counts `blocks` blocks of `units` units in the page that are taken now.
    pub(in crate::heap) fn account_rows(&mut self, page: Page, blocks: usize, units: usize) {
        self.account.account_taken(blocks, units);
        self.account_used(page.extent());
        self.fullness_lists.account_changed(page.extent());
    }

    /// Takes `units` units side by side as one block.
    fn claim_run(
        &mut self,
        heap: &'static Heap,
        units: usize,
    ) -> Result<(Page, usize, bool), Refused> {
        self.find_or_grow(heap, |central| central.runs.claim_anywhere(units))
    }

    /// Returns what `find` finds. Grows the family if necessary.
    pub(in crate::heap) fn find_or_grow<T>(
        &mut self,
        heap: &'static Heap,
        mut find: impl FnMut(&mut Self) -> Option<T>,
    ) -> Result<T, Refused> {
        // Twice, since the very first page loses some room to its colour; the next does not.
        for _ in 0..2 {
            if let Some(found) = find(self) {
                return Ok(found);
            }
            if self.grow(heap).is_err() {
                self.take_back(heap);
                break;
            }
        }
        find(self).ok_or(Refused)
    }
}
