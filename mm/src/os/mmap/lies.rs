//! In tests: a kernel that reports success and does nothing.

use core::cell::Cell;

pub(crate) use super::calls::Advice;

/// A call that is accepted without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// `madvise`.
    Advice(Advice),
    /// `mprotect`.
    Access,
    /// `mremap`.
    Move,
    /// `mmap` over a mapping.
    Renewal,
    /// `mincore`, which leaves what was to be filled as it was.
    Residency,
    /// `PAGEMAP_SCAN`, which finds nothing.
    PageTable,
}

std::thread_local! {
    static TOLD: Cell<Option<Lie>> = const { Cell::new(None) };
}

impl Lie {
    /// To a wish to have memory taken back.
    pub(crate) const DISCARD: Self = Self::Advice(Advice::Discard);
}

/// Runs `f` while this thread is told `lie`.
pub(crate) fn lying<R>(lie: Lie, f: impl FnOnce() -> R) -> R {
    TOLD.set(Some(lie));
    let result = f();
    TOLD.set(None);
    result
}

/// Whether this thread is told `lie`.
pub(in crate::os) fn is_told(lie: Lie) -> bool {
    TOLD.get() == Some(lie)
}

/// Whether this thread is told any: what the kernel really does, others find out.
pub(super) fn is_any_told() -> bool {
    TOLD.get().is_some()
}
