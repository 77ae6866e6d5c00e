//! A run: released units side by side, which the thread later frees in their words together.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::Relaxed;

use super::{MOST_BYTES, small};
use crate::heap::family::cache::record::{CacheRecord, Slot};
use crate::heap::pages::{Spot, spot_of};

/// The most units of a run. Its page cannot become empty before the run ends.
const LONGEST_RUN: usize = 512;

impl CacheRecord {
    /// Whether the unit lies right after one that was released shortly before it. Then a run is cheaper than
    /// the stack.
    pub(super) fn follows_last(&self, unit: NonNull<u8>) -> bool {
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

    /// Begins a run that starts after the unit, if the unit lies right after the one that was released last,
    /// and is not the last of its page.
    pub(super) fn begin_run(&self, spot: Spot, unit: NonNull<u8>) {
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
        self.flush_run();
        self.sweep_if_due();
    }

    pub(super) fn flush_run(&self) {
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

    /// Frees units side by side in one page, in words of any owner. The caller is in a section.
    pub(super) fn free_side_by_side(&self, first: NonNull<u8>, units: u64) {
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
                self.heap().send_to_owner(page, number, mask);
            }
            from += count;
        }
        // If the page has no own word, its count belongs to other threads.
        if freed > 0 {
            page.count_freed(small(freed));
        }
    }
}
