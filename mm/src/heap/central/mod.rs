//! A family's pages, behind its lock: refill, flush, blocks of many units, giving back.

mod account;
mod give_back;
mod group;

use core::ptr::NonNull;

use crate::heap::cache::CacheRecord;
use crate::heap::extent::Extent;
use crate::heap::geometry::{EXTENT, Placement};
use crate::heap::large::Large;
use crate::heap::large_runs::{Books, LargeRuns};
use crate::heap::list::List;
use crate::heap::page::{Page, Spot};
use crate::heap::record::{Place, Record, SPACE};
use crate::heap::shelves::Shelves;
use crate::heap::slot_map::Run;
use crate::heap::{Block, Heap, Refusal, Shortage};
use crate::os::Refused;
use account::Account;
use group::{Group, released_twice};

pub(super) use group::is_block;
pub(super) use group::spot_of;

/// Families with at least this many bytes of address space ask for huge OS pages.
const HUGE_FROM: usize = 8 << 20;

/// What the lock of a family guards.
#[derive(Debug)]
pub(super) struct Central {
    shelves: Shelves,
    pub(super) large: LargeRuns,
    /// The newest record; each leads to the one before.
    pub(super) newest: Option<&'static Record>,
    /// Caches that threads have.
    pub(super) caches: List<CacheRecord>,
    /// Drained records of ended threads.
    pub(super) spare_caches: List<CacheRecord>,
    /// The extent that became empty last.
    kept_empty: Option<&'static Extent>,
    /// Address space that was taken when there was no memory for its record.
    unrecorded: Option<Place>,
    next_pages: usize,
    mapped: usize,
    pub(super) account: Account,
    peak_since_shrink: u64,
}

impl Central {
    pub(super) const fn new() -> Self {
        Self {
            shelves: Shelves::new(),
            large: LargeRuns::new(),
            newest: None,
            caches: List::new(),
            spare_caches: List::new(),
            kept_empty: None,
            unrecorded: None,
            next_pages: 1,
            mapped: 0,
            account: Account::new(),
            peak_since_shrink: 0,
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
        let mut wanted = cache.units_per_refill(heap.geometry());
        let page = self.page_to_fill(heap)?;
        for word in 0..heap.geometry().words() {
            if wanted == 0 || !cache.has_room_for_claim() {
                break;
            }
            let (mask, zero) = page.claim(word, wanted);
            if mask != 0 {
                cache.add_claim(page.unit(word * 64), mask, zero);
                wanted -= mask.count_ones() as usize;
                self.account.taken_units += u64::from(mask.count_ones());
            }
        }
        self.shelves.account_changed(page.extent());
        self.account_peak(heap);
        debug_assert!(cache.cached() > 0, "the page to fill had no free unit");
        Ok(())
    }

    /// Takes back units that are blocks of their own.
    ///
    /// # Panics
    ///
    /// Never: a unit that is not taken was released twice, which aborts the process.
    pub(super) fn free_units(&mut self, units: impl Iterator<Item = NonNull<u8>>) {
        let mut group: Option<Group> = None;
        for unit in units {
            if group.as_mut().is_some_and(|group| group.takes(unit)) {
                continue;
            }
            if let Some(full) = group.replace(Group::of(spot_of(unit))) {
                self.free_group(full);
            }
        }
        if let Some(last) = group {
            self.free_group(last);
        }
    }

    /// Takes back what is left of a claimed word.
    pub(super) fn free_claim(&mut self, first: NonNull<u8>, mask: u64) {
        let Spot { page, index } = spot_of(first);
        debug_assert_eq!(index % 64, 0);
        self.free_group(Group::of_word(page, index / 64, mask));
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
                self.account.account_other(units);
                Block::of_no_size(geometry.align())
            }
            Placement::Paged if geometry.fits_page(units) => self.alloc_run(heap, units)?,
            _ => self.alloc_large(heap, units, bytes)?,
        };
        self.account_peak(heap);
        Ok(block)
    }

    /// Releases a block whose size is not one unit of a VM page, or that no cache takes.
    pub(super) fn release(&mut self, heap: &'static Heap, first: NonNull<u8>, units: usize) {
        match heap.geometry().placement() {
            Placement::Counted => self.account.account_other_released(units),
            Placement::Paged if heap.geometry().fits_page(units) => {
                let Spot { page, index } = spot_of(first);
                let run = Run {
                    first: index,
                    units,
                };
                if !is_block(page, run) {
                    released_twice(first);
                }
                self.release_run(page, run);
            }
            _ => match SPACE.record_at(first.addr().get()) {
                Some(Record::Large(run)) if run.is_block(first.addr().get(), units) => {
                    self.release_large(run, units);
                }
                _ => released_twice(first),
            },
        }
    }

    /// Finds the block that starts at `first`, in the maps and in the threads' caches.
    pub(super) fn live_block_at(
        &self,
        record: &'static Record,
        first: NonNull<u8>,
    ) -> Result<Run, Refusal> {
        let extent = match record {
            Record::Large(large) => {
                let units = large.live_units().ok_or(Refusal::NotLive)?;
                let is_start = large.starts_at(first.addr().get());
                return is_start
                    .then_some(Run { first: 0, units })
                    .ok_or(Refusal::Interior);
            }
            Record::Extent(extent) => extent,
        };
        let Spot { page, index } = extent
            .spot_at(first.addr().get())
            .ok_or(Refusal::Interior)?;
        let map = page.map();
        if !map.is_taken(index) {
            return Err(Refusal::NotLive);
        }
        if map.is_joined(index) {
            return Err(Refusal::Interior);
        }
        let units = map.block_units(index);
        // Caches hold blocks of one unit alone.
        if units == 1 && self.caches.iter().any(|cache| cache.holds(first)) {
            return Err(Refusal::NotLive);
        }
        Ok(Run {
            first: index,
            units,
        })
    }

    /// Bytes that are live or in caches.
    fn taken_bytes(&self, heap: &'static Heap) -> u64 {
        let account = &self.account;
        let units = account.taken_units + account.other_units - account.joined_units;
        units * heap.geometry().unit() as u64
    }

    /// Raises the peak if more is live than ever.
    pub(super) fn account_peak(&mut self, heap: &'static Heap) {
        // Cached units included, this is never less than what is live, and it is cheap.
        let at_most = self.taken_bytes(heap);
        self.peak_since_shrink = self.peak_since_shrink.max(at_most);
        if at_most > self.account.peak_bytes {
            let live = self.live().units * heap.geometry().unit() as u64;
            self.account.account_live(live);
        }
    }

    fn alloc_run(&mut self, heap: &'static Heap, units: usize) -> Result<Block, Refused> {
        let (page, index, zero) = self.claim_run(heap, units)?;
        self.account.taken_units += units as u64;
        if units == 1 {
            self.account.single_allocated += 1;
        } else {
            self.account.account_other(units);
            self.account.joined_units += units as u64;
        }
        self.shelves.account_changed(page.extent());
        Ok(Block {
            first: page.unit(index),
            zero,
        })
    }

    /// Frees a block of a VM page.
    fn release_run(&mut self, page: Page, run: Run) {
        page.unclaim_run(run);
        self.account.taken_units -= run.units as u64;
        if run.units > 1 {
            self.account.account_other_released(run.units);
            self.account.joined_units -= run.units as u64;
        }
        self.account_freed(page);
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
        self.large.release(run, &mut self.account.kernel_calls);
    }

    /// A page with a free unit.
    fn page_to_fill(&mut self, heap: &'static Heap) -> Result<Page, Refused> {
        if let Some(page) = self.shelves.with_room().find_map(Extent::page_to_fill) {
            return Ok(page);
        }
        let extent = self.grow(heap)?;
        extent.page_to_fill().ok_or(Refused)
    }

    /// Takes `units` units in a row.
    fn claim_run(
        &mut self,
        heap: &'static Heap,
        units: usize,
    ) -> Result<(Page, usize, bool), Refused> {
        if let Some(found) = self
            .shelves
            .with_room()
            .find_map(|open| open.claim_run(units))
        {
            return Ok(found);
        }
        let extent = self.grow(heap)?;
        if let Some(found) = extent.claim_run(units) {
            return Ok(found);
        }
        // The very first page is a little smaller for its colour; the next has none.
        let extent = self.grow(heap)?;
        extent.claim_run(units).ok_or(Refused)
    }

    /// Adds an extent of VM pages: twice as many as the last, up to a huge OS page.
    fn grow(&mut self, heap: &'static Heap) -> Result<&'static Extent, Refused> {
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
        let is_first = self.newest.is_none();
        let colour = if is_first {
            heap.geometry().colour(heap.number())
        } else {
            0
        };
        let place = self.place_for(pages * heap.geometry().page_bytes())?;
        let record = Extent::make(heap, place, colour);
        let record = record.inspect_err(|_| self.unrecorded = Some(place))?;
        self.mapped += place.bytes;
        self.next_pages = place.bytes / heap.geometry().page_bytes() * 2;
        if place.bytes == EXTENT && self.mapped >= HUGE_FROM {
            self.account.kernel_calls += 1;
            place.prefer_huge();
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

    fn free_group(&mut self, group: Group) {
        if !group.page.unclaim(group.word, group.mask) {
            released_twice(group.page.unit(group.word * 64));
        }
        self.account.taken_units -= u64::from(group.mask.count_ones());
        self.account_freed(group.page);
    }

    /// Puts an extent of which units were freed on its shelf; gives memory back if it is empty.
    fn account_freed(&mut self, page: Page) {
        self.shelves.account_changed(page.extent());
        if page.extent().taken_units() == 0 {
            self.keep_only(page.extent());
        }
    }
}
