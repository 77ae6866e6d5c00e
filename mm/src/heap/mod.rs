//! The engine: knows layouts and addresses, no types and no names.
//!
//! # Words
//!
//! | word | meaning |
//! | --- | --- |
//! | granule | 64 KiB, the step of the table from addresses to records |
//! | VM page | one granule, or more for large units; aligned to its size; has two bit maps |
//! | word | 64 units of a VM page, in the first map; a thread may own it |
//! | owner | the thread that alone changes a word, without a lock; else a word changes under the family's lock |
//! | section | what an owner does in its words at a time; whoever needs them waits for its end |
//! | inbox | the words of one owner that other threads released units of |
//! | extent | VM pages side by side, taken together: 1, 2, 4 ... until they fill 2 MiB |
//! | taken | a unit that is live, in a cache, or on its way to its owner: a bit in the first map |
//! | joined | a unit that belongs to the block of the unit before: a bit in the second map |
//! | row | a block of more than one unit; a long one has 32 or more |
//! | bin | the blocks of one short length in a thread's cache |
//! | surplus | units that a cached block had more than the row that it was handed out for |
//! | spare | memory of empty extents that a family keeps because it missed it before |
//! | quarantine | released blocks that a hardened family does not hand out yet |
//! | supervised | a family of which every call takes the lock, as it is tracked or limited; its caches are shut |
//! | site | a place in the program that allocated, with the thread, as recorded |
//! | tag | what is recorded of one live block: its site, and when |
//! | mark | what stands in a released block of a family that keeps marks; see `marks` |
//! | guard | an OS page that nobody can touch, behind units or a large block |
//! | in use | of a VM page: it may be backed by memory |
//!
//! # Equations
//!
//! In every VM page: `taken + free = capacity`, where to the family, though not to the owner, all units of an
//! owned word are taken. In every family, without calls in flight: `taken = live + cached` and
//! `allocated - released = live`, where the surplus units of live blocks count as cached. `check.rs` derives
//! each side again.
//!
//! # Layers
//!
//! `hardening` says what was chosen at the start; `hardened`, `random`, `quarantine` and `guards` do
//! it, in place of the caches; `huge` asks for the OS pages. `supervised` has every call take the lock
//! of families that are limited (`quota`) or tracked (`tracking`, with `asker`, `caller`, `names`,
//! `scopes`, `sites`, `tags`, and `recording` for their memory). `by_address`
//! takes and releases the blocks of C programs, with `marks` and `cards`; `owner` finds the heap
//! of a block. `geometry` and `slot_map` calculate; `extent` with its `page`s and their `word`s, and `large`,
//! are the kinds of `record` that address space can have; `shelves`, `runs` and `large_runs` sort them;
//! `central` is a family behind its lock, which lends words to threads (`central::lease`); `cache` and
//! `thread` are what a thread holds of it; `settle` gives memory back. `walk` is the way through all of it:
//! `figures` counts, `check` counts again, `visit` shows what is live, and `blocks` what lies between.
//! `meta`, `link` and `list` are what records are made of.
//!
//! Locks are taken in one order: a family's, then the arenas' or a region's. None is held while
//! code of the caller runs, and nothing here calls the global allocator. Inside of a section no lock is taken.

#[cfg(feature = "capi")]
mod by_address;
mod cache;
mod central;
mod fork;
mod ground;
pub(crate) mod hardening;
mod large;
#[cfg(all(test, loom))]
pub(crate) mod models;
mod owner;
mod pages;
pub(crate) mod quota;
mod slow;
mod supervised;
mod tracking;
mod walk;

use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use cache::{CacheRecord, Inbox};
use central::Central;
pub(crate) use ground::{Block, Refusal, Shortage, is_paged};
use ground::{EMPTY_BLOCK, Geometry, Placement, Row};
#[cfg(feature = "capi")]
use pages::Record;
use pages::SPACE;
pub(crate) use tracking::{from_start, scopes};

pub(crate) use crate::heap::fork::{hold_shared, keep_out_owners, let_go_shared};
pub(crate) use crate::heap::slow::flush_thread;
#[cfg(feature = "capi")]
pub(crate) use by_address::Put;
#[cfg(feature = "capi")]
pub(crate) use by_address::TakenUnit;
pub use cache::CacheCell;
#[cfg(test)]
pub(crate) use cache::forget_spare_tables;
pub(crate) use ground::{JOINTS, Link, RECORDS};
pub use pages::HugePages;
#[cfg(feature = "capi")]
pub(crate) use tracking::kept_file;
pub(crate) use tracking::{
    Amount, Caller, Inherited, MOST_SCOPES, OTHER as OTHER_SITES, Origin, Recorded, Scope,
    ScopeNumber, Site, SiteFigures, Whose, account_scope, enter_scope, scope, trim_recorded,
};
#[cfg(feature = "capi")]
pub(crate) use walk::{BlockView, PageView, Walk};
pub(crate) use walk::{Figures, Fill, add_resident};

use crate::os::{Inside, Lock, Look, MutexGuard, Refused, watch};
use crate::sync::{AtomicBool, AtomicUsize};

/// Families that have a number so far.
static NUMBERS: AtomicUsize = AtomicUsize::new(1);

/// One family's memory.
#[derive(Debug)]
pub(crate) struct Heap {
    geometry: Geometry,
    /// From 1, in order of first use; 0 before that.
    number: AtomicUsize,
    #[cfg(feature = "capi")]
    marking: by_address::Marking,
    /// Whether every call takes the lock; see `supervised`. Changed under the lock.
    supervised: AtomicBool,
    /// Units that may be live. Changed under the lock.
    limit: AtomicU64,
    /// What was released of words that nobody owns.
    inbox: Inbox,
    central: Lock<Central>,
}

impl Heap {
    /// Makes the heap of a family of units of `layout`, padded to its alignment.
    pub(crate) const fn new(layout: Layout) -> Self {
        Self {
            geometry: Geometry::new(layout),
            number: AtomicUsize::new(0),
            #[cfg(feature = "capi")]
            marking: by_address::Marking::None,
            supervised: AtomicBool::new(false),
            limit: AtomicU64::new(quota::NONE),
            inbox: Inbox::new(0),
            central: Lock::new(Central::new()),
        }
    }

    /// Says at the start how many units may be live.
    pub(crate) const fn begin_with_limit(&mut self, units: u64) {
        self.supervised = AtomicBool::new(true);
        self.limit = AtomicU64::new(units);
    }

    /// Whether every call is to go past the threads' caches.
    fn goes_past_caches(&self) -> bool {
        self.is_supervised() || hardening::is_on()
    }

    /// Whether caches keep blocks of `units` units.
    fn is_cached(&self, units: usize) -> bool {
        let is_unit = units == 1 && self.geometry.placement() == Placement::Paged;
        is_unit || self.geometry.keeps_rows(units)
    }

    #[cfg(not(feature = "capi"))]
    #[allow(clippy::unused_self, reason = "families that keep marks are C's")]
    fn mark_unissued(&self, _: impl Iterator<Item = NonNull<u8>>) -> bool {
        false
    }

    fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The family's number, from 0; a new one at the first call.
    #[inline]
    pub(crate) fn number(&self) -> usize {
        match self.number.load(Relaxed).checked_sub(1) {
            Some(number) => number,
            None => self.make_number(),
        }
    }

    #[cold]
    fn make_number(&self) -> usize {
        let new = NUMBERS.fetch_add(1, Relaxed);
        match self.number.compare_exchange(0, new, Relaxed, Relaxed) {
            Ok(_) => new - 1,
            Err(others) => others - 1,
        }
    }

    fn central(&self) -> MutexGuard<'_, Central> {
        self.central.lock()
    }

    /// Allocates a block when the cell had none at hand.
    #[cold]
    #[inline(never)]
    pub(crate) fn alloc(
        &'static self,
        cell: &CacheCell,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<Block, Shortage> {
        if units == 0 {
            return Ok(Block::empty());
        }
        let has_cache = self.is_cached(units);
        let is_open = has_cache && self.opened(cell).is_some();
        if !is_open && self.goes_past_caches() {
            return self.alloc_uncached(units, caller);
        }
        if !has_cache {
            return self.central().alloc(self, units);
        }
        if units == 1 {
            return self.alloc_one(cell);
        }
        self.alloc_row(cell, units)
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
        if units == 1 && self.geometry.placement() == Placement::Paged {
            // SAFETY: the caller promises the same, and the unit lies in a VM page.
            return unsafe { self.release_unit(cell, first) };
        }
        let is_open = self.is_cached(units) && self.opened(cell).is_some();
        if !is_open && self.goes_past_caches() {
            // SAFETY: the caller promises the same.
            return unsafe { self.release_straight(Row { first, units }) };
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
        let _inside = Inside::enter();
        let record = SPACE.record_at(first.addr().get());
        let record = record.ok_or((Refusal::Foreign, None))?;
        let heap = record.heap();
        let refused = |refusal| (refusal, Some(heap));
        if asked.is_some_and(|asked| !core::ptr::eq(asked, heap)) {
            return Err(refused(Refusal::WrongFamily));
        }
        let mut central = heap.central();
        let units = central.live_units_at(record, first).map_err(refused)?;
        let bytes = units * heap.geometry().unit();
        watch::take_back(first, bytes);
        // For a second release that meets the units in another thread's cache.
        #[cfg(feature = "capi")]
        if matches!(record, Record::Extent(_)) {
            // SAFETY: the block is live, and the caller promises that nobody uses it.
            unsafe { heap.mark_released(first) };
        }
        // SAFETY: the caller promises that nobody uses the block, which is live.
        unsafe { central.release_straight(heap, Row { first, units }) };
        central.shrink_if_fallen(heap);
        Ok(())
    }

    /// Lends the calling thread's cell for this heap to `f`, for those that have no static one.
    ///
    /// At the thread's end, or without memory for the cell, there is none.
    #[inline]
    pub(crate) fn with_cell<R>(&'static self, f: impl FnOnce(Option<&CacheCell>) -> R) -> R {
        cache::thread::with_cell(self.number(), f)
    }

    /// Allocates a block straight from the pages.
    pub(crate) fn alloc_uncached(
        &'static self,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<Block, Shortage> {
        if units == 0 {
            return Ok(Block::empty());
        }
        if self.is_supervised() {
            return self.alloc_supervised(units, caller);
        }
        self.central().alloc_straight(self, units)
    }

    /// Gives back to the kernel all that can be given; other threads flush at their next call.
    /// Returns bytes.
    pub(crate) fn trim(&'static self) -> usize {
        let _inside = Inside::enter();
        let mut central = self.central();
        central.caches.iter().for_each(CacheRecord::ask_to_flush);
        central.trim(self)
    }
}

/// How many numbers families have so far.
pub(crate) fn numbers() -> usize {
    NUMBERS.load(Relaxed) - 1
}

/// Bytes of address space that runs have taken so far, of all families.
#[cfg(test)]
pub(crate) fn taken_bytes() -> usize {
    SPACE.committed()
}

/// Resident bytes of all maps, records and tables.
pub(crate) fn records_resident(look: &Look) -> Result<usize, Refused> {
    Ok(RECORDS.resident(look)?
        + JOINTS.resident(look)?
        + SPACE.tables_resident(look)?
        + tracking::recording::resident(look)?)
}
