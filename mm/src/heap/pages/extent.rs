//! Extents: VM pages of one family side by side.

use core::sync::atomic::Ordering::Relaxed;
#[cfg(feature = "capi")]
use core::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

use super::fullness_lists::ByFill;
use super::huge::Wish;
use super::page::{Page, PageState};
use super::record::{Record, SPACE, Span};
use super::runs::{ByRun, UNLISTED};
use super::samples::{SampleRecord, is_in_sampled_range};
use super::slack::Slack;
use super::word::{Remote, Word};
use crate::heap::ground::{Geometry, HeapRef, Link, Neighbours, Node, heap_limit, meta};
use crate::heap::tracking::Tags;
use crate::os::Refused;

/// VM pages of one family side by side. The family's lock guards an extent, except the words that threads own
/// and the state of pages that they own whole.
///
/// # Invariants
///
/// 1. `place` is committed, and belongs to `heap` alone as long as the process lives.
/// 2. `taken_units` is the sum of `taken` over all pages. A page's `taken` counts all units of words with an
///    owner, and the taken units of the other words.
/// 3. A page that is not in use has no taken unit, and `high_water` is 0.
#[derive(Debug)]
pub(in crate::heap) struct Extent {
    pub(in crate::heap) heap: HeapRef,
    pub(in crate::heap) place: Span,
    /// Address of the first page.
    pub(super) start: usize,
    /// Units of each page.
    pub(in crate::heap) page_capacity: u32,
    /// The [`MemoryState`], as a number.
    memory_state: AtomicU8,
    /// The [`Wish`]: which size of OS pages the extent asked the kernel for. With huge pages, the kernel may
    /// back the whole extent at the first touch of any part, also after a part was given back.
    pub(in crate::heap) wish: AtomicU8,
    /// The list that the extent is on. Only `fullness_lists` reads it.
    pub(in crate::heap) fullness: AtomicU8,
    taken_units: AtomicU32,
    /// The extent stays on its list in `fullness_lists` while it has at least `fullness_from` taken
    /// units, and fewer than `fullness_from + fullness_width`.
    fullness_from: AtomicU32,
    fullness_width: AtomicU32,
    /// A length for which the search failed: all free runs are shorter. 0 if no such length is known.
    pub(in crate::heap) too_long: AtomicU32,
    pub(in crate::heap) words: &'static [Word],
    /// Units of each word that other threads released.
    pub(in crate::heap) remotes: &'static [Remote],
    pub(in crate::heap) continues: &'static [AtomicU64],
    pub(in crate::heap) states: &'static [PageState],
    /// The slack of blocks, by the block's start; see `slack`.
    pub(in crate::heap) slack: &'static [Slack],
    /// What is known of each unit's block, in the range of sampled blocks; empty elsewhere.
    pub(in crate::heap) samples: &'static [SampleRecord],
    /// A bit for each unit, set if a block in quarantine starts there; empty without a quarantine.
    pub(in crate::heap) quarantined: &'static [AtomicU64],
    /// Memory of the extent, and with it the canaries there, went back to the kernel; see `by_address`.
    #[cfg(feature = "capi")]
    lost_canaries: AtomicBool,
    /// The tags of blocks, once a block is recorded.
    pub(in crate::heap) tags: Link<Tags>,
    by_fill: Neighbours<Extent>,
    by_run: Neighbours<Extent>,
    /// The list of runs that the extent is on. Only the lists use it.
    pub(in crate::heap) run_class: AtomicU8,
    pub(in crate::heap) older: Link<Record>,
}

/// Whether an extent is in use, and, if it is empty, what happened to its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::heap) enum MemoryState {
    /// Units are taken, or the extent is new.
    Used = 0,
    /// The memory was kept.
    Retained = 1,
    /// The memory was given back.
    GivenBack = 2,
}

impl Node<ByFill> for Extent {
    fn neighbours(&self) -> &Neighbours<Self> {
        &self.by_fill
    }
}

impl Node<ByRun> for Extent {
    fn neighbours(&self) -> &Neighbours<Self> {
        &self.by_run
    }
}

impl Extent {
    /// Makes the record of the VM pages at `place`, which belong to `heap` from now on. Calls `prepare` with
    /// the extent before any other thread can find it.
    pub(in crate::heap) fn make(
        heap: HeapRef,
        place: Span,
        prepare: impl FnOnce(&'static Self) -> Result<(), Refused>,
    ) -> Result<&'static Record, Refused> {
        let geometry = heap.geometry();
        let pages = place.bytes / geometry.page_bytes();
        let words = pages * geometry.words();
        let all_words: &'static [Word] = meta::RECORDS.zeroed(words)?;
        let remotes = meta::SPARSE.zeroed(words)?;
        let continues = meta::SPARSE.zeroed(words)?;
        let states: &'static [PageState] = meta::RECORDS.zeroed(pages)?;
        let slack = meta::SPARSE.zeroed(pages * geometry.slack_places())?;
        let has_quarantine = geometry.contents().hardening().quarantine > 0;
        let quarantined = meta::SPARSE.zeroed(words * usize::from(has_quarantine))?;
        let is_sampled = is_in_sampled_range(place.address());
        let samples =
            meta::SPARSE.zeroed(pages * geometry.page_capacity() * usize::from(is_sampled))?;
        let record = meta::RECORDS.place(Record::Extent(Self {
            heap,
            place,
            start: place.address(),
            page_capacity: count(geometry.page_capacity()),
            memory_state: AtomicU8::new(MemoryState::Used as u8),
            wish: AtomicU8::new(Wish::of_all() as u8),
            fullness: AtomicU8::new(super::fullness_lists::FULL),
            taken_units: AtomicU32::new(0),
            fullness_from: AtomicU32::new(0),
            fullness_width: AtomicU32::new(0),
            words: all_words,
            remotes,
            continues,
            states,
            slack,
            samples,
            quarantined,
            too_long: AtomicU32::new(0),
            #[cfg(feature = "capi")]
            lost_canaries: AtomicBool::new(false),
            tags: Link::none(),
            by_fill: Neighbours::none(),
            by_run: Neighbours::none(),
            run_class: AtomicU8::new(UNLISTED),
            older: Link::none(),
        }))?;
        if let Record::Extent(extent) = record {
            prepare(extent)?;
            extent.link_pages();
        }
        place.publish(record);
        Ok(record)
    }

    /// Stores in each page's state where the page is, and in each page's map where its memory is.
    fn link_pages(&'static self) {
        let (words, bytes) = (self.geometry().words(), self.geometry().page_bytes());
        for (page, map) in self.pages().zip(self.words.chunks_exact(words)) {
            page.state().ready.set_page(Some(page));
            SPACE.set_map(page.address(), bytes, map);
            page.recount();
        }
    }

    pub(in crate::heap) fn geometry(&self) -> &'static Geometry {
        self.heap.geometry()
    }

    /// Notes that memory is about to go back to the kernel, and that its contents are lost.
    #[allow(
        clippy::unused_self,
        reason = "only families of C programs have canaries"
    )]
    pub(in crate::heap) fn account_discard(&self) {
        #[cfg(feature = "capi")]
        self.lost_canaries.store(true, Release);
    }

    /// Whether memory of the extent ever went back to the kernel.
    #[cfg(feature = "capi")]
    pub(in crate::heap) fn may_have_lost_canaries(&self) -> bool {
        self.lost_canaries.load(Acquire)
    }

    /// Whether the blocks are sampled ones. Ordinary allocations take no unit here.
    pub(in crate::heap) fn is_sampled(&self) -> bool {
        !self.samples.is_empty()
    }

    /// Bytes of address space.
    pub(in crate::heap) fn bytes(&self) -> usize {
        self.place.bytes
    }

    pub(in crate::heap) fn memory_state(&self) -> MemoryState {
        match self.memory_state.load(Relaxed) {
            0 => MemoryState::Used,
            1 => MemoryState::Retained,
            _ => MemoryState::GivenBack,
        }
    }

    /// Whether the family may use the extent: it holds the memory, or the limit of the heap admits it again.
    pub(in crate::heap) fn may_be_used(&self) -> bool {
        self.memory_state() != MemoryState::GivenBack || heap_limit::admits(self.bytes())
    }

    /// Changes the state, and counts what the family holds.
    pub(in crate::heap) fn set_memory_state(&self, state: MemoryState) {
        let is_held = |state: MemoryState| state != MemoryState::GivenBack;
        match (is_held(self.memory_state()), is_held(state)) {
            (true, false) => heap_limit::release(self.bytes()),
            (false, true) => heap_limit::hold_admitted(self.bytes()),
            _ => {}
        }
        self.memory_state.store(state as u8, Relaxed);
        // The fullness depends on the state. No number of units is within a width of 0, so `account_changed`
        // computes the fullness again.
        self.fullness_width.store(0, Relaxed);
    }

    /// Units that fit the extent.
    pub(in crate::heap) fn capacity(&self) -> usize {
        self.states.len() * self.page_capacity as usize
    }

    /// Units that are taken, or that lie in a word with an owner.
    pub(in crate::heap) fn taken_units(&self) -> usize {
        self.taken_units.load(Relaxed) as usize
    }

    pub(in crate::heap) fn pages(&'static self) -> impl Iterator<Item = Page> {
        (0..self.states.len()).map(move |number| Page {
            extent: self,
            number,
        })
    }

    /// Among the pages that have a free unit in a word without an owner: the one with the most taken units. Of
    /// pages without a taken unit, prefers one in use.
    pub(in crate::heap) fn page_to_fill(&'static self) -> Option<Page> {
        self.page_to_fill_if(|_| true)
    }

    /// As [`page_to_fill`](Self::page_to_fill), among the pages that `suits` accepts.
    pub(in crate::heap) fn page_to_fill_if(&'static self, suits: fn(Page) -> bool) -> Option<Page> {
        let mut fullest = None;
        for page in self.pages().filter(|page| suits(*page)) {
            let (taken, is_full) = (page.taken(), page.is_full());
            // Of two pages without a taken unit, the one in use ranks higher.
            let rank = taken * 2 + usize::from(page.is_in_use());
            if !is_full && fullest.is_none_or(|(most, _)| rank > most) {
                fullest = Some((rank, page));
            }
        }
        fullest.map(|(_, page)| page)
    }

    /// Gives all memory back; returns whether the kernel took it. If it refuses, it may have taken a part.
    ///
    /// # Safety
    ///
    /// 1. No unit is taken.
    pub(in crate::heap) unsafe fn give_back(&'static self, calls: &mut u64) -> bool {
        debug_assert_eq!(self.taken_units(), 0);
        self.account_discard();
        *calls += 1;
        // SAFETY: by invariant 1 the place is committed. By requirement 1 no unit is live or in a cache, so
        // that nothing needs the contents.
        if unsafe { self.place.discard(0, self.place.bytes) }.is_err() {
            return false;
        }
        self.pages().for_each(Page::retire);
        self.too_long.store(0, Relaxed);
        true
    }

    /// An upper bound for the length of the longest free run, in units.
    pub(in crate::heap) fn longest_run(&self) -> usize {
        match self.too_long.load(Relaxed) {
            0 => self.page_capacity as usize,
            units => units as usize - 1,
        }
    }

    /// Takes `units` units side by side from one of the pages, as one block. Returns the page, the index of the
    /// first unit, and whether all units are known to be zero. If no page has such a run, lowers the bound
    /// below `units`.
    pub(in crate::heap) fn claim_run(&'static self, units: usize) -> Option<(Page, usize, bool)> {
        let mut pages = self.pages().filter(|page| page.longest_run() >= units);
        let found = pages.find_map(|page| {
            let (index, zero) = page.claim_run(units)?;
            Some((page, index, zero))
        });
        if found.is_none() {
            let longest = self.pages().map(Page::longest_run).max().unwrap_or(0);
            self.too_long.store(count(longest + 1), Relaxed);
            self.pages().for_each(Page::account_failed_search);
        }
        found
    }

    /// Notes which list of `RunLists` the extent is on.
    pub(in crate::heap) fn set_run_class(&self, class: usize) {
        let class = u8::try_from(class).unwrap_or(UNLISTED);
        self.run_class.store(class, Relaxed);
    }

    /// Whether memory may back any page.
    pub(in crate::heap) fn is_in_use(&self) -> bool {
        self.states.iter().any(PageState::is_in_use)
    }

    /// Whether the extent is still on the right list in `fullness_lists`.
    #[inline]
    pub(in crate::heap) fn keeps_fullness(&self) -> bool {
        let taken = self.taken_units.load(Relaxed);
        taken.wrapping_sub(self.fullness_from.load(Relaxed)) < self.fullness_width.load(Relaxed)
    }

    /// Notes the extent's list in `fullness_lists`. It stays there while it has at least `from` and fewer than
    /// `until` taken units.
    pub(in crate::heap) fn set_fullness(&self, fullness: u8, (from, until): (usize, usize)) {
        self.fullness.store(fullness, Relaxed);
        self.fullness_from.store(count(from), Relaxed);
        self.fullness_width.store(count(until - from), Relaxed);
    }

    pub(in crate::heap) fn account_taken(&self, units: usize) {
        let taken = self.taken_units() + units;
        self.taken_units.store(count(taken), Relaxed);
    }

    #[inline]
    pub(in crate::heap) fn account_freed(&self, units: u32) {
        let taken = self.taken_units.load(Relaxed) - units;
        self.taken_units.store(taken, Relaxed);
    }
}

/// A count of units of an extent. It fits, since an extent has at most 2 MiB.
pub(in crate::heap) fn count(units: usize) -> u32 {
    u32::try_from(units).expect("an extent has fewer units than bytes")
}
