//! The cache of one thread for one family, which works without a lock.
//!
//! A thread *owns* words of the family's maps: it alone takes and frees units there, with plain loads and
//! stores. Units leave a cache from its *hot slot* first, then from the *stack* of released units, then from
//! the units side by side from `cur` to `end`. When all are empty, a refill moves free units of own words
//! there. Released units go the same way back: hot slot, stack, own words. A unit of a word that another thread
//! owns is sent to that thread. A thread takes the family's lock only if none of its words has a free unit. It
//! then gets a few units at first, later words, later whole pages.
//!
//! Rows come from *bins* by length, longer ones from lists by length; both are filled under the lock. mm never
//! writes into a unit: a list with links in free units is slower when units are released in random order,
//! dirties zeroed memory, and can be corrupted.
//!
//! | module | subject |
//! | --- | --- |
//! | `record` | the fields; how a record comes to a thread and leaves it |
//! | `hot` | fast paths: hot slot, stack, units side by side |
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
//! | released units on its stack | 1,024, and 128 KiB |
//! | released units side by side | 512, and 128 KiB |
//! | units side by side to be handed out | 512, and 128 KiB |
//! | released units on their way to another thread | 64, and 64 KiB |
//! | empty pages, of units of up to 4 KiB | 2, and those that it gave back and needed again, for 4 seconds |
//! | rows of 2 to 31 units | of each length 64, and 64 KiB |
//! | rows of 32 to 455 units | 1,023 together; an eighth of the family, 256 KiB to 4 MiB |
//!
//! A bound in bytes below the size of a unit means one unit. Each of these starts at nothing and grows with
//! use. `trim` on any thread takes the rows of all threads and the free units of their words, so a sleeping
//! thread keeps no more than the first five rows of the table. A family that needs pages takes them from other
//! threads before it asks the kernel, if these have more to spare than 16 pages and a 32nd of the family.
//! `tests/bounds.rs` checks all of this.
//!
//! # Cells
//!
//! A cell leads to the thread's record, or to a read-only *closed* one, on which every fast test fails. It
//! leads to the closed record at first, after the thread's exit, and when another thread wants this one to take
//! a slow path. In the last case the cell is *redirected*, under the family's lock. The thread finds its own
//! record in `own`, and after a flush leads the cell back to it under the same lock. A call loads its cell
//! once, since it may be redirected at any time: the call ends with the record with which it began.

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
#[cfg(all(test, loom))]
pub(in crate::heap) use numbers::{begin_again, numbers_range};
pub(in crate::heap) use numbers::{lock_for_fork, unlock_after_fork};
pub(in crate::heap) use record::{CacheRecord, Inbox};
pub(in crate::heap) use rows::{Bins, Rows};
pub(in crate::heap) use thread::FAST_FAMILIES;
#[cfg(test)]
pub(crate) use thread::forget_retained_tables;
pub(in crate::heap) use thread::is_own;

/// The way of one thread to its cache of one family.
///
/// # Invariants
///
/// 1. The pointer was made from a `&'static CacheRecord`: the closed one, or that of `own`.
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
    reason = "the hot path is to become part of the caller, whatever its size"
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
    /// bytes. Unless `wants_zero`, this does not check whether the unit is known to be zero.
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

    /// The cell's cache, if calls may use it.
    #[inline]
    pub(in crate::heap) fn open_cache(&self) -> Option<&'static CacheRecord> {
        let record = self.record();
        (!ptr::eq(record, &raw const CLOSED_RECORD)).then_some(record)
    }

    /// Whether calls may use the cell's cache.
    pub(in crate::heap) fn is_open(&self) -> bool {
        self.open_cache().is_some()
    }

    /// The cell's own cache, unless it has none.
    pub(in crate::heap) fn cache(&self) -> Option<&'static CacheRecord> {
        self.own.get()
    }

    /// Gives the cell a record. The caller has the family's lock.
    pub(in crate::heap) fn attach(&self, record: &'static CacheRecord) {
        self.own.set(Some(record));
        self.reopen(record);
    }

    /// Leads the cell to its own record again. The caller has the family's lock.
    pub(in crate::heap) fn reopen(&self, record: &'static CacheRecord) {
        self.at.store(ptr::from_ref(record).cast_mut(), Relaxed);
    }

    /// Makes the next call find no open cache. Any thread may call this under the family's lock.
    pub(in crate::heap) fn redirect(&self) {
        self.at.store(closed_record(), Relaxed);
    }

    /// Leads the cell to no cache from now on. The caller has the family's lock.
    pub(in crate::heap) fn close(&self) {
        self.redirect();
        self.own.set(None);
    }
}
