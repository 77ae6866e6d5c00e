//! The memory of a page: which of it is zero, and whether free memory can go back to the kernel.

use core::sync::atomic::Ordering::Relaxed;

use super::Page;
use super::state::IN_USE;
use crate::heap::pages::extent::count;

impl Page {
    /// Whether the page has nothing new to give back since its free memory last went back.
    pub(in crate::heap) fn is_purged(self) -> bool {
        let state = self.state();
        let is_as_it_was = || count(self.all_free()) == state.purged_at.load(Relaxed);
        let is_sent = || (0..self.words().len()).any(|word| self.sent_units(word) != 0);
        state.purged.load(Relaxed) && is_as_it_was() && !is_sent()
    }

    /// Whether the page would have no taken unit if all owners gave up their free units.
    pub(in crate::heap) fn would_be_empty(self) -> bool {
        self.map_if_reclaimed().taken_units() == 0
    }

    pub(in crate::heap) fn account_purged(self) {
        let free = count(self.all_free());
        self.state().purged_at.store(free, Relaxed);
        self.state().purged.store(true, Relaxed);
    }

    /// Units below this index may have been written since the page's memory was zero.
    pub(in crate::heap) fn high_water(self) -> usize {
        let mut words = self.words().iter().enumerate().rev();
        let last = words.find(|(_, word)| word.high() > 0);
        last.map_or(0, |(number, word)| number * 64 + word.high())
    }

    /// Notes that units before `end` may no longer be zero.
    pub(in crate::heap) fn raise_high_water(self, end: usize) {
        for (number, word) in self.words().iter().enumerate() {
            match end.saturating_sub(number * 64) {
                0 => return,
                units => {
                    word.touch(u64::MAX >> (64 - units.min(64)));
                }
            }
        }
    }

    /// Notes that the units from `high_water` on are zero again.
    pub(in crate::heap) fn lower_high_water(self, high_water: usize) {
        for (number, word) in self.words().iter().enumerate() {
            let high = high_water.saturating_sub(number * 64);
            if high < 64 {
                word.lower(count(high));
            }
        }
    }

    pub(in crate::heap) fn add_flags(self, flags: u8) {
        let before = self.state().flags.load(Relaxed);
        self.state().flags.store(before | flags, Relaxed);
    }

    /// Notes that the page is in use, and may again have memory to give back.
    #[inline]
    pub(in crate::heap) fn account_changed(self) {
        self.end_purged();
        if !self.is_in_use() {
            self.add_flags(IN_USE);
        }
    }

    /// Notes that the page may again have memory to give back. Threads that own words call this, too.
    #[inline]
    pub(in crate::heap) fn end_purged(self) {
        let purged = &self.state().purged;
        if purged.load(Relaxed) {
            purged.store(false, Relaxed);
        }
    }

    /// Notes that no unit is taken and all memory is zero.
    pub(in crate::heap) fn retire(self) {
        self.state().retire();
        self.lower_high_water(0);
    }
}
