//! Sampled blocks: each is known with the stack that allocated it. They are taken and released under the lock,
//! past the caches, so a thread never hands out a sampled unit for an ordinary block.

use core::ptr::NonNull;

use crate::heap::family::Heap;
use crate::heap::family::central::Central;
use crate::heap::ground::{Block, Row, Shortage};
use crate::heap::pages::{Extent, Sample, SampleRecord, released_twice, sample_at};
use crate::os::{ReentrancyGuard, Refused};

impl Heap {
    /// Allocates a block of one unit in the range of sampled blocks, of which the program requested `padding`
    /// bytes fewer.
    pub(crate) fn alloc_sampled(
        &'static self,
        sample: Sample,
        padding: usize,
    ) -> Result<Block, Shortage> {
        let _inside = ReentrancyGuard::enter();
        let mut central = self.central();
        central.admit(self, 1)?;
        let block = central.alloc_sampled(self);
        central.account_quota(self);
        let block = block?;
        central.account_padding(padding as u64);
        if let Some(record) = sample_at(block.first) {
            record.set(sample);
        }
        Ok(block)
    }

    /// Releases a block of one unit in the range of sampled blocks. Returns its sample. Ends the process if there is
    /// none: then it was released before.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of one unit of this heap.
    /// 2. Nothing uses it any more.
    pub(crate) unsafe fn release_sampled(
        &'static self,
        first: NonNull<u8>,
        padding: usize,
    ) -> Sample {
        let _inside = ReentrancyGuard::enter();
        let mut central = self.central();
        let sample = sample_at(first).and_then(SampleRecord::take);
        let sample = sample.unwrap_or_else(|| released_twice(first));
        central.account_padding((padding as u64).wrapping_neg());
        let row = Row { first, units: 1 };
        // SAFETY: requirements 1 and 2 are those of `release_past_caches`.
        unsafe { central.release_past_caches(self, row) };
        central.shrink_if_far_below_peak(self);
        sample
    }
}

/// Returns the sample of the live block at `first`, if it is sampled.
pub(crate) fn sample_of(first: NonNull<u8>) -> Option<Sample> {
    sample_at(first)?.get()
}

/// Stores or removes the sample of the live large block at `first`, and returns the one before.
pub(crate) fn replace_sample(first: NonNull<u8>, new: Option<Sample>) -> Option<Sample> {
    let record = sample_at(first)?;
    let before = record.take();
    if let Some(sample) = new {
        record.set(sample);
    }
    before
}

impl Central {
    /// Allocates a block of one unit in the range of sampled blocks.
    fn alloc_sampled(&mut self, heap: &'static Heap) -> Result<Block, Shortage> {
        let random = heap.hardening().random;
        // Twice, since the very first page loses some room to its colour; the next does not.
        for _ in 0..2 {
            if let Some(choice) = self.find_sampled(random) {
                return self.hand_out(heap, choice);
            }
            self.grow_sampled(heap)?;
        }
        let choice = self.find_sampled(random).ok_or(Refused)?;
        self.hand_out(heap, choice)
    }

    fn account_padding(&mut self, bytes: u64) {
        self.account.padding = self.account.padding.wrapping_add(bytes);
    }
}

impl Extent {
    /// Whether each sample in the extent is that of a taken unit.
    pub(in crate::heap) fn samples_are_of_taken_units(&'static self) -> bool {
        self.pages().all(|page| {
            let map = page.map();
            let first = page.number * page.capacity();
            let mut units = 0..page.capacity();
            units.all(|unit| {
                let record = self.samples.get(first + unit);
                map.is_taken(unit) || record.is_none_or(|record| record.get().is_none())
            })
        })
    }
}
