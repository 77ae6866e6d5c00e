//! Which of a thread's own words have free units: a bit for each group of words in the `Ready` of its page, and
//! a list of these pages.

use core::sync::atomic::Ordering::Relaxed;

use crate::heap::family::cache::record::{CacheRecord, SHARED_PAGES};
use crate::heap::ground::{Link, meta};
use crate::heap::pages::{Page, Ready, Word};

impl CacheRecord {
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

    /// The `Ready` that the record uses for the page, if it owns words there.
    fn ready_of(&self, page: Page) -> Option<&'static Ready> {
        if page.owner() == self.number() {
            return Some(&page.state().ready);
        }
        self.shared_ready(page)
    }

    /// The record's own `Ready` for a page in which it owns single words, if there is one.
    pub(in crate::heap) fn shared_ready(&self, page: Page) -> Option<&'static Ready> {
        let mut shared = self.all_shared().iter();
        shared.find(|ready| ready.page() == Some(page))
    }

    /// The `Ready` that the record uses for the page. If there is none, takes a vacant one; returns `None` if
    /// none is vacant.
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

    /// One `Ready` for each page in which the record owns single words, and vacant ones; empty until it first
    /// owns a single word.
    pub(in crate::heap) fn all_shared(&self) -> &'static [Ready] {
        self.shared.get().map_or(&[], |places| places)
    }

    /// Removes the newest page, which has no ready word, from the list.
    pub(super) fn unlist_newest(&self, ready: &Ready) {
        ready.is_listed.store(false, Relaxed);
        self.ready.set(ready.next.get());
        let pages = self.ready_pages.load(Relaxed);
        self.ready_pages.store(pages - 1, Relaxed);
    }

    /// Removes all pages without a ready word from the list.
    pub(in crate::heap) fn unlist_empty(&self) {
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

    /// Whether a refill would find the own word, if it has a free unit.
    pub(in crate::heap) fn is_ready(&self, page: Page, word: usize) -> bool {
        let group = word >> page.extent().geometry().group_shift();
        self.ready_of(page).is_some_and(|ready| {
            let has_group = ready.groups.load(Relaxed) >> group & 1 != 0;
            has_group && ready.is_listed.load(Relaxed)
        })
    }

    /// The number of pages on the list of those with a ready word.
    pub(in crate::heap) fn ready_pages(&self) -> usize {
        self.ready_pages.load(Relaxed) as usize
    }

    /// The pages on the list of those with a ready word.
    pub(in crate::heap) fn ready_pages_list(&self) -> impl Iterator<Item = Page> + use<> {
        let newest = self.ready.get();
        core::iter::successors(newest, |ready: &&'static Ready| ready.next.get())
            .filter_map(Ready::page)
    }

    /// Makes each `Ready` vacant in whose page the record owns no word any more.
    pub(in crate::heap) fn forget_vacant_pages(&self) {
        let is_own = |word: &Word| word.is_owned_by(self.number());
        let is_vacant = |page: Page| !page.words().iter().any(is_own);
        let vacant = || {
            let all = self.all_shared().iter();
            all.filter(|it| it.page().is_some_and(is_vacant))
        };
        vacant().for_each(|it| it.groups.store(0, Relaxed));
        self.unlist_empty();
        vacant().for_each(|it| it.set_page(None));
    }
}

impl Ready {
    /// Notes that the record no longer has the word. A group of several words keeps its bit, since others may
    /// be ready.
    pub(in crate::heap) fn remove_word(&self, page: Page, word: usize) {
        if page.extent().geometry().group_shift() == 0 {
            self.remove(word);
        }
    }
}
