//! What a family counts.

/// Counts since the start, and what they leave.
#[derive(Debug)]
pub(in crate::heap) struct Account {
    /// Taken units of VM pages: live, or in a cache.
    pub(in crate::heap) taken_units: u64,
    /// Blocks of one unit handed out without a cache.
    pub(in crate::heap) single_allocated: u64,
    /// The highest count of released blocks of one unit that was reported.
    pub(in crate::heap) single_released: u64,
    /// All other blocks: of many units, large, or without a size.
    pub(in crate::heap) other_allocated: u64,
    pub(in crate::heap) other_released: u64,
    /// Units of all other live blocks.
    pub(in crate::heap) other_units: u64,
    /// Those of them in VM pages.
    pub(in crate::heap) joined_units: u64,
    pub(in crate::heap) peak_bytes: u64,
    pub(in crate::heap) kernel_calls: u64,
}

impl Account {
    pub(in crate::heap) const fn new() -> Self {
        Self {
            taken_units: 0,
            single_allocated: 0,
            single_released: 0,
            other_allocated: 0,
            other_released: 0,
            other_units: 0,
            joined_units: 0,
            peak_bytes: 0,
            kernel_calls: 0,
        }
    }

    /// Raises the peak if so many bytes are more than ever.
    pub(in crate::heap) fn account_live(&mut self, bytes: u64) {
        self.peak_bytes = self.peak_bytes.max(bytes);
    }

    pub(in crate::heap) fn account_other(&mut self, units: usize) {
        self.other_allocated += 1;
        self.other_units += units as u64;
    }

    pub(in crate::heap) fn account_other_released(&mut self, units: usize) {
        self.other_released += 1;
        self.other_units -= units as u64;
    }
}
