//! Sums over all families that are not in the table of figures.
//!
//! There is no total of peaks: families peak at different moments, and the sum of their peaks is
//! a height that the process may never have reached.

use super::{FamilySnapshot, PageShares, Snapshot};

impl Snapshot {
    /// Returns the bytes of VM pages that are backed by memory; `None` if they are unknown for any
    /// family.
    #[must_use]
    pub fn resident_bytes(&self) -> Option<u64> {
        self.resident_bytes_sum().map(saturated)
    }

    /// Returns the bytes of the units in all threads' caches.
    #[must_use]
    pub fn cached_bytes(&self) -> u64 {
        saturated(self.cached_bytes_sum())
    }

    /// Returns the bytes that [`trim`](crate::trim) would return now: those of whole OS pages
    /// without a live or cached unit that the program may have written to, touched or not.
    ///
    /// The figure excludes the caches of other threads, which flush them later. Whether the kernel refuses
    /// some memory, such as locked memory, is known only after an attempt to return it. Refused bytes are
    /// left out from then on. `trim` tries them again, and returns more than this figure if the kernel
    /// then accepts them.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// let rows = PageFamily::register("reclaimable-doc:rows", Layout::new::<[u64; 512]>())?;
    /// let block = rows.alloc(256)?;
    /// # // SAFETY: `alloc` gave the block, which is not used any more.
    /// # unsafe { rows.release(block)? };
    /// let reclaimable = mm::snapshot().reclaimable_bytes();
    /// assert_eq!(mm::trim() as u64, reclaimable);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn reclaimable_bytes(&self) -> u64 {
        self.total(|f| f.reclaimable_bytes)
    }

    /// Returns the live part of the mapped bytes of all VM pages that are not empty, from 0 to 1.
    ///
    /// Together with [`external_fragmentation`](Self::external_fragmentation) and
    /// [`internal_fragmentation`](Self::internal_fragmentation) it makes 1, or all three are 0.
    ///
    /// # Examples
    ///
    /// ```
    /// let snapshot = mm::snapshot();
    /// assert!((0.0..=1.0).contains(&snapshot.utilisation()));
    /// ```
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        self.page_shares().utilisation()
    }

    /// Returns the part of those bytes that is free units, from 0 to 1.
    #[must_use]
    pub fn external_fragmentation(&self) -> f64 {
        self.page_shares().external_fragmentation()
    }

    /// Returns the part of those bytes that is neither live nor free, from 0 to 1.
    #[must_use]
    pub fn internal_fragmentation(&self) -> f64 {
        self.page_shares().internal_fragmentation()
    }

    /// Adds up one figure, exactly.
    pub(crate) fn sum(&self, figure: impl Fn(&FamilySnapshot) -> u64) -> u128 {
        self.families.iter().map(|f| u128::from(figure(f))).sum()
    }

    /// Adds up the resident bytes of all families, exactly, if all are known.
    pub(crate) fn resident_bytes_sum(&self) -> Option<u128> {
        let each = self.families.iter().map(|family| family.resident_bytes);
        each.map(|bytes| bytes.map(u128::from)).sum()
    }

    /// Adds up the bytes of the units in all threads' caches, exactly.
    pub(crate) fn cached_bytes_sum(&self) -> u128 {
        let bytes = self.families.iter().map(FamilySnapshot::cached_bytes);
        bytes.fold(0, u128::saturating_add)
    }

    /// Adds up the live and free shares of all pages that are not empty.
    pub(crate) fn page_shares(&self) -> PageShares {
        self.families.iter().map(FamilySnapshot::page_shares).sum()
    }

    /// Adds up one figure.
    pub(super) fn total(&self, figure: impl Fn(&FamilySnapshot) -> u64) -> u64 {
        saturated(self.sum(figure))
    }
}

/// Saturates a sum.
fn saturated(sum: u128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}
