//! The live blocks and units of a family, from counts alone.

use crate::heap::family::Heap;
use crate::heap::family::cache::{CacheCell, CacheRecord, Rows};
use crate::heap::family::central::Central;
use crate::os::ReentrancyGuard;

/// The live blocks, from counts alone, without a walk over the pages.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) struct Live {
    pub(in crate::heap) units: u64,
    pub(in crate::heap) blocks: u64,
    pub(in crate::heap) allocated: u64,
    pub(in crate::heap) released: u64,
    /// Live units of VM pages.
    pub(in crate::heap) paged: u64,
}

/// Blocks of VM pages that were allocated and released since the start.
struct Counts {
    allocated: u64,
    released: u64,
}

impl Heap {
    /// Live units, without a look at the pages.
    pub(crate) fn live_units(&'static self) -> u64 {
        let _inside = ReentrancyGuard::enter();
        self.central().live().units
    }
}

impl Heap {
    /// Counts bytes by which a block is longer than was requested, after a slow path; wraps. `cell` is the calling
    /// thread's; `None` if its cache did not count the block.
    pub(crate) fn account_padding(&'static self, cell: Option<&CacheCell>, bytes: u64) {
        match cell.and_then(CacheCell::cache) {
            Some(cache) => cache.account_padding(bytes),
            None => self.account_padding_past_caches(bytes),
        }
    }

    /// As [`account_padding`](Self::account_padding), for a block that is released.
    pub(crate) fn account_padding_released(&'static self, cell: Option<&CacheCell>, bytes: u64) {
        match cell.and_then(CacheCell::cache) {
            Some(cache) => cache.account_padding_released(bytes),
            None => self.account_padding_past_caches(bytes.wrapping_neg()),
        }
    }

    fn account_padding_past_caches(&'static self, bytes: u64) {
        let mut central = self.central();
        central.account.padding = central.account.padding.wrapping_add(bytes);
    }
}

impl Central {
    /// Bytes by which live blocks are longer than was requested; never negative.
    pub(in crate::heap) fn padding(&self) -> u64 {
        let caches = self.caches.iter().map(CacheRecord::padding);
        let sum = caches.fold(self.account.padding, u64::wrapping_add);
        sum.cast_signed().max(0).cast_unsigned()
    }

    /// The live blocks. They are exact while no call is running; otherwise never below zero, and cumulative
    /// counts never fall. `cache/count.rs` says why the order of the reads matters.
    pub(in crate::heap) fn live(&mut self) -> Live {
        let singles = self.single_counts();
        let rows = self.row_counts();
        let (blocks, row_blocks) = (
            singles.allocated - singles.released,
            rows.allocated - rows.released,
        );
        let paged = blocks + row_blocks + self.continued_units();
        let account = &self.account;
        Live {
            units: paged + account.other_units,
            blocks: blocks + row_blocks + account.other_allocated - account.other_released,
            allocated: singles.allocated + rows.allocated + account.other_allocated,
            released: singles.released + rows.released + account.other_released,
            paged,
        }
    }

    /// Counts of blocks of one unit.
    fn single_counts(&mut self) -> Counts {
        // Every release first, then every allocation.
        let from_caches: u64 = self.caches.iter().map(CacheRecord::released).sum();
        let released = self.account.released + from_caches;
        let from_caches: u64 = self.caches.iter().map(CacheRecord::allocated).sum();
        let allocated = self.account.allocated + from_caches;
        let reported = &mut self.account.reported_released;
        *reported = released.max(*reported).min(allocated);
        Counts {
            allocated,
            released: *reported,
        }
    }

    /// Counts of rows.
    fn row_counts(&mut self) -> Counts {
        // Every allocation first, then the rows in caches.
        let from_caches: u64 = self.caches.iter().map(CacheRecord::rows_taken).sum();
        let (held, _) = self.held_rows();
        let account = &mut self.account;
        let allocated = account.rows_allocated + from_caches;
        let live = account.row_blocks.saturating_sub(held);
        let released = allocated.saturating_sub(live);
        account.rows_released = released.clamp(account.rows_released, allocated);
        Counts {
            allocated,
            released: account.rows_released,
        }
    }

    /// Units of live blocks that continue a block, without slack.
    fn continued_units(&self) -> u64 {
        let (held, held_units) = self.held_rows();
        let all = self.account.row_units - self.account.row_blocks;
        let idle = held_units.saturating_sub(held) + self.slack();
        all.saturating_sub(idle)
    }

    /// Rows in caches or in quarantine, and their units.
    fn held_rows(&self) -> (u64, u64) {
        let caches = self.caches.iter().map(CacheRecord::held_rows);
        caches.fold(self.quarantine.held_rows(), |all, held| {
            (all.0 + held.0, all.1 + held.1)
        })
    }

    /// Counts rows that a thread took from its cache before it vanished without counting them. This runs in a
    /// forked child, while no call is running.
    pub(in crate::heap) fn account_unfinished(&mut self) {
        let from_caches: u64 = self.caches.iter().map(CacheRecord::rows_taken).sum();
        let (held, _) = self.held_rows();
        let account = &mut self.account;
        let live = account.row_blocks.saturating_sub(held);
        let counted = account.rows_allocated + from_caches;
        account.rows_allocated += (live + account.rows_released).saturating_sub(counted);
    }

    /// Slack units of live blocks. Each count wraps; their sum does not, except while other threads are in
    /// calls.
    pub(in crate::heap) fn slack(&self) -> u64 {
        let sum = self.slack_of_caches().wrapping_add(self.account.slack);
        sum.cast_signed().max(0).cast_unsigned()
    }

    /// The sum of all caches' counts of slack units; wraps.
    pub(in crate::heap) fn slack_of_caches(&self) -> u64 {
        let rows = self.caches.iter().filter_map(CacheRecord::rows);
        rows.map(Rows::slack).fold(0, u64::wrapping_add)
    }
}
