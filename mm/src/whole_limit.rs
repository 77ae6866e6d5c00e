//! Limits on the memory of the whole heap.

use crate::family::HeapSoftLimit;
use crate::heap::heap_limit;
use crate::startup;

/// Sets the most bytes that all families may hold together, or removes the limit with `None`.
///
/// A family holds the VM pages that it took from the system and has not given back as a whole, and the address
/// space of its large blocks: live ones, and released ones whose memory it keeps. This is never less than the
/// memory that backs its blocks, so the resident memory of all families stays below the limit. It can be more by
/// the free parts of VM pages; a family's first pages take 64 KiB, and later ones up to 2 MiB at once. Untyped
/// memory of [`Global`](crate::Global) counts. mm's own records, which take a few percent of it, do not.
///
/// The limit is asked when a family takes memory, and not at each allocation: it costs nothing on the hot path,
/// and no family becomes slower. A thread may allocate within the memory that a family holds already, also after
/// the limit was lowered. If threads take memory again at the same moment that their families had given back, each
/// may exceed the limit by one extent of up to 2 MiB.
///
/// If an allocation would exceed the limit, mm first gives back the memory that families keep for later, unless
/// it did so within 0.1 s and little was released since. If that is not enough, [`MmBox::try_new`](crate::MmBox::try_new) and the other fallible
/// functions return [`AllocError::QuotaExceeded`](crate::AllocError::QuotaExceeded), `MmBox::new` and its like
/// panic, and [`Global`](crate::Global) answers null, which ends most programs by
/// [`handle_alloc_error`](std::alloc::handle_alloc_error). The figures are as before the call.
///
/// `MM_OPTIONS=limit=2GiB` sets the limit from the start.
///
/// # Examples
///
/// ```
/// # use mm::{AllocError, MmManaged};
/// #[derive(MmManaged)]
/// struct Row([u8; 1 << 20]);
///
/// mm::set_limit(mm::held_bytes() + (8 << 20));
/// let refused = Row::try_xcalloc(100);
/// assert!(matches!(refused, Err(AllocError::QuotaExceeded { whole_heap: true, .. })));
/// mm::set_limit(None);
/// assert!(Row::try_xcalloc(100).is_ok());
/// ```
pub fn set_limit(bytes: impl Into<Option<u64>>) {
    // First: the environment's limit must not replace this one later.
    startup::begin_untyped();
    heap_limit::set_limit(bytes.into().unwrap_or(heap_limit::NONE));
}

/// Returns the limit on the memory of all families, in bytes, or `None` without a limit; see [`set_limit`].
///
/// ```
/// mm::set_limit(1 << 40);
/// assert_eq!(mm::limit_bytes(), Some(1 << 40));
/// ```
#[must_use]
pub fn limit_bytes() -> Option<u64> {
    Some(heap_limit::limit()).filter(|bytes| *bytes != heap_limit::NONE)
}

/// Returns the bytes that all families hold, which is what [`set_limit`] bounds.
///
/// ```
/// # #[derive(mm::MmManaged)] struct Row([u8; 1_000]);
/// let rows = mm::MmBox::from_fn(1_000, |_| Row([0; 1_000]));
/// assert!(mm::held_bytes() >= 1_000_000);
/// # drop(rows);
/// ```
#[must_use]
pub fn held_bytes() -> u64 {
    heap_limit::held()
}

/// Calls `call` each time the memory of all families rises above `bytes` bytes, with the bytes that they hold then;
/// [`set_limit`] says what counts.
///
/// mm calls it once for each crossing, on a thread that allocates, before that allocation returns. No lock of mm
/// is held, and `call` may allocate and release. With [`Global`](crate::Global) any allocation may be the one, so
/// `call` should take no lock under which the program allocates. If `call` panics, mm prints a line on standard
/// error, and the allocation returns. What `call` itself crosses is reported at a later allocation.
///
/// A new soft limit replaces the previous one. The closure stays in memory, since another thread may be running
/// it.
///
/// # Examples
///
/// ```
/// # use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// static SEEN: AtomicU64 = AtomicU64::new(0);
///
/// let limit = mm::held_bytes() + (4 << 20);
/// mm::set_soft_limit(limit, |held| SEEN.store(held, Relaxed));
/// # #[derive(mm::MmManaged)] struct Row([u8; 1_000]);
/// let rows = mm::MmBox::from_fn(10_000, |_| Row([0; 1_000]));
/// assert!(SEEN.load(Relaxed) > limit);
/// # drop(rows);
/// ```
pub fn set_soft_limit(bytes: u64, call: impl Fn(u64) + Send + Sync + 'static) {
    HeapSoftLimit::set(Some((bytes, Box::new(call))));
}

/// Removes the soft limit of the whole heap.
///
/// ```
/// mm::set_soft_limit(1 << 20, |_| unreachable!("ended below"));
/// mm::clear_soft_limit();
/// ```
pub fn clear_soft_limit() {
    HeapSoftLimit::set(None);
}
