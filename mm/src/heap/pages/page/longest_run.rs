//! An upper bound for the length of a page's free runs, so that a search for a longer one skips the page.

use core::sync::atomic::Ordering::Relaxed;

use super::Page;
use super::state::SEARCH_FAILED;
use crate::heap::pages::extent::count;
use crate::heap::pages::slot_map::SlotMap;

impl Page {
    /// Whether a search failed here or in the extent, so that there is a bound, and a longer run must raise it.
    pub(super) fn has_run_bound(self) -> bool {
        self.state().flags.load(Relaxed) & SEARCH_FAILED != 0
    }

    /// Notes that a search failed, in this page or in the extent.
    pub(in crate::heap) fn account_failed_search(self) {
        self.add_flags(SEARCH_FAILED);
    }

    /// An upper bound: no free run has more than this many units.
    pub(in crate::heap) fn longest_run(self) -> usize {
        match usize::from(self.state().too_long.load(Relaxed)) {
            0 => self.free_units(),
            units => (units - 1).min(self.free_units()),
        }
    }

    /// Finds the first run of `units` free units. If there is none, remembers the longest.
    pub(in crate::heap) fn find_run(self, units: usize) -> Option<usize> {
        let found = self.map().find_run(units);
        found.map_err(|longest| self.set_longest(longest)).ok()
    }

    /// Notes that no free run has more than `units` units.
    pub(in crate::heap) fn set_longest(self, units: usize) {
        let too_long = u16::try_from(units + 1).unwrap_or(0);
        self.state().too_long.store(too_long, Relaxed);
        self.account_failed_search();
    }

    /// Notes that there may now be a free run of `units` units.
    pub(super) fn raise_longest(self, units: usize) {
        let too_long = usize::from(self.state().too_long.load(Relaxed));
        if too_long != 0 && units >= too_long {
            self.set_longest(units);
        }
        let of_all = self.extent.too_long.load(Relaxed);
        if of_all != 0 && units >= of_all as usize {
            self.extent.too_long.store(count(units + 1), Relaxed);
        }
    }
}

/// A bound for the free runs that contain the units of `mask` in word `word`.
pub(super) fn longest_run_near(map: &SlotMap<'_>, word: usize, mask: u64) -> usize {
    // A run either reaches out of the word, around its first or last unit, or fits the word.
    let around = |bit: u32| map.free_run_around(word * 64 + bit as usize).units;
    let (first, last) = (mask.trailing_zeros(), mask.ilog2());
    around(first).max(around(last)).max(64)
}
