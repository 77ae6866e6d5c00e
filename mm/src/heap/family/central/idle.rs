//! An idle family gives its free memory back to the kernel.
//!
//! The memory that a burst of work needed stays with the family at first, and with the caches of threads that sleep
//! then. Whoever looks at the family from time to time finds out that it does next to nothing any more. As in jemalloc
//! and mimalloc, time decides; but no thread of mm looks, and no block carries a time.

use super::Central;
use crate::heap::family::Heap;
use crate::heap::family::cache::CacheRecord;
use crate::heap::pages::Extent;
use crate::os::{PageSource, ReentrancyGuard, System, clock};

/// A family is idle if it allocated and released fewer bytes since the last look.
const BUSY: u64 = 64 << 10;

/// Looks that must find the family idle.
const LOOKS: u8 = 2;

/// Free memory that is worth the work.
const WORTH: u64 = 64 << 10;

/// A released large block keeps its memory for at most so many milliseconds, to the next look.
const KEPT: u64 = 4_000;

/// What the last look at a family found.
#[derive(Debug)]
pub(in crate::heap) struct Idle {
    /// Blocks that were allocated and released until then; wraps.
    flow: u64,
    /// Looks that found the family idle, one after the other.
    looks: u8,
}

impl Idle {
    pub(super) const fn new() -> Self {
        Self { flow: 0, looks: 0 }
    }
}

impl Heap {
    /// Looks whether the family is idle, and then gives its free memory back. Returns whether there was any.
    pub(crate) fn give_back_if_idle(&'static self) -> bool {
        let _inside = ReentrancyGuard::enter();
        self.central().give_back_if_idle(self)
    }
}

impl Central {
    fn give_back_if_idle(&mut self, heap: &'static Heap) -> bool {
        let before = clock::milliseconds().saturating_sub(KEPT);
        let calls = &mut self.account.kernel_calls;
        let of_large = self.large.give_back_unused_since(before, calls);
        let live = self.live();
        let flow = live.allocated.wrapping_add(live.released);
        if !self.is_idle(heap, flow) || self.free_bytes(heap, live.paged) < WORTH {
            return of_large > 0;
        }
        self.idle.looks = 0;
        // Threads that work now give back the rest at their next call.
        self.caches.iter().for_each(CacheRecord::ask_to_flush);
        self.trim(heap);
        true
    }

    /// Whether this look and the last ones found the family idle. `flow` are the blocks that were allocated and released
    /// so far.
    fn is_idle(&mut self, heap: &'static Heap, flow: u64) -> bool {
        let blocks = flow.wrapping_sub(core::mem::replace(&mut self.idle.flow, flow));
        let is_busy = blocks.saturating_mul(heap.geometry().unit() as u64) >= BUSY;
        self.idle.looks = if is_busy {
            0
        } else {
            self.idle.looks.saturating_add(1)
        };
        self.idle.looks >= LOOKS
    }

    /// Bytes of free units that threads have, and of free memory in VM pages, of which `live` units are live.
    fn free_bytes(&self, heap: &'static Heap, live: u64) -> u64 {
        let unit = heap.geometry().unit() as u64;
        let with_threads = self.account.taken_units.saturating_sub(live);
        let os_page = System::page_bytes();
        let in_pages = self
            .extents()
            .map(|extent: &Extent| extent.reclaimable(os_page));
        with_threads * unit + in_pages.sum::<usize>() as u64
    }
}
