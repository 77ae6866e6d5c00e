//! Uncached families: each call takes the lock, since the family is tracked or has a limit.
//!
//! The thread that makes a family uncached redirects the cells of all threads and takes their words. Each
//! thread flushes at its next call, and its cell stays redirected while the family is uncached. So every call
//! that begins later comes here, and calls for other families need no test.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use crate::heap::family::cache::CacheRecord;
use crate::heap::family::central::Central;
use crate::heap::family::quota::Quota;
use crate::heap::family::{Heap, quota};
use crate::heap::ground::{Block, Row, Shortage};
use crate::heap::tracking::{AllocRequest, Caller, Tracking, request};
use crate::os::ReentrancyGuard;

/// Why a family is uncached. The family's lock guards it.
#[derive(Debug)]
pub(in crate::heap) struct UncachedFor {
    pub(in crate::heap) tracking: Tracking,
    pub(in crate::heap) quota: Quota,
}

impl UncachedFor {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            tracking: Tracking::new(),
            quota: Quota::new(),
        }
    }
}

impl Heap {
    /// Whether every call takes the lock.
    pub(in crate::heap) fn is_uncached(&self) -> bool {
        self.uncached.load(Relaxed)
    }

    /// Begins or ends to bypass the caches, as tracking and limits require. The caller has the lock.
    pub(in crate::heap) fn account_uncached(&'static self, central: &mut Central) {
        let UncachedFor { tracking, quota } = &central.uncached_for;
        let is_on = tracking.is_on() || quota.is_on() || self.limit() != quota::NONE;
        self.uncached.store(is_on, Relaxed);
        if is_on {
            central.caches.iter().for_each(CacheRecord::ask_to_flush);
            central.reclaim_all_words_of_all(self);
        }
    }

    /// Allocates a block under the lock, if the limit admits it, and records who allocated it, if the family is
    /// tracked.
    pub(in crate::heap) fn alloc_admitted(
        &'static self,
        units: usize,
        caller: &dyn Caller,
    ) -> Result<Block, Shortage> {
        let scope = request::scope();
        let mut central = self.central();
        central.admit(self, units)?;
        let block = central.alloc_past_caches(self, units);
        central.account_quota(self);
        let block = block?;
        if central.uncached_for.tracking.wants(scope) {
            drop(central);
            // This may call the global allocator, which may be made of mm.
            let request = ReentrancyGuard::pause(|| AllocRequest::now(caller));
            self.central().record(block.first, units, &request);
        }
        Ok(block)
    }

    /// Releases a block that was allocated and not handed out.
    ///
    /// # Safety
    ///
    /// 1. `first` is the start of a live block of `units` units of this heap.
    /// 2. Nothing uses it any more.
    pub(crate) unsafe fn take_back(&'static self, first: NonNull<u8>, units: usize) {
        let _inside = ReentrancyGuard::enter();
        // SAFETY: requirements 1 and 2 are those of `release_past_caches`.
        unsafe { self.release_past_caches(Row { first, units }) };
    }

    /// Releases a block under the lock, past all caches.
    ///
    /// # Safety
    ///
    /// 1. `row` is a live block of this heap.
    /// 2. Nothing uses it any more.
    pub(in crate::heap) unsafe fn release_past_caches(&'static self, row: Row) {
        let mut central = self.central();
        // SAFETY: requirements 1 and 2 are those of `Central::release_past_caches`.
        unsafe { central.release_past_caches(self, row) };
        central.shrink_if_far_below_peak(self);
    }
}

impl Central {
    /// Allocates a block under the lock, past all caches.
    pub(in crate::heap) fn alloc_past_caches(
        &mut self,
        heap: &'static Heap,
        units: usize,
    ) -> Result<Block, Shortage> {
        if heap.is_hardened() && heap.fits_page(units) {
            return self.alloc_hardened(heap, units);
        }
        self.alloc(heap, units)
    }

    /// Releases a block, past all caches.
    ///
    /// # Safety
    ///
    /// 1. `row` is a live block of this heap.
    /// 2. Nothing uses it any more.
    pub(in crate::heap) unsafe fn release_past_caches(&mut self, heap: &'static Heap, row: Row) {
        self.forget(row.first);
        if heap.is_hardened() {
            // SAFETY: requirements 1 and 2 are those of `release_hardened`.
            unsafe { self.release_hardened(heap, row) };
        } else {
            // SAFETY: requirements 1 and 2 are those of `Central::release`.
            unsafe { self.release(heap, row.first, row.units) };
        }
        self.account_quota(heap);
    }
}
