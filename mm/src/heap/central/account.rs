//! What a family counts.

/// Counts since the start, and what they leave.
#[derive(Debug)]
pub(in crate::heap) struct Account {
    /// Taken units of VM pages: live, or in a cache.
    pub(in crate::heap) taken_units: u64,
    /// Their blocks: live, or in a cache.
    pub(in crate::heap) taken_blocks: u64,
    /// Blocks of VM pages handed out without a cache, or by one that was closed.
    pub(in crate::heap) allocated: u64,
    /// The highest count of released blocks of VM pages that was reported.
    pub(in crate::heap) released: u64,
    /// What closed caches and the maps add to the caches' count of surplus units; wraps.
    pub(in crate::heap) surplus: u64,
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
            taken_blocks: 0,
            allocated: 0,
            released: 0,
            surplus: 0,
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

    /// Counts blocks of VM pages that are taken now.
    pub(in crate::heap) fn account_taken(&mut self, blocks: usize, units: usize) {
        self.taken_blocks += blocks as u64;
        self.taken_units += units as u64;
    }

    /// Counts blocks of VM pages that are free now.
    pub(in crate::heap) fn account_freed(&mut self, blocks: usize, units: usize) {
        self.taken_blocks -= blocks as u64;
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
}
