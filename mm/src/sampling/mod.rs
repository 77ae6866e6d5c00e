//! Sampling of untyped blocks: which are sampled, which stack allocated them, and what they stand for.
//!
//! | file | job |
//! | --- | --- |
//! | `thread.rs` | counts the bytes of a thread down to its next sample |
//! | `draw.rs` | random distances |
//! | `pace.rs` | longer intervals for a thread that allocates very fast |
//! | `settings.rs` | the interval, and when it doubles |
//! | `estimate.rs` | what a sample stands for |
//! | `stacks.rs` | each stack once |
//! | `figures.rs` | the figures of a stack |
//! | `walk/` | finds the return addresses on the calling thread's stack |
//!
//! No lock is held while a stack is walked. What a walk allocates is not sampled.

mod draw;
mod estimate;
mod figures;
mod pace;
mod settings;
mod stacks;
#[cfg(test)]
mod tests;
mod thread;
mod walk;

use core::ptr::NonNull;

pub use estimate::Estimate;
pub(crate) use estimate::Weight;
pub(crate) use figures::Sampled;
pub(crate) use settings::{interval, set_exact, set_interval};
pub(crate) use stacks::for_each as for_each_stack;
pub(crate) use thread::{begin_again, due, is_at_step, unsampled};

use crate::heap::Sample;
use crate::os::clock;

/// Whether this build of mm can sample.
pub(crate) const IS_POSSIBLE: bool = walk::IS_POSSIBLE;

/// A block that is released so many ticks after its allocation, or fewer, was temporary: a millisecond.
const TEMPORARY: u32 = clock::TICKS_PER_MILLISECOND;

/// Finds the stack that allocates a sampled block.
#[inline(never)]
pub(crate) fn begin(size: usize, interval: u32) -> Sample {
    let stack = thread::busy(|bounds| walk::with_stack(bounds, stacks::number_of));
    Sample {
        stack,
        interval,
        moment: clock::ticks(),
        size: u32::try_from(size).unwrap_or(u32::MAX),
    }
}

/// Counts a sampled block of `size` bytes, which the calling thread just got.
pub(crate) fn account_begun(first: NonNull<u8>, size: usize, sample: Sample) {
    settings::account_begun();
    let weight = Weight::of(size, sample.size, sample.interval);
    stacks::account(sample.stack, |figures| figures.account_allocated(weight));
    thread::account_begun(first);
}

/// Counts the release of a sampled block of `size` bytes.
pub(crate) fn account_ended(first: NonNull<u8>, size: usize, sample: Sample) {
    settings::account_ended();
    let is_young = || clock::ticks().wrapping_sub(sample.moment) <= TEMPORARY;
    let is_temporary = thread::is_last(first) || is_young();
    let weight = Weight::of(size, sample.size, sample.interval);
    stacks::account(sample.stack, |figures| {
        figures.account_released(weight, is_temporary);
    });
}

/// Counts that a sampled block has another length.
pub(crate) fn account_resized([old, new]: [usize; 2], sample: Sample) {
    // The block was chosen by its first length, and so stands for as many blocks as before.
    let before = Weight::of(old, sample.size, sample.interval);
    let after = Weight::of(new, sample.size, sample.interval);
    stacks::account(sample.stack, |figures| {
        figures.account_resized(before, after);
    });
}

/// Keeps all threads out of walks, before a fork. No lock of mm may be held, as a thread that prepares for a walk
/// allocates.
pub(crate) fn keep_out_walks() {
    walk::keep_out();
}

/// Takes the locks of stacks before a fork, after [`keep_out_walks`] and before the locks of heaps.
pub(crate) fn lock_for_fork() {
    stacks::lock_for_fork();
}

/// Ends what [`keep_out_walks`] and [`lock_for_fork`] began.
///
/// # Safety
///
/// 1. The calling thread called [`lock_for_fork`] before, or is the copy in a child of the one that did.
pub(crate) unsafe fn unlock_after_fork() {
    // SAFETY: by requirement 1 `lock_for_fork` locked the stacks, on this thread or on the one that this is the copy
    // of.
    unsafe { stacks::unlock_after_fork() };
    walk::let_in();
}

/// Makes the samples of the calling thread, and of threads that begin later, those that follow from `seed`.
pub(crate) fn begin_with_seed(seed: u64) {
    draw::seed(seed);
    begin_again();
}

/// Gives a forked child's threads other random numbers than its parent's.
pub(crate) fn adopt_in_child() {
    begin_with_seed(u64::from(std::process::id()) << 32 | u64::from(clock::ticks()));
}
