//! Blocks: what a family hands out, and why it does not.

use core::num::NonZeroUsize;
use core::ptr::NonNull;

use crate::os::{Refused, annotate};

/// The address of every block of zero units: a multiple of every alignment, and on first-class
/// platforms one that no memory can have.
pub(in crate::heap) const EMPTY_BLOCK: NonZeroUsize =
    NonZeroUsize::new(1 << (usize::BITS - 2)).unwrap();

/// Why no block could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// The block would be larger than any can be.
    Overflow,
    /// The kernel gave no memory.
    NoMemory,
    /// The family, or its group, would hold more than so many bytes.
    OverLimit { limit_bytes: u64 },
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

/// A block just made.
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

    /// Hands out the `bytes` bytes of the block, which nobody else has yet, as they are.
    #[inline]
    pub(crate) fn unspecified(self, bytes: usize) -> NonNull<u8> {
        annotate::hand_out(self.first, bytes, false);
        self.first
    }

    /// Hands out the `bytes` bytes of the block, which nobody else has yet, all zero.
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

/// A block that is kept.
#[derive(Clone, Copy)]
pub(in crate::heap) struct Row {
    pub(in crate::heap) first: NonNull<u8>,
    pub(in crate::heap) units: usize,
}

/// A block, or units in a row that are not live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockView {
    pub(crate) first: NonNull<u8>,
    pub(crate) units: usize,
    pub(crate) is_live: bool,
}
