//! The counts of a family.

/// Counts since the start, and the current state that follows from them.
#[derive(Debug)]
pub(in crate::heap) struct Account {
    /// Units of VM pages that are taken, or that lie in a word with an owner.
    pub(in crate::heap) taken_units: u64,
    /// Rows of VM pages, live or in a cache, and their units.
    pub(in crate::heap) row_blocks: u64,
    pub(in crate::heap) row_units: u64,
    /// Blocks of one unit of VM pages that were handed out or released without a cache, or by a cache that was
    /// closed.
    pub(in crate::heap) allocated: u64,
    pub(in crate::heap) released: u64,
    /// The highest count of released blocks that was reported.
    pub(in crate::heap) reported_released: u64,
    /// Rows that were handed out without a cache, or by a cache that was closed.
    pub(in crate::heap) rows_allocated: u64,
    /// The highest count of released rows that was reported.
    pub(in crate::heap) rows_released: u64,
    /// Slack units that closed caches and the maps add to the caches' count; wraps.
    pub(in crate::heap) slack: u64,
    /// Bytes by which live blocks are longer than was requested, besides what caches count; wraps.
    pub(in crate::heap) padding: u64,
    /// All other blocks: large ones, and those of units without size.
    pub(in crate::heap) other_allocated: u64,
    pub(in crate::heap) other_released: u64,
    /// Units of all other live blocks.
    pub(in crate::heap) other_units: u64,
    pub(in crate::heap) peak_bytes: u64,
    pub(in crate::heap) kernel_calls: u64,
}

impl Account {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            taken_units: 0,
            row_blocks: 0,
            row_units: 0,
            allocated: 0,
            released: 0,
            reported_released: 0,
            rows_allocated: 0,
            rows_released: 0,
            slack: 0,
            padding: 0,
            other_allocated: 0,
            other_released: 0,
            other_units: 0,
            peak_bytes: 0,
            kernel_calls: 0,
        }
    }

    /// Raises the peak to `bytes`, if that is more.
    pub(in crate::heap) fn account_live(&mut self, bytes: u64) {
        self.peak_bytes = self.peak_bytes.max(bytes);
    }

    /// Counts `blocks` blocks of `units` units each that are taken now.
    pub(in crate::heap) fn account_taken(&mut self, blocks: usize, units: usize) {
        self.taken_units += (blocks * units) as u64;
        if units > 1 {
            self.row_blocks += blocks as u64;
            self.row_units += (blocks * units) as u64;
        }
    }

    /// Counts a block of `units` units that is free now.
    pub(in crate::heap) fn account_freed(&mut self, units: usize) {
        self.taken_units -= units as u64;
        if units > 1 {
            self.row_blocks -= 1;
            self.row_units -= units as u64;
        }
    }

    /// Counts units at the end of a row that are free now.
    pub(in crate::heap) fn account_end_freed(&mut self, units: usize) {
        self.taken_units -= units as u64;
        self.row_units -= units as u64;
    }

    /// Counts units that threads got.
    pub(in crate::heap) fn account_leased(&mut self, units: usize) {
        self.taken_units += units as u64;
    }

    /// Counts units that threads gave back, or that were blocks of one unit.
    pub(in crate::heap) fn account_units_freed(&mut self, units: usize) {
        self.taken_units -= units as u64;
    }

    /// Counts a large block, or one of units without size, that is live now.
    pub(in crate::heap) fn account_other(&mut self, units: usize) {
        self.other_allocated += 1;
        self.other_units += units as u64;
    }

    /// As [`account_other`](Self::account_other), for a block that was released.
    pub(in crate::heap) fn account_other_released(&mut self, units: usize) {
        self.other_released += 1;
        self.other_units -= units as u64;
    }

    /// Counts that another live block has `new` units instead of `old`.
    pub(in crate::heap) fn account_other_resized(&mut self, old: usize, new: usize) {
        self.other_units = self.other_units - old as u64 + new as u64;
    }

    /// Counts a block of VM pages that is handed out without a cache.
    pub(in crate::heap) fn account_allocated(&mut self, units: usize) {
        if units > 1 {
            self.rows_allocated += 1;
        } else {
            self.allocated += 1;
        }
    }
}
