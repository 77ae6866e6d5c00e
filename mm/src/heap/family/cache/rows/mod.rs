//! Released rows that a thread keeps: short ones in bins by length (`bins`), long ones in lists by length
//! (`lists`).

mod bins;
mod lists;

use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::record::CacheRecord;
use crate::heap::ground::{Block, LONG_ROW, Link, Row, meta};
use crate::os::Refused;
pub(in crate::heap) use bins::Bins;
pub(in crate::heap) use lists::Rows;

impl CacheRecord {
    /// Rows that left the cache since the start.
    pub(in crate::heap) fn rows_taken(&self) -> u64 {
        self.rows_taken.load(Acquire)
    }

    /// Returns the count of rows that left the cache, and sets it to 0. The record is closed.
    pub(in crate::heap) fn take_rows_taken(&self) -> u64 {
        self.rows_taken.swap(0, Relaxed)
    }

    /// Counts a row that leaves the cache.
    #[inline]
    pub(in crate::heap) fn account_row_taken(&self) {
        // Left out only to measure the cost of counting; all figures are wrong then.
        if cfg!(mm_unaccounted) {
            return;
        }
        // `Release`: after the cache shrank, see `count`.
        self.rows_taken
            .store(self.rows_taken.load(Relaxed) + 1, Release);
    }

    /// The cache of short rows, if it was ever needed.
    #[inline]
    pub(in crate::heap) fn bins(&self) -> Option<&'static Bins> {
        self.bins.get()
    }

    /// The cache of long rows, if it was ever needed.
    pub(in crate::heap) fn rows(&self) -> Option<&'static Rows> {
        self.rows.get()
    }

    /// Takes a row for `units` units, unless the cache has none, or the thread is kept out.
    #[inline]
    pub(in crate::heap) fn take_row(&self, units: usize) -> Option<Block> {
        if units >= LONG_ROW {
            return self.take_long_row(units);
        }
        let bins = self.bins()?;
        let row = self.try_section(|| bins.take(units))??;
        self.account_row_taken();
        Some(row)
    }

    /// As [`take_row`](Self::take_row), for a long row.
    #[inline(never)]
    fn take_long_row(&self, units: usize) -> Option<Block> {
        let rows = self.rows()?;
        let row = self.try_section(|| rows.take(units))??;
        self.account_row_taken();
        Some(row)
    }

    /// Keeps a short row of `units` units, unless there is no room, or the thread is kept out.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of the record's family, or this is the closed
    ///    record.
    /// 2. Nothing uses it any more.
    #[inline]
    pub(in crate::heap) unsafe fn put_short_row(&self, first: NonNull<u8>, units: usize) -> bool {
        // SAFETY: requirements 1 and 2 are those of `Bins::put`.
        let put = |bins: &Bins| self.try_section(|| unsafe { bins.put(first, units) });
        self.bins().and_then(put).unwrap_or(false)
    }

    /// Keeps a long row that was handed out for `units` units, unless there is no room, or the thread is kept
    /// out.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of the record's family, or this is the closed
    ///    record.
    /// 2. Nothing uses it any more.
    #[inline(never)]
    pub(super) unsafe fn put_long_row(&self, first: NonNull<u8>, units: usize) -> bool {
        // SAFETY: requirements 1 and 2 are those of `Rows::put`.
        let put = |rows: &Rows| self.try_section(|| unsafe { rows.put(first, units) });
        self.rows().and_then(put).unwrap_or(false)
    }

    /// As [`take_row`](Self::take_row). The caller is the record's thread, and has the family's lock.
    pub(in crate::heap) fn take_row_locked(&self, units: usize) -> Option<Block> {
        let row = if units >= LONG_ROW {
            self.rows()?.take(units)?
        } else {
            self.bins()?.take(units)?
        };
        self.account_row_taken();
        Some(row)
    }

    /// Keeps a row that was handed out for `units` units, if there is room. The caller is the record's thread,
    /// and has the family's lock.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of the record's family.
    /// 2. Nothing uses it any more.
    pub(in crate::heap) unsafe fn put_row_locked(&self, first: NonNull<u8>, units: usize) -> bool {
        if units >= LONG_ROW {
            // SAFETY: requirements 1 and 2 are those of `Rows::put`.
            let put = |rows: &Rows| unsafe { rows.put(first, units) };
            self.rows().is_some_and(put)
        } else {
            // SAFETY: requirements 1 and 2 are those of `Bins::put`.
            let put = |bins: &Bins| unsafe { bins.put(first, units) };
            self.bins().is_some_and(put)
        }
    }

    /// The cache of short rows; makes it if necessary. The caller is the record's thread.
    pub(in crate::heap) fn make_bins(&self) -> Result<&'static Bins, Refused> {
        made(&self.bins)
    }

    /// The cache of long rows; makes it if necessary. The caller is the record's thread.
    pub(in crate::heap) fn make_rows(&self) -> Result<&'static Rows, Refused> {
        made(&self.rows)
    }

    /// Whether the block is in the cache. The caller holds the family's lock.
    pub(in crate::heap) fn holds_row(&self, first: NonNull<u8>) -> bool {
        self.kept_rows().any(|row| row.first == first)
    }

    /// The number of rows in the cache, and their units.
    pub(in crate::heap) fn held_rows(&self) -> (u64, u64) {
        let few = self.bins().map_or((0, 0), Bins::held);
        let many = self.rows().map_or((0, 0), Rows::held);
        (few.0 + many.0, few.1 + many.1)
    }

    /// All rows in the cache.
    pub(in crate::heap) fn kept_rows(&self) -> impl Iterator<Item = Row> {
        let long = self.rows().into_iter().flat_map(Rows::iter);
        self.bins().into_iter().flat_map(Bins::iter).chain(long)
    }
}

/// The target of the link. If it has none, makes one of zero bytes.
fn made<T: bytemuck::Zeroable + Sync>(link: &Link<T>) -> Result<&'static T, Refused> {
    if let Some(known) = link.get() {
        return Ok(known);
    }
    let new = meta::RECORDS.zeroed(1)?.first();
    link.set(new);
    new.ok_or(Refused)
}
