//! How the free memory of one VM page goes back to the kernel.

use core::sync::atomic::Ordering::Relaxed;

use crate::heap::family::cache::{CacheRecord, is_own};
use crate::heap::ground::hardening;
use crate::heap::ground::hardening::OnRelease;
use crate::heap::pages::{Extent, NOBODY, Owner, Page, Run, SlotMap, Word};

impl Extent {
    /// Whether the free memory between taken units may go back.
    pub(in crate::heap) fn may_purge(&self) -> bool {
        // What was poisoned must be found as it was left.
        self.taken_units() == 0 || hardening::chosen().fill != OnRelease::Poison
    }

    /// Bytes of OS pages that go back if the kernel takes them, without those that it refused the
    /// last time, and once all threads have given up what they do not use.
    pub(in crate::heap) fn reclaimable(&'static self, os_page: usize) -> usize {
        let is_empty = self.pages().all(Page::would_be_empty);
        let counts = |page: &Page| !is_empty || page.is_in_use();
        self.sum_of_free(counts, |page| page.reclaimable(os_page))
    }

    /// Bytes of OS pages without a taken unit that may be backed by memory.
    pub(in crate::heap) fn backed(&'static self, os_page: usize) -> usize {
        self.sum_of_free(|page| page.counts(), |page| page.backed(os_page))
    }

    fn sum_of_free(
        &'static self,
        counts: impl Fn(&Page) -> bool,
        bytes: impl Fn(Page) -> usize,
    ) -> usize {
        if !self.may_purge() {
            return 0;
        }
        self.pages().filter(counts).map(bytes).sum()
    }
}

impl Page {
    /// Bytes from the extent's start of the whole OS pages inside a free run that may be backed:
    /// those that were written to, or all if they are or were part of a huge one.
    fn os_pages_of(self, run: Run, os_page: usize, huge: bool) -> core::ops::Range<usize> {
        let page_bytes = self.extent.geometry().page_bytes();
        let page_start = self.number * page_bytes;
        // Nothing after the last unit is ever written.
        let start = self.offset_of(run.first);
        let end = if run.first + run.units == self.capacity() {
            page_start + page_bytes
        } else {
            self.offset_of(run.first + run.units)
        };
        let written = if huge {
            end
        } else {
            self.offset_of(self.high_water()).next_multiple_of(os_page)
        };
        let end = end.min(written) / os_page * os_page;
        start.next_multiple_of(os_page).min(end)..end
    }

    /// The free runs, each with the OS pages in it that may be backed by memory. `huge` says that
    /// any may be, whatever is known of the page.
    fn runs_to_purge(
        self,
        map: SlotMap<'static>,
        os_page: usize,
        huge: bool,
    ) -> impl Iterator<Item = (Run, core::ops::Range<usize>)> {
        let has_any = huge || self.is_in_use();
        let runs = has_any.then(|| map.free_runs());
        let runs = runs.into_iter().flatten();
        runs.map(move |run| (run, self.os_pages_of(run, os_page, huge)))
    }

    /// Whether all free units are the caller's to give back: each word's owner is nobody, or kept out, or
    /// the calling thread, which has the family's lock.
    pub(in crate::heap) fn is_open(self) -> bool {
        let is_open = |owner: Owner| {
            let record = CacheRecord::numbered(owner);
            record.is_none_or(|record| record.is_wanted() || is_own(record))
        };
        if self.owned_words() == 0 {
            return true;
        }
        if self.is_whole() {
            return is_open(self.owner());
        }
        let mut owners = self.words().iter().map(Word::owner);
        owners.all(|owner| owner == NOBODY || is_open(owner))
    }

    /// The map for whoever gives memory back. Of words that are not open, all units are taken.
    fn map_to_purge(self) -> SlotMap<'static> {
        if self.is_open() {
            self.whole_map()
        } else {
            self.map()
        }
    }

    /// Whether the page is part of what `trim` says of its extent: an empty one goes back whole, and
    /// counts as what was in use of it.
    pub(in crate::heap) fn counts(self) -> bool {
        self.extent.taken_units() > 0 || self.is_in_use()
    }

    /// Bytes of OS pages without a taken unit that may be backed by memory.
    pub(in crate::heap) fn backed(self, os_page: usize) -> usize {
        self.backed_of(self.map_to_purge(), os_page, self.extent.is_huge())
    }

    fn backed_of(self, map: SlotMap<'static>, os_page: usize, huge: bool) -> usize {
        if !huge && self.is_purged() {
            return self.state().refused();
        }
        let runs = self.runs_to_purge(map, os_page, huge);
        runs.map(|(_, range)| range.len()).sum()
    }

    /// As [`backed`](Self::backed), without what the kernel refused the last time, and once all threads have
    /// given up what they do not use.
    pub(in crate::heap) fn reclaimable(self, os_page: usize) -> usize {
        let backed = self.backed_of(self.map_given_up(), os_page, self.extent.is_huge());
        backed.saturating_sub(self.state().refused())
    }

    /// Gives back the memory of every OS page without a taken unit; returns its bytes. `was_huge`
    /// says that any may be backed, whatever is known of the page.
    pub(in crate::heap) fn purge(self, os_page: usize, was_huge: bool, calls: &mut u64) -> usize {
        // Once purged, only what the kernel refused is left.
        let left = (!was_huge && self.is_purged()).then(|| self.state().refused());
        if left == Some(0) {
            return 0;
        }
        let (mut asked, mut refused, mut last) = (0, 0, None);
        for (run, range) in self.runs_to_purge(self.map_to_purge(), os_page, was_huge) {
            last = Some(run);
            if range.is_empty() {
                continue;
            }
            asked += range.len();
            self.extent.account_discard();
            let place = self.extent.place;
            // SAFETY: by invariant 1 of `Extent` the place is committed. The range lies inside of a `run` of
            // free units, none of them live or in a cache, so that nothing needs the contents.
            refused += unsafe { place.discard_parts(range.start, range.len(), calls) };
        }
        if asked == 0 && (!self.is_in_use() || self.is_purged()) {
            return 0;
        }
        if !self.is_open() {
            // Its owners may leave more.
            return asked - refused;
        }
        self.state().set_refused(refused);
        if refused == 0 {
            self.account_all_given(last, os_page);
        } else {
            self.account_refused();
        }
        left.unwrap_or(asked).saturating_sub(refused)
    }

    /// Notes that the kernel took what it takes, but not all.
    fn account_refused(self) {
        self.account_purged();
        if self.taken() == 0 {
            self.poison_anew();
        }
    }

    /// Lowers `high_water` to the first unit that lies wholly in what was given back at the end.
    fn account_all_given(self, last: Option<Run>, os_page: usize) {
        if self.taken() == 0 {
            self.retire();
            self.extent.too_long.store(0, Relaxed);
            return;
        }
        self.account_purged();
        let Some(run) = last.filter(|run| run.first + run.units == self.capacity()) else {
            return;
        };
        let given = self.os_pages_of(run, os_page, false);
        if given.is_empty() {
            return;
        }
        let in_page = given.start - self.offset_of(0);
        let high_water = in_page.div_ceil(self.extent.geometry().unit());
        self.lower_high_water(high_water);
    }
}
