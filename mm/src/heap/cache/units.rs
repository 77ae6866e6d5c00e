//! How units come into a cache and leave it. Only the cache's thread calls any of this.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::claim::Claim;
use super::record::{CacheRecord, MOST_CLAIMS};
use crate::heap::geometry::Geometry;
use crate::heap::{Block, meta};
use crate::sync::{AtomicPtr, MODELLED};

/// Released units that one cache holds at most. With half of it, a loop that makes a thousand
/// values and drops them takes a third longer; with more, nothing that was measured gains.
const MOST_STACKED: usize = 1_024;

/// Units that are freed while the lock is held once: a thread that waits for it meanwhile need
/// not go to sleep.
pub(in crate::heap) type Portion = [NonNull<u8>; if MODELLED { 1 } else { 128 }];

/// Released units that a new cache has room for.
const FIRST_STACK: usize = if MODELLED { 1 } else { 16 };

/// Bytes of released units, and of claimed units, that one cache holds at most.
const MOST_BYTES: usize = 128 << 10;

#[allow(clippy::inline_always, reason = "the hot path, as in the cell")]
impl CacheRecord {
    /// Forgets all units, which were freed. The caller is the record's thread and holds the lock.
    pub(in crate::heap) fn account_drained(&self) {
        self.hot.store(ptr::null_mut(), Relaxed);
        self.stacked.store(0, Release);
        self.claimed.iter().for_each(Claim::clear);
        self.claims.store(0, Relaxed);
        self.claims_used.store(0, Relaxed);
        self.eager.store(1, Relaxed);
    }

    /// Copies some of the oldest units, of the first `until` of the stack; how many. The caller
    /// frees them before it lets the lock go.
    pub(in crate::heap) fn copy_oldest(&self, portion: &mut Portion, until: usize) -> usize {
        let slots = &self.slots()[self.freed()..until];
        for (to, from) in portion.iter_mut().zip(slots) {
            *to = NonNull::new(from.load(Relaxed)).unwrap_or(*to);
        }
        slots.len().min(portion.len())
    }

    /// Notes that so many more units were freed, of the first `until` of the stack. The caller is
    /// the record's thread and holds the lock.
    pub(in crate::heap) fn account_freed(&self, count: usize, until: usize) {
        let freed = self.freed() + count;
        if freed < until {
            return self.freed.store(small(freed), Relaxed);
        }
        let (slots, stacked) = (self.slots(), self.stacked());
        for (to, from) in slots.iter().zip(&slots[freed..stacked]) {
            to.store(from.load(Relaxed), Relaxed);
        }
        self.stacked.store(small(stacked - freed), Release);
        self.freed.store(0, Relaxed);
    }

    /// Units at the start of the stack that a flush under way has freed.
    pub(in crate::heap) fn freed(&self) -> usize {
        self.freed.load(Relaxed) as usize
    }

    /// Units on the stack.
    pub(in crate::heap) fn stacked(&self) -> usize {
        self.stacked.load(Relaxed) as usize
    }

    /// Units that the next refill takes. Each takes twice as many words as the one before.
    pub(in crate::heap) fn units_per_refill(&self, geometry: &Geometry) -> usize {
        let words = self.eager.load(Relaxed) as usize;
        self.eager
            .store(small((words * 2).min(MOST_CLAIMS)), Relaxed);
        (words * 64).min(most_units(geometry))
    }

    /// Whether a refill can add another word.
    pub(in crate::heap) fn has_room_for_claim(&self) -> bool {
        (self.claims.load(Relaxed) as usize) < MOST_CLAIMS
    }

    /// Adds a word to those that units are taken from. The caller is the record's thread, holds
    /// the lock, and refills a cache whose claims are used up.
    pub(in crate::heap) fn add_claim(&self, first: NonNull<u8>, mask: u64, zero: bool) {
        let claims = self.claims.load(Relaxed);
        let claim = &self.claimed[claims as usize];
        claim.first.store(first.as_ptr(), Relaxed);
        claim.mask.store(mask, Relaxed);
        let others = self.zero_claims.load(Relaxed) & !(1 << claims);
        self.zero_claims
            .store(others | u32::from(zero) << claims, Relaxed);
        self.claims.store(claims + 1, Relaxed);
    }

    /// Makes room for more released units, unless the cache may hold no more.
    ///
    /// The smaller stacks before stay behind: together they are less than the last.
    pub(in crate::heap) fn grow_stack(&self, geometry: &Geometry) -> bool {
        let room = self.room.load(Relaxed) as usize;
        let wanted = (room * 4)
            .clamp(FIRST_STACK, MOST_STACKED)
            .min(most_units(geometry));
        if wanted <= room {
            return false;
        }
        let Ok(slots) = meta::RECORDS.zeroed::<AtomicPtr<u8>>(wanted) else {
            return false;
        };
        for (to, from) in slots.iter().zip(self.slots()) {
            to.store(from.load(Relaxed), Relaxed);
        }
        self.stack.store(slots.as_ptr().cast_mut(), Release);
        self.room.store(small(wanted), Release);
        true
    }

    /// Counts a block that leaves the cache.
    #[inline(always)]
    pub(in crate::heap) fn account_allocated(&self) {
        // Left out only to measure what it costs; every figure is wrong then.
        if cfg!(mm_unaccounted) {
            return;
        }
        // Only this thread stores it. `Release`: after the cache shrank, see the module's head.
        self.allocated
            .store(self.allocated.load(Relaxed) + 1, Release);
    }

    /// Takes a unit as a thread does that vanishes between two stores of [`take`](Self::take).
    #[cfg(test)]
    pub(in crate::heap) fn take_without_count(&self) {
        let before = self.allocated.load(Relaxed);
        let unit = self.take(self.heap().geometry().unit());
        assert!(unit.is_some());
        self.allocated.store(before, Relaxed);
    }

    /// Takes a unit from the hot slot, else from the stack, else from the claim in use.
    #[inline(always)]
    pub(in crate::heap) fn take(&self, unit: usize) -> Option<Block> {
        let block = match NonNull::new(self.hot.load(Relaxed)) {
            Some(first) => {
                self.hot.store(ptr::null_mut(), Relaxed);
                Block { first, zero: false }
            }
            None => self.pop().or_else(|| self.take_claimed(unit))?,
        };
        self.account_allocated();
        Some(block)
    }

    /// Puts a unit into the hot slot, else on the stack, if it has room.
    #[inline(always)]
    pub(in crate::heap) fn put(&self, unit: NonNull<u8>) -> bool {
        if self.hot.load(Relaxed).is_null() {
            self.hot.store(unit.as_ptr(), Relaxed);
            return true;
        }
        self.push(unit)
    }

    #[inline(always)]
    fn pop(&self) -> Option<Block> {
        let left = self.stacked.load(Relaxed).checked_sub(1)?;
        let slot = self.slots().get(left as usize)?;
        let first = NonNull::new(slot.load(Relaxed))?;
        // `Release`: a reader that sees this count must see a stack with room for it.
        self.stacked.store(left, Release);
        Some(Block { first, zero: false })
    }

    #[inline(always)]
    fn push(&self, unit: NonNull<u8>) -> bool {
        let stacked = self.stacked.load(Relaxed);
        let Some(slot) = self.slots().get(stacked as usize) else {
            return false;
        };
        slot.store(unit.as_ptr(), Relaxed);
        self.stacked.store(stacked + 1, Release);
        true
    }

    /// Takes a unit from the claim in use, unless it is used up.
    #[inline(always)]
    fn take_claimed(&self, unit: usize) -> Option<Block> {
        let used = self.claims_used.load(Relaxed) as usize % MOST_CLAIMS;
        let claim = &self.claimed[used];
        let mask = claim.mask.load(Relaxed);
        if mask == 0 {
            return None;
        }
        claim.mask.store(mask & (mask - 1), Relaxed);
        let first = claim.unit(mask.trailing_zeros(), unit)?;
        let zero = self.zero_claims.load(Relaxed) >> used & 1 != 0;
        Some(Block { first, zero })
    }

    /// Goes on to the next claim; false if there is none.
    pub(in crate::heap) fn next_claim(&self) -> bool {
        let next = self.claims_used.load(Relaxed) + 1;
        let more = next < self.claims.load(Relaxed);
        if more {
            self.claims_used.store(next, Relaxed);
        } else {
            self.claims.store(0, Relaxed);
            self.claims_used.store(0, Relaxed);
        }
        more
    }

    #[inline(always)]
    pub(super) fn slots(&self) -> &'static [AtomicPtr<u8>] {
        let room = self.room.load(Acquire) as usize;
        // SAFETY: invariant 1. A reader on another thread may see an old `room` with a new stack,
        // which is larger: `room` grows last.
        unsafe { core::slice::from_raw_parts(self.stack.load(Acquire), room) }
    }
}

/// Units that one cache holds at most, of each kind.
fn most_units(geometry: &Geometry) -> usize {
    (MOST_BYTES / geometry.unit()).max(1)
}

/// A count that a cache's bounds keep small.
fn small(count: usize) -> u32 {
    u32::try_from(count).expect("a cache holds less than 2^32 units")
}
