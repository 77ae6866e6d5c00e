//! How words come to the threads that own them, and back. All of it under the family's lock.

use core::sync::atomic::Ordering::Relaxed;

use super::Central;
use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheRecord, barrier, barrier_at_any_cost};
use crate::heap::pages::{Extent, NOBODY, Page, released_twice};
use crate::os::Refused;

/// Refills of a new thread that take units and no words, so that a thread that needs few takes few.
const UNIT_STAGES: u32 = 2;

/// Units that such a refill takes.
const FIRST_UNITS: u32 = 16;

/// Units that any refill without words takes, in bytes at most.
const MOST_BYTES: usize = 128 << 10;

/// Families with fewer units in a page give whole pages from the start.
const FEW_UNITS: usize = 256;

/// Refills that take words: one, then twice as many each time.
const WORD_STAGES: u32 = 5;

/// Units above this size have no owners: a page of them would be too much for one thread.
const LARGEST_OWNED: usize = 4 << 10;

/// Pages that one refill takes at most, if they have few free units.
const MOST_PAGES: usize = 8;

/// Pages that other threads could spare, from which on a thread takes some of them.
const STEAL_FROM: usize = 16;

/// Pages of another thread that are looked at, and that are taken at once.
const STEAL_LOOKS: usize = 64;
const STEAL_MOST: usize = 16;

impl Central {
    /// Gets units for a thread that has none left, into its words or at hand. The caller is the record's
    /// thread, and no unit is at hand.
    pub(in crate::heap) fn acquire(
        &mut self,
        heap: &'static Heap,
        record: &'static CacheRecord,
    ) -> Result<(), Refused> {
        self.drain(heap);
        let stage = record.next_stage();
        let has_words = heap.lends_words();
        let is_first = stage < UNIT_STAGES && heap.page_capacity() >= FEW_UNITS;
        let answer = if !has_words || is_first {
            self.take_units(heap, record)
        } else if stage < UNIT_STAGES + WORD_STAGES && heap.page_capacity() >= FEW_UNITS {
            self.lease_words(heap, record, 1 << (stage - UNIT_STAGES))
        } else {
            self.lease_pages(heap, record)
        };
        self.account_peak(heap);
        answer
    }

    /// Hands out a few units of a word that nobody owns.
    fn take_units(
        &mut self,
        heap: &'static Heap,
        record: &'static CacheRecord,
    ) -> Result<(), Refused> {
        let most = (MOST_BYTES / heap.geometry().unit()).clamp(1, FIRST_UNITS as usize);
        let page = self.page_to_fill(heap)?;
        let map = page.map();
        let from = first_word(heap, page);
        let words = (from..map.words()).chain(0..from);
        let word = words.into_iter().find(|word| map.free_in(*word) != 0);
        let word = word.ok_or(Refused)?;
        let free = map.free_in(word);
        let bit = free.trailing_zeros();
        let units = (free >> bit)
            .trailing_ones()
            .min(u32::try_from(most).unwrap_or(1));
        let mask = (u64::MAX >> (64 - units)) << bit;
        let zero = page.take(word, mask);
        self.account.account_leased(units as usize);
        self.account_used(page.extent());
        self.account_page_changed(page);
        let first = page.unit(word * 64 + bit as usize);
        let is_marked = record.mark_never_handed_out(first, units as usize);
        record.hand_out(first, units as usize, zero && !is_marked);
        Ok(())
    }

    /// Makes the thread the owner of so many words with a free unit, or of fewer.
    fn lease_words(
        &mut self,
        heap: &'static Heap,
        record: &'static CacheRecord,
        most: usize,
    ) -> Result<(), Refused> {
        let page = self.page_to_fill(heap)?;
        if record.make_shared_ready(page).is_none() {
            // Of too many pages it has words already.
            return self.lease_pages(heap, record);
        }
        if self.lease_words_of(heap, page, record, most) == 0 {
            return self.take_units(heap, record);
        }
        Ok(())
    }

    /// Makes the thread the owner of so many words of the page; returns how many it got.
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
            if page.free_to_own(word) != 0 {
                free += page.lease(word, record.number());
                record.add_ready(page, word);
                leased += 1;
            }
        }
        self.account_leased(page, record, leased, free);
        if leased == 0 {
            // Its place may be made already.
            record.forget_vacant_pages();
        }
        leased
    }

    /// Counts words of the page that the record owns now, and the free units in them.
    fn account_leased(&mut self, page: Page, record: &CacheRecord, words: usize, free: u32) {
        page.account_leased(words, free);
        self.account.account_leased(free as usize);
        record.add_owned_words(words);
        self.account_used(page.extent());
        self.account_page_changed(page);
    }

    /// Makes the thread the owner of whole pages: of those that are there, of some that other threads could
    /// retained, or of a new one.
    fn lease_pages(
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

    /// Takes from all threads what they do not use: the kernel has no more memory.
    #[cold]
    pub(super) fn take_back(&mut self, heap: &'static Heap) {
        self.take_free_words_of_all(heap);
        self.caches.iter().for_each(CacheRecord::end_wanted);
    }

    /// A page that a thread may own: of the fullest, those in use first.
    fn page_to_own(&self) -> Option<Page> {
        let mut extents = self.fullness_lists.with_room();
        extents.find_map(|extent| extent.page_to_fill_if(Page::is_to_own))
    }

    /// Words of pages that nobody can own, if there are any with free units.
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

    /// Makes the thread the owner of a page, but for words with blocks of many units; returns the free units
    /// that it gets.
    fn lease_page(&mut self, page: Page, record: &'static CacheRecord) -> usize {
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

    /// Makes nobody the owner of a page that the record owns. The owner is kept out, or is the caller.
    fn end_page_lease(&mut self, page: Page, record: &CacheRecord) {
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

    /// Frees what was released of words that nobody owns.
    pub(in crate::heap) fn drain(&mut self, heap: &'static Heap) {
        heap.empty_inbox(|page, word, bits| {
            if !page.free(word, bits) {
                released_twice(page.unit(word * 64));
            }
            let units = bits.count_ones() as usize;
            self.account.account_units_freed(units);
            self.account_freed(page);
        });
    }

    /// Takes pages of another thread that has many free units, if all others have enough to spare.
    fn steal(&mut self, heap: &'static Heap, record: &'static CacheRecord) -> bool {
        let pages = self.mapped / heap.geometry().page_bytes();
        if pages < self.next_steal {
            return false;
        }
        let others = self
            .caches
            .iter()
            .filter(|it| it.number() != record.number());
        let (mut best, mut most, mut all) = (None, 0, 0);
        for other in others {
            let retained = other.excess_pages();
            all += retained;
            if retained > most {
                (best, most) = (Some(other), retained);
            }
        }
        let mut got = 0;
        // Pages with holes are slower than whole ones: not for less than that.
        if let Some(victim) = best.filter(|_| all >= STEAL_FROM.max(pages / 32)) {
            victim.want();
            if barrier() && victim.is_at_rest() {
                got = self.steal_from(victim, record, most);
            }
            victim.end_wanted();
        }
        if got == 0 {
            self.next_steal = pages + pages / 16 + 1;
        }
        got > 0
    }

    fn steal_from(
        &mut self,
        victim: &'static CacheRecord,
        record: &'static CacheRecord,
        retained: usize,
    ) -> usize {
        victim.collect();
        let words = victim.heap().geometry().words();
        let most = (record.owned_words() / words / 8)
            .clamp(1, STEAL_MOST)
            .min(retained);
        let ready = victim.ready_pages_list().take(STEAL_LOOKS);
        let owned = ready.filter(|page| page.is_whole() && page.owner() == victim.number());
        let rich = owned.filter(|page| page.all_free() >= page.capacity() / 4);
        let mut stolen = [None; STEAL_MOST];
        let mut got = 0;
        for page in rich.take(most) {
            stolen[got] = Some(page);
            got += 1;
        }
        for page in stolen.into_iter().flatten() {
            self.end_page_lease(page, victim);
        }
        victim.purge_ready();
        for page in stolen.into_iter().flatten() {
            self.lease_page(page, record);
        }
        victim.account_given(u32::try_from(got).unwrap_or(0));
        got
    }

    /// Puts an extent where it belongs after units of the page were taken.
    fn account_page_changed(&mut self, page: Page) {
        self.fullness_lists.account_changed(page.extent());
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

/// The word of a page at which it is begun: families differ, so that their first units do not all meet
/// in the same sets of the CPU's caches.
fn first_word(heap: &Heap, page: Page) -> usize {
    let is_very_first = page.number == 0 && page.extent().older.get().is_none();
    let is_unused = page.taken() == 0;
    if is_very_first && (is_unused || page.owned_words() > 0 || !page.has_continued()) {
        heap.geometry().colour(heap.number())
    } else {
        0
    }
}

impl Heap {
    /// Whether threads own words of the family.
    pub(in crate::heap) fn lends_words(&self) -> bool {
        self.geometry().unit() <= LARGEST_OWNED
    }
}

impl CacheRecord {
    /// The number of this refill: the more a thread needs, the more it gets.
    fn next_stage(&self) -> u32 {
        let stage = self.stage().load(Relaxed);
        self.stage()
            .store((stage + 1).min(UNIT_STAGES + WORD_STAGES), Relaxed);
        stage
    }

    /// Pages with free units that the thread does not need for itself, about.
    fn excess_pages(&self) -> usize {
        let retained = self.ready_pages().saturating_sub(self.pages_kept());
        // What others released of its words, and it does not know of yet.
        retained + self.pages_of_mail()
    }

    /// Pages of words that others released units of.
    fn pages_of_mail(&self) -> usize {
        self.mail() / self.heap().geometry().words().max(1)
    }
}
