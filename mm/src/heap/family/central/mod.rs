//! A family's pages, behind its lock: new extents, refills, rows, and giving memory back.

mod account;
mod give_back;
mod grow;
mod idle;
mod lease;
mod retained;
mod rows;

use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::family::cache::CacheRecord;
use crate::heap::family::quarantine::Quarantine;
use crate::heap::family::uncached::UncachedFor;
use crate::heap::ground::hardening::OnRelease;
use crate::heap::ground::{Block, BlockView, List, Placement, Random, Refusal, Shortage};
use crate::heap::pages::large::{Large, LargeRuns, Ledger};
use crate::heap::pages::{
    FullnessLists, NO_OWNER, Record, RunLists, SPACE, Span, Spot, released_twice, spot_of,
    take_slack_at,
};
use crate::os::Refused;
use account::Account;
use idle::Idle;
use retained::RetainedMemory;

/// What the lock of a family guards.
#[derive(Debug)]
pub(in crate::heap) struct Central {
    pub(in crate::heap) fullness_lists: FullnessLists,
    runs: RunLists,
    pub(in crate::heap) large: LargeRuns,
    /// The newest record. Each record leads to the one before.
    pub(in crate::heap) newest: Option<&'static Record>,
    /// Caches that threads have.
    pub(in crate::heap) caches: List<CacheRecord>,
    /// Empty records of ended threads, for new threads.
    pub(in crate::heap) retained_caches: List<CacheRecord>,
    pub(in crate::heap) retained: RetainedMemory,
    pub(in crate::heap) quarantine: Quarantine,
    pub(in crate::heap) random: Random,
    /// Address space that has no record yet, because there was no memory for one. The next extent uses it.
    unrecorded: Option<Span>,
    /// The same in the range of sampled blocks.
    unrecorded_sampled: Option<Span>,
    /// VM pages that the next extent gets.
    next_extent_pages: usize,
    /// VM pages that the next extent in the range of sampled blocks gets.
    next_sampled_pages: usize,
    /// Bytes of all extents.
    extent_bytes: usize,
    /// A thread tries to take pages from other threads only if the family has at least this many VM pages.
    steal_from_pages: usize,
    pub(in crate::heap) account: Account,
    pub(in crate::heap) uncached_for: UncachedFor,
    /// The highest value of `taken_bytes` since `shrink_if_far_below_peak` last gave memory back.
    peak_since_shrink: u64,
    /// Bytes that went back to the kernel since `trim` began because an extent's last unit was freed.
    given_back: usize,
    /// The highest value of `taken_bytes` so far.
    highest_taken: u64,
    idle: Idle,
}

impl Central {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            fullness_lists: FullnessLists::new(),
            runs: RunLists::new(),
            large: LargeRuns::new(),
            newest: None,
            caches: List::new(),
            retained_caches: List::new(),
            retained: RetainedMemory::new(),
            quarantine: Quarantine::new(),
            random: Random::new(),
            unrecorded: None,
            unrecorded_sampled: None,
            next_extent_pages: 1,
            next_sampled_pages: 1,
            extent_bytes: 0,
            steal_from_pages: 0,
            account: Account::new(),
            uncached_for: UncachedFor::new(),
            peak_since_shrink: 0,
            given_back: 0,
            highest_taken: 0,
            idle: Idle::new(),
        }
    }

    /// Allocates a block from the pages, or as a large block. No cache takes part.
    pub(in crate::heap) fn alloc(
        &mut self,
        heap: &'static Heap,
        units: usize,
    ) -> Result<Block, Shortage> {
        let geometry = heap.geometry();
        let bytes = geometry.block_bytes(units).ok_or(Shortage::Overflow)?;
        let block = match geometry.placement() {
            Placement::Counted => {
                // The count of units without a size could overflow.
                let live = self.account.other_units.checked_add(units as u64);
                live.ok_or(Shortage::Overflow)?;
                let block = heap.block_of_no_size()?;
                self.account.account_other(units);
                block
            }
            Placement::Paged if heap.fits_page(units) => self.alloc_in_page(heap, units)?,
            _ => self.alloc_large(heap, units, bytes)?,
        };
        self.account_peak(heap);
        Ok(block)
    }

    /// Releases a block into the pages, or a large block. No cache takes part.
    ///
    /// # Safety
    ///
    /// 1. A block of `units` units of `heap`, which is this family's, starts at `first`: it is live, or was
    ///    just taken out of quarantine.
    /// 2. Nothing uses it any more.
    pub(in crate::heap) unsafe fn release(
        &mut self,
        heap: &'static Heap,
        first: NonNull<u8>,
        units: usize,
    ) {
        match heap.geometry().placement() {
            Placement::Counted => self.account.account_other_released(units),
            // SAFETY: requirements 1 and 2 are those of `release_single`, for a block of one unit.
            Placement::Paged if units == 1 => unsafe { self.release_single(heap, first) },
            Placement::Paged if heap.fits_page(units) => {
                let slack = take_slack_at(first, units);
                self.account.slack = self.account.slack.wrapping_sub(slack as u64);
                // SAFETY: by requirement 1 the block is taken in the maps, with its slack, which
                // `take_slack_at` returned. By requirement 2 nothing uses it.
                unsafe { self.free_row(first, units + slack) };
            }
            _ => match SPACE.record_at(first.addr().get()) {
                Some(Record::Large(run)) if run.is_block(first.addr().get(), units) => {
                    // SAFETY: `is_block` found the block in the run, and by requirement 2 nothing uses it.
                    unsafe { self.release_large(run, units) };
                }
                _ => released_twice(first),
            },
        }
    }

    /// Releases a block of one unit of a VM page without a cache.
    ///
    /// # Safety
    ///
    /// 1. A block of one unit of `heap`, which is this family's, starts at `first`, in a VM page.
    /// 2. Nothing uses it any more.
    unsafe fn release_single(&mut self, heap: &'static Heap, first: NonNull<u8>) {
        self.account.released += 1;
        // SAFETY: requirements 1 and 2 are those of `free_single`.
        unsafe { self.free_single(heap, first) };
    }

    /// Frees a block of one unit of a VM page. The caller has counted its release.
    ///
    /// # Safety
    ///
    /// 1. A block of one unit of `heap`, which is this family's, starts at `first`, in a VM page.
    /// 2. Nothing uses it any more.
    pub(in crate::heap) unsafe fn free_single(&mut self, heap: &'static Heap, first: NonNull<u8>) {
        let Spot { page, index } = spot_of(first);
        let (word, bit) = (index / 64, 1 << (index % 64));
        if !page.words()[word].is_owned_by(NO_OWNER) {
            return heap.send_to_owner(page, word, bit);
        }
        if !page.free(word, bit) {
            released_twice(first);
        }
        self.account.account_units_freed(1);
        self.account_freed(page);
    }

    /// Returns the number of units of the live block that starts at `first`. Checks the maps and all caches.
    pub(in crate::heap) fn live_units_at(
        &self,
        record: &'static Record,
        first: NonNull<u8>,
    ) -> Result<usize, Refusal> {
        let block = self.block_containing(record, first.addr().get());
        match block.ok_or(Refusal::Interior)? {
            BlockView { is_live: false, .. } => Err(Refusal::NotLive),
            block if block.first != first => Err(Refusal::Interior),
            block => Ok(block.units),
        }
    }

    /// Bytes that are live, in caches, or free in words that threads own.
    fn taken_bytes(&self, heap: &'static Heap) -> u64 {
        let account = &self.account;
        let units = account.taken_units + account.other_units;
        units * heap.geometry().unit() as u64
    }

    /// Raises the peak if more is live than ever. Reads the counts of all threads only if `taken_bytes` has a
    /// new maximum.
    pub(in crate::heap) fn account_peak(&mut self, heap: &'static Heap) {
        // Cheaper than the live bytes, and never less, since it includes cached units.
        let at_most = self.taken_bytes(heap);
        self.peak_since_shrink = self.peak_since_shrink.max(at_most);
        self.retained.account_taken(at_most);
        if at_most <= self.highest_taken {
            return;
        }
        self.highest_taken = at_most;
        self.sample_peak(heap);
    }

    /// Raises the peak if more is live than ever. Reads the counts of all threads.
    pub(in crate::heap) fn sample_peak(&mut self, heap: &'static Heap) {
        let live = self.live().units * heap.geometry().unit() as u64;
        self.account.account_live(live);
    }

    fn alloc_large(
        &mut self,
        heap: &'static Heap,
        units: usize,
        bytes: usize,
    ) -> Result<Block, Refused> {
        let (large, mut ledger) = self.large_and_ledger(heap);
        let (first, zero) = large.alloc(heap.reference(), units, bytes, &mut ledger)?;
        self.account.account_other(units);
        Ok(Block { first, zero })
    }

    /// The runs of large blocks, and what changes with them.
    pub(in crate::heap) fn large_and_ledger(
        &mut self,
        heap: &'static Heap,
    ) -> (&mut LargeRuns, Ledger<'_>) {
        let ledger = Ledger {
            calls: &mut self.account.kernel_calls,
            newest: &mut self.newest,
            is_untyped: heap.is_untyped(),
        };
        (&mut self.large, ledger)
    }

    /// Releases the large block of `units` units in `run`.
    ///
    /// # Safety
    ///
    /// 1. `run` holds a live block, and nothing uses it any more.
    unsafe fn release_large(&mut self, run: &'static Large, units: usize) {
        self.account.account_other_released(units);
        let calls = &mut self.account.kernel_calls;
        match run.heap.geometry().contents().hardening().fill {
            // SAFETY: requirement 1 is that of `LargeRuns::release`.
            OnRelease::Nothing => unsafe { self.large.release(run, calls) },
            // SAFETY: requirement 1 is that of `release_cleared`.
            OnRelease::Zero | OnRelease::Poison => unsafe {
                self.large.release_cleared(run, calls);
            },
        }
    }
}
