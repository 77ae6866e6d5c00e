//! The contents of a cache, for code that looks for one unit or for all. It runs under the family's lock, and
//! is exact while the cache's thread makes no call.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Acquire, Relaxed};

use super::record::{CLOSED, CacheRecord};
use crate::heap::ground::Row;
use crate::heap::pages::Page;

impl CacheRecord {
    /// Whether there is nothing in the cache. The record may still own words.
    pub(in crate::heap) fn is_empty(&self) -> bool {
        self.cached() == 0 && self.held_rows().0 == 0
    }

    /// Whether unit `index` of `page`, at `unit`, is in the cache, or waits there to be sent to its owner.
    pub(in crate::heap) fn holds(&self, unit: NonNull<u8>, page: Page, index: usize) -> bool {
        let address = unit.addr().get();
        let is_in = |from: usize, to: usize| from <= address && address < to;
        let is_side_by_side = || {
            let cur = self.cur.load(Acquire).addr();
            let run = self.run.load(Acquire).addr();
            let (end, from) = (
                self.end.load(Relaxed).addr(),
                self.run_from.load(Relaxed).addr(),
            );
            is_in(cur, end) || (from < address && address <= run)
        };
        let is_pending = || {
            let bits = self.pending.load(Relaxed);
            let first = page.unit(index / 64 * 64);
            self.pending_first.load(Relaxed) == first.as_ptr() && bits >> (index % 64) & 1 != 0
        };
        self.consistent(|| {
            self.apart().any(|cached| cached == unit) || is_side_by_side() || is_pending()
        })
    }

    /// The unit in the hot slot.
    #[cfg(all(test, loom))]
    pub(in crate::heap) fn hot_unit(&self) -> Option<NonNull<u8>> {
        NonNull::new(self.hot.load(Relaxed)).filter(|unit| unit.addr().get() > CLOSED)
    }

    /// Units of the stack and the hot slot.
    fn apart(&self) -> impl Iterator<Item = NonNull<u8>> {
        let stacked = self.slots().iter().map(|slot| slot.load(Relaxed));
        let hot = self.hot.load(Relaxed);
        let all = stacked.chain(core::iter::once(hot));
        all.filter(|unit| unit.addr() > CLOSED)
            .filter_map(NonNull::new)
    }

    /// All blocks in the cache, and units that wait there to be sent to their owners.
    pub(in crate::heap) fn blocks(&'static self) -> impl Iterator<Item = Row> {
        let unit = self.heap().geometry().unit();
        let first_of = |first: *mut u8, count: u64| {
            let count = usize::try_from(count).unwrap_or(0);
            // The pointers have the provenance of the whole reservation, so no step leaves it.
            (0..count).filter_map(move |index| NonNull::new(first.wrapping_add(index * unit)))
        };
        let next = first_of(self.cur.load(Relaxed), self.left());
        let run = first_of(
            self.run_from.load(Relaxed).wrapping_add(unit),
            self.in_run(),
        );
        let pending = {
            let first = self.pending_first.load(Relaxed);
            let bits = crate::heap::pages::ones_of(self.pending.load(Relaxed));
            bits.filter_map(move |bit| NonNull::new(first.wrapping_add(bit * unit)))
        };
        let singles = self.apart().chain(next).chain(run).chain(pending);
        let singles = singles.map(|first| Row { first, units: 1 });
        singles.chain(self.kept_rows())
    }
}
