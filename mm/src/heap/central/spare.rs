//! How much memory of empty extents a family keeps.
//!
//! One extent always, so that a loop at an extent's edge makes no calls into the kernel. More if
//! the family took memory again that it had given back not long before: then a fault for each OS
//! page would cost more than all other work on its units.

use std::time::{Duration, Instant};

/// A family that did not need more for this long keeps one extent again.
const MEMORY: Duration = Duration::from_secs(4);

/// What a family keeps, in bytes.
#[derive(Debug)]
pub(in crate::heap) struct SpareMemory {
    /// Of empty extents that may be backed by memory.
    kept: usize,
    /// How much may be kept.
    allowed: usize,
    /// When it was last needed.
    needed: Option<Instant>,
}

impl SpareMemory {
    pub(super) const fn new() -> Self {
        Self {
            kept: 0,
            allowed: 0,
            needed: None,
        }
    }

    /// Bytes of empty extents that were kept.
    pub(in crate::heap) fn kept(&self) -> usize {
        self.kept
    }

    /// Whether an extent that became empty keeps its `bytes` bytes of memory.
    pub(super) fn keeps(&mut self, bytes: usize) -> bool {
        if self.needed.is_some_and(|then| then.elapsed() > MEMORY) {
            self.forget_misses();
        }
        let keeps = self.kept == 0 || self.kept + bytes <= self.allowed;
        if keeps {
            self.kept += bytes;
        }
        keeps
    }

    /// Notes that a kept extent came into use again.
    pub(super) fn account_used(&mut self, bytes: usize) {
        self.kept -= bytes;
        if self.allowed > 0 {
            self.needed = Some(Instant::now());
        }
    }

    /// Notes that an extent came into use again that had been given back.
    pub(super) fn account_missed(&mut self, bytes: usize) {
        self.allowed += bytes;
        self.needed = Some(Instant::now());
    }

    /// Notes that a kept extent was given back after all.
    pub(super) fn account_given_back(&mut self, bytes: usize) {
        self.kept -= bytes;
    }

    /// Keeps one extent again, and no more.
    pub(super) fn forget_misses(&mut self) {
        self.allowed = 0;
        self.needed = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_is_kept_the_next_time() {
        let mut spare = SpareMemory::new();
        assert!(spare.keeps(2));
        assert!(!spare.keeps(2));
        spare.account_used(2);
        spare.account_missed(2);
        spare.account_missed(2);
        assert!(spare.keeps(2) && spare.keeps(2));
        assert!(!spare.keeps(2));
        assert_eq!(spare.kept(), 4);
        spare.account_given_back(4);
        spare.forget_misses();
        assert!(spare.keeps(2));
        assert!(!spare.keeps(2));
    }
}
