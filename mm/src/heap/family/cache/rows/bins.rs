//! Released blocks of a few units: a stack for each length.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::heap::ground::{Block, Geometry, LONG_ROW, Row};
use crate::sync::{AtomicPtr, AtomicU16};

/// Blocks of one length that a cache keeps, at most.
const MOST_BLOCKS: usize = 64;

/// Bytes of blocks of one length that a cache keeps, at most.
const MOST_BYTES: usize = 64 << 10;

/// Blocks that a refill takes, at most.
const MOST_REFILLED: usize = 32;

/// The released short rows of one thread and one family.
///
/// # Invariants
///
/// 1. Only the thread of the cache stores into the fields, in a section or under the family's lock; or another
///    thread under that lock, while the first is kept out of its sections: see `biased`.
/// 2. In the bin of length n, n from 2 on, `count <= room`, and the slots below `count` hold blocks of n units
///    that are taken in the maps and in no other place.
#[derive(Debug)]
#[repr(C, align(64))]
pub(in crate::heap) struct Bins {
    count: PerBin,
    /// Blocks that a bin may hold; 0 until it is used.
    room: PerBin,
    /// The blocks below this index are known to be zero.
    zero: PerBin,
    refills: PerBin,
    slots: [[AtomicPtr<u8>; MOST_BLOCKS]; LONG_ROW],
}

/// One number for each length. All counts together are one line of the CPU's cache.
type PerBin = [AtomicU16; LONG_ROW];

// SAFETY: the fields of `Bins` are arrays of atomic integers and of atomic pointers, and zero is a value of
// each.
unsafe impl bytemuck::Zeroable for Bins {}

impl Bins {
    /// Takes a block of `units` units.
    #[inline]
    pub(in crate::heap::family::cache) fn take(&self, units: usize) -> Option<Block> {
        let bin = units % LONG_ROW;
        let left = self.count[bin].load(Relaxed).checked_sub(1)?;
        let slot = &self.slots[bin][usize::from(left) % MOST_BLOCKS];
        let first = NonNull::new(slot.load(Relaxed))?;
        let zero = left < self.zero[bin].load(Relaxed);
        if zero {
            self.zero[bin].store(left, Relaxed);
        }
        // `Release`: as in `put`, for a reader that sees this count first.
        self.count[bin].store(left, Release);
        Some(Block { first, zero })
    }

    /// Keeps a block of `units` units; returns false without room.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a block of `units` units of the cache's family that is taken in the maps, and in
    ///    no cache.
    /// 2. Nothing uses it.
    #[inline]
    pub(in crate::heap::family::cache) unsafe fn put(
        &self,
        first: NonNull<u8>,
        units: usize,
    ) -> bool {
        let bin = units % LONG_ROW;
        let count = self.count[bin].load(Relaxed);
        let fits = count < self.room[bin].load(Relaxed);
        if fits {
            let slot = &self.slots[bin][usize::from(count) % MOST_BLOCKS];
            slot.store(first.as_ptr(), Relaxed);
            // `Release`: a reader that sees the count must see the slots below it.
            self.count[bin].store(count + 1, Release);
        }
        fits
    }

    /// Gives the bin for `units` units its room. Returns whether it had none.
    pub(in crate::heap) fn prepare(&self, geometry: &Geometry, units: usize) -> bool {
        let bin = units % LONG_ROW;
        let room = MOST_BLOCKS.min(MOST_BYTES / (units * geometry.unit()));
        let is_new = self.room[bin].load(Relaxed) == 0 && room > 0;
        self.room[bin].store(small(room), Relaxed);
        is_new
    }

    /// Blocks of `units` units that the next refill takes, including the one to hand out: twice as many as the
    /// refill before.
    pub(in crate::heap) fn blocks_per_refill(&self, geometry: &Geometry, units: usize) -> usize {
        self.prepare(geometry, units);
        let bin = units % LONG_ROW;
        let refills = self.refills[bin].load(Relaxed);
        self.refills[bin].store(refills.saturating_add(1), Relaxed);
        let eager = MOST_REFILLED.min(1 << refills.min(15));
        let room = self.room[bin].load(Relaxed);
        let left = room.saturating_sub(self.count[bin].load(Relaxed));
        let most = usize::from(left.min(room / 2));
        eager.min(most).min(geometry.capacity() / units).max(1)
    }

    /// Keeps the blocks of a refill. Either all are known to be zero, or none.
    ///
    /// # Safety
    ///
    /// 1. Each of `blocks` is the start of a block of `units` units of the cache's family that is taken in the
    ///    maps, and in no cache.
    /// 2. Nothing uses them.
    pub(in crate::heap) unsafe fn refill(
        &self,
        blocks: impl Iterator<Item = NonNull<u8>>,
        units: usize,
        zero: bool,
    ) {
        let bin = units % LONG_ROW;
        let was_empty = self.count[bin].load(Relaxed) == 0;
        for first in blocks {
            // SAFETY: requirements 1 and 2 are those of `put`, for each of the `blocks`.
            let fits = unsafe { self.put(first, units) };
            debug_assert!(fits, "a refill takes no more than there is room for");
        }
        // `zero` is about the lowest blocks of the bin, so it cannot cover blocks above others.
        if was_empty {
            let known = self.count[bin].load(Relaxed);
            self.zero[bin].store(known * u16::from(zero), Relaxed);
        }
    }

    /// Removes the older half of the blocks of `units` units, and calls `free` with each. Returns whether there
    /// were any.
    pub(in crate::heap) fn drain_half(&self, units: usize, free: impl FnMut(Row)) -> bool {
        let count = self.count[units % LONG_ROW].load(Relaxed);
        self.drain_oldest(units % LONG_ROW, count.div_ceil(2), free);
        count > 0
    }

    /// Removes every block, and calls `free` with each.
    pub(in crate::heap) fn drain(&self, mut free: impl FnMut(Row)) {
        for (bin, count) in self.count.iter().enumerate() {
            match count.load(Relaxed) {
                0 => {}
                count => self.drain_oldest(bin, count, &mut free),
            }
        }
        self.refills
            .iter()
            .for_each(|count| count.store(0, Relaxed));
    }

    /// The number of blocks, and their units.
    pub(in crate::heap) fn held(&self) -> (u64, u64) {
        let counts = self
            .count
            .iter()
            .map(|count| u64::from(count.load(Relaxed)));
        let add = |(blocks, units), (bin, count): (usize, u64)| {
            (blocks + count, units + count * bin as u64)
        };
        counts.enumerate().fold((0, 0), add)
    }

    /// The blocks.
    pub(in crate::heap) fn iter(&self) -> impl Iterator<Item = Row> {
        (0..LONG_ROW).flat_map(|units| {
            let blocks = self.blocks(units);
            blocks.map(move |first| Row { first, units })
        })
    }

    fn blocks(&self, bin: usize) -> impl Iterator<Item = NonNull<u8>> {
        let count = self.count[bin].load(Acquire).into();
        let slots = self.slots[bin].iter().take(count);
        slots.filter_map(|slot| NonNull::new(slot.load(Relaxed)))
    }

    fn drain_oldest(&self, bin: usize, count: u16, mut free: impl FnMut(Row)) {
        let oldest = self.blocks(bin).take(count.into());
        oldest.for_each(|first| free(Row { first, units: bin }));
        let left = self.count[bin].load(Relaxed) - count;
        let slots = &self.slots[bin];
        let newer = slots.iter().skip(count.into()).take(left.into());
        for (to, from) in slots.iter().zip(newer) {
            to.store(from.load(Relaxed), Relaxed);
        }
        self.count[bin].store(left, Relaxed);
        let zero = self.zero[bin].load(Relaxed).saturating_sub(count);
        self.zero[bin].store(zero, Relaxed);
    }
}

/// Converts a count of blocks of one bin.
fn small(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
