//! Words and pages that go back from threads to their family.

use core::sync::atomic::Ordering::Relaxed;

use super::Central;
use super::steal::STEAL_FROM;
use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheRecord, barrier, barrier_at_any_cost};
use crate::heap::pages::{NOBODY, Page};

impl Central {
    /// Takes from all threads what they do not use: the kernel has no more memory.
    #[cold]
    pub(in crate::heap::family::central) fn take_back(&mut self, heap: &'static Heap) {
        self.take_free_words_of_all(heap);
        self.caches.iter().for_each(CacheRecord::end_wanted);
    }

    /// Makes nobody the owner of a page that the record owns. The owner is kept out, or is the caller.
    pub(super) fn end_page_lease(&mut self, page: Page, record: &CacheRecord) {
        record.remove_page(page);
        page.state().ready.groups.store(0, Relaxed);
        let words = page.words().iter().enumerate();
        let own = words.filter(|(_, word)| word.is_owned_by(record.number()));
        let (mut words, mut free) = (0, 0);
        for (number, _) in own {
            free += page.end_lease(number);
            words += 1;
        }
        page.account_lease_ended(words, free);
        page.set_owner(NOBODY, false);
        record.remove_owned_words(words);
        self.account.account_units_freed(free as usize);
        self.account_freed(page);
    }

    /// Makes nobody the owner of a single word.
    fn end_word_lease(&mut self, page: Page, word: usize, record: &CacheRecord) {
        let free = page.end_lease(word);
        page.account_lease_ended(1, free);
        record.remove_owned_words(1);
        self.account.account_units_freed(free as usize);
        self.account_freed(page);
    }

    /// Takes pages without a taken unit in own words from a thread, but for so many. The owner is the caller, or
    /// kept out. Returns how many.
    pub(in crate::heap) fn take_empty_pages(&mut self, record: &CacheRecord, kept: usize) -> usize {
        let mut given = 0;
        let mut empty = record.own_pages().filter(|page| page.is_unused());
        // The next is found before the list changes.
        let mut next = empty.nth(kept);
        while let Some(page) = next {
            next = empty.next();
            self.end_page_lease(page, record);
            given += 1;
        }
        if given > 0 {
            record.account_given(u32::try_from(given).unwrap_or(u32::MAX));
            record.purge_ready();
        }
        given
    }

    /// Takes all words of a record. The owner is the caller, or kept out, or there is none.
    pub(in crate::heap) fn take_all_words(&mut self, record: &CacheRecord) {
        while let Some(page) = record.own_pages().next() {
            self.end_page_lease(page, record);
        }
        for (page, word) in record.single_words() {
            self.end_word_lease(page, word, record);
        }
        for shared in record.all_shared() {
            shared.groups.store(0, Relaxed);
        }
        record.purge_ready();
        for shared in record.all_shared() {
            shared.set_page(None);
        }
    }

    /// Takes what a thread owns and does not use: its pages without a taken unit, and its single words of
    /// which no unit is taken. The owner is the caller, or kept out.
    pub(in crate::heap) fn take_free_words(&mut self, record: &CacheRecord) {
        record.collect();
        self.take_empty_pages(record, 0);
        for page in record.own_pages().filter(|page| !page.is_whole()) {
            self.take_free_words_of(page, record);
        }
        for (page, word) in record.single_words() {
            let map = page.whole_map();
            if map.taken_in(word) == 0
                && let Some(ready) = record.shared_ready(page)
            {
                self.end_word_lease(page, word, record);
                ready.remove_word(page, word);
            }
        }
        record.forget_vacant_pages();
    }

    /// Takes the words without a taken unit of a page that the record owns, but for some words; others of its
    /// words have taken units.
    fn take_free_words_of(&mut self, page: Page, record: &CacheRecord) {
        let map = page.whole_map();
        for (number, word) in page.words().iter().enumerate() {
            if word.is_owned_by(record.number()) && map.taken_in(number) == 0 {
                self.end_word_lease(page, number, record);
                page.state().ready.remove_word(page, number);
            }
        }
    }

    /// Collects for threads that do not do so themselves what others released of their words, and takes the
    /// pages that come free by that.
    pub(in crate::heap) fn collect_for_idle(&mut self) {
        let is_idle = |record: &&CacheRecord| record.pages_of_mail() >= STEAL_FROM;
        if !self.caches.iter().any(|record| is_idle(&record)) {
            return;
        }
        self.caches
            .iter()
            .filter(|record| is_idle(record))
            .for_each(CacheRecord::want);
        let is_seen = barrier();
        for record in self.caches.iter().filter(|record| record.is_wanted()) {
            if is_seen && record.is_at_rest() {
                record.collect();
                self.take_empty_pages(record, record.pages_kept());
            }
            record.end_wanted();
        }
    }

    /// Takes the free words of all threads that are out of their sections, and keeps those out until the
    /// caller ends it.
    pub(in crate::heap) fn take_free_words_of_all(&mut self, heap: &'static Heap) {
        self.drain(heap);
        if self.caches.newest().is_none() {
            return;
        }
        self.caches.iter().for_each(CacheRecord::want);
        let is_seen = barrier();
        for record in self.caches.iter() {
            if is_seen && record.is_at_rest() {
                self.free_kept_rows(record);
                self.take_free_words(record);
                record.forget_needs();
            } else {
                record.end_wanted();
            }
        }
    }

    /// Takes all words of all threads; waits for those inside of their sections.
    pub(in crate::heap) fn take_all_words_of_all(&mut self, heap: &'static Heap) {
        if self.caches.newest().is_some() {
            self.caches.iter().for_each(CacheRecord::want);
            barrier_at_any_cost();
        }
        for record in self.caches.iter() {
            record.wait_until_at_rest();
            record.collect();
            self.take_all_words(record);
            record.end_wanted();
        }
        self.drain(heap);
    }
}
