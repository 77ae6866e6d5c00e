//! Blocks of which only the address is known, as C has them: taken and released through the caches.
//!
//! The maps say how long a block is. They are read without the lock: the bits of a live block change
//! only when its owner releases it, which is the caller.
//!
//! What the maps do not say is whether a block is live or in a thread's cache. A look into all caches
//! takes the lock and some time, so families may keep *marks* in what was released (see `marks`): who
//! finds one looks into all caches before the block is taken for a released one. So a second release is
//! found unless the program wrote over both marks in between. Of small units those in caches that were never handed out are marked too (see
//! `cards`); of others they have no mark, and those of the calling thread's cache are looked for.
//!
//! Only run-time families that were asked to keep marks have any: nothing is ever written into a
//! released unit of a type. Where somebody watches, and where units are too short for a mark, every
//! release looks into all caches.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::Relaxed;

use super::cache::{BitOfWord, CacheCell, CacheRecord};
use super::cards::Card;
use super::extent::Extent;
use super::marks::Marking;
use super::page::{Page, Spot};
use super::record::{Record, SPACE};
use super::surplus::Surplus;
use super::{Block, EMPTY_BLOCK, Heap, Refusal, thread};
use crate::os::{Inside, watch};

impl Heap {
    /// Takes a unit from the calling thread's cache, if it has one at hand, and nobody watches.
    #[inline]
    pub(crate) fn take_unit(&'static self) -> Option<Block> {
        let _inside = Inside::enter();
        self.cache_at_hand()?.take(self.geometry.unit())
    }

    /// Takes a block of `units` units, more than one, likewise.
    #[inline]
    pub(crate) fn take_row(&'static self, units: usize) -> Option<Block> {
        let _inside = Inside::enter();
        self.cache_at_hand()?.take_row(units)
    }

    /// Puts the block of one unit at `first` into the calling thread's cache; false, with nothing
    /// changed, if that needs more than a few steps, or somebody has to look closer.
    ///
    /// # Safety
    ///
    /// As for [`release_by_address`](Self::release_by_address).
    #[inline]
    pub(crate) unsafe fn put_unit(first: NonNull<u8>) -> bool {
        let _inside = Inside::enter();
        let Some((heap, ..)) = taken_at(first).filter(|(_, card, _)| card.has_units_alone()) else {
            return false;
        };
        // SAFETY: the block is live unless it is marked, of one unit, and the caller gives it up.
        unsafe { heap.put_marked(first, |cache| cache.put(first)) }
    }

    /// Puts a short block likewise.
    ///
    /// # Safety
    ///
    /// As for [`release_by_address`](Self::release_by_address).
    #[inline]
    pub(crate) unsafe fn put_short_block(first: NonNull<u8>) -> bool {
        let _inside = Inside::enter();
        let Some((heap, card, index)) = taken_at(first) else {
            return false;
        };
        match card.short_block(index) {
            // SAFETY: as above.
            Some(1) => unsafe { heap.put_marked(first, |cache| cache.put(first)) },
            // SAFETY: the same, of so many units.
            Some(units) => unsafe {
                heap.put_marked(first, |cache| cache.put_short_row(first, units))
            },
            None => false,
        }
    }

    /// Has `put` put the block at `first` into the calling thread's cache, and marks it, unless it is
    /// marked already.
    ///
    /// # Safety
    ///
    /// `first` is the start of a taken unit of this heap, and nobody uses the block there.
    #[inline]
    unsafe fn put_marked(
        &'static self,
        first: NonNull<u8>,
        put: impl FnOnce(&CacheRecord) -> bool,
    ) -> bool {
        // SAFETY: the caller promises it.
        let marks = unsafe { self.marks_of(first) };
        let cache = self.cache_at_hand();
        let Some((cache, marks)) = cache.zip(marks.filter(|marks| !marks.is_any_set())) else {
            return false;
        };
        let is_put = put(cache);
        if is_put {
            marks.set();
        }
        is_put
    }

    /// The calling thread's cache, if it is open and at hand, and released blocks may be marked.
    #[inline]
    fn cache_at_hand(&self) -> Option<&'static CacheRecord> {
        if matches!(self.marking, Marking::None) {
            return None;
        }
        // SAFETY: used for this call alone.
        unsafe { self.near_cell() }?.open_cache()
    }

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
    pub(crate) unsafe fn release_by_address(
        first: NonNull<u8>,
    ) -> Result<(), (Refusal, Option<&'static Self>)> {
        // SAFETY: the caller promises the same.
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
    /// As for [`release_by_address`](Self::release_by_address).
    pub(crate) unsafe fn release_by_address_of(
        first: NonNull<u8>,
        asked: Option<&'static Self>,
    ) -> Result<(), (Refusal, Option<&'static Self>)> {
        // SAFETY: the caller promises the same.
        if unsafe { Self::put_into_cache(first, asked) } {
            return Ok(());
        }
        // SAFETY: the caller promises the same, and the block was not put anywhere.
        unsafe { Self::release_raw(first, asked) }
    }

    /// Puts the block at `first` into the calling thread's cache; false, with nothing changed, if
    /// somebody has to look closer.
    ///
    /// # Safety
    ///
    /// As for [`release_by_address`](Self::release_by_address).
    unsafe fn put_into_cache(first: NonNull<u8>, asked: Option<&'static Self>) -> bool {
        let _inside = Inside::enter();
        let Some(Record::Extent(extent)) = SPACE.record_at(first.addr().get()) else {
            return false;
        };
        let is_others = asked.is_some_and(|asked| !ptr::eq(asked, extent.heap));
        if is_others || matches!(extent.heap.marking, Marking::None) {
            return false;
        }
        extent.heap.with_cell(|cell| {
            // SAFETY: the caller promises the same.
            cell.is_some_and(|cell| unsafe { extent.put(cell, first) })
        })
    }

    /// The calling thread's cell for this heap, if it is at hand; a closed one before the heap has a
    /// number.
    ///
    /// # Safety
    ///
    /// The reference goes to no other thread, and is not kept beyond the caller's own call.
    #[inline]
    unsafe fn near_cell<'a>(&self) -> Option<&'a CacheCell> {
        // SAFETY: the caller promises it.
        unsafe { thread::nearest_cell(self.number.load(Relaxed)) }
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

    /// Opens the thread's cache, unless calls go past it.
    #[cold]
    fn open_for(&'static self, cell: &CacheCell) -> bool {
        !self.goes_past_caches() && thread::open(self, cell)
    }

    /// # Safety
    ///
    /// As for [`release`](Self::release).
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

impl Block {
    /// As [`zeroed`](Self::zeroed), where nobody watches.
    #[inline]
    pub(crate) fn zeroed_unwatched(self, bytes: usize) -> NonNull<u8> {
        if !self.zero {
            // SAFETY: the block is new, nobody else has it, and it has this many bytes.
            unsafe { self.first.write_bytes(0, bytes) };
        }
        self.first
    }
}

impl Extent {
    /// Puts the block at `first`, which lies in this extent, into the cache of `cell`, the calling
    /// thread's of the family; false, with nothing changed, if somebody has to look closer.
    ///
    /// # Safety
    ///
    /// As for [`Heap::release_by_address`].
    unsafe fn put(&'static self, cell: &CacheCell, first: NonNull<u8>) -> bool {
        // With a cache of its own, the thread may read how long blocks are: see `surplus`.
        if !cell.is_open() && (cell.cache().is_some() || !self.heap.open_for(cell)) {
            return false;
        }
        let Some((spot, units)) = self.block_at(first) else {
            return false;
        };
        // SAFETY: the unit is taken, so its memory may be read.
        let Some((marks, cache)) = unsafe { self.heap.marks_of(first) }.zip(cell.cache()) else {
            return false;
        };
        let unit = self.geometry().unit();
        if marks.is_any_set() || cache.has_claimed(spot.in_word(first, unit)) {
            return false;
        }
        watch::take_back(first, units * unit);
        marks.set();
        // SAFETY: the block is live, of this many units, and the caller gives it up.
        unsafe { self.heap.put_or_release(cell, first, units) };
        true
    }

    /// Where the block at `first` is, and the units that it was handed out for, if a unit there is
    /// taken and begins a block.
    fn block_at(&'static self, first: NonNull<u8>) -> Option<(Spot, usize)> {
        let spot = self.spot_at(first.addr().get())?;
        if !spot.is_taken() {
            return None;
        }
        let units = if spot.page.has_joined() {
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
        let Page { extent, number } = self.page;
        let word = number * extent.geometry().words() + self.index / 64;
        let taken = extent.taken.get(word).map_or(0, |word| word.load(Relaxed));
        taken >> (self.index % 64) & 1 != 0
    }

    /// The units that the block was handed out for that starts at the unit, which is taken, if one
    /// does.
    fn units(self) -> Option<usize> {
        let map = self.page.map();
        let units = (!map.is_joined(self.index)).then(|| map.block_units(self.index))?;
        units.checked_sub(Surplus::at(self, units))
    }

    /// The unit, which is at `first` and has `unit` bytes, by its word.
    #[inline]
    fn in_word(self, first: NonNull<u8>, unit: usize) -> BitOfWord {
        let bit = self.index % 64;
        BitOfWord {
            first: first.addr().get() - bit * unit,
            bit: u32::try_from(bit).unwrap_or(0),
        }
    }
}

/// The family of the taken unit that starts at `first`, the card of its page, and its index, if one
/// does and there are cards.
#[inline]
fn taken_at(first: NonNull<u8>) -> Option<(&'static Heap, &'static Card, usize)> {
    let address = first.addr().get();
    let Some(Record::Extent(extent)) = SPACE.record_nearby(address) else {
        return None;
    };
    let card = extent.card_at(address)?;
    let index = card.taken_at(extent.heap.geometry(), address)?;
    Some((extent.heap, card, index))
}
