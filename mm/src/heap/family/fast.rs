//! Fast paths of families without a static cell: a block leaves or enters the calling thread's cache in a few
//! instructions.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheCell, FAST_FAMILIES, thread};
use crate::heap::ground::Block;
use crate::os::ReentrancyGuard;

impl Heap {
    /// Takes a block of `units` units from the calling thread's cache, if it has one.
    #[inline]
    pub(crate) fn try_cached(&'static self, units: usize) -> Option<Block> {
        // SAFETY: `cell` is used in this call alone, on this thread.
        let cell = unsafe { self.known_cell() }?;
        self.take(cell, units)
    }

    /// Takes a block of `units` units from the cache of `cell`, which is this heap's, if it has one.
    #[inline]
    pub(crate) fn take(&self, cell: &CacheCell, units: usize) -> Option<Block> {
        let _inside = ReentrancyGuard::enter();
        match units {
            1 => cell.take(self.geometry.unit(), true),
            _ => cell.take_row(units),
        }
    }

    /// Puts a block into the calling thread's cache, if it has room.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of this heap.
    /// 2. Nothing uses it any more.
    #[inline]
    pub(crate) unsafe fn try_put(&'static self, first: NonNull<u8>, units: usize) -> bool {
        let _inside = ReentrancyGuard::enter();
        // SAFETY: `cell` is used in this call alone, on this thread.
        let Some(cell) = (unsafe { self.known_cell() }) else {
            return false;
        };
        // SAFETY: requirements 1 and 2 are those of `put`, and `known_cell` gave the calling thread's cell for this
        // heap.
        unsafe { self.put(cell, first, units) }
    }

    /// Puts a block into the cache of `cell`, if it has room.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of this heap.
    /// 2. Nothing uses it any more.
    /// 3. `cell` is the calling thread's cell for this heap.
    #[inline]
    pub(in crate::heap) unsafe fn put(
        &self,
        cell: &CacheCell,
        first: NonNull<u8>,
        units: usize,
    ) -> bool {
        match units {
            // SAFETY: by requirements 1 and 3 the block is live, of one unit, and of the cell's family. By
            // requirement 2 nothing uses it.
            1 => unsafe { cell.put(first, self.geometry.unit()) },
            // SAFETY: by requirements 1 and 3 the block is live, of `units` units, and of the cell's family. By
            // requirement 2 nothing uses it.
            _ => unsafe { cell.put_row(first, units) },
        }
    }

    /// The calling thread's cell, if this heap is one of the first [`FAST_FAMILIES`], and the thread used one
    /// of those before.
    ///
    /// # Safety
    ///
    /// 1. The reference goes to no other thread, and is not kept beyond the caller's own call.
    #[inline]
    unsafe fn known_cell<'a>(&self) -> Option<&'a CacheCell> {
        // The field is one more than the number, and 0 before the first use.
        let number = self.number.load(Relaxed).wrapping_sub(1);
        if number >= FAST_FAMILIES {
            return None;
        }
        // SAFETY: `FAST_FAMILIES` is above `number`, and requirement 1 is the other one of `fast_cell`.
        unsafe { thread::fast_cell(number) }
    }
}
