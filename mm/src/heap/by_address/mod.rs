//! Blocks of C programs, which are released by their address alone: taken from and put into caches.
//!
//! The maps give the length of a block. They are read without the lock: the bits of a live block change only
//! when its owner releases it, and the owner is the caller.
//!
//! The maps do not tell a live block from one in a thread's cache. A search of all caches takes the lock and
//! some time. So families may *mark* released blocks with canaries (see `freed_canaries`). A release that finds
//! a canary searches all caches before it reports a second release. So a second release is found unless the
//! program overwrote both canaries in between.
//!
//! Canaries vanish with memory that goes back to the kernel. Small units are marked again when they come into a
//! cache (see `page_hints`). For larger units this would touch OS pages, so a release that finds zeros in place
//! of a canary also searches all caches.
//!
//! Only run-time families that asked for it mark blocks. mm never writes into a released unit of a Rust type.
//! If a tool checks the memory, or units are too short for a canary, every release searches all caches.
mod clear;
mod page_hints;
mod put;

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use crate::heap::family::cache::{CacheCell, CacheRecord, thread};
use crate::heap::family::{Heap, Marking};
use crate::heap::ground::{Block, EMPTY_BLOCK, Refusal};
use crate::heap::pages::{Record, SPACE};
use crate::os::ReentrancyGuard;
pub(crate) use page_hints::TakenUnit;

/// The result of putting a block into a cache.
pub(crate) enum Put {
    Done,
    /// Nothing was changed: the block may be a row.
    NotYet(TakenUnit),
    /// Nothing was changed: the slow path has to release the block.
    Not,
}

impl Heap {
    /// Takes a unit from the calling thread's cache, if a few steps are enough.
    ///
    /// # Safety
    ///
    /// 1. The heap [`is_fast`](Self::is_fast).
    #[inline]
    pub(crate) unsafe fn take_unit(&'static self) -> Option<Block> {
        let _inside = ReentrancyGuard::enter();
        // SAFETY: requirement 1 is that of `fast_cache`.
        unsafe { self.fast_cache() }?.take(self.geometry.unit(), true)
    }

    /// Takes a row of `units` units from the calling thread's cache, if a few steps are enough.
    ///
    /// # Safety
    ///
    /// 1. The heap [`is_fast`](Self::is_fast).
    #[inline]
    pub(crate) unsafe fn take_row(&'static self, units: usize) -> Option<Block> {
        let _inside = ReentrancyGuard::enter();
        // SAFETY: requirement 1 is that of `fast_cache`.
        unsafe { self.fast_cache() }?.take_row(units)
    }

    /// Puts the block that starts at `first` into the calling thread's cache, if it has one unit and a few
    /// steps are enough.
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    /// 2. If the block there was released and not handed out again, the program has not changed its canaries
    ///    since.
    #[inline]
    pub(crate) unsafe fn put_unit(first: *mut u8) -> Put {
        let _inside = ReentrancyGuard::enter();
        let Some(unit) = TakenUnit::at(first.addr()) else {
            return Put::Not;
        };
        if !unit.is_alone() {
            return Put::NotYet(unit);
        }
        // SAFETY: `TakenUnit::at` found a unit at this address, and none is at null.
        let first = unsafe { NonNull::new_unchecked(first) };
        // SAFETY: `TakenUnit::at` found a taken unit of the page at `first`, and `is_alone` says that a
        // block there has one unit. Requirements 1 and 2 are the others of `put_unit`.
        let is_put = unsafe { unit.hint.put_unit(first) };
        if is_put { Put::Done } else { Put::Not }
    }

    /// Puts a short block into the calling thread's cache. Returns false and changes nothing if a few steps are
    /// not enough.
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    /// 2. If the block there was released and not handed out again, the program has not changed its canaries
    ///    since.
    /// 3. `unit` is the one at `first`.
    #[inline]
    pub(crate) unsafe fn put_short_block(first: NonNull<u8>, unit: TakenUnit) -> bool {
        let _inside = ReentrancyGuard::enter();
        match unit.short_block() {
            // SAFETY: by requirement 3 `unit` is the taken one at `first`, and `short_block` says that a
            // block of one unit starts there. Requirements 1 and 2 are the others of `put_unit`.
            Some(1) => unsafe { unit.hint.put_unit(first) },
            // SAFETY: by requirement 3 `unit` is the taken one at `first`, and `short_block` says that a
            // block of `units` units starts there. Requirements 1 and 2 are the others of `put_short_row`.
            Some(units) => unsafe { unit.hint.put_short_row(first, units) },
            None => false,
        }
    }

    /// Releases the block that starts at `first`, whatever its family.
    ///
    /// # Errors
    ///
    /// As [`release_raw`](Self::release_raw).
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    /// 2. If the block there was released and not handed out again, the program has not changed its canaries
    ///    since.
    pub(crate) unsafe fn release_by_address(
        first: NonNull<u8>,
    ) -> Result<(), (Refusal, Option<&'static Self>)> {
        // SAFETY: requirements 1 and 2 are those of `release_by_address_of`.
        unsafe { Self::release_by_address_of(first, None) }
    }

    /// As [`release_by_address`](Self::release_by_address); with `asked`, only if the block is that family's.
    ///
    /// # Errors
    ///
    /// As [`release_raw`](Self::release_raw).
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    /// 2. If the block there was released and not handed out again, the program has not changed its canaries
    ///    since.
    pub(crate) unsafe fn release_by_address_of(
        first: NonNull<u8>,
        asked: Option<&'static Self>,
    ) -> Result<(), (Refusal, Option<&'static Self>)> {
        // SAFETY: requirements 1 and 2 are those of `put_into_cache`.
        if unsafe { Self::put_into_cache(first, asked) } {
            return Ok(());
        }
        // SAFETY: requirement 1 is that of `release_raw`: `put_into_cache` changed nothing.
        unsafe { Self::release_raw(first, asked) }
    }

    /// Puts the block at `first` into the calling thread's cache. Returns false and changes nothing if the slow
    /// path has to release it.
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    /// 2. If the block there was released and not handed out again, the program has not changed its canaries
    ///    since.
    unsafe fn put_into_cache(first: NonNull<u8>, asked: Option<&'static Self>) -> bool {
        let _inside = ReentrancyGuard::enter();
        let Some(record) = SPACE.record_at(first.addr().get()) else {
            return false;
        };
        let Record::Extent(extent) = record else {
            return false;
        };
        let is_others = asked.is_some_and(|asked| !asked.reference().is(extent.heap));
        if is_others || matches!(Heap::of(extent.heap).marking, Marking::None) {
            return false;
        }
        Heap::of(extent.heap).with_cell(|cell| {
            // SAFETY: requirements 1 and 2 are those of `put`. `record_at` found the extent that `first`
            // lies in, and `with_cell` lends the calling thread's cell of its family.
            cell.is_some_and(|cell| unsafe { extent.put(record, cell, first) })
        })
    }

    /// The calling thread's cache, if it is open.
    ///
    /// # Safety
    ///
    /// 1. The heap [`is_fast`](Self::is_fast).
    #[inline]
    unsafe fn fast_cache(&self) -> Option<&'static CacheRecord> {
        // SAFETY: by requirement 1 the heap's number is below `FAST_FAMILIES`; the field `number` is one more.
        // The cell is used for this call alone.
        unsafe { thread::fast_cell(self.number.load(Relaxed).wrapping_sub(1)) }?.open_cache()
    }

    /// Whether the address is that of all blocks of zero units.
    pub(crate) fn is_empty_block(first: NonNull<u8>) -> bool {
        first.addr() == EMPTY_BLOCK
    }

    /// The family of the live block at `first`, and the block's units.
    ///
    /// # Errors
    ///
    /// As [`release_raw`](Self::release_raw).
    pub(crate) fn block_at(
        first: NonNull<u8>,
    ) -> Result<(&'static Self, usize), (Refusal, Option<&'static Self>)> {
        let _inside = ReentrancyGuard::enter();
        let record = SPACE.record_at(first.addr().get());
        let record = record.ok_or((Refusal::Foreign, None))?;
        let heap = Heap::of(record.heap());
        let units = heap.central().live_units_at(record, first);
        Ok((heap, units.map_err(|refusal| (refusal, Some(heap)))?))
    }

    /// Opens the thread's cache, unless calls bypass the caches.
    #[cold]
    fn open_for(&'static self, cell: &CacheCell) -> bool {
        !self.bypasses_caches() && self.ensure_open(cell).is_some()
    }
}
