//! Words and pages that go back from threads to their family.

use core::sync::atomic::Ordering::Relaxed;

use super::Central;
use super::steal::STEAL_FROM;
use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheRecord, barrier, barrier_at_any_cost};
use crate::heap::pages::{NO_OWNER, Page};

impl Central {
    /// Takes unused memory from all threads, because the kernel has no more.
    #[cold]
    pub(in crate::heap::family::central) fn take_back(&mut self, heap: &'static Heap) {
        self.reclaim_free_words_of_all(heap);
        self.caches.iter().for_each(CacheRecord::end_wanted);
    }

    /// Takes a page from the record that owns it. The owner is kept out, or is the caller.
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
        page.set_owner(NO_OWNER, false);
        record.remove_owned_words(words);
        self.account.account_units_freed(free as usize);
        self.account_freed(page);
    }

    /// Takes a single word from the record that owns it.
    fn end_word_lease(&mut self, page: Page, word: usize, record: &CacheRecord) {
        let free = page.end_lease(word);
        page.account_lease_ended(1, free);
        record.remove_owned_words(1);
        self.account.account_units_freed(free as usize);
        self.account_freed(page);
    }

    /// Reclaims the thread's pages in which no unit of its words is taken, except `kept` of them. Returns how
    /// many. The owner is the caller, or kept out.
    pub(in crate::heap) fn take_empty_pages(&mut self, record: &CacheRecord, kept: usize) -> usize {
        let mut given = 0;
        let mut empty = record.own_pages().filter(|page| page.is_unused());
        // The next page is found before the list changes.
        let mut next = empty.nth(kept);
        while let Some(page) = next {
            next = empty.next();
            self.end_page_lease(page, record);
            given += 1;
        }
        if given > 0 {
            record.account_given(u32::try_from(given).unwrap_or(u32::MAX));
            record.unlist_empty();
        }
        given
    }

    /// Reclaims all words of a record. The owner is the caller, or kept out, or the record has no thread.
    pub(in crate::heap) fn reclaim_all_words(&mut self, record: &CacheRecord) {
        while let Some(page) = record.own_pages().next() {
            self.end_page_lease(page, record);
        }
        for (page, word) in record.single_words() {
            self.end_word_lease(page, word, record);
        }
        for shared in record.all_shared() {
            shared.groups.store(0, Relaxed);
        }
        record.unlist_empty();
        for shared in record.all_shared() {
            shared.set_page(None);
        }
    }

    /// Reclaims a thread's words that have no taken unit, and its pages that have none. The owner is the
    /// caller, or kept out.
    pub(in crate::heap) fn reclaim_free_words(&mut self, record: &CacheRecord) {
        record.drain_inbox();
        self.take_empty_pages(record, 0);
        for page in record.own_pages().filter(|page| !page.is_whole()) {
            self.reclaim_free_words_of(page, record);
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

    /// Reclaims the words without a taken unit of a page that the record owns in part.
    fn reclaim_free_words_of(&mut self, page: Page, record: &CacheRecord) {
        let map = page.whole_map();
        for (number, word) in page.words().iter().enumerate() {
            if word.is_owned_by(record.number()) && map.taken_in(number) == 0 {
                self.end_word_lease(page, number, record);
                page.state().ready.remove_word(page, number);
            }
        }
    }

    /// Empties the inboxes of threads that have not done so for long, and reclaims their pages that become
    /// empty.
    pub(in crate::heap) fn collect_for_idle(&mut self) {
        let is_idle = |record: &&CacheRecord| record.pages_of_remote_releases() >= STEAL_FROM;
        if !self.caches.iter().any(|record| is_idle(&record)) {
            return;
        }
        self.caches
            .iter()
            .filter(|record| is_idle(record))
            .for_each(CacheRecord::want);
        let is_seen = barrier();
        for record in self.caches.iter().filter(|record| record.is_wanted()) {
            if is_seen && record.try_wait_until_at_rest() {
                record.drain_inbox();
                self.take_empty_pages(record, record.pages_kept());
            }
            record.end_wanted();
        }
    }

    /// Reclaims the free words of all threads that are in no section. These threads stay kept out until the
    /// caller calls `end_wanted`.
    pub(in crate::heap) fn reclaim_free_words_of_all(&mut self, heap: &'static Heap) {
        self.drain_inbox(heap);
        if self.caches.newest().is_none() {
            return;
        }
        self.caches.iter().for_each(CacheRecord::want);
        let is_seen = barrier();
        for record in self.caches.iter() {
            if is_seen && record.try_wait_until_at_rest() {
                self.free_cached_rows(record);
                self.reclaim_free_words(record);
                record.forget_needs();
            } else {
                record.end_wanted();
            }
        }
    }

    /// Reclaims all words of all threads. Waits for threads in a section.
    pub(in crate::heap) fn reclaim_all_words_of_all(&mut self, heap: &'static Heap) {
        if self.caches.newest().is_some() {
            self.caches.iter().for_each(CacheRecord::want);
            barrier_at_any_cost();
        }
        for record in self.caches.iter() {
            record.wait_until_at_rest();
            record.drain_inbox();
            self.reclaim_all_words(record);
            record.end_wanted();
        }
        self.drain_inbox(heap);
    }
}
