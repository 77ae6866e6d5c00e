//! Blocks that a test owns.

use std::ptr::NonNull;

use mm::{AllocError, PageFamily};

/// A live block of a family, which nothing but its owner releases.
#[derive(Debug)]
pub struct OwnedBlock {
    family: &'static PageFamily,
    start: NonNull<u8>,
}

// SAFETY: a family takes its blocks back on any thread.
unsafe impl Send for OwnedBlock {}

impl OwnedBlock {
    /// Allocates a block.
    ///
    /// # Panics
    ///
    /// If the family refuses.
    #[must_use]
    #[track_caller]
    pub fn new(family: &'static PageFamily, units: usize) -> Self {
        Self::try_new(family, units).expect("memory")
    }

    /// As [`Self::new`], of zeros.
    ///
    /// # Panics
    ///
    /// As [`Self::new`].
    #[must_use]
    #[track_caller]
    pub fn zeroed(family: &'static PageFamily, units: usize) -> Self {
        Self::try_zeroed(family, units).expect("memory")
    }

    /// Allocates a block, if the family has one.
    ///
    /// # Errors
    ///
    /// What the family says.
    #[track_caller]
    pub fn try_new(family: &'static PageFamily, units: usize) -> Result<Self, AllocError> {
        let start = family.alloc(units)?;
        Ok(Self { family, start })
    }

    /// As [`Self::try_new`], of zeros.
    ///
    /// # Errors
    ///
    /// As [`Self::try_new`].
    #[track_caller]
    pub fn try_zeroed(family: &'static PageFamily, units: usize) -> Result<Self, AllocError> {
        let start = family.alloc_zeroed(units)?;
        Ok(Self { family, start })
    }

    /// Returns where the block starts.
    #[must_use]
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Releases the block.
    ///
    /// # Panics
    ///
    /// If mm says that it is not live.
    #[track_caller]
    pub fn release(self) {
        // SAFETY: the block was allocated for this owner, which ends here.
        unsafe { self.family.release(self.start) }.expect("live");
    }
}

/// Allocates `count` blocks of one unit.
///
/// # Panics
///
/// If the family refuses.
#[must_use]
pub fn ones(family: &'static PageFamily, count: usize) -> Vec<OwnedBlock> {
    (0..count).map(|_| OwnedBlock::new(family, 1)).collect()
}

/// Releases blocks, in their order.
///
/// # Panics
///
/// If mm says that one is not live.
pub fn release_all(blocks: impl IntoIterator<Item = OwnedBlock>) {
    blocks.into_iter().for_each(OwnedBlock::release);
}
