//! A word of a VM page's map: which of 64 units are taken, and which thread owns the word.
//!
//! A word without an owner changes only under the family's lock. A word with an owner changes only in the
//! owner's sections, or under the family's lock while the owner is kept out of its sections: see `biased`.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::sync::{AtomicPtr, AtomicU32, AtomicU64};

/// The number of a cache record, or [`NO_OWNER`].
pub(in crate::heap) type Owner = u32;

/// The word has no owner.
pub(in crate::heap) const NO_OWNER: Owner = 0;

/// 64 units of a VM page, or fewer at its end.
///
/// # Invariants
///
/// 1. In a word with an owner, every bit beyond the page's units is set, and no unit is part of a block of more
///    than one unit.
/// 2. The units from `high` on were not handed out since their memory was last known to be zero, and so are
///    zero.
#[derive(Debug)]
#[repr(C)]
pub(in crate::heap) struct Word {
    /// A bit for each unit that is live, in a cache, or on its way back to its owner.
    taken: AtomicU64,
    owner: AtomicU32,
    high: AtomicU32,
}

/// Units of one word that other threads released, on their way to the word's owner.
///
/// # Invariants
///
/// 1. While `bits` is not zero, the word is in exactly one list, or the thread that found it zero is putting it
///    into one.
/// 2. The thread that took the word off a list, and no other, takes the bits, after it has read `next`.
#[derive(Debug)]
pub(in crate::heap) struct Remote {
    pub(in crate::heap) bits: AtomicU64,
    /// The first unit of the next word in the list.
    pub(in crate::heap) next: AtomicPtr<u8>,
}

// SAFETY: the fields of `Word` are atomic integers, and zero is a value of each: no owner, as invariant 1 of
// `Word` allows.
unsafe impl bytemuck::Zeroable for Word {}

// SAFETY: the fields of `Remote` are an atomic integer and an atomic pointer, and zero is a value of each:
// no bits, as invariant 1 of `Remote` allows.
unsafe impl bytemuck::Zeroable for Remote {}

impl Remote {
    pub(in crate::heap) fn bits(&self) -> u64 {
        self.bits.load(Relaxed)
    }
}

impl Word {
    #[inline]
    pub(in crate::heap) fn taken(&self) -> u64 {
        self.taken.load(Relaxed)
    }

    #[inline]
    pub(in crate::heap) fn set_taken(&self, taken: u64) {
        self.taken.store(taken, Relaxed);
    }

    /// The owner. `Acquire` pairs with [`set_owner`](Self::set_owner).
    #[inline]
    pub(in crate::heap) fn owner(&self) -> Owner {
        self.owner.load(Acquire)
    }

    /// Whether `owner` owns the word. The caller asks about itself, so it needs no `Acquire`.
    #[inline]
    pub(in crate::heap) fn is_owned_by(&self, owner: Owner) -> bool {
        self.owner.load(Relaxed) == owner
    }

    /// Sets the owner, under the family's lock. `Release`: a thread that finds the owner also finds the owner's
    /// record as it was at this time.
    pub(in crate::heap) fn set_owner(&self, owner: Owner) {
        self.owner.store(owner, Release);
    }

    /// Notes that the units of `mask` are handed out; returns whether all of them are known to be zero.
    #[inline]
    pub(in crate::heap) fn touch(&self, mask: u64) -> bool {
        let high = self.high.load(Relaxed);
        let end = u64::BITS - mask.leading_zeros();
        if end > high {
            self.high.store(end, Relaxed);
        }
        mask.trailing_zeros() >= high
    }

    /// The number of the first unit from which on all are known to be zero.
    pub(in crate::heap) fn high(&self) -> usize {
        self.high.load(Relaxed) as usize
    }

    /// Notes that the units from `high` on are zero again.
    pub(in crate::heap) fn lower(&self, high: u32) {
        if high < self.high.load(Relaxed) {
            self.high.store(high, Relaxed);
        }
    }
}
