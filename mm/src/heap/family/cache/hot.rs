//! The fast paths of a cache: it hands out or takes back a unit in a few steps. Only the cache's thread calls
//! these functions.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::record::{CLOSED, CacheRecord, Slot};
use crate::heap::ground::Block;

#[allow(
    clippy::inline_always,
    reason = "the hot path must be inlined into the caller, whatever its size"
)]
impl CacheRecord {
    /// Takes the unit in the hot slot; if there is none, the last on the stack; if that is empty, the next of
    /// the free units side by side. `unit` is the size of the family's units in bytes. Only if `wants_zero`
    /// does the block say whether its unit is known to be zero; otherwise it says no.
    #[inline(always)]
    pub(in crate::heap) fn take(&self, unit: usize, wants_zero: bool) -> Option<Block> {
        let hot = self.hot.load(Relaxed);
        if hot.addr() > CLOSED {
            self.hot.store(ptr::null_mut(), Relaxed);
            self.account_taken();
            // SAFETY: `hot` is above `CLOSED`, and so not null.
            let first = unsafe { NonNull::new_unchecked(hot) };
            return Some(Block { first, zero: false });
        }
        self.take_past_hot(unit, wants_zero)
    }

    /// As [`take`](Self::take), but leaves the hot slot alone.
    ///
    /// In a program that allocates and releases blocks of mixed sizes, it is as good as random whether the slot of a
    /// size holds a unit. The processor's wrong guesses then cost more than the slot saves.
    #[inline(always)]
    pub(in crate::heap) fn take_past_hot(&self, unit: usize, wants_zero: bool) -> Option<Block> {
        if let Some(first) = self.pop() {
            self.account_taken();
            return Some(Block { first, zero: false });
        }
        self.take_next(unit, wants_zero)
    }

    /// Puts a unit into the hot slot; else adds it to the run, if it follows the last unit there; else pushes
    /// it onto the stack, if there is room.
    ///
    /// # Safety
    ///
    /// 1. `first` is a live block of one unit of the record's family, in a VM page, or this is the closed record.
    /// 2. Nothing uses it any more.
    #[inline(always)]
    pub(in crate::heap) unsafe fn put(&self, first: NonNull<u8>, unit: usize) -> bool {
        if self.hot.load(Relaxed).is_null() {
            self.hot.store(first.as_ptr(), Release);
            return true;
        }
        // SAFETY: requirements 1 and 2 are those of `put_past_hot`.
        unsafe { self.put_past_hot(first, unit) }
    }

    /// As [`put`](Self::put), but leaves the hot slot alone; see [`take_past_hot`](Self::take_past_hot).
    ///
    /// # Safety
    ///
    /// 1. `first` is a live block of one unit of the record's family, in a VM page, or this is the closed record.
    /// 2. Nothing uses it any more.
    #[inline(always)]
    pub(in crate::heap) unsafe fn put_past_hot(&self, first: NonNull<u8>, unit: usize) -> bool {
        if self.run.load(Relaxed).addr() == first.addr().get() - unit {
            // Stores `first`, not `run` plus a unit: that would have to wait for the last store to `run`.
            self.run.store(first.as_ptr(), Release);
            if self.run_end.load(Relaxed) == first.as_ptr() {
                self.end_run();
            }
            return true;
        }
        // SAFETY: requirements 1 and 2 are those of `push`.
        unsafe { self.push(first) }
    }

    #[inline(always)]
    fn pop(&self) -> Option<NonNull<u8>> {
        let left = self.stacked.load(Relaxed).checked_sub(1)?;
        // SAFETY: invariant 1: the place is one of the stack's, as it holds a unit.
        let first = unsafe { self.place(left) }.load(Relaxed);
        // `Release`: a reader that sees this count must see a stack with room for it.
        self.stacked.store(left, Release);
        // SAFETY: invariant 1: a unit is not at null.
        Some(unsafe { NonNull::new_unchecked(first) })
    }

    /// Puts a unit onto the stack, if it has room.
    ///
    /// # Safety
    ///
    /// 1. `first` is a live block of one unit of the record's family, in a VM page, or this is the closed record.
    /// 2. Nothing uses it any more.
    #[inline(always)]
    unsafe fn push(&self, first: NonNull<u8>) -> bool {
        let stacked = self.stacked.load(Relaxed);
        if stacked >= self.room.load(Relaxed) {
            return false;
        }
        // SAFETY: invariant 1: there are so many places.
        unsafe { self.place(stacked) }.store(first.as_ptr(), Relaxed);
        self.stacked.store(stacked + 1, Release);
        true
    }

    /// The slot number `number` of the stack.
    ///
    /// # Safety
    ///
    /// 1. The stack has more places than `number`.
    #[inline(always)]
    pub(super) unsafe fn place(&self, number: u32) -> &'static Slot {
        // SAFETY: by invariant 1 the places are one array, and by requirement 1 it has one of this number.
        let place = unsafe { self.stack.load(Relaxed).add(number as usize) };
        // SAFETY: by invariant 1 the array lives as long as the process.
        unsafe { &*place }
    }

    #[inline(always)]
    fn take_next(&self, unit: usize, wants_zero: bool) -> Option<Block> {
        let cur = self.cur.load(Relaxed);
        if cur == self.end.load(Relaxed) {
            return None;
        }
        // The pointer has the provenance of the whole reservation, so no step leaves it.
        self.cur.store(cur.wrapping_add(unit), Release);
        Some(Block {
            // SAFETY: invariant 2: a unit is not at null.
            first: unsafe { NonNull::new_unchecked(cur) },
            zero: wants_zero && self.is_zero.load(Relaxed) != 0,
        })
    }

    /// Counts a unit that left the hot slot or the stack.
    #[inline(always)]
    fn account_taken(&self) {
        // Left out only to measure the cost of counting; all figures are wrong then.
        if cfg!(mm_unaccounted) {
            return;
        }
        // Only this thread stores it. `Release`: after the cache shrank, see `count`.
        self.taken.store(self.taken.load(Relaxed) + 1, Release);
    }

    /// Takes a unit like a thread that vanishes between two stores of [`take`](Self::take).
    #[cfg(test)]
    pub(in crate::heap) fn take_without_count(&self) {
        let before = self.taken.load(Relaxed);
        let unit = self.take(self.heap().geometry().unit(), false);
        assert!(unit.is_some());
        self.taken.store(before, Relaxed);
    }

    /// The slots of the stack that hold units, oldest first.
    #[inline(always)]
    pub(super) fn slots(&self) -> &'static [Slot] {
        let stacked = self.stacked.load(Acquire) as usize;
        // SAFETY: invariant 1. A reader on another thread may see an old count with a new stack, which is
        // larger.
        unsafe { core::slice::from_raw_parts(self.stack.load(Acquire), stacked) }
    }
}
