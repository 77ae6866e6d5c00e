//! The counts of a cache, and how other threads read them while its thread works.
//!
//! Only units that leave the hot slot and the stack are counted at each call. The other figures follow:
//!
//! ```text
//! allocated = taken + refilled - left
//! released  = taken + hot + stacked + direct + run     (where units on the stack came from a map,
//!                                                       direct falls by so many)
//! ```
//!
//! `left` are the units from `cur` to `end`. `run` are the units that were released side by side and are not in
//! the map yet.
//!
//! A reader reads every record's `released` first, then every `allocated`. A take empties a place before it
//! counts, and a reader loads the count before the places. So a concurrent take makes `released` too small,
//! never too large. Each release that is counted happened after its allocation, which the second pass therefore
//! finds. So the live units are never negative, and exact while no call is running. While fields change
//! together, `version` is odd; a reader begins again if `version` changed.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::biased::pause;
use super::record::{CLOSED, CacheRecord};
use crate::os::section;
use crate::sync::{AtomicU64, fence};

/// How often a reader tries to read consistent counts. It must not wait forever: a debugger may have stopped
/// the thread in the middle of a change.
const TRIES: u32 = 100;

/// If a thread's count rises by less than this, the family's peak need not be computed.
const LEAST_RISE: i64 = 1_024;

/// Blocks of one unit that a thread allocated and released, and their requested bytes. The numbers wrap, and only
/// differences mean something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) blocks_allocated: u64,
    pub(crate) bytes_allocated: u64,
    pub(crate) blocks_released: u64,
    pub(crate) bytes_released: u64,
}

impl Flow {
    pub(crate) const NONE: Self = Self {
        blocks_allocated: 0,
        bytes_allocated: 0,
        blocks_released: 0,
        bytes_released: 0,
    };

    /// A block of `bytes` bytes that was allocated.
    pub(crate) fn allocated(bytes: usize) -> Self {
        Self {
            blocks_allocated: 1,
            bytes_allocated: bytes as u64,
            ..Self::NONE
        }
    }

    /// A block of `bytes` bytes that was released.
    pub(crate) fn released(bytes: usize) -> Self {
        Self {
            blocks_released: 1,
            bytes_released: bytes as u64,
            ..Self::NONE
        }
    }

    /// A block that changed its length in place.
    pub(crate) fn resized(old: usize, new: usize) -> Self {
        Self {
            bytes_allocated: new.saturating_sub(old) as u64,
            bytes_released: old.saturating_sub(new) as u64,
            ..Self::NONE
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        self.with(other, u64::wrapping_add)
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        self.with(other, u64::wrapping_sub)
    }

    fn with(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            blocks_allocated: f(self.blocks_allocated, other.blocks_allocated),
            bytes_allocated: f(self.bytes_allocated, other.bytes_allocated),
            blocks_released: f(self.blocks_released, other.blocks_released),
            bytes_released: f(self.bytes_released, other.bytes_released),
        }
    }
}

impl CacheRecord {
    /// Changes counts that readers must see together. The caller is the record's thread, in a section or under
    /// the family's lock, or has kept that thread out.
    #[inline]
    pub(super) fn change(&self, change: impl FnOnce()) {
        section::begin();
        odd_meanwhile(&self.version, change);
        section::end();
    }

    /// Moves units between the cache, the maps and the inboxes of other threads. A reader that looks for a unit
    /// in all of these places must find it in one of them. The caller is the record's thread, in a section or
    /// under the family's lock, or has kept that thread out. `moves`, not `version`, is odd meanwhile, since
    /// this takes long and readers of figures need not wait for it.
    #[inline]
    pub(super) fn moving<R>(&self, work: impl FnOnce() -> R) -> R {
        if !self.moves.load(Relaxed).is_multiple_of(2) {
            // It is a part of a larger move.
            return work();
        }
        odd_meanwhile(&self.moves, work)
    }

    /// Calls `read` until no counts changed meanwhile, at most [`TRIES`] times. Returns what it returned.
    pub(super) fn consistent<R>(&self, mut read: impl FnMut() -> R) -> R {
        let mut tries = 0;
        loop {
            let version = self.version.load(Acquire);
            let answer = read();
            fence(Acquire);
            let is_whole = version.is_multiple_of(2) && self.version.load(Relaxed) == version;
            tries += 1;
            if is_whole || tries == TRIES {
                return answer;
            }
            pause(tries);
        }
    }

    /// A number that grows whenever units move from one place to another; `None` while they move.
    pub(in crate::heap) fn version(&self) -> Option<u64> {
        let (moves, version) = (self.moves.load(Acquire), self.version.load(Acquire));
        let is_at_rest = moves.is_multiple_of(2) && version.is_multiple_of(2);
        is_at_rest.then(|| moves.wrapping_add(version))
    }

    /// A lower bound for the units that the record's threads released, exact while no call is running. It is 0 if
    /// a take in progress makes the sum negative.
    pub(in crate::heap) fn released(&self) -> u64 {
        let released = self.consistent(|| {
            let taken = self.taken.load(Acquire);
            let hot = u64::from(self.hot.load(Acquire).addr() > CLOSED);
            let stacked = u64::from(self.stacked.load(Acquire));
            let direct = self.direct.load(Acquire);
            let sum = taken.wrapping_add(hot).wrapping_add(stacked);
            sum.wrapping_add(direct).wrapping_add(self.in_run())
        });
        // Each record's sum is raised to 0 if negative. Otherwise it would lower the sum of all records.
        released.cast_signed().max(0).cast_unsigned()
    }

    /// Units that the record's threads allocated: at least those that they had when the reader began.
    pub(in crate::heap) fn allocated(&self) -> u64 {
        self.consistent(|| {
            let taken = self.taken.load(Acquire);
            taken
                .wrapping_add(self.refilled.load(Relaxed))
                .wrapping_sub(self.left())
        })
    }

    /// Whether the thread has many more units than when this last returned true, or than at the lowest count
    /// since, so that the family's peak must be computed. The caller is the record's thread.
    #[inline]
    pub(in crate::heap) fn has_risen(&self) -> bool {
        let direct = self.direct.load(Relaxed);
        let has = self
            .refilled
            .load(Relaxed)
            .wrapping_sub(direct)
            .cast_signed();
        let mark = self.peak_mark.load(Relaxed).cast_signed();
        let rise = has.wrapping_sub(mark);
        let has_risen = rise >= LEAST_RISE.max(mark / 64);
        if has_risen || rise < 0 {
            self.peak_mark.store(has.cast_unsigned(), Relaxed);
        }
        has_risen
    }

    /// Counts bytes by which a taken block is longer than was requested; wraps. The caller is the record's thread.
    #[inline]
    pub(in crate::heap) fn account_padding(&self, bytes: u64) {
        let sum = self.padding_taken.load(Relaxed).wrapping_add(bytes);
        self.padding_taken.store(sum, Relaxed);
    }

    /// As [`account_padding`](Self::account_padding), for a block that is released.
    #[inline]
    pub(in crate::heap) fn account_padding_released(&self, bytes: u64) {
        let sum = self.padding_released.load(Relaxed).wrapping_add(bytes);
        self.padding_released.store(sum, Relaxed);
    }

    /// Bytes by which live blocks are longer than was requested; wraps.
    pub(in crate::heap) fn padding(&self) -> u64 {
        let taken = self.padding_taken.load(Relaxed);
        taken.wrapping_sub(self.padding_released.load(Relaxed))
    }

    /// What the record's thread, which is the caller, took and released. The numbers wrap.
    pub(in crate::heap::family) fn flow(&self) -> Flow {
        let unit = self.heap.map_or(0, |heap| heap.geometry().unit() as u64);
        let bytes = |units: u64, padding: &AtomicU64| {
            let padding = padding.load(Relaxed);
            units.wrapping_mul(unit).wrapping_sub(padding)
        };
        let (taken, released) = (self.allocated(), self.released());
        Flow {
            blocks_allocated: taken,
            bytes_allocated: bytes(taken, &self.padding_taken),
            blocks_released: released,
            bytes_released: bytes(released, &self.padding_released),
        }
    }

    /// Units side by side that wait to be handed out.
    pub(super) fn left(&self) -> u64 {
        let cur = self.cur.load(Acquire).addr();
        self.units_in(self.end.load(Relaxed).addr().wrapping_sub(cur))
    }

    /// Units that were released side by side and are not in the map yet.
    pub(super) fn in_run(&self) -> u64 {
        let run = self.run.load(Acquire).addr();
        self.units_in(run.wrapping_sub(self.run_from.load(Relaxed).addr()))
    }

    fn units_in(&self, bytes: usize) -> u64 {
        // A reader may read one field before and one after a change. Then it begins again.
        self.heap
            .map_or(0, |heap| (bytes / heap.geometry().unit().max(1)) as u64)
    }

    /// Returns the units allocated and released, and sets both to 0. The record is empty.
    pub(in crate::heap) fn take_counts(&self) -> (u64, u64) {
        let counts = (self.allocated(), self.released());
        self.change(|| {
            self.taken.store(0, Relaxed);
            self.padding_taken.store(0, Relaxed);
            self.padding_released.store(0, Relaxed);
            self.refilled.store(0, Relaxed);
            self.direct.store(0, Relaxed);
        });
        counts
    }

    /// Units in the cache that are taken in the maps, including those that wait to be sent to their owner.
    pub(in crate::heap) fn cached(&self) -> u64 {
        self.consistent(|| {
            let hot = u64::from(self.hot.load(Relaxed).addr() > CLOSED);
            let pending = self.pending_units() as u64;
            hot + u64::from(self.stacked.load(Acquire)) + self.left() + self.in_run() + pending
        })
    }
}

/// Runs `work` while a number is odd.
#[inline]
fn odd_meanwhile<R>(number: &AtomicU64, work: impl FnOnce() -> R) -> R {
    let before = number.load(Relaxed);
    number.store(before + 1, Relaxed);
    fence(Release);
    let answer = work();
    number.store(before + 2, Release);
    answer
}

#[cfg(all(test, not(loom)))]
mod tests {
    use core::alloc::Layout;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::heap::family::Heap;

    /// The test does what a debugger does that stops the thread in the middle of a change.
    #[test]
    fn a_stopped_thread_does_not_block_readers() {
        let heap: &'static Heap = Box::leak(Box::new(Heap::new(Layout::new::<u64>())));
        let record = CacheRecord::make(heap).expect("memory for a record");
        record.version.store(1, Relaxed);
        let start = Instant::now();
        assert_eq!(
            (record.released(), record.allocated(), record.cached()),
            (0, 0, 0)
        );
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
