//! Free units of one map word.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::Relaxed;

use crate::sync::{AtomicPtr, AtomicU64};

/// Free units of one map word, taken together.
#[derive(Debug)]
pub(super) struct Claim {
    /// The unit of bit 0.
    pub(super) first: AtomicPtr<u8>,
    pub(super) mask: AtomicU64,
}

impl Claim {
    pub(super) const fn none() -> Self {
        Self {
            first: AtomicPtr::new(ptr::null_mut()),
            mask: AtomicU64::new(0),
        }
    }

    pub(super) fn units(&self) -> u64 {
        u64::from(self.mask.load(Relaxed).count_ones())
    }

    pub(super) fn clear(&self) {
        self.mask.store(0, Relaxed);
    }

    /// The unit of bit `bit`.
    #[inline]
    pub(super) fn unit(&self, bit: u32, unit: usize) -> Option<NonNull<u8>> {
        // The pointer has the provenance of the whole reservation, so no step leaves it.
        NonNull::new(self.first.load(Relaxed).wrapping_add(bit as usize * unit))
    }

    /// Whether the unit is one of those that are left.
    pub(super) fn holds(&self, unit: NonNull<u8>, unit_size: usize) -> bool {
        let mask = self.mask.load(Relaxed);
        let first = self.first.load(Relaxed).addr();
        let index = unit.addr().get().wrapping_sub(first) / unit_size;
        mask != 0 && index < 64 && mask >> index & 1 != 0
    }

    /// The units that are left.
    pub(super) fn units_left(&self, unit: usize) -> impl Iterator<Item = NonNull<u8>> {
        let mask = self.mask.load(Relaxed);
        let bits = (0..u64::BITS).filter(move |bit| mask >> bit & 1 != 0);
        bits.filter_map(move |bit| self.unit(bit, unit))
    }
}
