//! When a family's memory goes back to the kernel.

use super::Central;
use super::retained::RetainedMemory;
use crate::heap::family::Heap;
use crate::heap::family::cache::CacheRecord;
use crate::heap::pages::{Extent, MemoryState, Page};
use crate::os::{PageSource, System};

/// A family gives its free memory back when its taken bytes fall below a tenth of their peak, if the peak was
/// at least this many bytes.
const SHRINK_FROM: u64 = 1 << 20;

impl Central {
    /// Gives all free memory back to the kernel; returns its bytes.
    pub(in crate::heap) fn trim(&mut self, heap: &'static Heap) -> usize {
        self.given_back = 0;
        self.free_slack();
        self.reclaim_free_words_of_all(heap);
        let bytes = self.give_back_all() + self.given_back;
        self.caches.iter().for_each(CacheRecord::end_wanted);
        bytes
    }

    fn give_back_all(&mut self) -> usize {
        let os_page = System::page_bytes();
        let extents = self.extents();
        let calls = &mut self.account.kernel_calls;
        let mut bytes = self.large.give_back_all(calls);
        for extent in extents {
            bytes += purge(extent, os_page, calls, &mut self.retained);
            self.runs.account_changed(extent);
            self.fullness_lists.account_changed(extent);
        }
        self.retained.forget_misses();
        bytes
    }

    /// If the family's taken bytes fell below a tenth of their last peak, gives back the free memory between
    /// taken units. Retained extents keep their memory until `trim`.
    pub(in crate::heap) fn shrink_if_far_below_peak(&mut self, heap: &'static Heap) {
        let taken = self.taken_bytes(heap);
        if self.peak_since_shrink < SHRINK_FROM || taken >= self.peak_since_shrink / 10 {
            return;
        }
        if !self.retained.may_shrink(self.peak_since_shrink) {
            return;
        }
        self.peak_since_shrink = taken;
        // Other threads give back the rest at their next call.
        self.caches.iter().for_each(CacheRecord::ask_to_flush);
        self.purge_partly_used();
    }

    /// If the family is small, gives back the free memory of partly used extents. Otherwise one page in use
    /// could keep the memory of 31 free ones.
    pub(in crate::heap) fn purge_if_small(&mut self, heap: &'static Heap) {
        if self.taken_bytes(heap) < SHRINK_FROM {
            self.purge_partly_used();
        }
    }

    fn purge_partly_used(&mut self) {
        let calls = &mut self.account.kernel_calls;
        let lists = &self.fullness_lists;
        let partly = lists.with_room().chain(lists.sampled_with_room());
        for extent in partly.filter(|extent| extent.taken_units() > 0) {
            purge_pages(extent, System::page_bytes(), calls);
            self.runs.account_changed(extent);
        }
    }

    /// Moves the page's extent to the right lists after units of the page were freed. If the extent has no
    /// taken unit any more, retains its memory or gives it back.
    #[inline(never)]
    pub(super) fn account_freed(&mut self, page: Page) {
        let extent = page.extent();
        if extent.taken_units() == 0 {
            // SAFETY: `taken_units` is 0, as the line above asked.
            unsafe { self.account_emptied(extent) };
        }
        self.fullness_lists.account_changed(extent);
        self.runs.account_changed(extent);
    }

    /// Decides whether to keep the memory of an extent whose last unit was freed.
    ///
    /// # Safety
    ///
    /// 1. No unit of the extent is taken.
    unsafe fn account_emptied(&mut self, extent: &'static Extent) {
        if self.retained.keeps(extent.bytes()) {
            extent.set_memory_state(MemoryState::Retained);
            return;
        }
        let calls = &mut self.account.kernel_calls;
        // SAFETY: requirement 1 is that of `give_back`.
        self.given_back += unsafe { give_back(extent, System::page_bytes(), calls) };
        if !extent.is_in_use() {
            extent.set_memory_state(MemoryState::GivenBack);
        }
        self.runs.account_changed(extent);
        if self.retained.keeps_too_much() {
            self.give_back_retained();
        }
    }

    /// Gives back retained extents until the family keeps no more than it may.
    #[cold]
    fn give_back_retained(&mut self) {
        for extent in self
            .extents()
            .filter(|it| it.memory_state() == MemoryState::Retained)
        {
            if !self.retained.keeps_too_much() {
                return;
            }
            let calls = &mut self.account.kernel_calls;
            purge(extent, System::page_bytes(), calls, &mut self.retained);
            self.fullness_lists.account_changed(extent);
            self.runs.account_changed(extent);
        }
    }

    /// Notes that units of the extent are taken.
    pub(super) fn account_used(&mut self, extent: &'static Extent) {
        match extent.memory_state() {
            MemoryState::Used => return,
            MemoryState::Retained => self.retained.account_used(extent.bytes()),
            MemoryState::GivenBack => {
                self.retained.account_missed(extent.bytes());
                let missed = self.retained.missed();
                extent.begin_again(missed, &mut self.account.kernel_calls);
            }
        }
        extent.set_memory_state(MemoryState::Used);
    }
}

/// Gives back the free memory of an extent; returns its bytes.
fn purge(
    extent: &'static Extent,
    os_page: usize,
    calls: &mut u64,
    retained: &mut RetainedMemory,
) -> usize {
    if extent.taken_units() > 0 {
        return purge_pages(extent, os_page, calls);
    }
    if !extent.is_in_use() {
        return 0;
    }
    // SAFETY: `taken_units` is 0, since this function did not return above.
    let bytes = unsafe { give_back(extent, os_page, calls) };
    if extent.is_in_use() {
        return bytes;
    }
    if extent.memory_state() == MemoryState::Retained {
        retained.account_given_back(extent.bytes());
    }
    extent.set_memory_state(MemoryState::GivenBack);
    bytes
}

/// Gives back the memory of an extent without a taken unit, page by page if the kernel refuses the whole.
/// Returns its bytes. Afterwards no page is in use, unless the kernel refused a page again.
///
/// # Safety
///
/// 1. No unit is taken.
unsafe fn give_back(extent: &'static Extent, os_page: usize, calls: &mut u64) -> usize {
    let backed = extent.backed(os_page);
    // SAFETY: requirement 1 is that of `Extent::give_back`.
    if unsafe { extent.give_back(calls) } {
        return backed;
    }
    purge_pages(extent, os_page, calls)
}

fn purge_pages(extent: &'static Extent, os_page: usize, calls: &mut u64) -> usize {
    // Memory that the kernel refused the last time is tried again.
    let is_backed = |page: Page| page.backed(os_page) > 0;
    if !extent.may_purge() || !extent.pages().any(is_backed) {
        return 0;
    }
    let was_huge = extent.is_huge();
    if was_huge && !extent.pages().all(Page::is_open) {
        // Afterwards no record would show that the rest of the former huge page is backed.
        return 0;
    }
    if was_huge {
        extent.end_huge(calls);
    }
    let pages = extent.pages().map(|page| {
        let counts = page.counts();
        let bytes = page.purge(os_page, was_huge, calls);
        if counts { bytes } else { 0 }
    });
    pages.sum()
}
