//! Which units a cache claimed and never handed out since: those that were never released since have
//! no mark (see `by_address`).

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use super::CacheCell;
use super::claim::Claim;
use super::record::CacheRecord;

impl CacheCell {
    /// Whether the unit is one that the cell's cache claimed and has not handed out.
    #[inline]
    pub(in crate::heap) fn has_claimed(&self, unit: NonNull<u8>, unit_size: usize) -> bool {
        self.record().has_claimed(unit, unit_size)
    }
}

impl CacheRecord {
    /// Whether the unit is in one of the claims that are not used up.
    #[inline]
    fn has_claimed(&self, unit: NonNull<u8>, unit_size: usize) -> bool {
        let used = self.claims_used.load(Relaxed) as usize;
        let claims = self.claims.load(Relaxed) as usize;
        let mut left = self.claimed.iter().take(claims).skip(used);
        left.any(|claim| claim.spans(unit, unit_size) && claim.holds(unit, unit_size))
    }
}

impl Claim {
    /// Whether the unit is one of the word's, left or not.
    #[inline]
    fn spans(&self, unit: NonNull<u8>, unit_size: usize) -> bool {
        let first = self.first.load(Relaxed).addr();
        unit.addr().get().wrapping_sub(first) < unit_size * u64::BITS as usize
    }
}
