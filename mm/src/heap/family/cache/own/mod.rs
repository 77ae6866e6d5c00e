//! The words that a thread owns: how their free units are handed out, and how released units come back. All of
//! this runs in a section of the owner (see `biased`), or on a thread that holds the family's lock while the
//! owner is kept out.
//!
//! | module | subject |
//! | --- | --- |
//! | `refill` | free units leave own words to be handed out |
//! | `ready` | the words with free units |

mod ready;
mod refill;

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use super::record::CacheRecord;
use crate::heap::pages::{Owner, Page, PageState, Ready, Word, released_twice};

impl CacheRecord {
    /// Makes the `units` units from `first` on the next to be handed out. The caller saw that none is left
    /// between `cur` and `end`.
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

    /// Frees the units of `mask` in an own word. The caller counts them in the page.
    #[inline]
    pub(in crate::heap::family::cache) fn free_own(
        &self,
        page: Page,
        number: usize,
        word: &Word,
        mask: u64,
    ) {
        let taken = word.taken();
        if taken & mask != mask {
            released_twice(page.unit(number * 64));
        }
        word.set_taken(taken & !mask);
        if taken == u64::MAX {
            self.add_ready(page, number);
        }
    }

    /// Adds a page to the list of those that the record owns.
    pub(in crate::heap) fn add_page(&self, page: Page) {
        let (state, newest) = (page.state(), self.pages.get());
        state.next.set(newest);
        state.previous.set(None);
        if let Some(newest) = newest {
            newest.previous.set(Some(state));
        }
        self.pages.set(Some(state));
    }

    /// Removes a page from the list of those that the record owns.
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

    /// The single words that the record owns, each with its page and its number there.
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
}
