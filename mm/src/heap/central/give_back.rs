//! When a family's memory goes back to the kernel.

use super::Central;
use crate::heap::Heap;
use crate::heap::extent::Extent;
use crate::heap::record::Record;
use crate::os::{PageSource, System};

/// A family whose live bytes fall below a tenth of their last peak gives its free memory back,
/// unless that peak was below this many bytes.
const SHRINK_FROM: u64 = 4 << 20;

impl Central {
    /// Gives back to the kernel all that can be given; returns its bytes.
    pub(in crate::heap) fn trim(&mut self) -> usize {
        let os_page = System::page_bytes();
        let records = self.records();
        let calls = &mut self.account.kernel_calls;
        let mut bytes = self.large.give_back_all(calls);
        for record in records {
            if let Record::Extent(extent) = record {
                bytes += settle(extent, os_page, calls);
            }
        }
        bytes
    }

    /// Gives back the free memory between live units when a family fell below a tenth of its last
    /// peak. What is kept against calls at every step of a loop, `trim` alone gives back.
    pub(in crate::heap) fn shrink_if_fallen(&mut self, heap: &'static Heap) {
        let live = self.taken_bytes(heap);
        if self.peak_since_shrink < SHRINK_FROM || live >= self.peak_since_shrink / 10 {
            return;
        }
        self.peak_since_shrink = live;
        let calls = &mut self.account.kernel_calls;
        for extent in self
            .shelves
            .with_room()
            .filter(|extent| extent.taken_units() > 0)
        {
            settle(extent, System::page_bytes(), calls);
        }
    }

    /// Lets one empty extent keep its memory, and gives back that of the one before.
    ///
    /// So a loop at an extent's edge makes no calls into the kernel.
    pub(super) fn keep_only(&mut self, extent: &'static Extent) {
        let Some(before) = self.kept_empty.replace(extent) else {
            return;
        };
        if !core::ptr::eq(before, extent) && before.taken_units() == 0 && before.is_in_use() {
            before.give_back(&mut self.account.kernel_calls);
        }
    }
}

/// Gives back the free memory of an extent; returns its bytes.
fn settle(extent: &'static Extent, os_page: usize, calls: &mut u64) -> usize {
    if extent.taken_units() > 0 {
        return extent.pages().map(|page| page.settle(os_page, calls)).sum();
    }
    let pages = || extent.pages().filter(|page| page.is_in_use());
    let bytes = pages().map(|page| page.reclaimable(os_page)).sum();
    if pages().next().is_none() || !extent.give_back(calls) {
        return 0;
    }
    bytes
}
