//! Words and pages that a thread gets from its family.

use core::sync::atomic::Ordering::Relaxed;

use super::{Central, first_word};
use crate::heap::family::Heap;
use crate::heap::family::cache::CacheRecord;
use crate::heap::pages::{Extent, Page};
use crate::os::Refused;

/// Pages that one refill takes, at most, if they have few free units.
const MOST_PAGES: usize = 8;

impl Central {
    /// Makes the thread the owner of at most `most` words with a free unit.
    pub(super) fn lease_words(
        &mut self,
        heap: &'static Heap,
        record: &'static CacheRecord,
        most: usize,
    ) -> Result<(), Refused> {
        let page = self.page_to_fill(heap)?;
        if record.make_shared_ready(page).is_none() {
            // The record has single words in the most pages possible.
            return self.lease_pages(heap, record);
        }
        if self.lease_words_of(heap, page, record, most) == 0 {
            return self.take_units(heap, record);
        }
        Ok(())
    }

    /// Makes the thread the owner of at most `most` words of the page; returns how many it got.
    fn lease_words_of(
        &mut self,
        heap: &'static Heap,
        page: Page,
        record: &'static CacheRecord,
        most: usize,
    ) -> usize {
        let from = first_word(heap, page);
        let words = (from..page.map().words()).chain(0..from);
        let (mut leased, mut free) = (0, 0);
        for word in words {
            if leased == most {
                break;
            }
            if page.leasable_units(word) != 0 {
                free += page.lease(word, record.number());
                record.add_ready(page, word);
                leased += 1;
            }
        }
        self.account_leased(page, record, leased, free);
        if leased == 0 {
            // `make_shared_ready` may have made a slot for the page.
            record.forget_vacant_pages();
        }
        leased
    }

    /// Counts words of the page that the record owns now, and their free units.
    fn account_leased(&mut self, page: Page, record: &CacheRecord, words: usize, free: u32) {
        page.account_leased(words, free);
        self.account.account_leased(free as usize);
        record.add_owned_words(words);
        self.account_used(page.extent());
        self.account_page_changed(page);
    }

    /// Makes the thread the owner of whole pages: of existing ones, of some that other threads do not need, or
    /// of a new one.
    pub(super) fn lease_pages(
        &mut self,
        heap: &'static Heap,
        record: &'static CacheRecord,
    ) -> Result<(), Refused> {
        let mut free = 0;
        for _ in 0..MOST_PAGES {
            let Some(page) = self.page_to_own() else {
                break;
            };
            free += self.lease_page(page, record);
            if free >= page.capacity() / 2 {
                return Ok(());
            }
        }
        if free > 0 || self.lease_any_words(heap, record) || self.steal(heap, record) {
            return Ok(());
        }
        let page = match self.grow(heap) {
            Ok(extent) => extent.page_to_fill(),
            Err(Refused) => {
                self.take_back(heap);
                self.page_to_own()
            }
        };
        match page {
            Some(page) => drop(self.lease_page(page, record)),
            None if self.lease_any_words(heap, record) => {}
            None => return Err(Refused),
        }
        Ok(())
    }

    /// A page that a thread may own: the fullest; among pages without a taken unit, those in use first.
    fn page_to_own(&self) -> Option<Page> {
        let mut extents = self.fullness_lists.with_room();
        extents.find_map(|extent| extent.page_to_fill_if(Page::is_leasable))
    }

    /// Lends words of pages that no thread can own as a whole, if any have free units.
    fn lease_any_words(&mut self, heap: &'static Heap, record: &'static CacheRecord) -> bool {
        let Some(page) = self
            .fullness_lists
            .with_room()
            .find_map(Extent::page_to_fill)
        else {
            return false;
        };
        if record.make_shared_ready(page).is_some()
            && self.lease_words_of(heap, page, record, usize::MAX) > 0
        {
            return true;
        }
        self.take_units(heap, record).is_ok()
    }

    /// Makes the thread the owner of a page, except words with parts of rows. Returns the free units that it
    /// gets.
    pub(super) fn lease_page(&mut self, page: Page, record: &'static CacheRecord) -> usize {
        debug_assert!(record.shared_ready(page).is_none());
        page.state().ready.groups.store(0, Relaxed);
        page.set_owner(record.number(), false);
        record.add_page(page);
        let (mut words, mut units) = (0, 0);
        for word in (0..page.words().len()).filter(|word| page.can_own(*word)) {
            let free = page.lease(word, record.number());
            if free > 0 {
                record.add_ready(page, word);
            }
            words += 1;
            units += free;
        }
        page.set_owner(record.number(), words == page.words().len());
        self.account_leased(page, record, words, units);
        record.account_needed();
        units as usize
    }
}
