//! A refill: free units of own words go to the stack, or become the units side by side that are handed out
//! next.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Relaxed, Release};

use crate::heap::family::cache::record::CacheRecord;
use crate::heap::ground::Geometry;
use crate::heap::ground::hardening::Contents;
use crate::heap::pages::{Page, Ready, Word, ones, ones_of};

/// The most words whose units are handed out side by side together.
const MOST_WORDS: usize = 8;

/// The most bytes of them in a size class, unless one word has more: there are many classes.
const MOST_BYTES_OF_CLASS: usize = 32 << 10;

/// The fewest free units side by side that a refill puts between `cur` and `end`. Fewer go onto the stack.
const SHORTEST_RUN: u32 = 8;

/// Units that a refill puts on the stack, if it has room.
const STACKED: u32 = 32;

impl CacheRecord {
    /// Finds free units without the family's lock: in own words, in the run, or in units that other threads
    /// sent. Returns false if there are none.
    pub(in crate::heap) fn refill(&self) -> bool {
        let mut any = self.section(|| self.moving(|| self.refill_from_own()));
        if !any && !self.run_from.load(Relaxed).is_null() {
            any = self.in_run() > 0;
            self.end_run();
        }
        if !any && self.has_remote_releases() {
            any = self.section(|| self.drain_inbox());
        }
        any
    }

    /// Moves free units of own words into the cache, lowest address first. Returns false if there are none.
    pub(in crate::heap) fn refill_from_own(&self) -> bool {
        let Some((ready, page)) = self.ready.get().and_then(|it| Some((it, it.page()?))) else {
            return false;
        };
        self.sweeps.store(0, Relaxed);
        self.room.store(self.stack_capacity.load(Relaxed), Relaxed);
        let mut refill = Refill {
            record: self,
            ready,
            page,
            words: page.words(),
            shift: page.extent().geometry().group_shift(),
            stacked: 0,
        };
        refill.fill();
        let stacked = refill.stacked;
        page.end_purged();
        if ready.is_empty() {
            self.unlist_newest(ready);
        }
        if stacked > 0 {
            self.change(|| {
                let direct = self.direct.load(Relaxed);
                self.direct
                    .store(direct.wrapping_sub(stacked.into()), Relaxed);
                self.stacked.store(stacked, Relaxed);
            });
        }
        true
    }
}

/// A refill in progress.
struct Refill<'a> {
    record: &'a CacheRecord,
    ready: &'static Ready,
    page: Page,
    words: &'static [Word],
    shift: u32,
    /// Units on the stack.
    stacked: u32,
}

impl Refill<'_> {
    fn fill(&mut self) {
        while let Some(number) = self.lowest() {
            let free = !self.words[number].taken();
            if is_run(free) {
                if self.stacked == 0 {
                    self.hand_out_from(number, free);
                }
                return;
            }
            if !self.stack(number, free) || self.stacked >= STACKED {
                return;
            }
        }
    }

    /// The lowest word with a free unit.
    fn lowest(&self) -> Option<usize> {
        loop {
            let groups = self.ready.groups.load(Relaxed);
            if groups == 0 {
                return None;
            }
            let group = groups.trailing_zeros() as usize;
            let first = group << self.shift;
            let end = ((group + 1) << self.shift).min(self.words.len());
            let mut words = first..end;
            if let Some(found) = words.find(|number| self.has_free(*number)) {
                return Some(found);
            }
            self.ready.remove(group);
        }
    }

    /// Whether the word is the record's and has a free unit.
    fn has_free(&self, number: usize) -> bool {
        let word = &self.words[number];
        word.taken() != u64::MAX && word.is_owned_by(self.record.number())
    }

    /// Takes the units `free` of a word. Returns whether they are known to be zero.
    fn take(&self, number: usize, free: u64) -> bool {
        let word = &self.words[number];
        word.set_taken(word.taken() | free);
        if self.shift == 0 && word.taken() == u64::MAX {
            self.ready.remove(number);
        }
        word.touch(free)
    }

    /// Hands out the free units of a word, which lie side by side, and the units of the next words that follow
    /// without a gap.
    fn hand_out_from(&self, number: usize, free: u64) {
        let mut zero = self.take(number, free);
        let (mut units, mut last, mut mask) = (ones(free), number, free);
        let most = most_words(self.page.extent().geometry());
        // Only if the word's last unit is free does the next word's first unit follow.
        while mask >> 63 != 0 && last + 1 < (number + most).min(self.words.len()) {
            let next = last + 1;
            mask = !self.words[next].taken();
            if mask == 0 || mask & mask.wrapping_add(1) != 0 || !self.has_free(next) {
                break;
            }
            zero &= self.take(next, mask);
            units += ones(mask);
            last = next;
        }
        self.page.count_taken(units);
        let first = number * 64 + free.trailing_zeros() as usize;
        let record = self.record;
        // SAFETY: `take` took the units, which lie side by side, and they are in no place of the cache yet.
        unsafe { record.hand_out_marked(self.page.unit(first), units as usize, zero) };
    }

    /// Puts the free units of a word on the stack, as far as it has room. Returns whether it took all of them.
    fn stack(&mut self, number: usize, free: u64) -> bool {
        let room = self
            .record
            .stack_capacity
            .load(Relaxed)
            .saturating_sub(self.stacked);
        if room < free.count_ones() && self.stacked > 0 {
            return false;
        }
        if room == 0 {
            // Without any slot, units are handed out one by one.
            let lowest = free & free.wrapping_neg();
            let zero = self.take(number, lowest);
            self.page.count_taken(1);
            let first = number * 64 + lowest.trailing_zeros() as usize;
            // SAFETY: `take` took the unit, which is in no place of the cache yet.
            unsafe { self.record.hand_out_marked(self.page.unit(first), 1, zero) };
            return false;
        }
        let taken = lowest_ones(free, room);
        self.take(number, taken);
        self.page.count_taken(taken.count_ones());
        for bit in ones_of(taken) {
            let unit = self.page.unit(number * 64 + bit);
            // SAFETY: `take` took the unit, which is not on the stack yet, so that nothing uses it.
            unsafe { self.record.mark_never_handed_out(unit, 1) };
            // SAFETY: by invariant 1 of `CacheRecord` the stack has `places` places. `lowest_ones` took at
            // most `room` units, and there are as many places from `stacked` on.
            unsafe { self.record.place(self.stacked) }.store(unit.as_ptr(), Release);
            self.stacked += 1;
        }
        taken == free
    }
}

impl CacheRecord {
    /// Makes units side by side the next to be handed out, and marks them if releases rely on it.
    ///
    /// # Safety
    ///
    /// 1. The `units` units from `first` on are taken units of one page of the record's family.
    /// 2. Nothing uses them.
    unsafe fn hand_out_marked(&self, first: NonNull<u8>, units: usize, zero: bool) {
        // SAFETY: requirements 1 and 2 are those of `mark_never_handed_out`.
        let is_marked = unsafe { self.mark_never_handed_out(first, units) };
        self.hand_out(first, units, zero && !is_marked);
    }

    /// Marks units that come into the cache and may never have been handed out, if releases rely on it. Returns
    /// whether they do.
    ///
    /// # Safety
    ///
    /// 1. The `units` units from `first` on are taken units of one page of the record's family.
    /// 2. Nothing uses them.
    pub(in crate::heap) unsafe fn mark_never_handed_out(
        &self,
        first: NonNull<u8>,
        units: usize,
    ) -> bool {
        let heap = self.heap();
        let unit = heap.geometry().unit();
        let at = |index: usize| NonNull::new(first.as_ptr().wrapping_add(index * unit));
        // SAFETY: by requirement 1 `at` gives the starts of taken units of the heap, and by requirement 2
        // nothing uses them.
        unsafe { heap.mark_never_handed_out((0..units).filter_map(at)) }
    }
}

/// The most words that are handed out together, of units of the geometry.
fn most_words(geometry: &Geometry) -> usize {
    match geometry.contents() {
        Contents::Typed => MOST_WORDS,
        Contents::Untyped => (MOST_BYTES_OF_CLASS / (64 * geometry.unit())).clamp(1, MOST_WORDS),
    }
}

/// Whether free units lie side by side, and are enough to be handed out as such.
fn is_run(free: u64) -> bool {
    let lowest = free & free.wrapping_neg();
    free.count_ones() >= SHORTEST_RUN && free & free.wrapping_add(lowest) == 0
}

/// The `most` lowest set bits of `mask`.
fn lowest_ones(mask: u64, most: u32) -> u64 {
    if mask.count_ones() <= most {
        return mask;
    }
    let (mut left, mut kept) = (mask, 0);
    for _ in 0..most {
        kept |= left & left.wrapping_neg();
        left &= left - 1;
    }
    kept
}
