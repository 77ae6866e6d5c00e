//! One word of a VM page's map: which of 64 units are taken, and which thread may say so.
//!
//! A word without an owner changes only under the family's lock. A word with one changes only inside of
//! its owner's slow paths, or under the family's lock while the owner is kept out of them: see `biased`.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::sync::{AtomicPtr, AtomicU32, AtomicU64};

/// The number of a cache record, or [`NOBODY`].
pub(in crate::heap) type Owner = u32;

/// No thread owns the word.
pub(in crate::heap) const NOBODY: Owner = 0;

/// 64 units of a VM page, or fewer at its end.
///
/// # Invariants
///
/// 1. Of a word that a thread owns every unit that is no unit of the page is taken, and none is part of a
///    block of more than one unit.
/// 2. The units from `high` on were not handed out since their memory was last known to be zero, and so
///    are zero.
#[derive(Debug)]
#[repr(C)]
pub(in crate::heap) struct Word {
    /// Bit for each unit that is live, in a cache, or on its way back to its owner.
    taken: AtomicU64,
    owner: AtomicU32,
    high: AtomicU32,
}

/// What other threads released of one word, on its way to the word's owner.
///
/// # Invariants
///
/// 1. While `bits` is not zero, the word is in exactly one list, or is being put into one by the thread
///    that found it zero.
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

    /// The thread that owns the word. `Acquire`: see [`set_owner`](Self::set_owner).
    #[inline]
    pub(in crate::heap) fn owner(&self) -> Owner {
        self.owner.load(Acquire)
    }

    /// The same, for a thread that asks only whether it is the owner: it knows what it did itself.
    #[inline]
    pub(in crate::heap) fn is_owned_by(&self, owner: Owner) -> bool {
        self.owner.load(Relaxed) == owner
    }

    /// Makes a thread the owner, or nobody. Under the family's lock. `Release`: a thread that finds the
    /// owner finds its record as it was when the owner got the word.
    pub(in crate::heap) fn set_owner(&self, owner: Owner) {
        self.owner.store(owner, Release);
    }

    /// Notes that the units of `mask` are handed out; whether all of them are known to be zero.
    #[inline]
    pub(in crate::heap) fn touch(&self, mask: u64) -> bool {
        let high = self.high.load(Relaxed);
        let end = u64::BITS - mask.leading_zeros();
        if end > high {
            self.high.store(end, Relaxed);
        }
        mask.trailing_zeros() >= high
    }

    /// Units from this one on are known to be zero.
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
