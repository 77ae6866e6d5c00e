//! Moving a large block to where there is room, without a copy.

use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::family::central::Central;
use crate::heap::ground::GRANULE;
use crate::heap::pages::large::Large;
use crate::heap::pages::{Record, SPACE};
use crate::os::{ReentrancyGuard, annotate};

/// Bytes from which on a block is moved. A move of less gains little, and each move takes mappings, whose number is
/// limited.
const LEAST: usize = 1 << 20;

impl Heap {
    /// Moves a large block that has no room to become longer in its place, so that it has `new` units instead of `old`.
    /// Its sample, if it has one, goes with it. Returns its new start; `None`, with nothing changed, if it has to be
    /// copied. The bytes of new units are unspecified.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `old` units of this heap.
    /// 2. Nothing else uses the block meanwhile. If this returns another block, nothing uses the old one afterwards.
    pub(crate) unsafe fn relocate(
        &'static self,
        first: NonNull<u8>,
        old: usize,
        new: usize,
    ) -> Option<NonNull<u8>> {
        // The tools that check memory know a block by its place.
        if new <= old || self.geometry().block_bytes(old)? < LEAST || annotate::is_on() {
            return None;
        }
        let _inside = ReentrancyGuard::enter();
        let mut central = self.central();
        if self.bypasses_caches() {
            return None;
        }
        match SPACE.record_at(first.addr().get()) {
            Some(Record::Large(run)) if run.is_block(first.addr().get(), old) => {
                // SAFETY: `is_block` found the block in the run. Requirement 2 says the rest.
                unsafe { central.relocate_large(self, run, [old, new]) }
            }
            _ => None,
        }
    }
}

impl Central {
    /// Moves the block of `run`, and counts it as a new one, and the old one as released.
    ///
    /// # Safety
    ///
    /// 1. `run` holds a block of `old` units, which nothing uses meanwhile. If this returns another block, nothing uses
    ///    it afterwards.
    unsafe fn relocate_large(
        &mut self,
        heap: &'static Heap,
        run: &'static Large,
        [old, new]: [usize; 2],
    ) -> Option<NonNull<u8>> {
        if run.known_guard().is_some() {
            return None;
        }
        let granules = |units| {
            let bytes = heap.geometry().block_bytes(units)?;
            bytes.checked_next_multiple_of(GRANULE)
        };
        let bytes = [granules(old)?, granules(new)?];
        let (large, mut ledger) = self.large_and_ledger(heap);
        // SAFETY: requirement 1 is that of `LargeRuns::relocate`; `known_guard` says that there is no guard.
        let target = unsafe { large.relocate(run, bytes, new, &mut ledger) }?;
        self.account.account_other_released(old);
        self.account.account_other(new);
        self.account_peak(heap);
        Some(target.place()?.at(0))
    }
}
