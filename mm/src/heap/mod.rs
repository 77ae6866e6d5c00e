//! The engine: knows layouts and addresses, no types and no names.
//!
//! # Words
//!
//! | word | meaning |
//! | --- | --- |
//! | granule | 64 KiB, the step of the table from addresses to records |
//! | VM page | one granule, or more for large units; aligned to its size; has two bit maps |
//! | extent | VM pages side by side, taken together: 1, 2, 4 ... until they fill 2 MiB |
//! | taken | a unit that is live or in a cache: a bit in the first map |
//! | joined | a unit that belongs to the block of the unit before: a bit in the second map |
//! | claim | free units of one map word, taken for a cache together |
//! | in use | of a VM page: it may be backed by memory |
//!
//! # Equations
//!
//! In every VM page: `taken + free = capacity`. In every family, without calls in flight:
//! `taken = live + cached` and `allocated - released = live`. `check.rs` derives each side again.
//!
//! # Layers
//!
//! `geometry` and `slot_map` calculate; `extent` with its `page`s and `large` are the kinds of
//! `record` that address space can have;
//! `shelves`, `runs` and `large_runs` sort them; `central` is a family behind its lock; `cache` and
//! `thread` are what a thread holds of it; `figures` counts, `check` counts again. `meta`, `link`
//! and `list` are what records are made of.
//!
//! Locks are taken in one order: a family's, then the arenas' or a region's. None is held while
//! code of the caller runs, and nothing here calls the global allocator.

mod cache;
mod central;
mod check;
mod extent;
mod figures;
mod geometry;
mod large;
mod large_runs;
mod link;
mod list;
mod meta;
mod page;
mod record;
mod runs;
mod shelves;
mod slot_map;
mod surplus;
mod thread;

use core::alloc::Layout;
use core::num::NonZeroUsize;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cache::CacheRecord;
use central::Central;
use geometry::{Geometry, LONG_ROW, Placement};
use record::SPACE;

pub use cache::CacheCell;
pub(crate) use figures::{Figures, Fill, add_resident};
pub(crate) use link::Link;
pub(crate) use meta::RECORDS;

use crate::os::Refused;

/// The address of every block of zero units: a multiple of every alignment, and on first-class
/// platforms one that no memory can have.
const EMPTY_BLOCK: NonZeroUsize = NonZeroUsize::new(1 << (usize::BITS - 2)).unwrap();

/// Families that have a number so far.
static NUMBERS: AtomicUsize = AtomicUsize::new(1);

/// Why no block could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// The block would be larger than any can be.
    Overflow,
    /// The kernel gave no memory.
    NoMemory,
}

impl From<Refused> for Shortage {
    fn from(Refused: Refused) -> Self {
        Self::NoMemory
    }
}

/// Why a pointer was not released.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    /// It is in no family's pages.
    Foreign,
    /// It is inside pages, but no block starts there.
    Interior,
    /// No live block is there.
    NotLive,
    /// It is in another family's pages.
    WrongFamily,
}

/// A block just made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) first: NonNull<u8>,
    /// Whether all its bytes are known to be zero.
    pub(crate) zero: bool,
}

impl Block {
    fn empty() -> Self {
        Self {
            first: NonNull::without_provenance(EMPTY_BLOCK),
            zero: true,
        }
    }

    /// Clears the `bytes` bytes of the block, which nobody else has yet, unless they are known to
    /// be zero.
    #[inline]
    pub(crate) fn zeroed(self, bytes: usize) -> NonNull<u8> {
        if !self.zero {
            // SAFETY: the block is new, nobody else has it, and it has this many bytes.
            unsafe { self.first.write_bytes(0, bytes) };
        }
        self.first
    }

    fn of_no_size(align: usize) -> Self {
        let address = NonZeroUsize::new(align).unwrap_or(NonZeroUsize::MIN);
        Self {
            first: NonNull::without_provenance(address),
            zero: true,
        }
    }
}

/// One family's memory.
#[derive(Debug)]
pub(crate) struct Heap {
    geometry: Geometry,
    /// From 1, in order of first use; 0 before that.
    number: AtomicUsize,
    /// Blocks may have surplus units, see `surplus`. Set by any thread.
    may_have_surplus: AtomicBool,
    central: Mutex<Central>,
}

impl Heap {
    /// Makes the heap of a family of units of `layout`, padded to its alignment.
    pub(crate) const fn new(layout: Layout) -> Self {
        Self {
            geometry: Geometry::new(layout),
            number: AtomicUsize::new(0),
            may_have_surplus: AtomicBool::new(false),
            central: Mutex::new(Central::new()),
        }
    }

    fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The family's number, from 0; a new one at the first call.
    pub(crate) fn number(&self) -> usize {
        let known = self.number.load(Relaxed);
        if known > 0 {
            return known - 1;
        }
        let new = NUMBERS.fetch_add(1, Relaxed);
        match self.number.compare_exchange(0, new, Relaxed, Relaxed) {
            Ok(_) => new - 1,
            Err(others) => others - 1,
        }
    }

    fn central(&self) -> MutexGuard<'_, Central> {
        // Under this lock nothing runs that panics half-way through a change.
        self.central.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Allocates a block when the cell had none at hand.
    #[cold]
    #[inline(never)]
    pub(crate) fn alloc(&'static self, cell: &CacheCell, units: usize) -> Result<Block, Shortage> {
        if units == 0 {
            return Ok(Block::empty());
        }
        self.answer_flush(cell);
        if units == 1 && self.geometry.placement() == Placement::Paged {
            return self.alloc_one(cell);
        }
        if self.geometry.keeps_rows(units) {
            return self.alloc_row(cell, units);
        }
        self.central().alloc(self, units)
    }

    /// Releases a block when the cell could not take it.
    ///
    /// # Safety
    ///
    /// `first` is the start of a live block of `units` units of this heap that nobody uses.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn release(
        &'static self,
        cell: &CacheCell,
        first: NonNull<u8>,
        units: usize,
    ) {
        if units == 0 {
            return;
        }
        self.answer_flush(cell);
        if units == 1 && self.geometry.placement() == Placement::Paged {
            // SAFETY: the caller promises the same, and the unit lies in a VM page.
            return unsafe { self.release_one(cell, first) };
        }
        if self.geometry.keeps_rows(units) {
            // SAFETY: the caller promises the same.
            return unsafe { self.release_row(cell, first, units) };
        }
        let mut central = self.central();
        central.release(self, first, units);
        central.shrink_if_fallen(self);
    }

    /// Releases the block that starts at `first`, whatever its family, after a look at the maps
    /// and at all caches. With `asked`, only if it is that family's.
    ///
    /// # Errors
    ///
    /// What is wrong with the address, and the heap that owns it. Nothing was changed.
    ///
    /// # Safety
    ///
    /// If a live block starts at `first`, nobody uses it any more.
    pub(crate) unsafe fn release_raw(
        first: NonNull<u8>,
        asked: Option<&'static Self>,
    ) -> Result<(), (Refusal, Option<&'static Self>)> {
        if first.addr() == EMPTY_BLOCK {
            return Ok(());
        }
        let record = SPACE.record_at(first.addr().get());
        let record = record.ok_or((Refusal::Foreign, None))?;
        let heap = record.heap();
        let refused = |refusal| (refusal, Some(heap));
        if asked.is_some_and(|asked| !core::ptr::eq(asked, heap)) {
            return Err(refused(Refusal::WrongFamily));
        }
        let mut central = heap.central();
        let units = central.live_units_at(record, first).map_err(refused)?;
        central.release(heap, first, units);
        central.shrink_if_fallen(heap);
        Ok(())
    }

    /// Lends the calling thread's cell for this heap to `f`, for those that have no static one.
    ///
    /// At the thread's end, or without memory for the cell, there is none.
    pub(crate) fn with_cell<R>(&'static self, f: impl FnOnce(Option<&CacheCell>) -> R) -> R {
        thread::with_cell(self.number(), f)
    }

    /// Allocates a block straight from the pages.
    pub(crate) fn alloc_uncached(&'static self, units: usize) -> Result<Block, Shortage> {
        if units == 0 {
            return Ok(Block::empty());
        }
        self.central().alloc(self, units)
    }

    /// Gives back to the kernel all that can be given; other threads flush at their next call.
    /// Returns bytes.
    pub(crate) fn trim(&'static self) -> usize {
        let mut central = self.central();
        central.caches.iter().for_each(CacheRecord::ask_to_flush);
        central.trim(self)
    }

    fn alloc_one(&'static self, cell: &CacheCell) -> Result<Block, Shortage> {
        loop {
            if let Some(unit) = cell.take(self.geometry.unit()) {
                return Ok(unit);
            }
            match cell.cache() {
                Some(cache) if cache.is_asked_to_flush() => self.flush(cache),
                Some(cache) if cache.next_claim() => {}
                Some(cache) => self.central().refill(self, cache)?,
                None if thread::open(self, cell) => {}
                None => return self.central().alloc(self, 1),
            }
        }
    }

    fn alloc_row(&'static self, cell: &CacheCell, units: usize) -> Result<Block, Shortage> {
        // Again: the cell may not have had a cache, or one that was to be flushed.
        if let Some(row) = cell.take_row(units) {
            return Ok(row);
        }
        if cell.cache().is_none() && !thread::open(self, cell) {
            return self.central().alloc(self, units);
        }
        let Some(cache) = cell.cache() else {
            return self.central().alloc(self, units);
        };
        let bins = cache.make_bins().ok().filter(|_| units < LONG_ROW);
        let mut central = self.central();
        let row = match bins {
            Some(bins) => central.refill_bin(self, bins, units)?,
            None => central.take_row(self, units)?,
        };
        cache.account_allocated();
        central.account_peak(self);
        Ok(row)
    }

    /// # Safety
    ///
    /// As for [`release`](Self::release), and the block is one that caches keep.
    unsafe fn release_row(&'static self, cell: &CacheCell, first: NonNull<u8>, units: usize) {
        loop {
            // SAFETY: the caller promises the same, and the block was not put anywhere yet.
            if unsafe { cell.put_row(first, units) } {
                return;
            }
            let may_fit = match cell.cache() {
                Some(cache) => self.make_room(cache, units),
                None => thread::open(self, cell),
            };
            if !may_fit {
                let mut central = self.central();
                central.release(self, first, units);
                return central.shrink_if_fallen(self);
            }
        }
    }

    /// Makes room in the calling thread's cache for a block of `units` units, if that can be.
    fn make_room(&'static self, cache: &'static CacheRecord, units: usize) -> bool {
        if units < LONG_ROW {
            let Ok(bins) = cache.make_bins() else {
                return false;
            };
            return bins.prepare(&self.geometry, units)
                || self.counted().free_half_bin(bins, units);
        }
        let Ok(rows) = cache.make_rows() else {
            return false;
        };
        rows.prepare(&self.geometry) || self.counted().free_half_rows(rows)
    }

    /// The lock, after a look at the peak.
    fn counted(&'static self) -> MutexGuard<'static, Central> {
        let mut central = self.central();
        central.account_peak(self);
        central
    }

    /// # Safety
    ///
    /// As for [`release`](Self::release), and the unit lies in a VM page.
    unsafe fn release_one(&'static self, cell: &CacheCell, unit: NonNull<u8>) {
        loop {
            // SAFETY: the caller promises the same, and the unit was not put anywhere yet.
            if unsafe { cell.put(unit) } {
                return;
            }
            match cell.cache() {
                Some(cache) if cache.is_asked_to_flush() => self.flush(cache),
                Some(cache) if cache.grow_stack(&self.geometry) => {}
                Some(cache) if cache.stacked() > 0 => self.flush_half(cache),
                None if thread::open(self, cell) => {}
                // No memory for a cache, or for even its smallest stack.
                _ => return self.central().release(self, unit, 1),
            }
        }
    }

    /// Flushes the cell's cache if somebody asked for it.
    fn answer_flush(&'static self, cell: &CacheCell) {
        if let Some(cache) = cell.cache().filter(|cache| cache.is_asked_to_flush()) {
            self.flush(cache);
        }
    }

    /// Finds or makes a record for the calling thread, whose cell is `cell`.
    fn open_cache(&'static self, cell: &CacheCell) -> Result<&'static CacheRecord, Refused> {
        let mut central = self.central();
        let cache = match central.spare_caches.pop() {
            Some(spare) => spare,
            None => CacheRecord::make(self)?,
        };
        central.caches.push(cache);
        cache.open(cell);
        Ok(cache)
    }

    /// Takes a thread's record back when the thread ends.
    ///
    /// # Safety
    ///
    /// The calling thread is the record's, and its cell still exists.
    unsafe fn close_cache(&'static self, cache: &'static CacheRecord) {
        let mut central = self.central();
        drain(&mut central, cache);
        central.account.allocated += cache.take_allocated();
        if let Some(rows) = cache.rows() {
            let surplus = &mut central.account.surplus;
            *surplus = surplus.wrapping_add(rows.take_surplus());
        }
        central.caches.remove(cache);
        central.spare_caches.push(cache);
        // SAFETY: the caller promises the same.
        unsafe { cache.close() };
        central.shrink_if_fallen(self);
    }

    /// Frees all units of the calling thread's cache.
    fn flush(&'static self, cache: &'static CacheRecord) {
        let mut central = self.central();
        drain(&mut central, cache);
        cache.account_flushed();
        central.shrink_if_fallen(self);
    }

    /// Whether blocks may have surplus units.
    fn has_surplus_mark(&self) -> bool {
        self.may_have_surplus.load(Relaxed)
    }

    /// Notes that a block has surplus units.
    fn mark_surplus(&self) {
        // A load first: the mark lies beside what all threads read.
        if !self.has_surplus_mark() {
            self.may_have_surplus.store(true, Relaxed);
        }
    }

    /// Notes that none has. The caller holds the lock, and no other thread has a cache.
    fn unmark_surplus(&self) {
        self.may_have_surplus.store(false, Relaxed);
    }

    /// Frees the older half of the calling thread's stack.
    fn flush_half(&'static self, cache: &'static CacheRecord) {
        let mut central = self.central();
        let half = cache.stacked().div_ceil(2);
        central.account_peak(self);
        central.free_units(self, cache.stacked_units().take(half));
        cache.account_oldest_freed(half);
        central.shrink_if_fallen(self);
    }
}

/// Frees all units of the calling thread's cache, which the lock of its family guards.
fn drain(central: &mut Central, cache: &CacheRecord) {
    let heap = cache.heap();
    central.free_units(heap, cache.single_units());
    central.free_words(heap, cache.claims());
    central.free_kept_rows(cache);
    cache.account_drained();
}

/// Flushes all caches of the calling thread.
pub(crate) fn flush_thread() {
    thread::caches()
        .filter(|cache| !cache.is_empty() || cache.is_asked_to_flush())
        .for_each(|cache| cache.heap().flush(cache));
}

/// How many numbers families have so far.
pub(crate) fn numbers() -> usize {
    NUMBERS.load(Relaxed) - 1
}

/// Resident bytes of all maps, records and tables.
pub(crate) fn records_resident() -> usize {
    RECORDS.resident() + meta::JOINTS.resident() + SPACE.tables_resident()
}
