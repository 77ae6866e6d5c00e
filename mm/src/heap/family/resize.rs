//! Changing the length of a block in place.
//!
//! A row in a VM page can become shorter. A large block can take any length for which a new block would take
//! about as much address space, and become longer where the address space behind it is free. All other changes need
//! another block.

use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::family::central::Central;
use crate::heap::ground::{GRANULE, Placement};
use crate::heap::pages::large::Large;
use crate::heap::pages::{Record, SPACE};
use crate::os::{ReentrancyGuard, annotate};

impl Heap {
    /// Whether a large block can become longer in its address space.
    pub(crate) fn resizes_in_place(&self) -> bool {
        !self.bypasses_caches()
    }

    /// Changes the length of a block from `old` to `new` units in place. Returns false and changes nothing if
    /// that is not possible. The bytes of new units are unspecified.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `old` units of this heap.
    /// 2. Nothing else releases or resizes the block meanwhile, and nothing uses units from `new` on any more.
    pub(crate) unsafe fn resize_in_place(
        &'static self,
        first: NonNull<u8>,
        old: usize,
        new: usize,
    ) -> bool {
        if old == new {
            return true;
        }
        // The tools that check memory know a block by its length.
        if annotate::is_on() {
            return false;
        }
        let _inside = ReentrancyGuard::enter();
        let mut central = self.central();
        // A limit admits a block before it is made. A hardened block ends at a guard, or is cleared as a whole.
        if self.bypasses_caches() {
            return false;
        }
        match self.geometry().placement() {
            Placement::Counted => false,
            Placement::Paged if self.fits_page(old) => {
                let is_shorter_row = new > 1 && new < old;
                if is_shorter_row {
                    // SAFETY: requirements 1 and 2 are the first two of `shorten_row`; `fits_page` says that the
                    // block is in a VM page, and `is_shorter_row` the rest.
                    unsafe { central.shorten_row(first, old, new) };
                    central.shrink_if_far_below_peak(self);
                }
                is_shorter_row
            }
            _ => match SPACE.record_at(first.addr().get()) {
                Some(Record::Large(run)) if run.is_block(first.addr().get(), old) => {
                    central.resize_large(self, run, [old, new])
                }
                _ => false,
            },
        }
    }
}

impl Central {
    /// Changes the length of the block of `run` from `old` to `new` units, if a new block of that length would
    /// take about as much address space, or if the address space behind the block is free.
    fn resize_large(
        &mut self,
        heap: &'static Heap,
        run: &'static Large,
        [old, new]: [usize; 2],
    ) -> bool {
        let Some(bytes) = heap.geometry().block_bytes(new) else {
            return false;
        };
        if heap.fits_page(new) || run.known_guard().is_some() {
            return false;
        }
        let (needed, has) = (bytes.next_multiple_of(GRANULE), run.bytes());
        let fits = needed <= has && has - needed <= has / 8;
        if !fits && (needed < has || !self.lengthen(heap, run, needed)) {
            return false;
        }
        run.set_units(new);
        self.account.account_other_resized(old, new);
        self.account_peak(heap);
        true
    }

    /// Lengthens the run of a live block to `bytes` bytes, if that is possible.
    fn lengthen(&mut self, heap: &'static Heap, run: &'static Large, bytes: usize) -> bool {
        let (large, mut ledger) = self.large_and_ledger(heap);
        large.lengthen(run, bytes, &mut ledger)
    }
}
