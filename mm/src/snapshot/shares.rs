//! Shares of the bytes of pages that are not empty: live, free, the rest.

use core::iter::Sum;

use super::FamilySnapshot;

/// Bytes of VM pages that hold at least one taken unit.
///
/// For each family `live + free <= mapped`, so this holds for each sum. A figure that exceeds it after a race
/// is reduced. `u128` holds the sum of any number of families.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PageShares {
    /// Bytes of the pages.
    pub(crate) mapped: u128,
    /// Bytes of live units in them.
    pub(crate) live: u128,
    /// Bytes of free units in them.
    pub(crate) free: u128,
}

impl PageShares {
    /// Reads the shares of one family.
    pub(super) fn of(family: &FamilySnapshot) -> Self {
        let mapped = family.occupied_page_bytes;
        let live = family.live_bytes.min(mapped);
        let free = family.occupied_page_free_bytes.min(mapped - live);
        Self {
            mapped: mapped.into(),
            live: live.into(),
            free: free.into(),
        }
    }

    /// Returns the live part of the pages, from 0 to 1.
    pub(super) fn utilisation(self) -> f64 {
        fraction(self.live, self.mapped)
    }

    /// Returns the part of the pages that is free units, from 0 to 1.
    pub(super) fn external_fragmentation(self) -> f64 {
        fraction(self.free, self.mapped)
    }

    /// Returns the part of the pages that is neither, from 0 to 1.
    pub(super) fn internal_fragmentation(self) -> f64 {
        fraction(self.mapped - self.live - self.free, self.mapped)
    }
}

impl Sum for PageShares {
    fn sum<I: Iterator<Item = Self>>(shares: I) -> Self {
        shares.fold(Self::default(), |sum, next| Self {
            mapped: sum.mapped + next.mapped,
            live: sum.live + next.live,
            free: sum.free + next.free,
        })
    }
}

/// Divides; 0 / 0 is 0.
#[expect(
    clippy::cast_precision_loss,
    reason = "a fraction needs fewer digits than f64 has"
)]
fn fraction(part: u128, whole: u128) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}
