//! Allocation and release in hardened families: one block at a time, under the lock.

use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::family::central::Central;
use crate::heap::ground::hardening::{OnRelease, POISON};
use crate::heap::ground::{Block, Random, Row, Shortage};
use crate::heap::pages::{Extent, Page, Run, is_block, released_twice, spot_of};
use crate::os::{Refused, annotate};

/// The place of a new block.
#[derive(Clone, Copy)]
pub(in crate::heap) struct Choice {
    page: Page,
    run: Run,
}

impl Central {
    /// Allocates a block of one VM page.
    pub(in crate::heap) fn alloc_hardened(
        &mut self,
        heap: &'static Heap,
        units: usize,
    ) -> Result<Block, Shortage> {
        let how = heap.hardening();
        let find = |central: &mut Self| central.find_run(units, how.random);
        let mut found = self.find_or_grow(heap, find);
        if found.is_err() {
            // Memory in quarantine is better handed out than to fail for lack of memory.
            self.shorten_quarantine(heap, 0);
            found = find(self).ok_or(Refused);
        }
        self.hand_out(heap, found?)
    }

    /// Hands out the free units of a choice as one block.
    pub(in crate::heap) fn hand_out(
        &mut self,
        heap: &'static Heap,
        Choice { page, run }: Choice,
    ) -> Result<Block, Shortage> {
        if heap.hardening().fill == OnRelease::Poison {
            if let Some(address) = page.written_after_release(run) {
                return Err(Shortage::Written { address });
            }
            page.poison_until(run.first);
        }
        let zero = page.claim_at(run);
        self.account_rows(page, 1, run.units);
        self.account.account_allocated(run.units);
        self.account_peak(heap);
        let first = page.unit(run.first);
        Ok(Block { first, zero })
    }

    /// Takes a block back.
    ///
    /// # Safety
    ///
    /// 1. `row` is a live block of this heap.
    /// 2. Nothing uses it any more.
    pub(in crate::heap) unsafe fn release_hardened(&mut self, heap: &'static Heap, row: Row) {
        if !heap.fits_page(row.units) {
            // SAFETY: requirements 1 and 2 are those of `Central::release`.
            return unsafe { self.release(heap, row.first, row.units) };
        }
        let spot = spot_of(row.first);
        if !is_block(spot, row.units) || spot.is_quarantined() {
            released_twice(row.first);
        }
        let how = heap.hardening();
        let bytes = row.units * heap.geometry().unit();
        // SAFETY: `is_block` found the block in the maps, so that its memory is committed. By requirement 2
        // nothing else uses it.
        unsafe { how.fill.apply(row.first, bytes) };
        // SAFETY: `is_block` found the block taken in the maps. By requirement 1 it was live, and so is in no
        // cache, and by requirement 2 nothing uses it.
        if how.quarantine == 0 || unsafe { self.quarantine.push(row) }.is_err() {
            // SAFETY: requirements 1 and 2 are those of `Central::release`: `push` did not take the block.
            return unsafe { self.release(heap, row.first, row.units) };
        }
        if row.units == 1 {
            self.account.released += 1;
        }
        spot.set_quarantined(true);
        self.shorten_quarantine(heap, how.quarantine / heap.geometry().unit());
    }

    /// Frees the oldest blocks in quarantine, until it has no more than `most` units.
    fn shorten_quarantine(&mut self, heap: &'static Heap, most: usize) {
        while self.quarantine.units() > most
            && let Some(oldest) = self.quarantine.pop()
        {
            spot_of(oldest.first).set_quarantined(false);
            match oldest.units {
                // SAFETY: by invariant 1 of `Quarantine` it is a taken block, which nothing uses. `pop` removed
                // it.
                1 => unsafe { self.free_single(heap, oldest.first) },
                // SAFETY: by invariant 1 of `Quarantine` it is a taken block, which nothing uses. `pop` removed
                // it.
                units => unsafe { self.release(heap, oldest.first, units) },
            }
        }
    }

    fn find_run(&mut self, units: usize, random: bool) -> Option<Choice> {
        let pages = self.fullness_lists.with_room().flat_map(Extent::pages);
        choose(pages, units, &mut self.random, random)
    }

    /// Chooses the place of a sampled block of one unit.
    pub(in crate::heap) fn find_sampled(&mut self, random: bool) -> Option<Choice> {
        let extents = self.fullness_lists.sampled_with_room();
        let pages = extents.flat_map(Extent::pages);
        choose(pages, 1, &mut self.random, random)
    }
}

/// Chooses a place for `units` units in one of `pages`: the first, or one at random.
fn choose(
    pages: impl Iterator<Item = Page>,
    units: usize,
    numbers: &mut Random,
    random: bool,
) -> Option<Choice> {
    for page in pages.filter(|page| page.longest_run() >= units) {
        // Either way, the page remembers a failed search.
        let first = if random {
            page.random_run(units, numbers)
        } else {
            page.find_run(units)
        };
        if let Some(first) = first {
            let run = Run { first, units };
            return Some(Choice { page, run });
        }
    }
    None
}

impl Page {
    /// Chooses a place for `units` units at random. For one unit, all places are equally likely.
    fn random_run(self, units: usize, random: &mut Random) -> Option<usize> {
        let map = self.map();
        if units == 1 {
            return map.nth_free(random.below(self.free_units()));
        }
        let from = random.below(self.capacity());
        let mut runs = map.free_runs_from(from).chain(map.free_runs());
        let run = runs.find(|run| run.units >= units);
        if run.is_none() {
            self.set_longest(units - 1);
        }
        run.map(|run| run.first + random.below(run.units - units + 1))
    }

    /// The address of the first byte of a free run that changed since its release.
    fn written_after_release(self, run: Run) -> Option<usize> {
        let unit = self.extent().geometry().unit();
        let first = self.unit(run.first);
        let bytes = NonNull::slice_from_raw_parts(first, run.units * unit);
        let used = self.high_water().saturating_sub(run.first) * unit;
        let offset = annotate::lend(first, bytes.len(), || {
            // SAFETY: by invariant 1 of `Extent` the memory is committed. The units of `run` are free, and
            // only the holder of the family's lock, which is this thread, hands them out.
            first_written(unsafe { bytes.as_ref() }, used)
        });
        offset.map(|offset| first.addr().get() + offset)
    }

    /// Poisons the used part of a page without a taken unit again. A failed `madvise` may have discarded
    /// everything before the first locked page.
    pub(in crate::heap) fn poison_anew(self) {
        let bytes = self.high_water() * self.extent().geometry().unit();
        if self.extent().geometry().contents().hardening().fill == OnRelease::Poison {
            // SAFETY: by invariant 1 of `Extent` the memory is committed. No unit of the page is taken, and
            // only the holder of the family's lock, which is this thread, hands any out.
            unsafe { OnRelease::Poison.apply(self.unit(0), bytes) };
        }
    }

    /// Poisons the units before `end` that were never handed out, because a later one is about to be handed
    /// out: all free units below `high_water` must hold the poison.
    fn poison_until(self, end: usize) {
        let high_water = self.high_water();
        let bytes = end.saturating_sub(high_water) * self.extent().geometry().unit();
        // SAFETY: by invariant 1 of `Extent` the memory is committed. By invariant 2 of `Word` the units
        // from `high_water` on were not handed out, and only the holder of the family's lock, which is this
        // thread, hands them out.
        unsafe { OnRelease::Poison.apply(self.unit(high_water), bytes) };
        self.raise_high_water(end);
    }
}

/// The offset of the first byte that changed since its release. The first `used` bytes were used before and
/// hold poison; the others are zero.
fn first_written(bytes: &[u8], used: usize) -> Option<usize> {
    let (used, high_water) = bytes.split_at(used.min(bytes.len()));
    let written = used.iter().position(|byte| *byte != POISON);
    written.or_else(|| {
        let written = high_water.iter().position(|byte| *byte != 0)?;
        Some(used.len() + written)
    })
}

#[cfg(test)]
mod tests {
    use core::alloc::Layout;

    use super::*;

    #[test]
    fn pages_remember_failed_searches() {
        static HEAP: Heap = Heap::new(Layout::new::<[u64; 4]>());
        let alloc = |units| {
            HEAP.central()
                .alloc_hardened(&HEAP, units)
                .expect("memory")
                .first
        };
        let singles: Vec<_> = (0..20_000).map(|_| alloc(1)).collect();
        for first in singles.iter().step_by(2) {
            let row = Row {
                first: *first,
                units: 1,
            };
            // SAFETY: `alloc` made the unit, and the test does not use it any more.
            unsafe { HEAP.central().release_hardened(&HEAP, row) };
        }
        alloc(2);
        let central = HEAP.central();
        // Without the page of the last single units, and pages that were never used.
        let holes = central
            .pages()
            .filter(|page| page.taken() > page.capacity() / 3);
        let longest: Vec<_> = holes.map(Page::longest_run).collect();
        assert!(longest.len() > 5);
        let longer = longest.iter().filter(|units| **units > 1);
        assert!(longer.count() <= 1, "{longest:?}");
    }
}
