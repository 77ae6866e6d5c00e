//! A family's pages, behind its lock: refill, flush, blocks of many units, giving back.

mod account;
mod give_back;
mod rows;
mod spare;
mod spot;
mod sweep;

use core::ptr::NonNull;

use crate::heap::cache::CacheRecord;
use crate::heap::extent::Extent;
use crate::heap::geometry::{EXTENT, Placement};
use crate::heap::hardening::{self, Fill};
use crate::heap::large::Large;
use crate::heap::large_runs::{Books, LargeRuns};
use crate::heap::list::List;
use crate::heap::page::Page;
use crate::heap::quarantine::Quarantine;
use crate::heap::random::Random;
use crate::heap::record::{Place, Record, SPACE};
use crate::heap::runs::RunLists;
use crate::heap::shelves::Shelves;
use crate::heap::slot_map::ones_of;
use crate::heap::supervised::Supervision;
use crate::heap::surplus::{Surplus, take_surplus_at};
use crate::heap::{Block, Heap, Refusal, Shortage};
use crate::os::Refused;
use account::Account;
use spare::SpareMemory;

pub(super) use spot::{extent_of, is_block, released_twice, spot_of};

/// What the lock of a family guards.
#[derive(Debug)]
pub(super) struct Central {
    pub(super) shelves: Shelves,
    runs: RunLists,
    pub(super) large: LargeRuns,
    /// The newest record; each leads to the one before.
    pub(super) newest: Option<&'static Record>,
    /// Caches that threads have.
    pub(super) caches: List<CacheRecord>,
    /// Drained records of ended threads.
    pub(super) spare_caches: List<CacheRecord>,
    pub(super) spare: SpareMemory,
    pub(super) quarantine: Quarantine,
    pub(super) random: Random,
    /// Address space that was taken when there was no memory for its record.
    unrecorded: Option<Place>,
    next_pages: usize,
    mapped: usize,
    pub(super) account: Account,
    pub(super) supervision: Supervision,
    peak_since_shrink: u64,
    /// The most bytes that were taken when the peak was looked at.
    highest_taken: u64,
}

impl Central {
    pub(super) const fn new() -> Self {
        Self {
            shelves: Shelves::new(),
            runs: RunLists::new(),
            large: LargeRuns::new(),
            newest: None,
            caches: List::new(),
            spare_caches: List::new(),
            spare: SpareMemory::new(),
            quarantine: Quarantine::new(),
            random: Random::new(),
            unrecorded: None,
            next_pages: 1,
            mapped: 0,
            account: Account::new(),
            supervision: Supervision::new(),
            peak_since_shrink: 0,
            highest_taken: 0,
        }
    }

    /// All records of the family's address space.
    pub(super) fn records(&self) -> impl Iterator<Item = &'static Record> + use<> {
        core::iter::successors(self.newest, |record| record.older().get())
    }

    /// Takes units for a cache: whole words of the fullest page that has room.
    pub(super) fn refill(
        &mut self,
        heap: &'static Heap,
        cache: &CacheRecord,
    ) -> Result<(), Refused> {
        let wanted = cache.units_per_refill(heap.geometry());
        let page = self.page_to_fill(heap)?;
        let units = page.claim(wanted, |first, mask, zero| {
            let is_marked = heap.mark_unissued(units_of(heap, first, mask));
            cache.add_claim(first, mask, zero && !is_marked);
            cache.has_room_for_claim()
        });
        self.account.account_taken(units, units);
        self.account_used(page.extent());
        self.shelves.account_changed(page.extent());
        self.account_peak(heap);
        debug_assert!(cache.cached() > 0, "the page to fill had no free unit");
        Ok(())
    }

    /// Allocates a block that no cache serves.
    pub(super) fn alloc(&mut self, heap: &'static Heap, units: usize) -> Result<Block, Shortage> {
        let geometry = heap.geometry();
        let bytes = geometry.block_bytes(units).ok_or(Shortage::Overflow)?;
        let block = match geometry.placement() {
            Placement::Counted => {
                // Units without a size can be more than there are numbers.
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

    /// Releases a block whose size is not one unit of a VM page, or that no cache takes.
    pub(super) fn release(&mut self, heap: &'static Heap, first: NonNull<u8>, units: usize) {
        match heap.geometry().placement() {
            Placement::Counted => self.account.account_other_released(units),
            Placement::Paged if heap.fits_page(units) => {
                let surplus = take_surplus_at(first, units);
                self.account.surplus = self.account.surplus.wrapping_sub(surplus as u64);
                self.free_row(first, units + surplus);
            }
            _ => match SPACE.record_at(first.addr().get()) {
                Some(Record::Large(run)) if run.is_block(first.addr().get(), units) => {
                    self.release_large(run, units);
                }
                _ => released_twice(first),
            },
        }
    }

    /// Finds how many units the live block has that starts at `first`, by a look at the maps and
    /// at the threads' caches.
    pub(super) fn live_units_at(
        &self,
        record: &'static Record,
        first: NonNull<u8>,
    ) -> Result<usize, Refusal> {
        let extent = match record {
            Record::Large(large) => {
                let units = large.live_units().ok_or(Refusal::NotLive)?;
                let is_start = large.starts_at(first.addr().get());
                return is_start.then_some(units).ok_or(Refusal::Interior);
            }
            Record::Extent(extent) => extent,
        };
        let spot = extent
            .spot_at(first.addr().get())
            .ok_or(Refusal::Interior)?;
        let map = spot.page.map();
        if !map.is_taken(spot.index) {
            return Err(Refusal::NotLive);
        }
        if map.is_joined(spot.index) {
            return Err(Refusal::Interior);
        }
        let units = map.block_units(spot.index);
        let is_cached = if units == 1 {
            self.caches.iter().any(|cache| cache.holds(first))
        } else {
            self.caches.iter().any(|cache| cache.holds_row(first))
        };
        if is_cached || spot.is_quarantined() {
            return Err(Refusal::NotLive);
        }
        Ok(units - Surplus::at(spot, units))
    }

    /// Bytes that are live or in caches.
    fn taken_bytes(&self, heap: &'static Heap) -> u64 {
        let account = &self.account;
        let units = account.taken_units + account.other_units;
        units * heap.geometry().unit() as u64
    }

    /// Raises the peak if more is live than ever.
    pub(super) fn account_peak(&mut self, heap: &'static Heap) {
        // Cached units included, this is never less than what is live, and it is cheap.
        let at_most = self.taken_bytes(heap);
        self.peak_since_shrink = self.peak_since_shrink.max(at_most);
        self.spare.account_taken(at_most);
        if at_most <= self.highest_taken {
            return;
        }
        self.highest_taken = at_most;
        let live = self.live().units * heap.geometry().unit() as u64;
        self.account.account_live(live);
    }

    fn alloc_large(
        &mut self,
        heap: &'static Heap,
        units: usize,
        bytes: usize,
    ) -> Result<Block, Refused> {
        let mut books = Books {
            calls: &mut self.account.kernel_calls,
            newest: &mut self.newest,
        };
        let (first, zero) = self.large.alloc(heap, units, bytes, &mut books)?;
        self.account.account_other(units);
        Ok(Block { first, zero })
    }

    fn release_large(&mut self, run: &'static Large, units: usize) {
        self.account.account_other_released(units);
        let calls = &mut self.account.kernel_calls;
        match hardening::chosen().fill {
            Fill::Nothing => self.large.release(run, calls),
            Fill::Zero | Fill::Poison => self.large.release_cleared(run, calls),
        }
    }

    /// A page with a free unit.
    fn page_to_fill(&mut self, heap: &'static Heap) -> Result<Page, Refused> {
        if let Some(page) = self.shelves.with_room().find_map(Extent::page_to_fill) {
            return Ok(page);
        }
        let extent = self.grow(heap)?;
        extent.page_to_fill().ok_or(Refused)
    }

    /// Adds an extent of VM pages: twice as many as the last, up to a huge OS page.
    pub(super) fn grow(&mut self, heap: &'static Heap) -> Result<&'static Extent, Refused> {
        let page_bytes = heap.geometry().page_bytes();
        let pages = self.next_pages.min(EXTENT / page_bytes);
        let record = match self.make_extent(heap, pages) {
            // Where address space was had but no memory for its record, less of it helps nobody.
            Err(Refused) if self.unrecorded.is_none() => self.make_extent(heap, 1)?,
            answer => answer?,
        };
        record.push(&mut self.newest);
        match record {
            Record::Extent(extent) => {
                self.shelves.account_changed(extent);
                self.runs.account_changed(extent);
                Ok(extent)
            }
            Record::Large(_) => unreachable!("an extent was made"),
        }
    }

    fn make_extent(
        &mut self,
        heap: &'static Heap,
        pages: usize,
    ) -> Result<&'static Record, Refused> {
        // Each extent that was made raised it. A large block may have come before.
        let is_first = self.next_pages == 1;
        let colour = if is_first { heap.colour() } else { 0 };
        let place = self.place_for(pages * heap.geometry().page_bytes())?;
        place.begin_extent(self.mapped, &mut self.account.kernel_calls)?;
        let record = Extent::make(heap, place, colour);
        let record = record.inspect_err(|_| self.unrecorded = Some(place))?;
        self.mapped += place.bytes;
        self.next_pages = place.bytes / heap.geometry().page_bytes() * 2;
        if let Record::Extent(extent) = record {
            extent.begin_wish(self.mapped, &mut self.account.kernel_calls);
            extent.guard(&mut self.account.kernel_calls);
        }
        Ok(record)
    }

    /// Address space for an extent: what an earlier try left, else new.
    fn place_for(&mut self, bytes: usize) -> Result<Place, Refused> {
        match self.unrecorded.take() {
            Some(left) => Ok(left),
            None => Place::take(bytes, bytes, &mut self.account.kernel_calls),
        }
    }
}

/// The units of `mask` in a word of the map, of which the unit of bit 0 is at `first`.
fn units_of(heap: &Heap, first: NonNull<u8>, mask: u64) -> impl Iterator<Item = NonNull<u8>> {
    let unit = heap.geometry().unit();
    // The pointer has the provenance of the whole reservation, so no step leaves it.
    let at = move |bit| NonNull::new(first.as_ptr().wrapping_add(bit * unit));
    ones_of(mask).filter_map(at)
}
