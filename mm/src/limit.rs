//! How much a family, or several together, may hold.

use core::fmt;

use crate::family::{PageFamily, SoftLimit};
use crate::heap::quota::{self, Total};

/// How much is allowed to be live: a number of units, or of bytes.
///
/// Beyond a limit [`MmBox::try_new`](crate::MmBox::try_new), `try_xcalloc` and `try_from_fn` answer
/// [`AllocError::QuotaExceeded`](crate::AllocError::QuotaExceeded), while `MmBox::new`, `xcalloc`, `from_fn`, `clone` and `From` panic.
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
    /// Allows so many bytes of live units: as many units as fit.
    #[must_use]
    pub const fn bytes(bytes: u64) -> Self {
        Self(Amount::Bytes(bytes))
    }

    /// Allows so many live units.
    #[must_use]
    pub const fn units(units: u64) -> Self {
        Self(Amount::Units(units))
    }

    /// The limit in units of `unit` bytes each. What has no size meets no limit of bytes.
    pub(crate) const fn in_units(self, unit: usize) -> u64 {
        match self.0 {
            Amount::Units(units) => units,
            Amount::Bytes(_) if unit == 0 => quota::NONE,
            Amount::Bytes(bytes) => bytes / unit as u64,
        }
    }
}

impl PageFamily {
    /// Limits what may be live of this family, or with `None` no longer does.
    ///
    /// It binds every call that begins after this one returns. What is live already stays so, even
    /// if it is more. While a family has a limit, each of its calls takes the family's lock, under
    /// which it counts what is live: threads that meet at the limit are admitted up to it exactly.
    ///
    /// Beyond it, [`MmBox::try_new`](crate::MmBox::try_new) and the others that can fail answer
    /// [`AllocError::QuotaExceeded`](crate::AllocError::QuotaExceeded), while `MmBox::new`, `xcalloc`,
    /// `from_fn`, `clone` and `From` panic.
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
        // Before: a fork holds the locks of families on the list alone.
        self.start();
        self.heap.set_limit(self.units_of(limit.into()));
    }

    /// Returns how many units may be live, if that is limited.
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

    /// Has `call` called whenever what is live rises above `limit`: once for each time that it
    /// does, by a thread whose allocation found it so, before that allocation returns.
    ///
    /// The call is made outside of mm, and may allocate and release. If it panics, the block is
    /// released, and the panic goes on through the allocation; where C asked for the block, which
    /// cannot unwind, a line on standard error says so, and the block is handed out. If it crosses a
    /// limit itself, that is told by an allocation after it. It takes the place of the soft limit
    /// before, which is told of nothing any more, and is nothing to it; of that one the closure stays
    /// in memory, as another thread may be inside it. While there is one, each call takes the family's
    /// lock.
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
        // As above.
        self.start();
        let soft = SoftLimit::kept(Box::new(call));
        let limit = (self.units_of(Some(limit)), &soft.crossings);
        self.heap
            .set_soft_limit(Some(limit), || self.soft_limit.set(Some(soft)));
    }

    /// Ends the soft limit.
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
        // As above.
        self.start();
        self.heap.set_soft_limit(None, || self.soft_limit.set(None));
    }

    /// Limits the family from the start; of several limits the smallest holds.
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

/// Families that share a limit: what they hold together may not rise above it.
///
/// Beyond a limit [`MmBox::try_new`](crate::MmBox::try_new), `try_xcalloc` and `try_from_fn` answer
/// [`AllocError::QuotaExceeded`](crate::AllocError::QuotaExceeded), while `MmBox::new`, `xcalloc`, `from_fn`, `clone` and `From` panic.
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
    /// Makes a group without families that may hold `limit_bytes` bytes of live units.
    #[must_use]
    pub const fn new(limit_bytes: u64) -> Self {
        Self(Total::new(limit_bytes))
    }

    /// Puts a family into the group, with what it holds, and out of the one that it was in.
    ///
    /// From then on each of its calls takes its lock.
    pub fn add(&'static self, family: &'static PageFamily) {
        // As above.
        family.start();
        family.heap.join_group(&self.0);
    }

    /// Takes a family out of the group, if it is in it.
    pub fn remove(&'static self, family: &'static PageFamily) {
        // As above.
        family.start();
        family.heap.leave_group(&self.0);
    }

    /// Sets the limit, in bytes, for every call that begins after this one returns.
    pub fn set_limit(&self, limit_bytes: u64) {
        self.0.set_limit(limit_bytes);
    }

    /// Returns the limit, in bytes.
    pub fn limit_bytes(&self) -> u64 {
        self.0.limit()
    }

    /// Returns what the families hold together, in bytes of live units.
    ///
    /// A call that was under way when its family was added counts from that family's next call on.
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
