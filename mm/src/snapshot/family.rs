//! One family's figures.

use super::{FamilyKey, Label, Location, PageShares};

/// The figures of one page family at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct FamilySnapshot {
    /// Short name: that of the type, or the one given.
    pub name: &'static str,
    /// Full path of the type; of a run-time family, its name.
    pub path: &'static str,
    /// Where the family was defined.
    pub location: Location,
    /// Key that identifies the family uniquely.
    pub key: FamilyKey,
    /// Whether the family was registered while the program ran.
    pub run_time: bool,
    /// Bytes of one unit.
    pub unit_size: u64,
    /// Alignment of a unit, in bytes.
    pub unit_align: u64,
    /// Units that fit into one VM page; 0 when units have no size, 1 when a unit is larger.
    pub units_per_page: u64,
    /// Units that fit into the family's first VM page. That page begins with up to 2 KiB without units,
    /// so that families use different sets of the CPU's cache. Otherwise equal to `units_per_page`.
    pub first_page_units: u64,
    /// VM pages in use: those that may be backed by memory.
    pub vm_pages: u64,
    /// Bytes of address space in use by VM pages.
    pub mapped_bytes: u64,
    /// Bytes that are backed by memory, as reported by the kernel; `None`, not 0, if the kernel does not
    /// report all of them. The figure excludes swap, and is less than the live bytes if zeroed units were
    /// never written to. A large family may have more resident than mapped bytes, since a huge OS page
    /// backs VM pages before they are in use; `trim` returns that memory.
    ///
    /// Before Linux 6.7, and without `/proc`, pages that were only read are counted too.
    pub resident_bytes: Option<u64>,
    /// Blocks handed out and not released.
    pub live_blocks: u64,
    /// Units of the live blocks.
    pub live_units: u64,
    /// Bytes of the live units.
    pub live_bytes: u64,
    /// Longest runs of free units inside VM pages in use.
    pub free_blocks: u64,
    /// Units of the free blocks.
    pub free_units: u64,
    /// Units in threads' caches: neither live nor in a free block. If a cached block was handed out for
    /// a shorter row, its surplus units count here until the row is released; a snapshot of a family that
    /// only one thread uses frees them first.
    pub cached_units: u64,
    /// Highest `live_bytes` seen, to within one cache per thread.
    pub peak_live_bytes: u64,
    /// Blocks handed out since start.
    pub blocks_allocated: u64,
    /// Blocks released since start.
    pub blocks_released: u64,
    /// Calls into the kernel for this family's memory since start.
    pub kernel_calls: u64,
    /// Units of the largest free block.
    pub(crate) largest_free_block: u64,
    /// Bytes of the VM pages in use that hold at least one taken unit.
    pub(crate) occupied_page_bytes: u64,
    /// Bytes of free units in those pages.
    pub(crate) occupied_page_free_bytes: u64,
    /// Bytes that `trim()` would return now.
    pub(crate) reclaimable_bytes: u64,
    /// The VM pages in use by how full they are, emptiest class first.
    pub(crate) fill: [FillClass; FILL_CLASSES],
    /// Which text identifies the family uniquely; `Snapshot::new` sets it.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) label: Label,
}

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
