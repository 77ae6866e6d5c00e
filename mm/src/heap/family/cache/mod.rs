//! The cache of one thread for one family, which works without a lock.
//!
//! A thread *owns* words of the family's maps: it alone takes and frees units there, with plain loads and
//! stores. An allocation takes the unit in the *hot slot*; if there is none, the last one on the *stack* of
//! released units; if that is empty, the next of the free units side by side between `cur` and `end`. If there
//! are none either, a refill fetches free units of the thread's own words. A release puts the unit into the hot
//! slot; if that holds one, at the end of the *run*, if the unit follows the last one there; otherwise onto the
//! stack; and if the stack is full, back into the map, if the thread owns the unit's word. A unit of a word
//! that another thread owns is sent to that thread. A thread takes the family's lock only if none of its words
//! has a free unit. The first times it gets a few units, then words, then whole pages.
//!
//! Short rows come from *bins*, long rows from lists; there is one for each length. Both are filled under the
//! lock. mm never writes into a unit: a list with links in free units is slower when units are released in
//! random order, dirties zeroed memory, and can be corrupted.
//!
//! | module | subject |
//! | --- | --- |
//! | `record` | the fields; how a thread gets a record and gives it back |
//! | `hot` | fast paths: hot slot, run, stack, free units side by side |
//! | `overflow` | a release for which these have no room |
//! | `own` | words that the thread owns |
//! | `remote` | units that one thread releases and another owns |
//! | `biased` | the lock that keeps an owner out of its words |
//! | `sweep` | when a thread gives pages back |
//! | `count` | figures, and how other threads read them |
//! | `look` | the contents of a cache |
//! | `rows` | released blocks of several units |
//! | `numbers` | from the number of a record to the record |
//! | `thread` | the caches and the cells of a thread |
//!
//! # Bounds
//!
//! | what a thread keeps of one family | at most |
//! | --- | --- |
//! | a unit in the hot slot | 1 |
//! | released units on its stack | 1,024, but no more than 128 KiB |
//! | released units in its run | 512, but no more than 128 KiB |
//! | free units side by side to be handed out | 512, but no more than 128 KiB |
//! | released units that wait to be sent to another thread | 64, but no more than 64 KiB |
//! | empty pages, in families of units of up to 4 KiB | 2, and one more for each page that it gave back and needed again within the last 4 seconds |
//! | rows of 2 to 31 units | 64 of each length, but no more than 64 KiB of it |
//! | rows of 32 to 455 units | 1,023 of all lengths together, but no more than an eighth of the family's taken memory; that bound is at least 256 KiB and at most 4 MiB |
//!
//! If a unit is larger than a bound in bytes, the bound is one unit. A thread keeps nothing at first, and more
//! with use. `trim` on any thread frees the rows of all threads and takes the free units of their words, so a
//! sleeping thread keeps at most what the first five lines of the table allow. Before a family that needs pages
//! asks the kernel for memory, it takes pages with free units from other threads, if all of these together can
//! spare at least 16 pages and a 32nd of the family's. `tests/bounds.rs` checks all of this.
//!
//! # Cells
//!
//! A cell leads to the thread's record, or to the read-only *closed* record, which makes each fast path fail.
//! It leads to the closed record before the thread has a cache, after the thread's exit, and while the cell is
//! *redirected*: another thread that holds the family's lock does this to make the cell's thread take a slow
//! path. There the thread finds its record in `own`, flushes it, and opens the cell again under the lock. Since
//! a cell may be redirected at any time, a call loads it once and uses the same record until it returns.

mod biased;
mod count;
mod hot;
#[cfg(all(test, not(loom), not(mm_portable), target_os = "linux"))]
mod litmus;
mod look;
mod numbers;
mod overflow;
mod own;
mod record;
mod remote;
mod rows;
mod sweep;
pub(in crate::heap) mod thread;

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::Relaxed;

use crate::heap::ground::{Block, LONG_ROW, Link};
use crate::sync::AtomicPtr;

pub(in crate::heap) use biased::{barrier, barrier_at_any_cost, pause};
pub(crate) use count::Flow;
#[cfg(all(test, loom))]
pub(in crate::heap) use numbers::{begin_again, numbers_range};
pub(in crate::heap) use numbers::{lock_for_fork, unlock_after_fork};
pub(in crate::heap) use record::{CacheRecord, Inbox};
pub(in crate::heap) use rows::{Bins, Rows};
pub(in crate::heap) use thread::FAST_FAMILIES;
#[cfg(test)]
pub(crate) use thread::forget_retained_tables;
pub(in crate::heap) use thread::is_own;

/// What leads one thread to its cache of one family.
///
/// # Invariants
///
/// 1. `at` was made from a `&'static CacheRecord`: the closed record, or the one that `own` leads to.
/// 2. If `own` leads to a record, it belongs to the thread of this cell, and no other cell leads to it. Only
///    that thread uses the cell, except a thread that redirects it under the family's lock.
#[derive(Debug)]
pub struct CacheCell {
    at: AtomicPtr<CacheRecord>,
    own: Link<CacheRecord>,
}

/// The record of cells without a cache.
static CLOSED_RECORD: CacheRecord = CacheRecord::closed();

const fn closed_record() -> *mut CacheRecord {
    (&raw const CLOSED_RECORD).cast_mut()
}

impl Default for CacheCell {
    fn default() -> Self {
        Self::new()
    }
}

#[allow(
    clippy::inline_always,
    reason = "the hot path must be inlined into the caller, whatever its size"
)]
impl CacheCell {
    /// Makes a cell without a cache.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            at: AtomicPtr::new(closed_record()),
            own: Link::none(),
        }
    }

    #[inline(always)]
    fn record(&self) -> &'static CacheRecord {
        // SAFETY: by invariant 1 the pointer was made from a `&'static CacheRecord`.
        unsafe { &*self.at.load(Relaxed) }
    }

    /// Takes a unit from the cache, if a few steps are enough. `unit` is the size of the family's units in
    /// bytes. Only if `wants_zero` does the block say whether its unit is known to be zero; otherwise it says
    /// no.
    #[inline(always)]
    pub(crate) fn take(&self, unit: usize, wants_zero: bool) -> Option<Block> {
        self.record().take(unit, wants_zero)
    }

    /// Puts a unit into the cache, if it has room. `unit` is the size of the family's units in bytes.
    ///
    /// # Safety
    ///
    /// 1. `first` is a live block of one unit of the cell's family, or the cell has no cache.
    /// 2. Nothing uses it any more.
    #[inline(always)]
    pub(crate) unsafe fn put(&self, first: NonNull<u8>, unit: usize) -> bool {
        // SAFETY: by requirement 1 the block is of the family of the cell's `record`, or that is the closed one. By
        // requirement 2 nothing uses it.
        unsafe { self.record().put(first, unit) }
    }

    /// Takes a unit for a request of fewer bytes: `padding` fewer.
    #[inline(always)]
    pub(crate) fn take_padded(
        &self,
        unit: usize,
        to_be_zero: bool,
        padding: usize,
    ) -> Option<Block> {
        let record = self.record();
        let block = record.take_past_hot(unit, to_be_zero)?;
        record.account_padding(padding as u64);
        Some(block)
    }

    /// Puts a unit into the cache, if it has room, which was requested with `padding` bytes fewer.
    ///
    /// # Safety
    ///
    /// 1. `first` is a live block of one unit of the cell's family, or the cell has no cache.
    /// 2. Nothing uses it any more.
    #[inline(always)]
    pub(crate) unsafe fn put_padded(
        &self,
        first: NonNull<u8>,
        unit: usize,
        padding: usize,
    ) -> bool {
        let record = self.record();
        // SAFETY: by requirement 1 the block is of the family of the cell's `record`, or that is the closed one. By
        // requirement 2 nothing uses it.
        let is_put = unsafe { record.put_past_hot(first, unit) };
        if is_put {
            record.account_padding_released(padding as u64);
        }
        is_put
    }

    /// Takes a block of `units` units from the cache, if it has one.
    #[inline]
    pub(crate) fn take_row(&self, units: usize) -> Option<Block> {
        self.record().take_row(units)
    }

    /// Puts a block of `units` units into the cache, if it has room.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of the cell's family, or the cell has no cache.
    /// 2. Nothing uses it any more.
    #[inline]
    pub(crate) unsafe fn put_row(&self, first: NonNull<u8>, units: usize) -> bool {
        let record = self.record();
        if units >= LONG_ROW {
            // SAFETY: by requirement 1 the block is of the family of `record`, or that is the closed one. By
            // requirement 2 nothing uses it.
            return unsafe { record.put_long_row(first, units) };
        }
        // SAFETY: by requirement 1 the block is of the family of `record`, or that is the closed one. By requirement
        // 2 nothing uses it.
        unsafe { record.put_short_row(first, units) }
    }

    /// The cache that calls may use now; `None` if the cell leads to the closed record.
    #[inline]
    pub(in crate::heap) fn open_cache(&self) -> Option<&'static CacheRecord> {
        let record = self.record();
        (!ptr::eq(record, &raw const CLOSED_RECORD)).then_some(record)
    }

    /// Whether the cell has a cache, be it open or not.
    pub(crate) fn has_cache(&self) -> bool {
        self.cache().is_some()
    }

    /// What the cell's thread, which is the caller, took from its cache and put into it so far.
    pub(crate) fn flow(&self) -> Flow {
        self.cache().map(CacheRecord::flow).unwrap_or_default()
    }

    /// Whether the cell leads to its own cache, so that calls may use it.
    pub(in crate::heap) fn is_open(&self) -> bool {
        self.open_cache().is_some()
    }

    /// The cell's own cache, even while the cell is redirected; `None` if it has none.
    pub(in crate::heap) fn cache(&self) -> Option<&'static CacheRecord> {
        self.own.get()
    }

    /// Gives the cell its own record and opens it. The caller has the family's lock.
    pub(in crate::heap) fn attach(&self, record: &'static CacheRecord) {
        self.own.set(Some(record));
        self.reopen(record);
    }

    /// Opens the cell: it leads to its own record again. The caller has the family's lock.
    pub(in crate::heap) fn reopen(&self, record: &'static CacheRecord) {
        self.at.store(ptr::from_ref(record).cast_mut(), Relaxed);
    }

    /// Makes the thread's next call take a slow path. Any thread may call this under the family's lock.
    pub(in crate::heap) fn redirect(&self) {
        self.at.store(closed_record(), Relaxed);
    }

    /// Leads the cell to no cache from now on. The caller has the family's lock.
    pub(in crate::heap) fn close(&self) {
        self.redirect();
        self.own.set(None);
    }
}
