//! What is known of sampled blocks, beside them.
//!
//! Sampled blocks up to the size of a VM page lie in one range of address space, so that a release tells them
//! from others by one comparison. Each unit there has a record. A large block has its record with its run.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicU32, AtomicUsize};

use super::extent::Extent;
use super::record::{Record, SPACE};
use crate::os::Refused;

/// Bytes of the range. The kernel may refuse that many; then the end of the range is reserved by others, and its
/// addresses lead to no extent of sampled blocks.
#[cfg(target_pointer_width = "64")]
const RANGE: usize = 64 << 30;
#[cfg(not(target_pointer_width = "64"))]
const RANGE: usize = 64 << 20;

/// The first address of the range; before it is reserved, one that is further than `RANGE` from any block.
static START: AtomicUsize = AtomicUsize::new(NONE);

/// The upper half of the addresses is the kernel's.
const NONE: usize = 1 << (usize::BITS - 1);

/// How a block was sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// The number of the stack that allocated the block.
    pub(crate) stack: u32,
    /// The mean interval between samples, in bytes, when the block was sampled.
    pub(crate) interval: u32,
    /// When that was, in units that the sampler chooses.
    pub(crate) moment: u32,
    /// Bytes that the program requested then, at most `u32::MAX`: the block may have become longer in its place.
    pub(crate) size: u32,
}

/// The place of a [`Sample`]. Only the owner of the block changes it.
#[derive(Debug)]
pub(crate) struct SampleRecord {
    /// The number of the stack plus one; 0 if the block is not sampled.
    stack: AtomicU32,
    interval: AtomicU32,
    moment: AtomicU32,
    size: AtomicU32,
}

// SAFETY: all fields of a `SampleRecord` are atomic numbers, for which zero is a value.
unsafe impl bytemuck::Zeroable for SampleRecord {}

impl SampleRecord {
    pub(in crate::heap) const fn none() -> Self {
        Self {
            stack: AtomicU32::new(0),
            interval: AtomicU32::new(0),
            moment: AtomicU32::new(0),
            size: AtomicU32::new(0),
        }
    }

    /// Stores the sample of a new block.
    pub(crate) fn set(&self, sample: Sample) {
        self.interval.store(sample.interval, Relaxed);
        self.moment.store(sample.moment, Relaxed);
        self.size.store(sample.size, Relaxed);
        self.stack.store(sample.stack + 1, Relaxed);
    }

    /// Returns the sample, if there is one.
    pub(crate) fn get(&self) -> Option<Sample> {
        Some(Sample {
            stack: self.stack.load(Relaxed).checked_sub(1)?,
            interval: self.interval.load(Relaxed),
            moment: self.moment.load(Relaxed),
            size: self.size.load(Relaxed),
        })
    }

    /// Removes the sample of a block that is about to be released, and returns it.
    pub(crate) fn take(&self) -> Option<Sample> {
        let sample = self.get()?;
        self.stack.store(0, Relaxed);
        Some(sample)
    }
}

/// Whether a live block at `address` is a sampled one; always false for large blocks.
#[allow(
    clippy::inline_always,
    reason = "a part of the hot path of every release of an untyped block"
)]
#[inline(always)]
pub(crate) fn is_in_sampled_range(address: usize) -> bool {
    address.wrapping_sub(START.load(Relaxed)) < RANGE
}

/// Reserves the range, once. A process in which the kernel refuses it samples large blocks alone.
pub(crate) fn reserve_sampled_range() -> Result<(), Refused> {
    if START.load(Acquire) == NONE {
        let (start, _) = SPACE.reserve_range(RANGE)?;
        START.store(start, Release);
    }
    Ok(())
}

impl Extent {
    fn sample_at(&'static self, address: usize) -> Option<&'static SampleRecord> {
        let spot = self.spot_at(address)?;
        let unit = spot.page.number * self.page_capacity as usize + spot.index;
        self.samples.get(unit)
    }
}

/// The record of the sample of the block at `first`; `None` if the block is small and not in the range.
pub(in crate::heap) fn sample_at(first: NonNull<u8>) -> Option<&'static SampleRecord> {
    let address = first.addr().get();
    match SPACE.record_at(address)? {
        Record::Extent(extent) => extent.sample_at(address),
        Record::Large(large) => Some(&large.sample),
    }
}
