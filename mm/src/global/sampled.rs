//! Sampled untyped blocks: small ones lie in address space of their own, large ones carry the sample in their record.

use core::alloc::Layout;
use core::ptr::NonNull;

use super::class::Class;
use super::families::family;
use super::{flow, idle};
use crate::heap::{self, Block, Flow};
use crate::sampling;

/// Whether the caller must call [`allocate`] for a block of `size` bytes. Counts the block.
#[allow(clippy::inline_always, reason = "a part of the hot path")]
#[inline(always)]
pub(super) fn is_at_step(size: usize) -> bool {
    sampling::IS_POSSIBLE && sampling::is_at_step(size)
}

/// Whether the live block at `first`, which is not large, is sampled.
#[allow(clippy::inline_always, reason = "a part of the hot path")]
#[inline(always)]
pub(super) fn is_sampled(first: NonNull<u8>) -> bool {
    sampling::IS_POSSIBLE && heap::is_in_sampled_range(first.addr().get())
}

/// Takes a block for a layout after [`is_at_step`] said so: a sampled one if it is due, else what `ordinary` gives.
#[cold]
#[inline(never)]
pub(super) fn allocate(layout: Layout, ordinary: impl FnOnce() -> Option<Block>) -> Option<Block> {
    idle::look_if_due();
    let Some(interval) = sampling::due(layout.size()) else {
        return ordinary();
    };
    let sample = flow::uncounted(|| sampling::begin(layout.size(), interval));
    let block = match Class::of(layout) {
        Some(class) => {
            let padding = class.unit() - layout.size();
            let family = family(class);
            let is_reserved = heap::reserve_sampled_range().is_ok();
            let small = is_reserved.then(|| family.alloc_sampled(sample, padding));
            let Some(block) = small.flatten() else {
                return ordinary();
            };
            flow::account(Flow::allocated(layout.size()));
            block
        }
        None => {
            let block = ordinary()?;
            heap::replace_sample(block.first, Some(sample));
            block
        }
    };
    sampling::account_begun(block.first, layout.size(), sample);
    Some(block)
}

/// Gives a sampled block back that is not large.
///
/// # Safety
///
/// 1. `first` is a live block for `layout`, and `is_sampled` says so.
/// 2. Nothing uses it any more.
#[cold]
#[inline(never)]
pub(super) unsafe fn release(first: NonNull<u8>, class: Class, layout: Layout) {
    let padding = class.unit() - layout.size();
    // SAFETY: by requirement 1 this is a live block of one unit of the family of `class`; by requirement 2 nothing uses
    // it.
    let sample = unsafe { family(class).heap.release_sampled(first, padding) };
    sampling::account_ended(first, layout.size(), sample);
    flow::account(Flow::released(layout.size()));
}

/// Ends the sample of a large block of `size` bytes, if it has one, before its release.
pub(super) fn end_large(first: NonNull<u8>, size: usize) {
    if sampling::IS_POSSIBLE
        && let Some(sample) = heap::replace_sample(first, None)
    {
        sampling::account_ended(first, size, sample);
    }
}

/// Counts that a sampled block, which is not large, changed its length in place.
pub(super) fn account_resized(first: NonNull<u8>, sizes: [usize; 2]) {
    if let Some(sample) = heap::sample_of(first) {
        sampling::account_resized(sizes, sample);
    }
}

/// Counts that a large block, which is now at `first`, changed its length from `old` to `new` bytes without a copy.
///
/// As if it were released and allocated anew, it is sampled by its new length: the old one may have been much shorter,
/// and would stand for too much or too little.
pub(super) fn account_large_resized(first: NonNull<u8>, [old, new]: [usize; 2]) {
    end_large(first, old);
    if !is_at_step(new) {
        return;
    }
    if let Some(interval) = sampling::due(new) {
        let sample = flow::uncounted(|| sampling::begin(new, interval));
        heap::replace_sample(first, Some(sample));
        sampling::account_begun(first, new, sample);
    }
}
