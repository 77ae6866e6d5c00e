//! Giving the free memory of VM pages back to the kernel.

use core::sync::atomic::Ordering::Relaxed;

use crate::heap::family::cache::{CacheRecord, is_own};
use crate::heap::ground::hardening::OnRelease;
use crate::heap::pages::{Extent, NO_OWNER, Owner, Page, Run, SlotMap, Word};

impl Extent {
    /// Whether the free memory between taken units may go back.
    pub(in crate::heap) fn may_purge(&self) -> bool {
        // Poison must stay, so that a later write to it is found.
        self.taken_units() == 0 || self.geometry().contents().hardening().fill != OnRelease::Poison
    }

    /// Bytes of OS pages that would go back to the kernel if all threads gave up their free units, without
    /// those that the kernel refused the last time.
    pub(in crate::heap) fn reclaimable(&'static self, os_page: usize) -> usize {
        let is_empty = self.pages().all(Page::would_be_empty);
        let counts = |page: &Page| !is_empty || page.is_in_use();
        self.sum_of_free(counts, |page| page.reclaimable(os_page))
    }

    /// Bytes of OS pages without a taken unit that memory may back.
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
    /// The whole OS pages inside a free run that memory may back, in bytes from the extent's start. These are
    /// the pages that were written, or all pages if they are or were part of a huge one.
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

    /// The free runs, each with its OS pages that memory may back. `huge` says that memory may back any of
    /// them, whatever is known of the page.
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

    /// Whether the caller may give back all free units. The owner of each word must be [`NO_OWNER`], kept out, or
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
        owners.all(|owner| owner == NO_OWNER || is_open(owner))
    }

    /// The map for giving memory back: units of words that are not open are taken.
    fn map_to_purge(self) -> SlotMap<'static> {
        if self.is_open() {
            self.whole_map()
        } else {
            self.map()
        }
    }

    /// Whether `trim` counts the page. An empty extent goes back as a whole, and only its pages in use count.
    pub(in crate::heap) fn counts(self) -> bool {
        self.extent.taken_units() > 0 || self.is_in_use()
    }

    /// Bytes of OS pages without a taken unit that memory may back.
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

    /// As [`backed`](Self::backed), but without what the kernel refused the last time, and as if all threads
    /// had given up their free units.
    pub(in crate::heap) fn reclaimable(self, os_page: usize) -> usize {
        let backed = self.backed_of(self.map_if_reclaimed(), os_page, self.extent.is_huge());
        backed.saturating_sub(self.state().refused())
    }

    /// Gives back the memory of every OS page without a taken unit; returns its bytes. `was_huge` says that
    /// memory may back any OS page, whatever is known of the page.
    pub(in crate::heap) fn purge(self, os_page: usize, was_huge: bool, calls: &mut u64) -> usize {
        // Once purged, only the memory that the kernel refused is left.
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
            // The owners may give up more later.
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

    /// Notes that the kernel took a part of the memory and refused the rest.
    fn account_refused(self) {
        self.account_purged();
        if self.taken() == 0 {
            self.poison_anew();
        }
    }

    /// Lowers `high_water` to the first unit that lies entirely in the memory that was given back at the end.
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
