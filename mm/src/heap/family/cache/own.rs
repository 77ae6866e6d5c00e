//! The words that a thread owns: how their free units come to be handed out, and how released ones come
//! back to them. All of it inside of a section of the owner (see `biased`), or by a thread that holds the
//! family's lock while the owner is kept out.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Relaxed, Release};

use super::record::{CacheRecord, SHARED_PAGES};
use crate::heap::ground::{Link, meta};
use crate::heap::pages::{Owner, Page, PageState, Ready, Word, ones, released_twice};

/// Words that are handed out together at most.
const MOST_WORDS: usize = 8;

/// Units side by side that are handed out as such; fewer go onto the stack.
const SHORTEST_RUN: u32 = 8;

/// Units that a refill puts on the stack, if it has room.
const STACKED: u32 = 32;

impl CacheRecord {
    /// Finds free units without the family's lock: in own words, among those that were released side by
    /// side, or in what other threads sent. False if there are none.
    pub(in crate::heap) fn refill(&self) -> bool {
        let mut any = self.section(|| self.moving(|| self.refill_from_own()));
        if !any && !self.run_from.load(Relaxed).is_null() {
            any = self.in_run() > 0;
            self.end_run();
        }
        if !any && self.has_mail() {
            any = self.section(|| self.collect());
        }
        any
    }

    /// Hands out what is free in own words, lowest address first; false if nothing is.
    pub(in crate::heap) fn refill_from_own(&self) -> bool {
        let Some((ready, page)) = self.ready.get().and_then(|it| Some((it, it.page()?))) else {
            return false;
        };
        self.sweeps.store(0, Relaxed);
        self.room.store(self.places.load(Relaxed), Relaxed);
        let mut refill = Refill {
            record: self,
            ready,
            page,
            words: page.words(),
            shift: page.extent().geometry().group_shift(),
            stacked: 0,
        };
        refill.fill();
        let stacked = refill.stacked;
        page.end_purged();
        if ready.is_empty() {
            self.unlist_newest(ready);
        }
        if stacked > 0 {
            self.change(|| {
                let direct = self.direct.load(Relaxed);
                self.direct
                    .store(direct.wrapping_sub(stacked.into()), Relaxed);
                self.stacked.store(stacked, Relaxed);
            });
        }
        true
    }

    /// Makes units side by side the next to be handed out. Those before are used up.
    pub(in crate::heap) fn hand_out(&self, first: NonNull<u8>, units: usize, zero: bool) {
        let bytes = units * self.heap().geometry().unit();
        self.change(|| {
            let refilled = self.refilled.load(Relaxed) + units as u64;
            self.refilled.store(refilled, Relaxed);
            self.cur.store(first.as_ptr(), Relaxed);
            // The pointer has the provenance of the whole reservation, so no step leaves it.
            self.end.store(first.as_ptr().wrapping_add(bytes), Relaxed);
            self.is_zero.store(zero.into(), Relaxed);
        });
    }

    /// Frees the units of `mask` in an own word; the caller counts them in the page.
    #[inline]
    pub(super) fn free_own(&self, page: Page, number: usize, word: &Word, mask: u64) {
        let taken = word.taken();
        if taken & mask != mask {
            released_twice(page.unit(number * 64));
        }
        word.set_taken(taken & !mask);
        if taken == u64::MAX {
            self.add_ready(page, number);
        }
    }

    /// Notes that word `number` of a page has a free unit.
    pub(in crate::heap) fn add_ready(&self, page: Page, number: usize) {
        let Some(ready) = self.ready_of(page) else {
            return;
        };
        ready.add(number >> page.extent().geometry().group_shift());
        if !ready.is_listed.load(Relaxed) {
            ready.is_listed.store(true, Relaxed);
            ready.next.set(self.ready.get());
            self.ready.set(Some(ready));
            let pages = self.ready_pages.load(Relaxed);
            self.ready_pages.store(pages + 1, Relaxed);
        }
    }

    /// Where the record notes which words of a page are ready, if it owns any.
    fn ready_of(&self, page: Page) -> Option<&'static Ready> {
        if page.owner() == self.number() {
            return Some(&page.state().ready);
        }
        self.shared_ready(page)
    }

    /// The place for a page of which the record owns single words, if it has one.
    pub(in crate::heap) fn shared_ready(&self, page: Page) -> Option<&'static Ready> {
        let mut shared = self.all_shared().iter();
        shared.find(|ready| ready.page() == Some(page))
    }

    /// The same, or makes a place; none if there is none left.
    pub(in crate::heap) fn make_shared_ready(&self, page: Page) -> Option<&'static Ready> {
        if let Some(known) = self.ready_of(page) {
            return Some(known);
        }
        if self.shared.get().is_none() {
            let places = [const { Ready::none() }; SHARED_PAGES];
            self.shared.set(meta::RECORDS.place(places).ok());
        }
        let vacant = self.all_shared().iter().find(|it| it.page().is_none())?;
        vacant.set_page(Some(page));
        Some(vacant)
    }

    /// The places for pages of which the record owns single words; none until it owned one.
    pub(in crate::heap) fn all_shared(&self) -> &'static [Ready] {
        self.shared.get().map_or(&[], |places| places)
    }

    /// Takes the newest page, of which no word is ready, off the list.
    fn unlist_newest(&self, ready: &Ready) {
        ready.is_listed.store(false, Relaxed);
        self.ready.set(ready.next.get());
        let pages = self.ready_pages.load(Relaxed);
        self.ready_pages.store(pages - 1, Relaxed);
    }

    /// Takes all pages off the list that have no ready word.
    pub(in crate::heap) fn purge_ready(&self) {
        let (mut next, mut last, mut pages): (_, &Link<Ready>, u32) =
            (self.ready.get(), &self.ready, 0);
        while let Some(ready) = next {
            next = ready.next.get();
            if ready.is_empty() {
                ready.is_listed.store(false, Relaxed);
            } else {
                last.set(Some(ready));
                last = &ready.next;
                pages += 1;
            }
        }
        last.set(None);
        self.ready_pages.store(pages, Relaxed);
    }

    /// Adds a page that the record owns.
    pub(in crate::heap) fn add_page(&self, page: Page) {
        let (state, newest) = (page.state(), self.pages.get());
        state.next.set(newest);
        state.previous.set(None);
        if let Some(newest) = newest {
            newest.previous.set(Some(state));
        }
        self.pages.set(Some(state));
    }

    /// Takes a page off the list of those that the record owns.
    pub(in crate::heap) fn remove_page(&self, page: Page) {
        let (previous, next) = (page.state().previous.get(), page.state().next.get());
        match previous {
            Some(previous) => previous.next.set(next),
            None => self.pages.set(next),
        }
        if let Some(next) = next {
            next.previous.set(previous);
        }
    }

    /// The pages that the record owns.
    pub(in crate::heap) fn own_pages(&self) -> impl Iterator<Item = Page> + use<> {
        let newest = self.pages.get();
        core::iter::successors(newest, |state: &&'static PageState| state.next.get())
            .filter_map(Page::of)
    }

    /// The words that the record owns one by one, with the number of each in its page.
    pub(in crate::heap) fn single_words(&self) -> impl Iterator<Item = (Page, usize)> + use<> {
        let owner: Owner = self.number();
        let pages = self.all_shared().iter().filter_map(Ready::page);
        pages.flat_map(move |page| {
            let words = page.words().iter().enumerate();
            words
                .filter(move |(_, word)| word.is_owned_by(owner))
                .map(move |(number, _)| (page, number))
        })
    }
}

/// A refill under way.
struct Refill<'a> {
    record: &'a CacheRecord,
    ready: &'static Ready,
    page: Page,
    words: &'static [Word],
    shift: u32,
    /// Units that are on the stack.
    stacked: u32,
}

impl Refill<'_> {
    fn fill(&mut self) {
        while let Some(number) = self.lowest() {
            let free = !self.words[number].taken();
            if is_run(free) {
                if self.stacked == 0 {
                    self.hand_out_from(number, free);
                }
                return;
            }
            if !self.stack(number, free) || self.stacked >= STACKED {
                return;
            }
        }
    }

    /// The lowest word with a free unit.
    fn lowest(&self) -> Option<usize> {
        loop {
            let groups = self.ready.groups.load(Relaxed);
            if groups == 0 {
                return None;
            }
            let group = groups.trailing_zeros() as usize;
            let first = group << self.shift;
            let end = ((group + 1) << self.shift).min(self.words.len());
            let mut words = first..end;
            if let Some(found) = words.find(|number| self.has_free(*number)) {
                return Some(found);
            }
            self.ready.remove(group);
        }
    }

    /// Whether the word is the record's and has a free unit.
    fn has_free(&self, number: usize) -> bool {
        let word = &self.words[number];
        word.taken() != u64::MAX && word.is_owned_by(self.record.number())
    }

    /// Takes all free units of a word.
    fn take(&self, number: usize, free: u64) -> bool {
        let word = &self.words[number];
        word.set_taken(word.taken() | free);
        if self.shift == 0 && word.taken() == u64::MAX {
            self.ready.remove(number);
        }
        word.touch(free)
    }

    /// Hands out the free units of a word, which lie side by side, and of those behind it as long as they go
    /// on.
    fn hand_out_from(&self, number: usize, free: u64) {
        let mut zero = self.take(number, free);
        let (mut units, mut last, mut mask) = (ones(free), number, free);
        // Up to the last unit of the word, so that the next word's first follows.
        while mask >> 63 != 0 && last + 1 < (number + MOST_WORDS).min(self.words.len()) {
            let next = last + 1;
            mask = !self.words[next].taken();
            if mask == 0 || mask & mask.wrapping_add(1) != 0 || !self.has_free(next) {
                break;
            }
            zero &= self.take(next, mask);
            units += ones(mask);
            last = next;
        }
        self.page.count_taken(units);
        let first = number * 64 + free.trailing_zeros() as usize;
        let record = self.record;
        record.hand_out_marked(self.page.unit(first), units as usize, zero);
    }

    /// Puts the free units of a word on the stack, as many as it has room for; whether that was all.
    fn stack(&mut self, number: usize, free: u64) -> bool {
        let room = self
            .record
            .places
            .load(Relaxed)
            .saturating_sub(self.stacked);
        if room < free.count_ones() && self.stacked > 0 {
            return false;
        }
        if room == 0 {
            // Without any place they are handed out one by one.
            let lowest = free & free.wrapping_neg();
            let zero = self.take(number, lowest);
            self.page.count_taken(1);
            let first = number * 64 + lowest.trailing_zeros() as usize;
            self.record.hand_out_marked(self.page.unit(first), 1, zero);
            return false;
        }
        let taken = lowest_ones(free, room);
        self.take(number, taken);
        self.page.count_taken(taken.count_ones());
        for bit in crate::heap::pages::ones_of(taken) {
            let unit = self.page.unit(number * 64 + bit);
            self.record.mark_never_handed_out(unit, 1);
            // SAFETY: by invariant 1 of `CacheRecord` the stack has `places` places. `lowest_ones` took at
            // most `room` units, and there are as many places from `stacked` on.
            unsafe { self.record.place(self.stacked) }.store(unit.as_ptr(), Release);
            self.stacked += 1;
        }
        taken == free
    }
}

impl CacheRecord {
    fn hand_out_marked(&self, first: NonNull<u8>, units: usize, zero: bool) {
        let is_marked = self.mark_never_handed_out(first, units);
        self.hand_out(first, units, zero && !is_marked);
    }

    /// Marks units that come into the cache and that may never have been handed out, if releases rely on
    /// that; whether they do.
    pub(in crate::heap) fn mark_never_handed_out(&self, first: NonNull<u8>, units: usize) -> bool {
        let heap = self.heap();
        let unit = heap.geometry().unit();
        let at = |index: usize| NonNull::new(first.as_ptr().wrapping_add(index * unit));
        heap.mark_never_handed_out((0..units).filter_map(at))
    }
}

/// Whether free units lie side by side, and are enough to be handed out so.
fn is_run(free: u64) -> bool {
    let lowest = free & free.wrapping_neg();
    free.count_ones() >= SHORTEST_RUN && free & free.wrapping_add(lowest) == 0
}

/// The `most` lowest bits that are set in `mask`.
pub(in crate::heap) fn lowest_ones(mask: u64, most: u32) -> u64 {
    if mask.count_ones() <= most {
        return mask;
    }
    let (mut left, mut kept) = (mask, 0);
    for _ in 0..most {
        kept |= left & left.wrapping_neg();
        left &= left - 1;
    }
    kept
}

/// What the family asks under its lock.
impl CacheRecord {
    pub(in crate::heap) fn stage(&self) -> &crate::sync::AtomicU32 {
        &self.stage
    }

    pub(in crate::heap) fn owned_words(&self) -> usize {
        self.owned_words.load(Relaxed) as usize
    }

    pub(in crate::heap) fn add_owned_words(&self, words: usize) {
        let sum = self.owned_words() + words;
        self.owned_words.store(super::overflow::small(sum), Relaxed);
    }

    pub(in crate::heap) fn remove_owned_words(&self, words: usize) {
        let rest = self.owned_words() - words;
        self.owned_words
            .store(super::overflow::small(rest), Relaxed);
    }

    /// Whether a refill finds an own word.
    pub(in crate::heap) fn is_ready(&self, page: Page, word: usize) -> bool {
        let group = word >> page.extent().geometry().group_shift();
        self.ready_of(page).is_some_and(|ready| {
            let has_group = ready.groups.load(Relaxed) >> group & 1 != 0;
            has_group && ready.is_listed.load(Relaxed)
        })
    }

    /// Pages on the list of those with a ready word.
    pub(in crate::heap) fn ready_pages(&self) -> usize {
        self.ready_pages.load(Relaxed) as usize
    }

    /// The pages themselves.
    pub(in crate::heap) fn ready_pages_list(&self) -> impl Iterator<Item = Page> + use<> {
        let newest = self.ready.get();
        core::iter::successors(newest, |ready: &&'static Ready| ready.next.get())
            .filter_map(Ready::page)
    }

    /// Forgets the pages of which the record owns no word any more.
    pub(in crate::heap) fn forget_vacant_pages(&self) {
        let is_own = |word: &Word| word.is_owned_by(self.number());
        let is_vacant = |page: Page| !page.words().iter().any(is_own);
        let vacant = || {
            let all = self.all_shared().iter();
            all.filter(|it| it.page().is_some_and(is_vacant))
        };
        vacant().for_each(|it| it.groups.store(0, Relaxed));
        self.purge_ready();
        vacant().for_each(|it| it.set_page(None));
    }
}

impl Ready {
    /// Notes that the record has no such word any more: the group may have others.
    pub(in crate::heap) fn remove_word(&self, page: Page, word: usize) {
        if page.extent().geometry().group_shift() == 0 {
            self.remove(word);
        }
    }
}
