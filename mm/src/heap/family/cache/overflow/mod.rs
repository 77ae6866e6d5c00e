//! The release of a unit for which the hot slot and the stack have no room. If the thread owns the unit's word,
//! it frees the unit there; otherwise it sends the unit to the owner. Units that are released side by side are
//! collected in a run and then freed together.
//!
//! | module | subject |
//! | --- | --- |
//! | `run` | released units side by side, which are freed together |
//! | `stack` | the stack: how it grows; the flush of all units of a cache |

mod run;
mod stack;

use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::compiler_fence;

use super::CacheCell;
use super::record::CacheRecord;
use crate::heap::family::Heap;
use crate::heap::pages::{Page, SPACE, Spot, Word, released_twice, spot_of};
use crate::os::section;

/// The most bytes of units on the stack, and in a run.
const MOST_BYTES: usize = 128 << 10;

impl Heap {
    /// Releases a unit for which the cell's cache had no room.
    ///
    /// # Safety
    ///
    /// 1. `unit` is a live block of one unit of this heap.
    /// 2. It lies in a VM page.
    /// 3. Nothing uses it any more.
    /// 4. `cell` is the calling thread's cell for this heap.
    #[inline(never)]
    pub(crate) unsafe fn release_unit(&'static self, cell: &CacheCell, unit: NonNull<u8>) {
        let record = cell.record();
        let address = unit.addr().get();
        let run = record.run.load(Relaxed);
        let leaves_run = if run.is_null() {
            record.last.load(Relaxed) != address
        } else {
            record.note_grown(run)
        };
        let is_usual = record.grows.load(Relaxed) == 0 && leaves_run;
        if !is_usual {
            // SAFETY: requirements 1 to 4 are those of `release_slow`.
            return unsafe { self.release_slow(cell, unit) };
        }
        // Every call from here on is a tail call, so no register has to be saved.
        record.last.store(address + self.geometry().unit(), Relaxed);
        section::begin();
        record.busy.store(1, Relaxed);
        compiler_fence(SeqCst);
        if record.wanted.load(Acquire) != 0 {
            return record.release_wanted(unit);
        }
        // SAFETY: by requirement 2 the unit lies in a VM page, which got its map before any of its units was
        // handed out.
        let (words, count) = unsafe { SPACE.map_and_count_at(address) };
        let index = self.geometry().index_of(self.geometry().in_page(address));
        // SAFETY: by requirement 1 `index` is that of a unit of the page, and the page's map has a word for
        // each 64 units or part of them.
        let word = unsafe { words.add(index / 64) };
        // SAFETY: `map_and_count_at` gave the page's map, in which the word lies, and maps live as long as
        // the process.
        let word = unsafe { &*word };
        if !word.is_owned_by(record.number()) {
            return self.release_to_owner(record, unit);
        }
        let (taken, bit) = (word.taken(), 1 << (index % 64));
        if taken & bit == 0 {
            released_twice(unit);
        }
        word.set_taken(taken & !bit);
        count.store(count.load(Relaxed).wrapping_add(1), Relaxed);
        if taken == u64::MAX {
            return record.release_first_of_word(unit);
        }
        record.count_direct(1);
        record.leave();
        record.sweep_if_due();
    }

    #[inline(never)]
    fn release_to_owner(&'static self, record: &CacheRecord, unit: NonNull<u8>) {
        let Spot { page, index } = spot_of(unit);
        self.expect_family(page, unit);
        record.send_later(page, index);
        record.count_direct(1);
        record.leave();
        record.sweep_if_due();
    }

    /// As [`release_unit`](Self::release_unit), for a thread that has no open cache, whose stack may grow, or
    /// that has a run or begins one.
    ///
    /// # Safety
    ///
    /// 1. `unit` is a live block of one unit of this heap.
    /// 2. It lies in a VM page.
    /// 3. Nothing uses it any more.
    /// 4. `cell` is the calling thread's cell for this heap.
    #[inline(never)]
    unsafe fn release_slow(&'static self, cell: &CacheCell, unit: NonNull<u8>) {
        let Some(record) = self.ensure_open(cell) else {
            // SAFETY: requirements 1 to 3 are those of `release_without_cache`.
            return unsafe { self.release_without_cache(unit) };
        };
        // Tries again, since `ensure_open` may have opened or flushed the cache.
        // SAFETY: by requirements 1 and 2 `unit` is a live block of this heap, which is the family of `record`:
        // `ensure_open` gave it. By requirement 3 nothing uses it.
        if unsafe { self.put_again(record, unit) } {
            return;
        }
        if !record.follows_last(unit) && record.grow_stack(self.geometry()) {
            // SAFETY: by requirements 1 and 2 `unit` is a live block of this heap, which is the family of
            // `record`. By requirement 3 nothing uses it, and `put` did not take it before.
            unsafe { self.put_again(record, unit) };
            return;
        }
        let spot = spot_of(unit);
        self.expect_family(spot.page, unit);
        record.flush_run();
        record.enter();
        record.begin_run(spot, unit);
        record.to_map(spot);
        record.count_direct(1);
        record.leave();
        record.sweep_if_due();
    }

    /// Puts a unit into a cache of this heap in the way of its hot path.
    ///
    /// # Safety
    ///
    /// 1. `unit` is a live block of one unit of this heap, in a VM page.
    /// 2. Nothing uses it any more.
    unsafe fn put_again(&self, record: &CacheRecord, unit: NonNull<u8>) -> bool {
        let bytes = self.geometry().unit();
        if self.is_untyped() {
            // SAFETY: requirements 1 and 2 are those of `put_past_hot`.
            unsafe { record.put_past_hot(unit, bytes) }
        } else {
            // SAFETY: requirements 1 and 2 are those of `put`.
            unsafe { record.put(unit, bytes) }
        }
    }

    /// Ends the process if the unit belongs to another family.
    fn expect_family(&'static self, page: Page, unit: NonNull<u8>) {
        if !page.extent().heap.is(self.reference()) {
            released_twice(unit);
        }
    }
}

impl CacheRecord {
    /// Whether the run grew since the last unit that was released beside it. Then it will probably grow again, and
    /// stays.
    #[inline]
    fn note_grown(&self, run: *mut u8) -> bool {
        let has_grown = run != self.run_seen.load(Relaxed);
        self.run_seen.store(run, Relaxed);
        has_grown
    }

    /// Releases a unit in a section that must first check whether another thread wants the words.
    #[cold]
    #[inline(never)]
    fn release_wanted(&self, unit: NonNull<u8>) {
        self.enter_slow();
        self.to_map(spot_of(unit));
        self.count_direct(1);
        self.leave();
        self.sweep_if_due();
    }

    /// Ends the release of a unit in whose word no other unit is free.
    #[inline(never)]
    fn release_first_of_word(&self, unit: NonNull<u8>) {
        let Spot { page, index } = spot_of(unit);
        self.add_ready(page, index / 64);
        self.count_direct(1);
        self.leave();
        self.sweep_if_due();
    }

    /// Counts units that went into the map or to their owner. The caller is in the section that moved them, so
    /// that a thread that keeps this one out finds both or neither.
    #[inline]
    fn count_direct(&self, units: u64) {
        let direct = self.direct.load(Relaxed).wrapping_add(units);
        self.direct.store(direct, Release);
    }

    /// Sweeps if the trigger is reached and enough units came free. The caller is in no section.
    #[inline]
    pub(super) fn sweep_if_due(&self) {
        let direct = self.direct.load(Relaxed);
        if direct
            .wrapping_sub(self.trigger.load(Relaxed))
            .cast_signed()
            >= 0
        {
            self.sweep_if_worth_it();
        }
    }

    /// Frees a unit in its word, or sends it to the owner. The caller is in a section.
    pub(super) fn to_map(&self, Spot { page, index }: Spot) {
        let number = index / 64;
        let word: &Word = &page.words()[number];
        if word.is_owned_by(self.number()) {
            self.free_own(page, number, word, 1 << (index % 64));
            page.count_freed(1);
        } else {
            self.send_later(page, index);
        }
    }
}

/// Converts a count that the bounds of a cache keep small.
pub(in crate::heap::family::cache) fn small(count: usize) -> u32 {
    u32::try_from(count).expect("a cache holds less than 2^32 units")
}
