//! How much memory of empty extents a family keeps.
//!
//! It keeps as much as it recently gave back and then needed again: in that case, a page fault for each OS page
//! would cost more than all other work on the units. And it always keeps a little, so that a small loop at an
//! extent's edge makes no call into the kernel.

use std::time::{Duration, Instant};

/// Bytes that every family may keep.
const ALWAYS: usize = 256 << 10;

/// A family that did not need more for this long keeps no more than [`ALWAYS`].
const MEMORY: Duration = Duration::from_secs(4);

/// The memory of empty extents that a family keeps, in bytes.
#[derive(Debug)]
pub(in crate::heap) struct RetainedMemory {
    /// Bytes of retained extents, which memory may back.
    kept: usize,
    /// Bytes that may be kept.
    allowed: usize,
    /// When that much was last needed.
    needed: Option<Instant>,
    /// The bytes that were taken before the family gave back the free memory between its live units.
    shrunk_from: u64,
    /// When that turned out to be too early.
    shrunk_early: Option<Instant>,
}

impl RetainedMemory {
    pub(super) const fn new() -> Self {
        Self {
            kept: 0,
            allowed: 0,
            needed: None,
            shrunk_from: 0,
            shrunk_early: None,
        }
    }

    /// Whether a family that fell far below its peak of `taken` bytes may give back the free memory between its
    /// live units. If this returns true, the caller does so.
    pub(super) fn may_shrink(&mut self, taken: u64) -> bool {
        let is_early = |then: Instant| then.elapsed() < MEMORY;
        if self.shrunk_early.is_some_and(is_early) {
            return false;
        }
        self.shrunk_from = taken;
        true
    }

    /// Notes that `taken` bytes are taken now. If that is more than half of the bytes before the family gave
    /// memory back, it gave back too early.
    pub(super) fn account_taken(&mut self, taken: u64) {
        if self.shrunk_from > 0 && taken > self.shrunk_from / 2 {
            self.shrunk_from = 0;
            self.shrunk_early = Some(Instant::now());
        }
    }

    /// Bytes of retained extents.
    pub(in crate::heap) fn kept(&self) -> usize {
        self.kept
    }

    /// Whether an extent that became empty keeps its `bytes` bytes of memory.
    pub(super) fn keeps(&mut self, bytes: usize) -> bool {
        if self.needed.is_some_and(|then| then.elapsed() > MEMORY) {
            self.allowed = 0;
            self.needed = None;
        }
        let keeps = self.kept + bytes <= self.allowed.max(ALWAYS);
        if keeps {
            self.kept += bytes;
        }
        keeps
    }

    /// Notes that a retained extent is used again.
    pub(super) fn account_used(&mut self, bytes: usize) {
        self.kept -= bytes;
        // A small part of it would have been kept anyway.
        if self.allowed > 0 && self.kept <= self.allowed / 2 {
            self.needed = Some(Instant::now());
        }
    }

    /// Whether more is kept than may be, because it was not needed for a long time.
    pub(super) fn keeps_too_much(&self) -> bool {
        self.kept > self.allowed.max(ALWAYS)
    }

    /// Notes that an extent is used again that had been given back.
    pub(super) fn account_missed(&mut self, bytes: usize) {
        self.allowed += bytes;
        self.needed = Some(Instant::now());
    }

    /// Bytes that were recently given back and then used again.
    pub(super) fn missed(&self) -> usize {
        self.allowed
    }

    /// Notes that a retained extent was given back after all.
    pub(super) fn account_given_back(&mut self, bytes: usize) {
        self.kept -= bytes;
    }

    /// Keeps no more than [`ALWAYS`] again.
    pub(super) fn forget_misses(&mut self) {
        self.allowed = 0;
        self.needed = None;
        self.shrunk_from = 0;
        self.shrunk_early = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENT: usize = 2 << 20;

    #[test]
    fn missed_memory_is_kept_the_next_time() {
        let mut retained = RetainedMemory::new();
        assert!(!retained.keeps(EXTENT));
        retained.account_missed(EXTENT);
        retained.account_missed(EXTENT);
        assert!(retained.keeps(EXTENT) && retained.keeps(EXTENT));
        assert!(!retained.keeps(EXTENT));
        assert_eq!(retained.kept(), 2 * EXTENT);
        retained.account_used(EXTENT);
        retained.account_given_back(EXTENT);
        retained.forget_misses();
        assert!(!retained.keeps(EXTENT));
    }

    #[test]
    fn memory_that_is_not_needed_for_long_is_too_much() {
        let mut retained = RetainedMemory::new();
        (0..4).for_each(|_| retained.account_missed(EXTENT));
        assert!((0..4).all(|_| retained.keeps(EXTENT)));
        retained.needed = Instant::now().checked_sub(2 * MEMORY);
        // Using a little of it does not show that all is needed.
        retained.account_used(EXTENT);
        assert!(!retained.keeps(EXTENT) && retained.keeps_too_much());
    }

    #[test]
    fn a_little_is_always_kept() {
        let mut retained = RetainedMemory::new();
        assert!(retained.keeps(ALWAYS / 2) && retained.keeps(ALWAYS / 2));
        assert!(!retained.keeps(1));
    }

    #[test]
    fn a_family_that_shrank_too_early_waits() {
        let mut retained = RetainedMemory::new();
        assert!(retained.may_shrink(100));
        retained.account_taken(50);
        assert!(retained.may_shrink(100));
        retained.account_taken(51);
        assert!(!retained.may_shrink(100));
        retained.forget_misses();
        assert!(retained.may_shrink(100));
    }
}
