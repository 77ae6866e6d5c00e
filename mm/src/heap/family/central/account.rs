//! What a family counts.

/// Counts since the start, and what they leave.
#[derive(Debug)]
pub(in crate::heap) struct Account {
    /// Units of VM pages that are taken, or that lie in a word with an owner.
    pub(in crate::heap) taken_units: u64,
    /// Blocks of many units of VM pages, live or in a cache, and their units.
    pub(in crate::heap) row_blocks: u64,
    pub(in crate::heap) row_units: u64,
    /// Blocks of one unit of VM pages handed out or released without a cache, or by one that was closed.
    pub(in crate::heap) allocated: u64,
    pub(in crate::heap) released: u64,
    /// The highest count of released ones that was reported.
    pub(in crate::heap) reported_released: u64,
    /// Blocks of many units handed out without a cache, or by one that was closed.
    pub(in crate::heap) rows_allocated: u64,
    /// The highest count of released ones that was reported.
    pub(in crate::heap) rows_released: u64,
    /// What closed caches and the maps add to the caches' count of slack units; wraps.
    pub(in crate::heap) slack: u64,
    /// All other blocks: large, or without a size.
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
            other_allocated: 0,
            other_released: 0,
            other_units: 0,
            peak_bytes: 0,
            kernel_calls: 0,
        }
    }

    /// Raises the peak if so many bytes are more than ever.
    pub(in crate::heap) fn account_live(&mut self, bytes: u64) {
        self.peak_bytes = self.peak_bytes.max(bytes);
    }

    /// Counts blocks of `units` units each that are taken now.
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

    /// Counts units at the end of a block of many that are free now.
    pub(in crate::heap) fn account_end_freed(&mut self, units: usize) {
        self.taken_units -= units as u64;
        self.row_units -= units as u64;
    }

    /// Counts units that threads own now.
    pub(in crate::heap) fn account_leased(&mut self, units: usize) {
        self.taken_units += units as u64;
    }

    /// Counts units that nobody owns any more, or that were blocks of their own.
    pub(in crate::heap) fn account_units_freed(&mut self, units: usize) {
        self.taken_units -= units as u64;
    }

    /// Counts another block that is live now.
    pub(in crate::heap) fn account_other(&mut self, units: usize) {
        self.other_allocated += 1;
        self.other_units += units as u64;
    }

    /// Counts another block that was released.
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
