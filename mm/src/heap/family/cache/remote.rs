//! Units that a thread releases and another owns.
//!
//! The releasing thread sets the units' bits in the word's [`Remote`](crate::heap::pages::Remote). If no bit
//! was set there before, the thread also puts the word into the inbox of the word's owner. A word without an
//! owner goes into the family's inbox, which is emptied under the family's lock. A thread that ends gives its
//! words back first, then shuts its inbox; from then on other threads use the family's inbox. If a thread finds
//! a word in its inbox that it no longer owns, it sends the word on.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::numbers;
use super::record::{CacheRecord, Inbox, SHUT};
use crate::heap::family::Heap;
use crate::heap::pages::{NO_OWNER, Page, released_twice, spot_of};

/// The most bytes of units that may wait to be sent; but one unit may always wait.
const MOST_BYTES: usize = 64 << 10;

impl Heap {
    /// Sends released units of one word to the word's owner.
    pub(in crate::heap) fn send_to_owner(&'static self, page: Page, word: usize, bits: u64) {
        let first = page.unit(word * 64);
        page.account_remote_release();
        let remote = page.remote(word);
        let before = remote.bits.fetch_or(bits, AcqRel);
        if before & bits != 0 {
            released_twice(first);
        }
        if before != 0 {
            // The word is in a list, or on its way there.
            return;
        }
        loop {
            let (mut inbox, mut newest) = self.inbox_of(page.words()[word].owner());
            if newest.addr() == SHUT {
                inbox = &self.inbox;
                newest = inbox.first.load(Relaxed);
            }
            remote.next.store(newest, Relaxed);
            let pushed = inbox
                .first
                .compare_exchange(newest, first.as_ptr(), Release, Relaxed);
            if pushed.is_ok() {
                return inbox.account_word();
            }
        }
    }

    /// The inbox for words of an owner, and the newest word there.
    fn inbox_of(&'static self, owner: u32) -> (&'static Inbox, *mut u8) {
        let record = if owner == NO_OWNER {
            None
        } else {
            numbers::record(owner)
        };
        let inbox = record.map_or(&self.inbox, |record| &record.remote);
        (inbox, inbox.first.load(Relaxed))
    }

    /// Empties the inbox that begins with `newest`: calls `take` with each word and the bits of its released
    /// units. `take` returns false if the word has another owner; then this sends the units there.
    fn empty(&'static self, newest: *mut u8, mut take: impl FnMut(Page, usize, u64) -> bool) {
        let mut next = NonNull::new(newest).filter(|first| first.addr().get() != SHUT);
        while let Some(first) = next {
            let spot = spot_of(first);
            let (page, word) = (spot.page, spot.index / 64);
            let remote = page.remote(word);
            // Before the bits: once they are taken, another thread may put the word into a list again.
            next = NonNull::new(remote.next.load(Relaxed));
            let bits = remote.bits.swap(0, AcqRel);
            if !take(page, word, bits) {
                self.send_to_owner(page, word, bits);
            }
        }
    }

    /// Whether other threads released units of words without an owner.
    pub(in crate::heap) fn has_remote_releases(&self) -> bool {
        self.inbox.has_any()
    }

    /// Empties the inbox of the family, and calls `free` with each word and its units. The caller has the
    /// family's lock.
    pub(in crate::heap) fn empty_inbox(&'static self, mut free: impl FnMut(Page, usize, u64)) {
        if !self.inbox.has_any() {
            return;
        }
        let newest = self.inbox.first.swap(ptr::null_mut(), Acquire);
        self.empty(newest, |page, word, bits| {
            let is_own = page.words()[word].is_owned_by(NO_OWNER);
            if is_own {
                free(page, word, bits);
            }
            is_own
        });
    }
}

impl CacheRecord {
    /// Whether other threads released units of the record's words.
    pub(in crate::heap) fn has_remote_releases(&self) -> bool {
        self.remote.has_any()
    }

    /// Frees the units that other threads released in own words. Returns whether there were any. The caller is
    /// in a section, or keeps the owner out.
    pub(in crate::heap) fn drain_inbox(&self) -> bool {
        self.drain_inbox_and_set(ptr::null_mut())
    }

    /// As [`drain_inbox`](Self::drain_inbox), but also shuts the inbox: later words go to the family.
    pub(in crate::heap) fn shut_inbox(&self) {
        self.drain_inbox_and_set(ptr::without_provenance_mut(SHUT));
    }

    fn drain_inbox_and_set(&self, newest: *mut u8) -> bool {
        let mut any = false;
        let taken = self.remote.first.swap(newest, Acquire);
        self.remote.words.store(0, Relaxed);
        self.moving(|| {
            self.heap().empty(taken, |page, number, bits| {
                let word = &page.words()[number];
                let is_own = word.is_owned_by(self.number());
                if is_own {
                    self.free_own(page, number, word, bits);
                    page.count_freed(bits.count_ones());
                    any = true;
                }
                is_own
            });
        });
        any
    }

    /// Notes a released unit of a word that another thread owns. Units of one word are sent together. The
    /// caller is in a section.
    pub(super) fn send_later(&self, page: Page, index: usize) {
        let (word, bit) = (index / 64, 1 << (index % 64));
        let first = page.unit(word * 64);
        if self.pending_first.load(Relaxed) == first.as_ptr() {
            let bits = self.pending.load(Relaxed);
            if bits & bit != 0 {
                released_twice(page.unit(index));
            }
            self.pending.store(bits | bit, Relaxed);
        } else {
            self.send();
            self.pending_first.store(first.as_ptr(), Relaxed);
            self.pending.store(bit, Relaxed);
        }
        let unit = self.heap().geometry().unit();
        if unit > MOST_BYTES / 64 && self.pending_units() * unit >= MOST_BYTES {
            self.send();
        }
    }

    /// Units that wait to be sent.
    pub(super) fn pending_units(&self) -> usize {
        self.pending.load(Relaxed).count_ones() as usize
    }

    /// Sends the units that wait. The caller is in a section.
    pub(in crate::heap) fn send(&self) {
        let bits = self.pending.load(Relaxed);
        let Some(first) = NonNull::new(self.pending_first.load(Relaxed)) else {
            return;
        };
        self.moving(|| {
            self.change(|| {
                self.pending.store(0, Relaxed);
                self.pending_first.store(ptr::null_mut(), Relaxed);
            });
            if bits != 0 {
                let spot = spot_of(first);
                self.heap().send_to_owner(spot.page, spot.index / 64, bits);
            }
        });
    }

    /// Words in the inbox, approximately.
    pub(in crate::heap) fn inbox_words(&self) -> usize {
        self.remote.words.load(Relaxed) as usize
    }
}
