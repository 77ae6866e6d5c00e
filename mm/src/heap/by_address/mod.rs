//! Blocks of which only the address is known, as C has them: taken and released through the caches.
//!
//! The maps say how long a block is. They are read without the lock: the bits of a live block change
//! only when its owner releases it, which is the caller.
//!
//! What the maps do not say is whether a block is live or in a thread's cache. A look into all caches
//! takes the lock and some time, so families may keep *marks* in what was released (see `freed_canaries`): who
//! finds one looks into all caches before the block is taken for a released one. So a second release is
//! found unless the program wrote over both marks in between. They vanish with memory that goes back to
//! the kernel. So small units are marked again when they come into a cache (see `page_hints`); of others no
//! page is touched for that, and who finds zeros in place of a mark looks into all caches as well.
//!
//! Only run-time families that were asked to keep marks have any: nothing is ever written into a
//! released unit of a type. Where somebody watches, and where units are too short for a mark, every
//! release looks into all caches.

mod page_hints;

use crate::heap::family::Marking;
pub(crate) use page_hints::TakenUnit;

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheCell, CacheRecord, thread};
use crate::heap::ground::{Block, EMPTY_BLOCK, Refusal};
use crate::heap::pages::{Extent, Record, SPACE, Slack, Spot};
use crate::os::{ReentrancyGuard, annotate};
use page_hints::PageHint;

/// What became of a block that was to be put into a cache.
pub(crate) enum Put {
    Done,
    /// Nothing was changed: it may be one of many units.
    NotYet(TakenUnit),
    /// Nothing was changed: it needs more steps, or somebody has to look closer.
    Not,
}

impl Heap {
    /// Takes a unit from the calling thread's cache, if it has one at hand.
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

    /// Takes a block of `units` units, more than one, likewise.
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

    /// Puts the block that starts at `first` into the calling thread's cache, if it has one unit, and a
    /// few steps are enough.
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    /// 2. If the block there was released and not handed out again, the program has not changed its marks
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
        // block there has one unit. Requirements 1 and 2 are the others of `put`.
        let is_put = unsafe { unit.hint.put(first, |cache, unit| cache.put(first, unit)) };
        if is_put { Put::Done } else { Put::Not }
    }

    /// Puts a short block into the calling thread's cache; false, with nothing changed, if a few steps
    /// are not enough.
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    /// 2. If the block there was released and not handed out again, the program has not changed its marks
    ///    since.
    /// 3. `unit` is the one at `first`.
    #[inline]
    pub(crate) unsafe fn put_short_block(first: NonNull<u8>, unit: TakenUnit) -> bool {
        let _inside = ReentrancyGuard::enter();
        match unit.short_block() {
            // SAFETY: by requirement 3 `unit` is the taken one at `first`, and `short_block` says that a
            // block of one unit starts there. Requirements 1 and 2 are the others of `put`.
            Some(1) => unsafe { unit.hint.put(first, |cache, unit| cache.put(first, unit)) },
            // SAFETY: by requirement 3 `unit` is the taken one at `first`, and `short_block` says that a
            // block of `units` units starts there. Requirements 1 and 2 are the others of `put`.
            Some(units) => unsafe {
                unit.hint
                    .put(first, |cache, _| cache.put_short_row(first, units))
            },
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
    /// 2. If the block there was released and not handed out again, the program has not changed its marks
    ///    since.
    pub(crate) unsafe fn release_by_address(
        first: NonNull<u8>,
    ) -> Result<(), (Refusal, Option<&'static Self>)> {
        // SAFETY: requirements 1 and 2 are those of `release_by_address_of`.
        unsafe { Self::release_by_address_of(first, None) }
    }

    /// The same, with `asked` only if the block is that family's.
    ///
    /// # Errors
    ///
    /// As [`release_raw`](Self::release_raw).
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    /// 2. If the block there was released and not handed out again, the program has not changed its marks
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

    /// Puts the block at `first` into the calling thread's cache; false, with nothing changed, if
    /// somebody has to look closer.
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    /// 2. If the block there was released and not handed out again, the program has not changed its marks
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

    /// The family that the live block at `first` belongs to, and its units.
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

    /// Opens the thread's cache, unless calls go past it.
    #[cold]
    fn open_for(&'static self, cell: &CacheCell) -> bool {
        !self.goes_past_caches() && self.opened(cell).is_some()
    }
}

impl PageHint {
    /// Has `put` put the block at `first` into the calling thread's cache, and marks it, unless it is
    /// marked already.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a taken unit of the page.
    /// 2. If a live block starts there, nothing uses it any more.
    /// 3. If the block there was released and not handed out again, the program has not changed its marks
    ///    since.
    #[inline]
    unsafe fn put(
        &self,
        first: NonNull<u8>,
        put: impl FnOnce(&CacheRecord, usize) -> bool,
    ) -> bool {
        // SAFETY: invariant 3; the cell is used for this call alone.
        let cell = unsafe { thread::fast_cell(self.number()) };
        let Some(cache) = cell.and_then(CacheCell::open_cache) else {
            return false;
        };
        // SAFETY: requirement 1 is that of `canaries_of`. The marks are set only once `put` took the block,
        // which then has none. One that is not live has some: a release set them, or
        // `mark_never_handed_out`, and by requirement 3 the program has not changed them. So it is live, and
        // by requirement 2 nothing uses it.
        let marks = unsafe { self.canaries_of(first) };
        let is_put = !marks.is_any_set() && put(cache, self.unit());
        if is_put {
            marks.set();
        }
        is_put
    }
}

impl Block {
    /// As [`zeroed`](Self::zeroed), where nobody watches, and the length is not known before.
    #[inline]
    pub(crate) fn zeroed_unwatched(self, bytes: usize) -> NonNull<u8> {
        if !self.zero && (HALF..=4 * HALF).contains(&bytes) {
            // SAFETY: `first` is the start of a block just made, of `bytes` bytes, which nothing else uses
            // yet; and `contains` checked their number.
            unsafe { clear_few(self.first, bytes) };
        } else if !self.zero {
            // SAFETY: `first` is the start of a block just made, of `bytes` bytes, which nothing else uses
            // yet.
            unsafe { self.first.write_bytes(0, bytes) };
        }
        self.first
    }
}

impl Extent {
    /// Puts the block at `first`, which lies in this extent, of which `record` is, into the cache of
    /// `cell`, the calling thread's of the family; false, with nothing changed, if it is no live block,
    /// or somebody has to look closer.
    ///
    /// # Safety
    ///
    /// 1. If a live block starts at `first`, nothing uses it any more.
    /// 2. If the block there was released and not handed out again, the program has not changed its marks
    ///    since.
    /// 3. `first` lies in this extent, and `cell` is the calling thread's of the extent's family.
    unsafe fn put(
        &'static self,
        record: &'static Record,
        cell: &CacheCell,
        first: NonNull<u8>,
    ) -> bool {
        // With a cache of its own, the thread may read how long blocks are: see `slack`.
        if !cell.is_open() && (cell.cache().is_some() || !Heap::of(self.heap).open_for(cell)) {
            return false;
        }
        let Some((spot, units)) = self.block_at(first) else {
            return false;
        };
        // SAFETY: `block_at` found a taken unit at `first`. The marks are set only when the block turned out
        // to be live, so that by requirement 1 nothing uses it.
        let Some((marks, cache)) =
            unsafe { Heap::of(self.heap).canaries_of(first) }.zip(cell.cache())
        else {
            return false;
        };
        let unit = self.geometry().unit();
        if marks.is_any_set() || cache.holds(first, spot.page, spot.index) {
            return false;
        }
        // The kernel may have taken the marks with the memory, before a cache claimed the block.
        let may_lack_canaries =
            !Heap::of(self.heap).marks_never_handed_out() && self.may_have_lost_canaries();
        let is_unsure = may_lack_canaries && marks.is_any_zero();
        if is_unsure
            && Heap::of(self.heap)
                .central()
                .live_units_at(record, first)
                .is_err()
        {
            return false;
        }
        annotate::take_back(first, units * unit);
        marks.set();
        // SAFETY: `block_at` found a block of `units` units. It has no mark, so that by requirement 2 it was
        // not released, unless marks went with memory, and then `live_units_at` found it live. By
        // requirement 1 nothing uses it; and by requirement 3 the cell is the thread's of this family.
        unsafe { Heap::of(self.heap).put_or_release(cell, first, units) };
        true
    }

    /// Where the block at `first` is, and the units that it was handed out for, if a unit there is
    /// taken and begins a block.
    fn block_at(&'static self, first: NonNull<u8>) -> Option<(Spot, usize)> {
        let spot = self.spot_at(first.addr().get())?;
        if !spot.is_taken() {
            return None;
        }
        let units = if spot.page.has_continued() {
            spot.units()?
        } else {
            1
        };
        Some((spot, units))
    }
}

impl Spot {
    /// Whether the unit is taken.
    #[inline]
    fn is_taken(&self) -> bool {
        let word = self.page.words().get(self.index / 64);
        word.is_some_and(|word| word.taken() >> (self.index % 64) & 1 != 0)
    }

    /// The units that the block was handed out for that starts at the unit, which is taken, if one
    /// does.
    fn units(self) -> Option<usize> {
        let map = self.page.whole_map();
        let units = (!map.continues(self.index)).then(|| map.block_units(self.index))?;
        units.checked_sub(Slack::at(self, units))
    }
}

/// Bytes that are cleared by one store; few are cleared by two or four that overlap, in less time than
/// it takes to call who clears many.
const HALF: usize = size_of::<u128>();

/// Clears `bytes` bytes from `first` on, one to four halves.
///
/// # Safety
///
/// 1. They may be written.
/// 2. They are one to four halves.
#[inline]
unsafe fn clear_few(first: NonNull<u8>, bytes: usize) {
    // SAFETY: by requirement 2 the first half lies within the bytes, which by requirement 1 may be written.
    unsafe { clear_half(first, 0) };
    // SAFETY: by requirement 2 there are at least `HALF` bytes, so that the last half lies within them; by
    // requirement 1 they may be written.
    unsafe { clear_half(first, bytes - HALF) };
    if bytes > 2 * HALF {
        // SAFETY: there are more than two halves, and by requirement 1 all may be written.
        unsafe { clear_half(first, HALF) };
        // SAFETY: there are more than two halves, and by requirement 1 all may be written.
        unsafe { clear_half(first, bytes - 2 * HALF) };
    }
}

/// # Safety
///
/// 1. The bytes from `first` to `from + HALF` bytes behind it are in one piece of memory, and may be written.
#[inline]
unsafe fn clear_half(first: NonNull<u8>, from: usize) {
    // SAFETY: by requirement 1 the bytes from `first` to the end of the half are in one piece of memory.
    let half = unsafe { first.add(from) };
    // SAFETY: by requirement 1 the half may be written, and the store needs no alignment.
    unsafe { half.cast::<u128>().write_unaligned(0) };
}
