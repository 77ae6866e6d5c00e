//! The extents of a family, sorted by a bound for their longest run of free units.
//!
//! The bound of an extent rises when units are freed, and falls only when a search finds no run. Each such
//! search lowers a bound. So a search takes constant time whatever the number of extents, apart from work that
//! other calls caused.

use core::sync::atomic::Ordering::Relaxed;

use super::extent::Extent;
use super::page::Page;
use crate::heap::ground::List;

/// Number of lists: four for each power of two, as in a two-level segregated fit (Masmano et al., "TLSF: a new
/// dynamic memory allocator for real-time systems", 2004).
const CLASSES: usize = 64;

/// Extents that a search skips in the one list whose runs may be a little too short.
const PASSED_OVER: usize = 8;

/// The class of extents that are on no list yet.
pub(in crate::heap) const UNLISTED: u8 = u8::MAX;

/// The kind of these lists.
#[derive(Debug)]
pub(in crate::heap) struct ByRun;

/// Lists of extents. The `run_class` of an extent says which list it is on.
#[derive(Debug)]
pub(in crate::heap) struct RunLists {
    lists: [List<Extent, ByRun>; CLASSES],
    /// A bit for each list that is not empty.
    classes: u64,
}

impl RunLists {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            lists: [const { List::new() }; CLASSES],
            classes: 0,
        }
    }

    /// Takes `units` units side by side as one block. Returns its page, the index of its first unit, and
    /// whether all units are known to be zero.
    pub(in crate::heap) fn claim_anywhere(&mut self, units: usize) -> Option<(Page, usize, bool)> {
        // Before the family grows, the skipped extents are searched too.
        self.claim(units)
            .or_else(|| self.claim_from(class_of(units), units, usize::MAX))
    }

    /// As [`claim_anywhere`](Self::claim_anywhere), but may miss runs that are just long enough.
    pub(in crate::heap) fn claim(&mut self, units: usize) -> Option<(Page, usize, bool)> {
        let mut classes = self.classes & (u64::MAX << class_of(units));
        while classes != 0 {
            let class = classes.trailing_zeros() as usize;
            if let Some(found) = self.claim_from(class, units, PASSED_OVER) {
                return Some(found);
            }
            classes &= classes - 1;
        }
        None
    }

    /// Moves an extent to the right list after its bound changed.
    ///
    /// Extents of sampled blocks are on none, so that no search finds them.
    pub(in crate::heap) fn account_changed(&mut self, extent: &'static Extent) {
        if extent.is_sampled() {
            return;
        }
        let (now, then) = (
            class_of(extent.longest_run()),
            extent.run_class.load(Relaxed),
        );
        if now == usize::from(then) {
            return;
        }
        if then != UNLISTED {
            let list = &mut self.lists[usize::from(then)];
            list.remove(extent);
            if list.newest().is_none() {
                self.classes &= !(1 << then);
            }
        }
        self.lists[now].push(extent);
        self.classes |= 1 << now;
        extent.set_run_class(now);
    }

    /// Takes a run from an extent of one list; skips at most `most` extents whose runs are too short.
    fn claim_from(
        &mut self,
        class: usize,
        units: usize,
        most: usize,
    ) -> Option<(Page, usize, bool)> {
        let mut passed_over = 0;
        let mut next = self.lists[class].newest();
        while let Some(extent) = next.filter(|_| passed_over < most) {
            next = List::<Extent, ByRun>::after(extent);
            if !extent.may_be_used() {
                continue;
            }
            if extent.longest_run() < units {
                passed_over += 1;
                continue;
            }
            let found = extent.claim_run(units);
            if found.is_some() {
                return found;
            }
            self.account_changed(extent);
        }
        None
    }
}

/// The class of runs of `units` units.
fn class_of(units: usize) -> usize {
    let shift = units.max(4).ilog2() as usize - 2;
    (shift * 4 + (units >> shift)).min(CLASSES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_grow_with_the_run() {
        assert_eq!([0, 1, 3, 4, 7, 8].map(class_of), [0, 1, 3, 4, 7, 8]);
        assert!((0..70_000).all(|units| class_of(units) <= class_of(units + 1)));
        assert!(class_of(65_536) < CLASSES - 1);
    }
}
