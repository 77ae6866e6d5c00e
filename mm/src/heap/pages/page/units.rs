//! Taking and freeing units of words without an owner. All of this runs under the family's lock.

use core::sync::atomic::Ordering::Relaxed;

use super::Page;
use super::longest_run::longest_run_near;
use crate::heap::pages::extent::count;
use crate::heap::pages::slot_map::{Run, for_each_word};

impl Page {
    /// Takes the units of `mask` in word `word`, which has no owner, as blocks of one unit. Returns whether all
    /// are known to be zero.
    pub(in crate::heap) fn take(self, word: usize, mask: u64) -> bool {
        self.map().take(word, mask);
        let zero = self.words()[word].touch(mask);
        self.account_changed();
        self.account_taken(mask.count_ones() as usize);
        self.count_taken(mask.count_ones());
        zero
    }

    /// Frees the units of `mask` in word `word`, which has no owner. Returns false and changes nothing unless
    /// each of them is a taken block of one unit.
    pub(in crate::heap) fn free(self, word: usize, mask: u64) -> bool {
        let map = self.map();
        if map.taken_in(word) & mask != mask || self.has_rows() && self.is_in_rows(word, mask) {
            return false;
        }
        map.free(word, mask);
        if self.has_run_bound() {
            self.raise_longest(longest_run_near(&map, word, mask));
        }
        self.account_freed(mask.count_ones());
        true
    }

    /// Counts units of words without an owner that were freed in the map.
    fn account_freed(self, units: u32) {
        let taken = &self.state().taken;
        taken.store(taken.load(Relaxed) - units, Relaxed);
        self.extent.account_freed(units);
        self.account_changed();
        self.count_freed(units);
    }

    /// Takes `units` units side by side as one block, if the page has them. Returns the first unit's index, and
    /// whether all are known to be zero.
    pub(in crate::heap) fn claim_run(self, units: usize) -> Option<(usize, bool)> {
        let first = self.find_run(units)?;
        Some((first, self.claim_at(Run { first, units })))
    }

    /// Takes the free units of `run` as one block. Returns whether all are known to be zero.
    pub(in crate::heap) fn claim_at(self, run: Run) -> bool {
        self.add_rows(run.units > 1, 1);
        self.map().take_run(run);
        let (words, mut zero) = (self.words(), true);
        for_each_word(run, |word, mask| zero &= words[word].touch(mask));
        self.account_changed();
        self.account_taken(run.units);
        self.count_taken(count(run.units));
        zero
    }

    /// Frees the block at `run`.
    pub(in crate::heap) fn unclaim_run(self, run: Run) {
        self.map().free_run(run);
        self.account_run_freed(run);
        if run.units > 1 {
            let rows = self.rows() - 1;
            self.state().rows.store(count(rows), Relaxed);
        }
    }

    /// Counts blocks that are new in the page, if they are rows.
    fn add_rows(self, has_many: bool, blocks: usize) {
        if has_many {
            let rows = self.rows() + blocks;
            self.state().rows.store(count(rows), Relaxed);
        }
    }

    /// Frees the units of `run`, which are the end of a longer block.
    pub(in crate::heap) fn unclaim_run_end(self, run: Run) {
        self.map().free_end(run);
        self.account_run_freed(run);
    }

    /// Splits the block at `first` into `blocks` blocks of `units` units each.
    pub(in crate::heap) fn split(self, first: usize, units: usize, blocks: usize) {
        let map = self.map();
        (1..blocks).for_each(|block| map.split_at(first + block * units));
        self.add_rows(units > 1, blocks - 1);
    }

    pub(super) fn account_taken(self, units: usize) {
        self.state()
            .taken
            .store(count(self.taken() + units), Relaxed);
        self.extent.account_taken(units);
    }

    /// Counts the units of `run`, which were freed in the map.
    fn account_run_freed(self, run: Run) {
        if self.has_run_bound() {
            self.raise_longest(self.map().free_run_around(run.first).units);
        }
        self.account_freed(count(run.units));
    }
}
