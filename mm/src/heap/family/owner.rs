//! The heap of a block, by the block's address.
//!
//! This is for types whose boxes may hold another family's block (see `managed`). Blocks of units without size
//! lie in no memory; their address says which family counts them.

use core::num::NonZeroUsize;
use core::ptr::{self, NonNull};

use crate::heap::family::Heap;
use crate::heap::ground::{Block, EMPTY_BLOCK, Row, Shortage};
use crate::heap::pages::SPACE;

impl Heap {
    /// Whether the address lies in memory of this heap.
    #[inline]
    pub(crate) fn owns(&'static self, address: usize) -> bool {
        let record = SPACE.record_at(address);
        record.is_some_and(|record| ptr::eq(Self::of(record.heap()), self))
    }

    /// The heap whose memory contains the address.
    pub(crate) fn at(address: usize) -> Option<&'static Self> {
        Some(Self::of(SPACE.record_at(address)?.heap()))
    }

    /// Makes a block of units without size. Its address is a multiple of their alignment and encodes this
    /// heap's number.
    ///
    /// # Errors
    ///
    /// [`Shortage::Overflow`] if there is no such address. This needs addresses of fewer than 64 bits.
    pub(in crate::heap) fn block_of_no_size(&self) -> Result<Block, Shortage> {
        let offset = self.geometry.align().checked_mul(self.number() + 1);
        let address = offset.and_then(|offset| EMPTY_BLOCK.checked_add(offset));
        Ok(Block {
            first: NonNull::without_provenance(address.ok_or(Shortage::Overflow)?),
            zero: true,
        })
    }

    /// The number of the heap that made the block at `address`, whose units have no size and are aligned to
    /// `align`; `None` if no heap did.
    pub(crate) fn number_of_no_size(address: NonZeroUsize, align: usize) -> Option<usize> {
        let offset = address.get().checked_sub(EMPTY_BLOCK.get())?;
        (offset / align).checked_sub(1)
    }

    /// Releases a block through the calling thread's table of cells, when the caller does not have the thread's
    /// static cell.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of this heap.
    /// 2. Nothing uses it any more.
    pub(crate) unsafe fn release_without_cell(&'static self, first: NonNull<u8>, units: usize) {
        self.with_cell(|cell| match cell {
            // SAFETY: requirements 1 and 2 are the first two of `put_or_release`, and `with_cell` lends the
            // calling thread's cell of this heap.
            Some(cell) => unsafe { self.put_or_release(cell, first, units) },
            None if units == 0 => {}
            // At the thread's end, or without memory for a cell.
            // SAFETY: requirements 1 and 2 are those of `release_past_caches`.
            None => unsafe { self.release_past_caches(Row { first, units }) },
        });
    }

    /// Puts a block into the cache of `cell`, or releases it.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of this heap.
    /// 2. Nothing uses it any more.
    /// 3. `cell` is the calling thread's cell for this heap.
    pub(in crate::heap) unsafe fn put_or_release(
        &'static self,
        cell: &super::CacheCell,
        first: NonNull<u8>,
        units: usize,
    ) {
        // SAFETY: requirements 1 to 3 are those of `put`.
        let is_put = unsafe { self.put(cell, first, units) };
        if !is_put {
            // SAFETY: requirements 1 to 3 are those of `release`: the cell did not take the block.
            unsafe { self.release(cell, first, units) };
        }
    }
}

#[cfg(test)]
mod tests {
    use core::alloc::Layout;

    use super::*;

    #[test]
    fn the_address_of_a_block_without_size_encodes_its_heap() {
        static HEAPS: [Heap; 3] = [
            Heap::new(Layout::new::<()>()),
            Heap::new(Layout::new::<[u64; 0]>()),
            Heap::new(Layout::new::<[Aligned; 0]>()),
        ];
        #[repr(align(4096))]
        struct Aligned;
        for heap in &HEAPS {
            let align = heap.geometry.align();
            let first = heap.block_of_no_size().expect("an address").first;
            assert_eq!(first.addr().get() % align, 0);
            let number = Heap::number_of_no_size(first.addr(), align);
            assert_eq!(number, Some(heap.number()));
        }
        assert_eq!(Heap::number_of_no_size(EMPTY_BLOCK, 8), None);
        assert_eq!(Heap::number_of_no_size(NonZeroUsize::MIN, 1), None);
    }
}
