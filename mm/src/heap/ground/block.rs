//! Blocks that a family hands out, and the reasons why it does not hand out or take back one.

use core::num::NonZeroUsize;
use core::ptr::NonNull;

use crate::os::{Refused, annotate};

/// The address of every block of zero units. It is a multiple of every alignment, and on first-class platforms
/// no memory can be there.
pub(in crate::heap) const EMPTY_BLOCK: NonZeroUsize =
    NonZeroUsize::new(1 << (usize::BITS - 2)).unwrap();

/// Why a block could not be allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// No block can be that large.
    Overflow,
    /// The kernel gave no memory.
    NoMemory,
    /// The family, or its group, would hold more than `limit_bytes` bytes.
    OverLimit { limit_bytes: u64 },
    /// All families together would hold more than `limit_bytes` bytes.
    OverHeapLimit { limit_bytes: u64 },
    /// The byte at `address` was written after its block was released.
    Written { address: usize },
}

impl From<Refused> for Shortage {
    fn from(Refused: Refused) -> Self {
        Self::NoMemory
    }
}

/// Why a pointer was not released.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    /// It is in no family's pages.
    Foreign,
    /// It is inside pages, but no block starts there.
    Interior,
    /// No live block is there.
    NotLive,
    /// It is in another family's pages.
    WrongFamily,
}

/// A new block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) first: NonNull<u8>,
    /// Whether all its bytes are known to be zero.
    pub(crate) zero: bool,
}

impl Block {
    pub(in crate::heap) fn empty() -> Self {
        Self {
            first: NonNull::without_provenance(EMPTY_BLOCK),
            zero: true,
        }
    }

    /// Hands out the `bytes` bytes of the block as they are. Nothing else uses the block yet.
    #[inline]
    pub(crate) fn unspecified(self, bytes: usize) -> NonNull<u8> {
        annotate::hand_out(self.first, bytes, false);
        self.first
    }

    /// Hands out the `bytes` bytes of the block, all zero. Nothing else uses the block yet.
    #[inline]
    pub(crate) fn zeroed(self, bytes: usize) -> NonNull<u8> {
        annotate::hand_out(self.first, bytes, true);
        if !self.zero {
            // SAFETY: `first` is the start of a block just made, of `bytes` bytes, which nothing else uses yet.
            unsafe { self.first.write_bytes(0, bytes) };
        }
        self.first
    }
}

/// A block in a cache or in quarantine.
#[derive(Clone, Copy)]
pub(in crate::heap) struct Row {
    pub(in crate::heap) first: NonNull<u8>,
    pub(in crate::heap) units: usize,
}

/// A block, or a run of units that are not live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockView {
    pub(crate) first: NonNull<u8>,
    pub(crate) units: usize,
    pub(crate) is_live: bool,
}
