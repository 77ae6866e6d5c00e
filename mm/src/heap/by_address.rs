//! Releases blocks of which only the address is known, as C's `free` has it, through the caches.
//!
//! The maps say how long a block is. They are read without the lock: the bits of a live block change
//! only when its owner releases it, which is the caller.
//!
//! What the maps do not say is whether a block is live or in a thread's cache. A look into all caches
//! takes the lock and some time, so a block of a family that keeps marks is *marked* when it is put
//! into a cache: at its start and near its end stands a number that depends on its address alone. Who
//! finds a mark, at either place, looks into all caches before the block is taken for a released one.
//! A mark stays until the block is handed out again, zeroed. So a second release is found unless the
//! program wrote over both marks in between, or holds the memory from a function that does not clear
//! it. Units that were claimed but never handed out have no mark; those of the calling thread's cache
//! are looked for.
//!
//! Only run-time families that were asked to keep marks have any: nothing is ever written into a
//! released unit of a type.

use core::ptr::NonNull;

use super::cache::CacheCell;
use super::extent::Extent;
use super::record::{Record, SPACE};
use super::surplus::Surplus;
use super::{EMPTY_BLOCK, Heap, Refusal, thread};
use crate::os::{Inside, watch};

/// Bytes of one mark.
const MARK: usize = size_of::<u64>();

/// The second mark ends within so many bytes of the block's start.
const MARKED: usize = 64;

/// What a released block's address is mixed with. No program writes such numbers by accident, and
/// one that does only makes its release slower.
const SALT: u64 = 0x9E37_79B9_7F4A_7C15;

/// The two marks of a block of at least `MARK` bytes.
struct Marks {
    places: [NonNull<u8>; 2],
    mark: u64,
}

impl Heap {
    /// Releases the block that starts at `first`, whatever its family.
    ///
    /// # Errors
    ///
    /// As [`release_raw`](Self::release_raw).
    ///
    /// # Safety
    ///
    /// As for [`release_raw`](Self::release_raw). If the block was handed out and released before, its
    /// marks are as the release left them.
    #[inline]
    pub(crate) unsafe fn release_by_address(
        first: NonNull<u8>,
    ) -> Result<(), (Refusal, Option<&'static Self>)> {
        // SAFETY: the caller promises the same.
        if unsafe { put_into_cache(first) } {
            return Ok(());
        }
        // SAFETY: the caller promises the same, and the block was not put anywhere.
        unsafe { Self::release_raw(first, None) }
    }

    /// Whether the address is that of all blocks of zero units.
    pub(crate) fn is_empty_block(first: NonNull<u8>) -> bool {
        first.addr() == EMPTY_BLOCK
    }

    /// The family that the live block at `first` belongs to, and its units.
    ///
    /// # Errors
    ///
    /// As [`release_raw`](Self::release_raw).
    pub(crate) fn block_at(
        first: NonNull<u8>,
    ) -> Result<(&'static Self, usize), (Refusal, Option<&'static Self>)> {
        let _inside = Inside::enter();
        let record = SPACE.record_at(first.addr().get());
        let record = record.ok_or((Refusal::Foreign, None))?;
        let heap = record.heap();
        let units = heap.central().live_units_at(record, first);
        Ok((heap, units.map_err(|refusal| (refusal, Some(heap)))?))
    }

    /// # Safety
    ///
    /// As for [`release_by_address`](Self::release_by_address), and the block's memory, if it is live,
    /// is in `extent`, which is of this family.
    unsafe fn put_at(
        &'static self,
        cell: &CacheCell,
        extent: &'static Extent,
        first: NonNull<u8>,
    ) -> bool {
        // With a cache of its own, the thread may read how long blocks are: see `surplus`.
        let may_read = cell.is_open() || (cell.cache().is_none() && self.open_for(cell));
        let Some(units) = may_read.then(|| extent.units_at(first)).flatten() else {
            return false;
        };
        let bytes = units * self.geometry().unit();
        let Some(marks) = Marks::of(first, bytes) else {
            return false;
        };
        if marks.is_any_set() || cell.has_claimed(first, self.geometry().unit()) {
            return false;
        }
        watch::take_back(first, bytes);
        marks.set();
        // SAFETY: the block is live, of this many units, and the caller gives it up.
        unsafe { self.put_or_release(cell, first, units) };
        true
    }

    /// Opens the thread's cache, unless calls go past it.
    #[cold]
    fn open_for(&'static self, cell: &CacheCell) -> bool {
        !self.goes_past_caches() && thread::open(self, cell)
    }

    /// # Safety
    ///
    /// As for [`release`](Self::release).
    #[inline]
    unsafe fn put_or_release(&'static self, cell: &CacheCell, first: NonNull<u8>, units: usize) {
        let is_put = match units {
            // SAFETY: the caller promises the same.
            1 => unsafe { cell.put(first) },
            // SAFETY: the same.
            _ => unsafe { cell.put_row(first, units) },
        };
        if !is_put {
            // SAFETY: the same, and the cell did not take it.
            unsafe { self.release(cell, first, units) };
        }
    }
}

impl Extent {
    /// The units that the block at `first` was handed out for, if a unit there is taken and begins a
    /// block.
    #[inline]
    fn units_at(&'static self, first: NonNull<u8>) -> Option<usize> {
        let spot = self.spot_at(first.addr().get())?;
        let map = spot.page.map();
        if !map.is_taken(spot.index) {
            return None;
        }
        if !spot.page.has_joined() {
            return Some(1);
        }
        let units = (!map.is_joined(spot.index)).then(|| map.block_units(spot.index))?;
        units.checked_sub(Surplus::at(spot, units))
    }
}

/// Puts the block at `first` into the calling thread's cache; false, with nothing changed, if somebody
/// has to look closer.
///
/// # Safety
///
/// As for [`Heap::release_by_address`].
#[inline]
unsafe fn put_into_cache(first: NonNull<u8>) -> bool {
    let _inside = Inside::enter();
    let Some(Record::Extent(extent)) = SPACE.record_at(first.addr().get()) else {
        return false;
    };
    let heap = extent.heap;
    // Whoever watches wants no look at what was released.
    if !heap.keeps_marks || watch::is_on() {
        return false;
    }
    heap.with_cell(|cell| {
        // SAFETY: the caller promises the same, and the record says whose extent it is.
        cell.is_some_and(|cell| unsafe { heap.put_at(cell, extent, first) })
    })
}

impl Marks {
    /// Those of a block of `bytes` bytes at `first`, whose memory may be used; none if it is too
    /// short.
    #[inline]
    fn of(first: NonNull<u8>, bytes: usize) -> Option<Self> {
        let end = bytes.min(MARKED).checked_sub(MARK)?;
        // The pointer has the provenance of the whole reservation, and its end is within the block.
        let second = NonNull::new(first.as_ptr().wrapping_add(end))?;
        Some(Self {
            places: [first, second],
            mark: first.addr().get() as u64 ^ SALT,
        })
    }

    /// Whether either is as a release left it.
    #[inline]
    fn is_any_set(&self) -> bool {
        self.places.iter().any(|place| {
            // SAFETY: a taken unit's memory may be read. Whatever is there is a number: it was zero,
            // or the program wrote it, and the kernel's memory always has a value.
            let found = unsafe { place.cast::<u64>().as_ptr().read_unaligned() };
            found == self.mark
        })
    }

    #[inline]
    fn set(&self) {
        for place in self.places {
            // SAFETY: the block is live, and the caller of the release gives it up.
            unsafe { place.cast::<u64>().as_ptr().write_unaligned(self.mark) };
        }
    }
}
