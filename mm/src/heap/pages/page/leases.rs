//! Words that threads own. All of this runs under the family's lock.

use core::sync::atomic::Ordering::Relaxed;

use super::Page;
use super::longest_run::longest_run_near;
use super::state::WHOLE;
use crate::heap::pages::extent::count;
use crate::heap::pages::slot_map::{ones, valid};
use crate::heap::pages::word::{NO_OWNER, Owner};

impl Page {
    /// The record that owns the page, or [`NO_OWNER`].
    pub(in crate::heap) fn owner(self) -> Owner {
        self.state().owner.load(Relaxed)
    }

    /// Words that have an owner.
    pub(in crate::heap) fn owned_words(self) -> usize {
        self.state().owned_words.load(Relaxed) as usize
    }

    /// Whether a thread can own the page and would get free units with it.
    pub(in crate::heap) fn is_leasable(self) -> bool {
        let has_any = || (0..self.words().len()).any(|word| self.leasable_units(word) != 0);
        self.owned_words() == 0 && (!self.has_rows() || has_any())
    }

    /// Whether the words of the page's owner have no taken unit.
    pub(in crate::heap) fn is_unused(self) -> bool {
        if self.is_whole() {
            return self.all_free() == self.capacity();
        }
        let (owner, map) = (self.owner(), self.whole_map());
        let mut own = self.words().iter().enumerate();
        own.all(|(number, word)| !word.is_owned_by(owner) || map.taken_in(number) == 0)
    }

    /// Whether the page's owner owns all of its words.
    pub(in crate::heap) fn is_whole(self) -> bool {
        self.state().flags.load(Relaxed) & WHOLE != 0
    }

    /// Whether a thread can own word `word`: no part of a row is there.
    pub(in crate::heap) fn can_own(self, word: usize) -> bool {
        !self.has_rows() || self.map().in_larger_blocks(word) == 0
    }

    /// Free units that a thread would get with word `word`; none if no thread can own it.
    pub(in crate::heap) fn leasable_units(self, word: usize) -> u64 {
        let free = self.map().free_in(word);
        if free == 0 || !self.can_own(word) {
            0
        } else {
            free
        }
    }

    /// Makes a record the owner of word `word`, which has none. Returns the word's free units. The caller must
    /// count them with [`account_leased`](Self::account_leased).
    pub(in crate::heap) fn lease(self, word: usize, owner: Owner) -> u32 {
        let (it, valid) = (&self.words()[word], self.valid(word));
        let taken = it.taken();
        // Invariant 1 of `Word`.
        it.set_taken(taken | !valid);
        it.set_owner(owner);
        ones(!taken & valid)
    }

    /// Counts words that got an owner, and their free units.
    pub(in crate::heap) fn account_leased(self, words: usize, free: u32) {
        let owned = &self.state().owned_words;
        owned.store(owned.load(Relaxed) + count(words), Relaxed);
        self.account_changed();
        self.account_taken(free as usize);
    }

    /// Takes word `word` from its owner, which is in no section. Returns the word's free units. The caller must
    /// count them with [`account_lease_ended`](Self::account_lease_ended).
    pub(in crate::heap) fn end_lease(self, word: usize) -> u32 {
        let it = &self.words()[word];
        it.set_owner(NO_OWNER);
        let free = !it.taken() & self.valid(word);
        if free != 0 && self.has_run_bound() {
            self.raise_longest(longest_run_near(&self.map(), word, free));
        }
        ones(free)
    }

    /// Counts words that lost their owner, and their free units.
    pub(in crate::heap) fn account_lease_ended(self, words: usize, free: u32) {
        let owned = &self.state().owned_words;
        let was_shared = self.is_shared();
        owned.store(owned.load(Relaxed) - count(words), Relaxed);
        if was_shared && self.owned_words() == 0 {
            self.recount();
        }
        let taken = &self.state().taken;
        taken.store(taken.load(Relaxed) - free, Relaxed);
        self.extent.account_freed(free);
        self.account_changed();
    }

    /// The bits of word `word` that stand for units.
    fn valid(self, word: usize) -> u64 {
        valid(self.capacity(), word)
    }

    /// Sets the owner of the page; [`NO_OWNER`] for none. `is_whole` says whether the owner has all words.
    pub(in crate::heap) fn set_owner(self, owner: Owner, is_whole: bool) {
        let flags = &self.state().flags;
        let others = flags.load(Relaxed) & !WHOLE;
        flags.store(others | if is_whole { WHOLE } else { 0 }, Relaxed);
        self.state().owner.store(owner, Relaxed);
    }

    /// Counts the free units again.
    pub(in crate::heap) fn recount(self) {
        let free = self.capacity() - self.whole_map().taken_units();
        self.count().store(count(free), Relaxed);
    }

    /// Whether several threads may change words of the page at once. Then the count is not reliable.
    pub(super) fn is_shared(self) -> bool {
        self.owned_words() > 0 && !self.is_whole()
    }
}
