//! Limits on the live memory of one family, or of several together.

use core::fmt;

use crate::family::{PageFamily, SoftLimit};
use crate::heap::quota::{self, Total};

/// A limit on live memory: a number of units, or of bytes.
///
/// If an allocation would exceed the limit, [`MmBox::try_new`](crate::MmBox::try_new), `try_xcalloc` and
/// `try_from_fn` return [`AllocError::QuotaExceeded`](crate::AllocError::QuotaExceeded), while `MmBox::new`,
/// `xcalloc`, `from_fn`, `clone` and `From` panic.
///
/// # Examples
///
/// ```
/// use mm::Limit;
///
/// assert_ne!(Limit::bytes(64 << 20), Limit::units(64 << 20));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(Amount);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Amount {
    Units(u64),
    Bytes(u64),
}

impl Limit {
    /// Allows as many live units as fit into `bytes` bytes.
    #[must_use]
    pub const fn bytes(bytes: u64) -> Self {
        Self(Amount::Bytes(bytes))
    }

    /// Allows `units` live units.
    #[must_use]
    pub const fn units(units: u64) -> Self {
        Self(Amount::Units(units))
    }

    /// The number of units that the limit allows, of `unit` bytes each. Units of size zero never reach a limit
    /// in bytes.
    pub(crate) const fn in_units(self, unit: usize) -> u64 {
        match self.0 {
            Amount::Units(units) => units,
            Amount::Bytes(_) if unit == 0 => quota::NONE,
            Amount::Bytes(bytes) => bytes / unit as u64,
        }
    }
}

impl PageFamily {
    /// Sets a limit on this family's live units, or removes it with `None`.
    ///
    /// The limit applies to every call that begins after this one returns. Blocks that are live already
    /// stay live, even if they exceed it. While a family has a limit, each allocation and release takes
    /// the family's lock and counts the live units under it, so that concurrent threads reach the limit
    /// exactly and never exceed it.
    ///
    /// If an allocation would exceed the limit, [`MmBox::try_new`](crate::MmBox::try_new) and the other
    /// fallible functions return [`AllocError::QuotaExceeded`](crate::AllocError::QuotaExceeded), while
    /// `MmBox::new`, `xcalloc`, `from_fn`, `clone` and `From` panic.
    ///
    /// A type gets a limit from the start by `#[mm(max_bytes = "64 MiB")]` or
    /// `#[mm(max_units = 1_000)]`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::{AllocError, Limit, PageFamily};
    /// # use std::alloc::Layout;
    /// let rows = PageFamily::register("limit-doc:rows", Layout::new::<[u64; 4]>())?;
    /// rows.set_limit(Limit::units(2));
    /// let two = rows.alloc(2)?;
    /// let refused = rows.alloc(1).unwrap_err();
    /// assert!(matches!(refused, AllocError::QuotaExceeded { limit_bytes: 64, .. }));
    ///
    /// rows.set_limit(None);
    /// let one = rows.alloc(1)?;
    /// # for block in [two, one] {
    /// #     // SAFETY: `alloc` gave the blocks, which are not used any more.
    /// #     unsafe { rows.release(block)? };
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_limit(&'static self, limit: impl Into<Option<Limit>>) {
        // This lists the family. A fork takes only the locks of listed families.
        self.start();
        self.heap.set_limit(self.units_of(limit.into()));
    }

    /// Returns how many units may be live, or `None` without a limit.
    ///
    /// ```
    /// # use mm::MmManaged;
    /// #[derive(MmManaged)]
    /// #[mm(max_bytes = "1 KiB")]
    /// struct Emp([u8; 100]);
    ///
    /// assert_eq!(Emp::page_family().limit_units(), Some(10));
    /// ```
    pub fn limit_units(&self) -> Option<u64> {
        Some(self.heap.limit()).filter(|units| *units != quota::NONE)
    }

    /// Calls `call` each time the family's live units rise above `limit`.
    ///
    /// mm calls it once for each crossing, on a thread that allocates from the family, before that allocation
    /// returns. No lock of mm is held, and `call` may allocate and release.
    ///
    /// If `call` panics, the block is released, and the panic propagates through the allocation. C code cannot
    /// unwind: if a C function allocates the block, mm prints a line on standard error instead, and returns
    /// the block. If `call` itself crosses a soft limit, mm reports that crossing at a later allocation.
    ///
    /// A new soft limit replaces the previous one, whose closure is then not called any more. The closure stays
    /// in memory, since another thread may be running it. While a family has a soft limit, each
    /// allocation and release takes the family's lock.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::{Limit, PageFamily};
    /// # use std::alloc::Layout;
    /// # use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// static WARNED: AtomicU32 = AtomicU32::new(0);
    ///
    /// let rows = PageFamily::register("soft-limit-doc:rows", Layout::new::<[u64; 4]>())?;
    /// rows.set_soft_limit(Limit::units(1), |family| {
    ///     eprintln!("{} holds more than one row", family.name());
    ///     WARNED.fetch_add(1, Relaxed);
    /// });
    /// let blocks = [rows.alloc(1)?, rows.alloc(1)?, rows.alloc(1)?];
    /// assert_eq!(WARNED.load(Relaxed), 1);
    /// # for block in blocks {
    /// #     // SAFETY: `alloc` gave the blocks, which are not used any more.
    /// #     unsafe { rows.release(block)? };
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_soft_limit(
        &'static self,
        limit: Limit,
        call: impl Fn(&'static PageFamily) + Send + Sync + 'static,
    ) {
        // This lists the family, as in `set_limit`.
        self.start();
        let soft = SoftLimit::leaked(Box::new(call));
        let limit = (self.units_of(Some(limit)), &soft.crossings);
        self.heap
            .set_soft_limit(Some(limit), || self.soft_limit.set(Some(soft)));
    }

    /// Removes the soft limit.
    ///
    /// ```
    /// # let rows = mm::PageFamily::register("no-soft-limit-doc", std::alloc::Layout::new::<u64>())?;
    /// rows.set_soft_limit(mm::Limit::units(1), |_| unreachable!("ended below"));
    /// rows.clear_soft_limit();
    /// let two = rows.alloc(2)?;
    /// # // SAFETY: `alloc` gave the block, which is not used any more.
    /// # unsafe { rows.release(two)? };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear_soft_limit(&'static self) {
        // This lists the family, as in `set_limit`.
        self.start();
        self.heap.set_soft_limit(None, || self.soft_limit.set(None));
    }

    /// Sets a limit that applies from the first allocation on. After several calls the smallest one applies.
    #[doc(hidden)]
    #[must_use]
    pub const fn with_limit(mut self, limit: Limit) -> Self {
        let units = limit.in_units(self.layout().size());
        if units < self.limit_at_start {
            self.limit_at_start = units;
            self.heap.begin_with_limit(units);
        }
        self
    }

    fn units_of(&self, limit: Option<Limit>) -> u64 {
        limit.map_or(quota::NONE, |limit| limit.in_units(self.layout().size()))
    }
}

/// A group of families with one limit on the live bytes of all of them.
///
/// If an allocation would exceed the limit, [`MmBox::try_new`](crate::MmBox::try_new), `try_xcalloc` and
/// `try_from_fn` return [`AllocError::QuotaExceeded`](crate::AllocError::QuotaExceeded), while `MmBox::new`,
/// `xcalloc`, `from_fn`, `clone` and `From` panic.
///
/// # Examples
///
/// ```
/// # use mm::{AllocError, LimitGroup, PageFamily};
/// # use std::alloc::Layout;
/// static CACHES: LimitGroup = LimitGroup::new(1_000);
///
/// let small = PageFamily::register("group-doc:small", Layout::new::<[u8; 100]>())?;
/// let large = PageFamily::register("group-doc:large", Layout::new::<[u8; 800]>())?;
/// CACHES.add(small);
/// CACHES.add(large);
/// let blocks = [(small, small.alloc(2)?), (large, large.alloc(1)?)];
/// assert_eq!(CACHES.live_bytes(), 1_000);
/// assert!(matches!(small.alloc(1), Err(AllocError::QuotaExceeded { .. })));
/// # for (family, block) in blocks {
/// #     // SAFETY: `alloc` gave the blocks, which are not used any more.
/// #     unsafe { family.release(block)? };
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LimitGroup(Total);

impl LimitGroup {
    /// Makes a group without families, with a limit of `limit_bytes` bytes of live units.
    #[must_use]
    pub const fn new(limit_bytes: u64) -> Self {
        Self(Total::new(limit_bytes))
    }

    /// Adds a family and its live units to the group, and removes it from its previous group.
    ///
    /// From then on each of the family's allocations and releases takes the family's lock.
    pub fn add(&'static self, family: &'static PageFamily) {
        // This lists the family, as in `set_limit`.
        family.start();
        family.heap.join_group(&self.0);
    }

    /// Removes a family from the group, if it is a member.
    pub fn remove(&'static self, family: &'static PageFamily) {
        // This lists the family, as in `set_limit`.
        family.start();
        family.heap.leave_group(&self.0);
    }

    /// Sets the limit, in bytes. It applies to every call that begins after this one returns.
    pub fn set_limit(&self, limit_bytes: u64) {
        self.0.set_limit(limit_bytes);
    }

    /// Returns the limit, in bytes.
    pub fn limit_bytes(&self) -> u64 {
        self.0.limit()
    }

    /// Returns the bytes of live units of all families in the group.
    ///
    /// If an allocation or release was in progress while its family was added, the family's next one counts it.
    pub fn live_bytes(&self) -> u64 {
        self.0.live()
    }
}

impl fmt::Debug for LimitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitGroup")
            .field("limit_bytes", &self.limit_bytes())
            .field("live_bytes", &self.live_bytes())
            .finish()
    }
}
