//! The number of free units of a page, whether or not their words have an owner. It stands beside the table
//! of addresses, so that a reader of many pages need not read their words.

use core::sync::atomic::AtomicU32 as PlainU32;
use core::sync::atomic::Ordering::Relaxed;

use super::Page;
use crate::heap::pages::record::SPACE;

impl Page {
    pub(super) fn count(self) -> &'static PlainU32 {
        let count = SPACE.count_at(self.address());
        count.expect("a page has entries in the table")
    }

    /// Free units; `None` if several threads own words, since then the count is not reliable.
    pub(in crate::heap) fn counted_free(self) -> Option<u32> {
        (!self.is_shared()).then(|| self.count().load(Relaxed))
    }

    /// Free units, in words with and without an owner.
    pub(in crate::heap) fn all_free(self) -> usize {
        let count = || self.capacity() - self.whole_map().taken_units();
        self.counted_free().map_or_else(count, |free| free as usize)
    }

    #[inline]
    pub(in crate::heap) fn count_freed(self, units: u32) {
        let count = self.count();
        count.store(count.load(Relaxed).wrapping_add(units), Relaxed);
    }

    #[inline]
    pub(in crate::heap) fn count_taken(self, units: u32) {
        let count = self.count();
        count.store(count.load(Relaxed).wrapping_sub(units), Relaxed);
    }
}
