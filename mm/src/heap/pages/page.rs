//! One VM page of an extent.

use core::ptr::NonNull;
use core::sync::atomic::AtomicU32 as PlainU32;
use core::sync::atomic::Ordering::Relaxed;

use super::extent::{Extent, count};
use super::record::SPACE;
use super::slot_map::{Run, SlotMap, View, ones, valid};
use super::word::{NOBODY, Owner, Remote, Word};
use crate::heap::ground::Link;
use crate::sync::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64};

/// What is known of one VM page besides its maps.
///
/// Of a page that a thread owns, `ready`, `next` and `previous` belong to that thread, as its words do.
/// Threads that own words say that these are no longer `purged`. All else changes under the family's lock.
#[derive(Debug)]
pub(in crate::heap) struct PageState {
    /// Units of words that nobody owns and that are taken, and all units of the others.
    taken: AtomicU32,
    /// Bytes of free memory that the kernel refused to take the last time it was asked.
    refused: AtomicU32,
    /// No run of free units that nobody owns is as long as this; 0 says nothing.
    too_long: AtomicU16,
    flags: AtomicU8,
    /// No unit was handed out since the page's free memory was given back, or refused.
    purged: AtomicBool,
    /// Blocks of many units, live or in a cache. Without any, nobody looks into the second map: even a look
    /// would make the kernel count the map as resident.
    rows: AtomicU32,
    /// The record that owns the words of the page, but for those that others own or that have rows.
    owner: AtomicU32,
    /// Words that have an owner.
    owned_words: AtomicU32,
    /// Free units when the page's free memory was given back.
    purged_at: AtomicU32,
    /// Other threads than the owners ever released units.
    has_mail: AtomicBool,
    pub(in crate::heap) ready: Ready,
    /// Neighbours on the list of pages that a record owns.
    pub(in crate::heap) next: Link<PageState>,
    pub(in crate::heap) previous: Link<PageState>,
}

/// Which words of a page, among those of one owner, have free units. On the list of its owner.
#[derive(Debug)]
pub(in crate::heap) struct Ready {
    /// A bit for each group of words, of which at least one has a free unit. A page has at most 64 groups.
    pub(in crate::heap) groups: AtomicU64,
    pub(in crate::heap) is_listed: AtomicBool,
    pub(in crate::heap) next: Link<Ready>,
    /// The page.
    extent: Link<Extent>,
    number: AtomicU32,
}

// SAFETY: the fields of `Ready` are atomic integers, an atomic boolean and links, and zero is a value of
// each.
unsafe impl bytemuck::Zeroable for Ready {}

// SAFETY: the fields of `PageState` are atomic integers and booleans, links, and a `Ready`, and zero is a
// value of each.
unsafe impl bytemuck::Zeroable for PageState {}

/// The page may be backed by memory.
const IN_USE: u8 = 1;
/// The page's owner owns all of its words.
const WHOLE: u8 = 2;
/// The longest free run of the page or of its extent is known, and must be kept.
const LOOKED: u8 = 4;

/// Where a unit lies.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) struct Spot {
    pub(in crate::heap) page: Page,
    pub(in crate::heap) index: usize,
}

impl PageState {
    /// That of no page.
    #[cfg(feature = "capi")]
    pub(in crate::heap) fn unused() -> &'static Self {
        static UNUSED: Link<PageState> = Link::none();
        if let Some(unused) = UNUSED.get() {
            return unused;
        }
        let made: &'static Self = Box::leak(Box::new(bytemuck::Zeroable::zeroed()));
        UNUSED.set(Some(made));
        made
    }

    pub(in crate::heap) fn is_in_use(&self) -> bool {
        self.flags.load(Relaxed) & IN_USE != 0
    }

    /// Whether a block of many units is in the page, live or in a cache.
    #[inline]
    pub(in crate::heap) fn has_continued(&self) -> bool {
        self.rows.load(Relaxed) != 0
    }

    /// Bytes of free memory that the kernel refused to take the last time it was asked. They stay
    /// noted while the page is used: what is locked most often stays so.
    pub(in crate::heap) fn refused(&self) -> usize {
        self.refused.load(Relaxed) as usize
    }

    pub(in crate::heap) fn set_refused(&self, bytes: usize) {
        self.refused.store(count(bytes), Relaxed);
    }

    fn retire(&self) {
        debug_assert!(
            !self.has_continued(),
            "a page without a taken unit has no rows"
        );
        self.purged.store(false, Relaxed);
        self.refused.store(0, Relaxed);
        self.too_long.store(0, Relaxed);
        self.flags.store(0, Relaxed);
    }
}

impl Ready {
    pub(in crate::heap) const fn none() -> Self {
        Self {
            groups: AtomicU64::new(0),
            is_listed: AtomicBool::new(false),
            next: Link::none(),
            extent: Link::none(),
            number: AtomicU32::new(0),
        }
    }

    pub(in crate::heap) fn page(&self) -> Option<Page> {
        let number = self.number.load(Relaxed) as usize;
        self.extent.get().map(|extent| Page { extent, number })
    }

    pub(in crate::heap) fn set_page(&self, page: Option<Page>) {
        self.number
            .store(page.map_or(0, |page| count(page.number)), Relaxed);
        self.extent.set(page.map(|page| page.extent));
    }

    /// Whether no word has a free unit.
    #[inline]
    pub(in crate::heap) fn is_empty(&self) -> bool {
        self.groups.load(Relaxed) == 0
    }

    #[inline]
    pub(in crate::heap) fn add(&self, group: usize) {
        let groups = self.groups.load(Relaxed);
        self.groups.store(groups | 1 << group, Relaxed);
    }

    #[inline]
    pub(in crate::heap) fn remove(&self, group: usize) {
        let groups = self.groups.load(Relaxed);
        self.groups.store(groups & !(1 << group), Relaxed);
    }
}

/// One VM page of an extent.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) struct Page {
    pub(in crate::heap) extent: &'static Extent,
    pub(in crate::heap) number: usize,
}

impl PartialEq for Page {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.extent, other.extent) && self.number == other.number
    }
}

impl Page {
    pub(in crate::heap) fn extent(self) -> &'static Extent {
        self.extent
    }

    pub(in crate::heap) fn state(self) -> &'static PageState {
        &self.extent.states[self.number]
    }

    /// The page whose state it is.
    pub(in crate::heap) fn of(state: &'static PageState) -> Option<Self> {
        state.ready.page()
    }

    /// Units that fit the page.
    pub(in crate::heap) fn capacity(self) -> usize {
        self.extent.page_capacity as usize
    }

    /// Units that are live, in a cache, or free in words that a thread owns.
    pub(in crate::heap) fn taken(self) -> usize {
        self.state().taken.load(Relaxed) as usize
    }

    pub(in crate::heap) fn is_full(self) -> bool {
        self.free_units() == 0
    }

    /// Units that are free and that nobody owns.
    pub(in crate::heap) fn free_units(self) -> usize {
        self.capacity() - self.taken()
    }

    pub(in crate::heap) fn is_in_use(self) -> bool {
        self.state().is_in_use()
    }

    /// Whether nothing came to be given back since the page's free memory went.
    pub(in crate::heap) fn is_purged(self) -> bool {
        let state = self.state();
        let is_as_it_was = || count(self.all_free()) == state.purged_at.load(Relaxed);
        let is_sent = || (0..self.words().len()).any(|word| self.sent(word) != 0);
        state.purged.load(Relaxed) && is_as_it_was() && !is_sent()
    }

    /// Whether no unit would be taken once all owners had given up what they do not use.
    pub(in crate::heap) fn would_be_empty(self) -> bool {
        self.map_given_up().taken_units() == 0
    }

    pub(in crate::heap) fn account_purged(self) {
        let free = count(self.all_free());
        self.state().purged_at.store(free, Relaxed);
        self.state().purged.store(true, Relaxed);
    }

    /// Units below this index may have been written to since the page's memory was zero.
    pub(in crate::heap) fn high_water(self) -> usize {
        let mut words = self.words().iter().enumerate().rev();
        let last = words.find(|(_, word)| word.high() > 0);
        last.map_or(0, |(number, word)| number * 64 + word.high())
    }

    /// Notes that no unit before `end` is known to be zero any more.
    pub(in crate::heap) fn raise_high_water(self, end: usize) {
        for (number, word) in self.words().iter().enumerate() {
            match end.saturating_sub(number * 64) {
                0 => return,
                units => {
                    word.touch(u64::MAX >> (64 - units.min(64)));
                }
            }
        }
    }

    /// Notes that the units from `high_water` on are zero again.
    pub(in crate::heap) fn lower_high_water(self, high_water: usize) {
        for (number, word) in self.words().iter().enumerate() {
            let high = high_water.saturating_sub(number * 64);
            if high < 64 {
                word.lower(count(high));
            }
        }
    }

    #[inline]
    pub(in crate::heap) fn words(self) -> &'static [Word] {
        let words = self.extent.geometry().words();
        &self.extent.words[self.number * words..(self.number + 1) * words]
    }

    /// What was sent of a word; 0 where nothing ever was.
    pub(in crate::heap) fn sent(self, word: usize) -> u64 {
        if self.state().has_mail.load(Relaxed) {
            self.remote(word).bits()
        } else {
            0
        }
    }

    /// Notes that units are sent to their owner.
    pub(in crate::heap) fn account_mail(self) {
        // Once: others only look.
        if !self.state().has_mail.load(Relaxed) {
            self.state().has_mail.store(true, Relaxed);
        }
    }

    #[inline]
    pub(in crate::heap) fn remote(self, word: usize) -> &'static Remote {
        &self.extent.remotes[self.number * self.extent.geometry().words() + word]
    }

    /// The map as it is for whoever takes units for a block: what a thread owns is taken.
    pub(in crate::heap) fn map(self) -> SlotMap<'static> {
        SlotMap {
            view: View::Unowned,
            ..self.whole_map()
        }
    }

    /// The map as it would be once all owners had given up what they do not use.
    pub(in crate::heap) fn map_given_up(self) -> SlotMap<'static> {
        let words = self.extent.geometry().words();
        let remotes = if self.state().has_mail.load(Relaxed) {
            &self.extent.remotes[self.number * words..(self.number + 1) * words]
        } else {
            // Even a look would make the kernel count them as resident.
            &[]
        };
        SlotMap {
            view: View::GivenUp { remotes },
            ..self.whole_map()
        }
    }

    /// The map with the units of all words as they are.
    pub(in crate::heap) fn whole_map(self) -> SlotMap<'static> {
        let words = self.extent.geometry().words();
        let range = self.number * words..(self.number + 1) * words;
        SlotMap {
            words: &self.extent.words[range.clone()],
            continues: if self.has_continued() {
                &self.extent.continues[range]
            } else {
                &[]
            },
            capacity: self.capacity(),
            view: View::All,
        }
    }

    /// Bytes from the extent's start to unit `index`.
    pub(in crate::heap) fn offset_of(self, index: usize) -> usize {
        let geometry = self.extent.geometry();
        self.number * geometry.page_bytes() + index * geometry.unit()
    }

    /// Pointer to unit `index`.
    pub(in crate::heap) fn unit(self, index: usize) -> NonNull<u8> {
        self.extent.place.at(self.offset_of(index))
    }

    /// Address of the page's first byte.
    pub(in crate::heap) fn address(self) -> usize {
        self.unit(0).addr().get()
    }

    /// Takes the units of `mask` in word `word`, which nobody owns, each a block of its own; whether
    /// all are known to be zero.
    pub(in crate::heap) fn take(self, word: usize, mask: u64) -> bool {
        self.map().take(word, mask);
        let zero = self.words()[word].touch(mask);
        self.account_changed();
        self.account_taken(mask.count_ones() as usize);
        self.count_taken(mask.count_ones());
        zero
    }

    /// Frees the units of `mask` in word `word`, which nobody owns; false, and nothing changed, unless
    /// each is a taken block of its own.
    pub(in crate::heap) fn free(self, word: usize, mask: u64) -> bool {
        let map = self.map();
        if map.taken_in(word) & mask != mask || self.has_continued() && self.is_in_rows(word, mask)
        {
            return false;
        }
        map.free(word, mask);
        if self.knows_longest() {
            self.raise_longest(longest_run_near(&map, word, mask));
        }
        self.account_freed(mask.count_ones());
        true
    }

    /// Counts units that nobody owns and that were freed in the map.
    fn account_freed(self, units: u32) {
        let taken = &self.state().taken;
        taken.store(taken.load(Relaxed) - units, Relaxed);
        self.extent.account_freed(units);
        self.account_changed();
        self.count_freed(units);
    }

    /// Whether any of the units of `mask` in word `word` is part of a larger block.
    pub(in crate::heap) fn is_in_rows(self, word: usize, mask: u64) -> bool {
        self.map().in_larger_blocks(word) & mask != 0
    }

    pub(in crate::heap) fn has_continued(self) -> bool {
        self.state().has_continued()
    }

    /// Takes `units` units in a row as one block, if the page has them: the first's index, and
    /// whether all are known to be zero.
    pub(in crate::heap) fn claim_run(self, units: usize) -> Option<(usize, bool)> {
        let first = self.find_run(units)?;
        Some((first, self.claim_at(Run { first, units })))
    }

    /// Takes the free units of `run` as one block; whether all are known to be zero.
    pub(in crate::heap) fn claim_at(self, run: Run) -> bool {
        self.add_rows(run.units > 1, 1);
        self.map().take_run(run);
        let (words, mut zero) = (self.words(), true);
        super::slot_map::for_each_word(run, |word, mask| zero &= words[word].touch(mask));
        self.account_changed();
        self.account_taken(run.units);
        self.count_taken(count(run.units));
        zero
    }

    /// Frees the block that is `run`.
    pub(in crate::heap) fn unclaim_run(self, run: Run) {
        self.map().free_run(run);
        self.account_run_freed(run);
        if run.units > 1 {
            let rows = self.rows() - 1;
            self.state().rows.store(count(rows), Relaxed);
        }
    }

    /// Counts blocks of many units that are in the page now, if they have many.
    fn add_rows(self, has_many: bool, blocks: usize) {
        if has_many {
            let rows = self.rows() + blocks;
            self.state().rows.store(count(rows), Relaxed);
        }
    }

    /// Blocks of many units, live or in a cache.
    pub(in crate::heap) fn rows(self) -> usize {
        self.state().rows.load(Relaxed) as usize
    }

    /// Frees the units of `run`, which are the last of a block of more.
    pub(in crate::heap) fn unclaim_run_end(self, run: Run) {
        self.map().free_end(run);
        self.account_run_freed(run);
    }

    /// Splits the block at `first` into `blocks` of `units` units each.
    pub(in crate::heap) fn split(self, first: usize, units: usize, blocks: usize) {
        let map = self.map();
        (1..blocks).for_each(|block| map.split_at(first + block * units));
        self.add_rows(units > 1, blocks - 1);
    }

    /// Whether anybody looked for a run in vain, so that a longer one must be noted.
    fn knows_longest(self) -> bool {
        self.state().flags.load(Relaxed) & LOOKED != 0
    }

    /// Notes that somebody looked for a run in vain, here or in the extent.
    pub(in crate::heap) fn account_looked(self) {
        self.add_flags(LOOKED);
    }

    /// No free run is longer than so many units.
    pub(in crate::heap) fn longest_run(self) -> usize {
        match usize::from(self.state().too_long.load(Relaxed)) {
            0 => self.free_units(),
            units => (units - 1).min(self.free_units()),
        }
    }

    /// Finds the first run of `units` free units; remembers the longest when there is none.
    pub(in crate::heap) fn find_run(self, units: usize) -> Option<usize> {
        let found = self.map().find_run(units);
        found.map_err(|longest| self.set_longest(longest)).ok()
    }

    /// Notes that no free run is longer than `units`.
    pub(in crate::heap) fn set_longest(self, units: usize) {
        let too_long = u16::try_from(units + 1).unwrap_or(0);
        self.state().too_long.store(too_long, Relaxed);
        self.account_looked();
    }

    /// Notes that there may be a free run of `units` units now.
    fn raise_longest(self, units: usize) {
        let too_long = usize::from(self.state().too_long.load(Relaxed));
        if too_long != 0 && units >= too_long {
            self.set_longest(units);
        }
        let of_all = self.extent.too_long.load(Relaxed);
        if of_all != 0 && units >= of_all as usize {
            self.extent.too_long.store(count(units + 1), Relaxed);
        }
    }

    pub(in crate::heap) fn add_flags(self, flags: u8) {
        let before = self.state().flags.load(Relaxed);
        self.state().flags.store(before | flags, Relaxed);
    }

    /// Notes that the page is in use and may have something to give back again.
    #[inline]
    pub(in crate::heap) fn account_changed(self) {
        self.end_purged();
        if !self.is_in_use() {
            self.add_flags(IN_USE);
        }
    }

    /// Notes that the page may have something to give back again. By any thread that owns words.
    #[inline]
    pub(in crate::heap) fn end_purged(self) {
        let purged = &self.state().purged;
        if purged.load(Relaxed) {
            purged.store(false, Relaxed);
        }
    }

    /// Notes that nothing is taken, and that all memory is zero.
    pub(in crate::heap) fn retire(self) {
        self.state().retire();
        self.lower_high_water(0);
    }

    fn account_taken(self, units: usize) {
        self.state()
            .taken
            .store(count(self.taken() + units), Relaxed);
        self.extent.account_taken(units);
    }

    /// Counts the units of `run`, which were freed in the map.
    fn account_run_freed(self, run: Run) {
        if self.knows_longest() {
            self.raise_longest(self.map().free_run_around(run.first).units);
        }
        self.account_freed(count(run.units));
    }
}

/// Words that threads own. All of it under the family's lock.
impl Page {
    /// The record that owns the page, or nobody.
    pub(in crate::heap) fn owner(self) -> Owner {
        self.state().owner.load(Relaxed)
    }

    /// Words that have an owner.
    pub(in crate::heap) fn owned_words(self) -> usize {
        self.state().owned_words.load(Relaxed) as usize
    }

    /// Whether a thread can own the page, and gets free units with it.
    pub(in crate::heap) fn is_to_own(self) -> bool {
        let has_any = || (0..self.words().len()).any(|word| self.free_to_own(word) != 0);
        self.owned_words() == 0 && (!self.has_continued() || has_any())
    }

    /// Whether no unit is taken in the words of the page's owner.
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

    /// Whether a thread can own word `word`: no part of a block of many units is there.
    pub(in crate::heap) fn can_own(self, word: usize) -> bool {
        !self.has_continued() || self.map().in_larger_blocks(word) == 0
    }

    /// Free units that a thread would get with word `word`; none if the word cannot be owned.
    pub(in crate::heap) fn free_to_own(self, word: usize) -> u64 {
        let free = self.map().free_in(word);
        if free == 0 || !self.can_own(word) {
            0
        } else {
            free
        }
    }

    /// Makes a record the owner of word `word`, which nobody owns; returns the free units in it. The caller
    /// says so to [`account_leased`](Self::account_leased).
    pub(in crate::heap) fn lease(self, word: usize, owner: Owner) -> u32 {
        let (it, valid) = (&self.words()[word], self.valid(word));
        let taken = it.taken();
        // Invariant 1 of the word.
        it.set_taken(taken | !valid);
        it.set_owner(owner);
        ones(!taken & valid)
    }

    /// Counts words that came to have an owner, and the free units in them.
    pub(in crate::heap) fn account_leased(self, words: usize, free: u32) {
        let owned = &self.state().owned_words;
        owned.store(owned.load(Relaxed) + count(words), Relaxed);
        self.account_changed();
        self.account_taken(free as usize);
    }

    /// Makes nobody the owner of word `word`; returns the free units in it. No thread is inside of a slow
    /// path of the owner. The caller says so to [`account_lease_ended`](Self::account_lease_ended).
    pub(in crate::heap) fn end_lease(self, word: usize) -> u32 {
        let it = &self.words()[word];
        it.set_owner(NOBODY);
        let free = !it.taken() & self.valid(word);
        if free != 0 && self.knows_longest() {
            self.raise_longest(longest_run_near(&self.map(), word, free));
        }
        ones(free)
    }

    /// Counts words that have no owner any more, and the free units in them.
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

    /// Which bits of word `word` stand for units.
    fn valid(self, word: usize) -> u64 {
        valid(self.capacity(), word)
    }

    /// Makes a record the owner of the page, or nobody. `is_whole` says that all words are the record's.
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

    /// Whether several threads may change words of the page at once: then the count says nothing.
    fn is_shared(self) -> bool {
        self.owned_words() > 0 && !self.is_whole()
    }
}

/// How many units are free, whoever owns them, beside the table of addresses: so that a reader that looks
/// at many pages need not look at their words.
impl Page {
    fn count(self) -> &'static PlainU32 {
        let count = SPACE.count_at(self.address());
        count.expect("a page has entries in the table")
    }

    /// Free units, unless several threads own words.
    pub(in crate::heap) fn counted_free(self) -> Option<u32> {
        (!self.is_shared()).then(|| self.count().load(Relaxed))
    }

    /// Free units, whoever owns them.
    pub(in crate::heap) fn all_free(self) -> usize {
        let count = || self.capacity() - self.whole_map().taken_units();
        self.counted_free().map_or_else(count, |free| free as usize)
    }

    #[inline]
    pub(in crate::heap) fn count_freed(self, units: u32) {
        let count = self.count();
        count.store(count.load(Relaxed).wrapping_add(units), Relaxed);
    }

    #[inline]
    pub(in crate::heap) fn count_taken(self, units: u32) {
        let count = self.count();
        count.store(count.load(Relaxed).wrapping_sub(units), Relaxed);
    }
}

/// A bound for the free runs that the units of `mask` in word `word` are part of.
fn longest_run_near(map: &SlotMap<'_>, word: usize, mask: u64) -> usize {
    // A run either reaches out of the word, around the first or last unit, or fits it.
    let around = |bit: u32| map.free_run_around(word * 64 + bit as usize).units;
    let (first, last) = (mask.trailing_zeros(), mask.ilog2());
    around(first).max(around(last)).max(64)
}
