//! One thread's cache of one family: the hot path.
//!
//! Units leave the cache from its *hot slot* first, then from the *stack* of released units, then
//! from *claimed* map words by counting trailing zeros. Rows of units come from *bins* by length,
//! longer ones from lists by length. Nothing of ours is ever written into a unit: a list whose
//! links lie in free units is slower when released in random order, dirties zeroed memory, and is
//! corruptible.
//!
//! # Bounds
//!
//! | what one thread holds back of one family | at most |
//! | --- | --- |
//! | released single units | 1,024, and 128 KiB |
//! | claimed units | 512, and 128 KiB |
//! | rows of 2 to 31 units | of each length 64, and 64 KiB |
//! | rows of 32 to 455 units | 1,023 together; an eighth of the family, 256 KiB to 4 MiB |
//!
//! Each starts at nothing and grows with use. Whoever trims, or finds the family fallen to a tenth
//! of its peak, asks all threads to flush: each does at its next call.
//!
//! # Reaching it
//!
//! A cell leads to the thread's record, or to a read-only *closed* one, on which every fast test
//! fails: at first, and again after the thread's exit. So a release that comes later goes
//! straight to the maps.
//!
//! While a family is supervised (see `supervised`), caches are *shut*: flushed, and passed by.
//!
//! # Figures
//!
//! A record has one writer, its thread, which stores its fields plainly; any thread may read. A
//! reader holds the family's lock, and so meets no refill and no flush; of a stack that overflows,
//! what is freed leaves in portions, each under the lock. A reader reads every `allocated` first and
//! every cache after. The writer lets the
//! cache shrink *before* it raises `allocated`, so an allocation that the reader counts is one
//! whose unit it no longer finds in the cache: `allocated - (taken - cached)` never says that more
//! was released than was. `heap/models` has programs that `loom` runs in every order to show it.

mod bins;
mod claim;
#[cfg(all(test, loom))]
mod models;
mod record;
mod rows;
#[cfg(feature = "capi")]
mod unissued;
mod units;

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::Relaxed;

use super::Block;
use super::geometry::LONG_ROW;
use crate::sync::AtomicPtr;
use record::{CLOSED, OPEN};

pub(super) use bins::Bins;
pub(super) use record::CacheRecord;
pub(super) use rows::{Row, Rows};
#[cfg(feature = "capi")]
pub(super) use unissued::BitOfWord;
pub(super) use units::Portion;

/// Where one thread finds its cache of one family.
///
/// # Invariants
///
/// 1. The pointer was made from a `&'static CacheRecord`.
/// 2. If that record is not `CLOSED_RECORD`, it belongs to the thread of this cell, and no
///    other cell leads to it. Only that thread uses the cell.
#[derive(Debug)]
pub struct CacheCell(AtomicPtr<CacheRecord>);

/// What cells lead to that have no cache.
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
        Self(AtomicPtr::new(closed_record()))
    }

    #[inline(always)]
    fn record(&self) -> &'static CacheRecord {
        // SAFETY: invariant 1.
        unsafe { &*self.0.load(Relaxed) }
    }

    /// Takes a unit from the cache, if it has one at hand; `unit` is the family's unit in bytes.
    #[inline(always)]
    pub(crate) fn take(&self, unit: usize) -> Option<Block> {
        let record = self.record();
        if record.mode.load(Relaxed) != OPEN {
            return None;
        }
        record.take(unit)
    }

    /// Puts a unit into the cache, if it has room at hand.
    ///
    /// # Safety
    ///
    /// `unit` is a live block of one unit of the cell's family, and nobody uses it any more.
    #[inline(always)]
    pub(crate) unsafe fn put(&self, unit: NonNull<u8>) -> bool {
        let record = self.record();
        record.mode.load(Relaxed) == OPEN && record.put(unit)
    }

    /// Takes a block of `units` units from the cache, if it has one at hand.
    #[inline]
    pub(crate) fn take_row(&self, units: usize) -> Option<Block> {
        let record = self.record();
        if record.mode.load(Relaxed) != OPEN {
            return None;
        }
        record.take_row(units)
    }

    /// Puts a block of `units` units into the cache, if it has room at hand.
    ///
    /// # Safety
    ///
    /// `first` is the start of a live block of `units` units of the cell's family, and nobody
    /// uses it any more.
    #[inline]
    pub(crate) unsafe fn put_row(&self, first: NonNull<u8>, units: usize) -> bool {
        let record = self.record();
        if record.mode.load(Relaxed) != OPEN {
            return false;
        }
        if units >= LONG_ROW {
            return record.put_long_row(first, units);
        }
        record.put_short_row(first, units)
    }

    /// The cell's cache, if calls may use it.
    #[cfg(feature = "capi")]
    #[inline]
    pub(super) fn open_cache(&self) -> Option<&'static CacheRecord> {
        let record = self.record();
        (record.mode.load(Relaxed) == OPEN).then_some(record)
    }

    /// Whether calls may use the cell's cache.
    pub(super) fn is_open(&self) -> bool {
        self.record().mode.load(Relaxed) == OPEN
    }

    /// The cell's own cache, unless it has none.
    pub(super) fn cache(&self) -> Option<&'static CacheRecord> {
        let record = self.record();
        (record.mode.load(Relaxed) != CLOSED).then_some(record)
    }

    pub(super) fn lead_to(&self, record: &'static CacheRecord) {
        self.0.store(ptr::from_ref(record).cast_mut(), Relaxed);
    }

    /// Leads to no cache from now on.
    pub(super) fn close(&self) {
        self.0.store(closed_record(), Relaxed);
    }
}
