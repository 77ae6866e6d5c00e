//! What follows from one family's figures.

use super::{FamilySnapshot, PageShares};

impl FamilySnapshot {
    /// Returns how many live and free blocks there are; together they tile the VM pages in use.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// PageFamily::register("blocks-doc:rows", Layout::new::<u64>())?.alloc(5)?;
    /// let snapshot = mm::snapshot();
    /// let rows = snapshot.family("blocks-doc:rows").unwrap();
    /// assert_eq!(rows.total_blocks(), rows.live_blocks + rows.free_blocks);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn total_blocks(&self) -> u64 {
        self.live_blocks.saturating_add(self.free_blocks)
    }

    /// Returns the units of the largest free block, 0 if there is none.
    ///
    /// A block of that many units can be handed out without another VM page.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// PageFamily::register("largest-doc:rows", Layout::new::<u64>())?.alloc(5)?;
    /// let snapshot = mm::snapshot();
    /// let rows = snapshot.family("largest-doc:rows").unwrap();
    /// assert!(rows.largest_free_block() <= rows.free_units);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn largest_free_block(&self) -> u64 {
        self.largest_free_block
    }

    /// Returns the live part of the mapped bytes of VM pages that are not empty, from 0 to 1.
    ///
    /// Together with [`external_fragmentation`](Self::external_fragmentation) and
    /// [`internal_fragmentation`](Self::internal_fragmentation) it makes 1, or all three are 0
    /// when the family has no such page.
    ///
    /// # Examples
    ///
    /// ```
    /// use mm::PageFamily;
    /// use std::alloc::Layout;
    ///
    /// PageFamily::register("shares-doc:rows", Layout::new::<u64>())?.alloc(5)?;
    /// let snapshot = mm::snapshot();
    /// let rows = snapshot.family("shares-doc:rows").unwrap();
    /// let sum = rows.utilisation() + rows.external_fragmentation() + rows.internal_fragmentation();
    /// assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        self.page_shares().utilisation()
    }

    /// Returns the fraction of those bytes in free units, the holes between blocks, from 0 to 1.
    #[must_use]
    pub fn external_fragmentation(&self) -> f64 {
        self.page_shares().external_fragmentation()
    }

    /// Returns the fraction of those bytes that is neither, from 0 to 1: the space in a page beside its
    /// units, and the units in threads' caches.
    #[must_use]
    pub fn internal_fragmentation(&self) -> f64 {
        self.page_shares().internal_fragmentation()
    }

    /// Returns the live and free shares of the pages that are not empty.
    pub(crate) fn page_shares(&self) -> PageShares {
        PageShares::of(self)
    }

    /// Returns the bytes of the units in threads' caches.
    pub(crate) fn cached_bytes(&self) -> u128 {
        u128::from(self.cached_units) * u128::from(self.unit_size)
    }
}

/// How many classes of fill there are: empty, 1-24, 25-49, 50-74, 75-99 and 100 %.
pub(crate) const FILL_CLASSES: usize = 6;

/// The VM pages of one family that are about equally full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(crate) struct FillClass {
    /// VM pages of the class.
    pub(crate) pages: u64,
    /// Blocks in them that are live or in a cache.
    pub(crate) occupied_blocks: u64,
    /// Free blocks in them.
    pub(crate) free_blocks: u64,
    /// Free units in them.
    pub(crate) free_units: u64,
    /// Units of their largest free block.
    pub(crate) largest_free_block: u64,
}
