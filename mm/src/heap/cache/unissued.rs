//! Which units a cache claimed and never handed out since: those that were never released since have
//! no mark (see `marks`).

use core::sync::atomic::Ordering::Relaxed;

use super::claim::Claim;
use super::record::CacheRecord;

/// A unit by the word of the map that its bit is in.
#[derive(Clone, Copy)]
pub(in crate::heap) struct BitOfWord {
    /// Address of the unit of bit 0.
    pub(in crate::heap) first: usize,
    pub(in crate::heap) bit: u32,
}

impl CacheRecord {
    /// Whether the unit is in one of the claims that are not used up.
    #[inline]
    pub(in crate::heap) fn has_claimed(&self, unit: BitOfWord) -> bool {
        let mut number = self.claims_used.load(Relaxed);
        let claims = self.claims.load(Relaxed);
        while number < claims {
            let claim = self.claimed.get(number as usize);
            if claim.is_some_and(|claim| claim.has(unit)) {
                return true;
            }
            number += 1;
        }
        false
    }
}

impl Claim {
    #[inline]
    fn has(&self, unit: BitOfWord) -> bool {
        let is_word = self.first.load(Relaxed).addr() == unit.first;
        is_word && self.mask.load(Relaxed) >> unit.bit & 1 != 0
    }
}
