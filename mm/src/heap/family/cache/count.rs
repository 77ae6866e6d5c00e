//! What a cache counts, and how others read it while its thread goes on.
//!
//! Only what leaves the hot slot and the stack is counted at each call; the rest follows:
//!
//! ```text
//! allocated = taken + refilled - left
//! released  = taken + hot + stacked + direct + run     (where units on the stack came from a map,
//!                                                       direct falls by so many)
//! ```
//!
//! `left` are the units from `cur` to `end`, `run` those released side by side that are not in the map yet.
//!
//! A reader reads every record's `released` first, then every `allocated`. A take empties a place before it
//! counts, and a reader loads the count before the places: so a take meanwhile makes `released` too small,
//! never too large; and each release that is counted happened after its allocation, which the second pass
//! therefore finds. So what is live is never negative, and it is exact when no thread is inside of a call.
//! Fields that change as one change while `version` is odd, and a reader begins again if it moved.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::biased::pause;
use super::record::{CLOSED, CacheRecord};
use crate::os::section;
use crate::sync::{AtomicU64, fence};

/// How often a reader tries to find the fields at rest. A thread that is stopped half way, by a debugger
/// say, must not stop all others.
const TRIES: u32 = 100;

/// So many units more than before may be a new peak.
const LEAST_RISE: i64 = 1_024;

impl CacheRecord {
    /// Changes fields that are one for a reader. The caller is the record's thread, inside of a section or under
    /// the family's lock, or has kept it out.
    #[inline]
    pub(super) fn change(&self, change: impl FnOnce()) {
        section::begin();
        odd_meanwhile(&self.version, change);
        section::end();
    }

    /// Moves units between the cache, the maps and the inboxes of others: whoever looks for one unit in all of
    /// them must see it in one. The caller is as above. It takes longer than [`change`](Self::change), on which
    /// readers of figures wait.
    #[inline]
    pub(super) fn moving<R>(&self, work: impl FnOnce() -> R) -> R {
        if !self.moves.load(Relaxed).is_multiple_of(2) {
            // A part of what moves together.
            return work();
        }
        odd_meanwhile(&self.moves, work)
    }

    /// What `read` says of the fields while none of those changed.
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

    /// A number that grows whenever units go from one place to another; none while they do.
    pub(in crate::heap) fn version(&self) -> Option<u64> {
        let (moves, version) = (self.moves.load(Acquire), self.version.load(Acquire));
        let is_at_rest = moves.is_multiple_of(2) && version.is_multiple_of(2);
        is_at_rest.then(|| moves.wrapping_add(version))
    }

    /// Units that the record's threads released: never more than they did. Less than 0 where a take is
    /// under way.
    pub(in crate::heap) fn released(&self) -> u64 {
        let released = self.consistent(|| {
            let taken = self.taken.load(Acquire);
            let hot = u64::from(self.hot.load(Acquire).addr() > CLOSED);
            let stacked = u64::from(self.stacked.load(Acquire));
            let direct = self.direct.load(Acquire);
            let sum = taken.wrapping_add(hot).wrapping_add(stacked);
            sum.wrapping_add(direct).wrapping_add(self.in_run())
        });
        // Each record by itself: one whose sum wrapped would take from the others'.
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

    /// Whether the thread has so many units more than when this was last asked, or than the least meanwhile,
    /// that the family's peak has to be looked at. The caller is the record's thread.
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
        // A reader may meet one field before and one after a change, and then begins again.
        self.heap
            .map_or(0, |heap| (bytes / heap.geometry().unit().max(1)) as u64)
    }

    /// Takes the counts over, from a record that is empty: allocated, released.
    pub(in crate::heap) fn take_counts(&self) -> (u64, u64) {
        let counts = (self.allocated(), self.released());
        self.change(|| {
            self.taken.store(0, Relaxed);
            self.refilled.store(0, Relaxed);
            self.direct.store(0, Relaxed);
        });
        counts
    }

    /// Units in the cache, as they are in the maps: taken. Not those that wait for other owners.
    pub(in crate::heap) fn cached(&self) -> u64 {
        self.consistent(|| {
            let hot = u64::from(self.hot.load(Relaxed).addr() > CLOSED);
            let pending = self.pending_units() as u64;
            hot + u64::from(self.stacked.load(Acquire)) + self.left() + self.in_run() + pending
        })
    }
}

/// Does something while a number is odd.
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

    /// As when a debugger stops the thread half way through a change.
    #[test]
    fn a_thread_that_is_stopped_delays_no_reader() {
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
