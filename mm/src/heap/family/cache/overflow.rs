//! What becomes of a released unit for which the hot slot and the stack have no room: it goes into its
//! word of the map, if the thread owns it, or to the owner. Units that lie side by side wait until they can
//! go there together.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::compiler_fence;

use super::CacheCell;
use super::record::{CacheRecord, Slot};
use crate::heap::family::Heap;
use crate::heap::ground::{Geometry, meta};
use crate::heap::pages::{Page, SPACE, Spot, Word, released_twice, spot_of};
use crate::os::section;
use crate::sync::MODELLED;

/// Places of the first stack.
const FIRST_PLACES: usize = if MODELLED { 1 } else { 16 };

/// Places of the largest. With half of it, a loop that makes a thousand values and drops them takes a third
/// longer; with more, nothing that was measured gains.
const MOST_PLACES: usize = 1_024;

/// Bytes of units on the stack, and of a run, at most.
const MOST_BYTES: usize = 128 << 10;

/// Units of a run of released ones at most: what waits there keeps its page.
const LONGEST_RUN: usize = 512;

impl Heap {
    /// Releases a unit that the cell had no room for.
    ///
    /// # Safety
    ///
    /// 1. `unit` is a live block of one unit of this heap.
    /// 2. It lies in a VM page.
    /// 3. Nothing uses it any more.
    /// 4. `cell` is the calling thread's of this heap.
    #[inline(never)]
    pub(crate) unsafe fn release_unit(&'static self, cell: &CacheCell, unit: NonNull<u8>) {
        let record = cell.record();
        let address = unit.addr().get();
        let is_usual = record.grows.load(Relaxed) == 0
            && record.run.load(Relaxed).is_null()
            && record.last.load(Relaxed) != address;
        if !is_usual {
            // SAFETY: requirements 1 to 4 are those of `release_unusual`.
            return unsafe { self.release_unusual(cell, unit) };
        }
        // Every call from here on is the last thing that is done, so that nothing has to be saved.
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
            return self.release_of_other(record, unit);
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
        record.look_if_due();
    }

    #[inline(never)]
    fn release_of_other(&'static self, record: &CacheRecord, unit: NonNull<u8>) {
        let Spot { page, index } = spot_of(unit);
        self.expect_own(page, unit);
        record.send_later(page, index);
        record.count_direct(1);
        record.leave();
        record.look_if_due();
    }

    /// Releases a unit where something else than usual may have to be done.
    ///
    /// # Safety
    ///
    /// 1. `unit` is a live block of one unit of this heap.
    /// 2. It lies in a VM page.
    /// 3. Nothing uses it any more.
    /// 4. `cell` is the calling thread's of this heap.
    #[inline(never)]
    unsafe fn release_unusual(&'static self, cell: &CacheCell, unit: NonNull<u8>) {
        let Some(record) = self.opened(cell) else {
            // SAFETY: requirements 1 to 3 are those of `release_without_cache`.
            return unsafe { self.release_without_cache(unit) };
        };
        // Now that there is a record, or that it was flushed.
        if record.put(unit, self.geometry().unit()) {
            return;
        }
        if !record.is_beside(unit) && record.grow_stack(self.geometry()) {
            record.put(unit, self.geometry().unit());
            return;
        }
        let spot = spot_of(unit);
        self.expect_own(spot.page, unit);
        record.put_away_run();
        record.enter();
        record.begin_run(spot, unit);
        record.to_map(spot);
        record.count_direct(1);
        record.leave();
        record.look_if_due();
    }

    /// Ends the process if a unit of another family came here.
    fn expect_own(&'static self, page: Page, unit: NonNull<u8>) {
        if !page.extent().heap.is(self.reference()) {
            released_twice(unit);
        }
    }
}

impl CacheRecord {
    /// Releases a unit in a section that begins slowly.
    #[cold]
    #[inline(never)]
    fn release_wanted(&self, unit: NonNull<u8>) {
        self.enter_slow();
        self.to_map(spot_of(unit));
        self.count_direct(1);
        self.leave();
        self.look_if_due();
    }

    /// Ends the release of a unit, which is the first that is free in its word.
    #[inline(never)]
    fn release_first_of_word(&self, unit: NonNull<u8>) {
        let Spot { page, index } = spot_of(unit);
        self.add_ready(page, index / 64);
        self.count_direct(1);
        self.leave();
        self.look_if_due();
    }

    /// Counts units that went into the map, or to their owner. In the section in which they do: whoever keeps
    /// the thread out finds both or none.
    #[inline]
    fn count_direct(&self, units: u64) {
        let direct = self.direct.load(Relaxed).wrapping_add(units);
        self.direct.store(direct, Release);
    }

    /// Looks what can be given back, once enough units came free. Outside of sections.
    #[inline]
    fn look_if_due(&self) {
        let direct = self.direct.load(Relaxed);
        if direct
            .wrapping_sub(self.trigger.load(Relaxed))
            .cast_signed()
            >= 0
        {
            self.look();
        }
    }

    /// Frees a unit in its word, or sends it to the owner. Inside a section.
    fn to_map(&self, Spot { page, index }: Spot) {
        let number = index / 64;
        let word: &Word = &page.words()[number];
        if word.is_owned_by(self.number()) {
            self.free_own(page, number, word, 1 << (index % 64));
            page.count_freed(1);
        } else {
            self.send_later(page, index);
        }
    }

    /// Whether the unit lies behind the one that was released before it: then a run is cheaper than any
    /// stack.
    fn is_beside(&self, unit: NonNull<u8>) -> bool {
        let size = self.heap().geometry().unit();
        let before = |slot: &Slot, distance: usize| {
            slot.load(Relaxed).addr() == unit.addr().get() - distance * size
        };
        let is_behind_two = match self.slots() {
            [.., first, second] => before(first, 2) && before(second, 1),
            _ => false,
        };
        let is_behind_last = self.last.load(Relaxed) == unit.addr().get();
        is_behind_two || is_behind_last || !self.run.load(Relaxed).is_null()
    }

    /// Lets a run begin behind the unit, if it follows the one that was released last and its page goes on.
    fn begin_run(&self, spot: Spot, unit: NonNull<u8>) {
        let size = self.heap().geometry().unit();
        let follows = self.last.swap(unit.addr().get() + size, Relaxed) == unit.addr().get();
        let left = (spot.page.capacity() - 1 - spot.index)
            .min(LONGEST_RUN)
            .min(MOST_BYTES / size);
        if !follows || left == 0 {
            return;
        }
        self.change(|| {
            self.run_from.store(unit.as_ptr(), Relaxed);
            self.run.store(unit.as_ptr(), Relaxed);
            // The pointer has the provenance of the whole reservation, so no step leaves it.
            let end = unit.as_ptr().wrapping_add(left * size);
            self.run_end.store(end, Relaxed);
        });
    }

    /// Frees the units of the run.
    #[inline(never)]
    pub(in crate::heap) fn end_run(&self) {
        self.put_away_run();
        self.look_if_due();
    }

    fn put_away_run(&self) {
        let from = self.run_from.load(Relaxed);
        let units = self.in_run();
        if from.is_null() {
            return;
        }
        self.enter();
        self.moving(|| {
            self.change(|| {
                let direct = self.direct.load(Relaxed).wrapping_add(units);
                self.direct.store(direct, Relaxed);
                self.run_from.store(ptr::null_mut(), Relaxed);
                self.run.store(ptr::null_mut(), Relaxed);
            });
            let size = self.heap().geometry().unit();
            if let Some(first) = NonNull::new(from.wrapping_add(size)).filter(|_| units > 0) {
                self.free_side_by_side(first, units);
            }
        });
        self.leave();
    }

    /// Frees units side by side, in one page, whoever owns their words. Inside a section.
    fn free_side_by_side(&self, first: NonNull<u8>, units: u64) {
        let Spot { page, index } = spot_of(first);
        let (mut from, end) = (index, index + usize::try_from(units).unwrap_or(0));
        let (words, mut freed) = (page.words(), 0);
        while from < end {
            let (number, bit) = (from / 64, from % 64);
            let count = (64 - bit).min(end - from);
            let mask = (u64::MAX >> (64 - count)) << bit;
            let word = &words[number];
            if word.is_owned_by(self.number()) {
                self.free_own(page, number, word, mask);
                freed += count;
            } else {
                self.heap().post(page, number, mask);
            }
            from += count;
        }
        // Of a page without own words the count belongs to others.
        if freed > 0 {
            page.count_freed(small(freed));
        }
    }

    /// Makes room for more released units, unless the cache may hold no more.
    ///
    /// The smaller stacks before stay behind: together they are less than the last.
    pub(in crate::heap) fn grow_stack(&self, geometry: &Geometry) -> bool {
        let places = self.places.load(Relaxed) as usize;
        let most = MOST_PLACES.min(MOST_BYTES / geometry.unit());
        let wanted = (places * 4).clamp(FIRST_PLACES, MOST_PLACES).min(most);
        if wanted <= places {
            self.grows.store(0, Relaxed);
            return false;
        }
        let Ok(slots) = meta::RECORDS.zeroed::<Slot>(wanted) else {
            return false;
        };
        for (to, from) in slots.iter().zip(self.slots()) {
            to.store(from.load(Relaxed), Relaxed);
        }
        self.stack.store(slots.as_ptr().cast_mut(), Release);
        self.places.store(small(wanted), Relaxed);
        self.room.store(small(wanted), Release);
        self.grows.store((wanted < most).into(), Relaxed);
        true
    }

    /// Puts all units at hand into the maps, or sends them to their owners. Takes no lock.
    pub(in crate::heap) fn put_away(&self) {
        self.put_away_run();
        self.put_away_stack();
        self.enter();
        let hot = NonNull::new(self.hot.load(Relaxed));
        let (cur, left) = (self.cur.load(Relaxed), self.left());
        self.moving(|| {
            self.change(|| {
                let direct = self.direct.load(Relaxed);
                let apart = u64::from(hot.is_some());
                self.direct.store(direct.wrapping_add(apart), Relaxed);
                self.hot.store(ptr::null_mut(), Relaxed);
                let refilled = self.refilled.load(Relaxed).wrapping_sub(left);
                self.refilled.store(refilled, Relaxed);
                self.cur.store(self.end.load(Relaxed), Relaxed);
            });
            if let Some(hot) = hot {
                self.to_map(spot_of(hot));
            }
            if let Some(first) = NonNull::new(cur).filter(|_| left > 0) {
                self.free_side_by_side(first, left);
            }
        });
        self.send();
        self.leave();
    }

    /// Puts the units of the stack into the maps, or sends them to their owners.
    pub(super) fn put_away_stack(&self) {
        let slots = self.slots();
        if slots.is_empty() {
            return;
        }
        self.enter();
        self.moving(|| {
            self.change(|| {
                let direct = self.direct.load(Relaxed);
                let units = slots.len() as u64;
                self.direct.store(direct.wrapping_add(units), Relaxed);
                self.stacked.store(0, Release);
            });
            let units = slots
                .iter()
                .filter_map(|slot| NonNull::new(slot.load(Relaxed)));
            units.for_each(|unit| self.to_map(spot_of(unit)));
        });
        self.leave();
    }
}

/// A count that a cache's bounds keep small.
pub(super) fn small(count: usize) -> u32 {
    u32::try_from(count).expect("a cache holds less than 2^32 units")
}
