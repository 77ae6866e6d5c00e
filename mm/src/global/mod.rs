//! `Global`: mm as the allocator of the whole program.
//!
//! A block up to 64 KiB is a unit of its size class's family. A larger one is a row of bytes, in address space of its
//! own. Both come from the engine as typed blocks do, through a cell that the compiler knows the place of.

mod class;
mod families;
mod flow;
mod idle;
mod sampled;
mod shortage;
mod usable;

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use class::Class;
use families::{LARGE, cell, family};
pub use flow::{Allocations, allocations};

use crate::error::AllocError;
use crate::heap::{Block, Caller, Flow, Origin};
use crate::os::{ReentrancyGuard, annotate};

/// Allocates all memory of the program that is not an [`MmBox`](crate::MmBox)'s, in families by size.
///
/// If there is no memory, or a limit refuses it ([`set_limit`](crate::set_limit)), the answer is null, and mm writes to
/// standard error who holds the most; at most once in 10 s, for programs that go on.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static HEAP: mm::Global = mm::Global::new();
///
/// let texts: Vec<String> = (0..100).map(|number| number.to_string()).collect();
/// assert!(mm::snapshot().live_bytes() >= 100 * 24);
/// # drop(texts);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Global {
    _private: (),
}

impl Global {
    /// Returns the allocator, for a `#[global_allocator]` static.
    #[must_use]
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

/// The caller of an untyped allocation, which is not known.
struct Unknown;

impl Caller for Unknown {
    fn origin(&self) -> Origin {
        Origin {
            file: "",
            line: 0,
            column: 0,
        }
    }

    /// `GlobalAlloc` forbids it.
    fn can_unwind(&self) -> bool {
        false
    }
}

// SAFETY: `allocate` returns live blocks of the engine, which no other owner has until they are released. `Class::of` gives
// a unit no shorter than the size and a multiple of the alignment; `allocate_large` refuses an alignment above that of
// large blocks. No call unwinds: the engine does not, and `Unknown` keeps closures of the program from it.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match allocate(layout, false) {
            Some(block) => block.unspecified(layout.size()).as_ptr(),
            None => ptr::null_mut(),
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match allocate(layout, true) {
            Some(block) => block.zeroed(layout.size()).as_ptr(),
            None => ptr::null_mut(),
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the contract of `dealloc` says that `block` came from `alloc` or its kin, so it is not null.
        let first = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: the contract of `dealloc` is that of `release`.
        unsafe { release(first, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the contract of `realloc` says that `new_size`, rounded up to the alignment, does not overflow.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: the contract of `realloc` says that `block` came from `alloc` or its kin, so it is not null.
        let first = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: the contract of `realloc` is that of `resize`.
        match unsafe { resize(first, layout, new) } {
            Some(first) => first.as_ptr(),
            None => ptr::null_mut(),
        }
    }
}

/// Takes a block for a layout, if there is memory.
#[allow(
    clippy::inline_always,
    reason = "the hot path is a part of the program's one function that allocates"
)]
#[inline(always)]
fn allocate(layout: Layout, to_be_zero: bool) -> Option<Block> {
    if sampled::is_at_step(layout.size()) {
        return sampled::allocate(layout, || allocate_ordinary(layout, to_be_zero));
    }
    allocate_ordinary(layout, to_be_zero)
}

/// Takes a block that is not sampled.
#[allow(
    clippy::inline_always,
    reason = "the hot path is a part of the program's one function that allocates"
)]
#[inline(always)]
fn allocate_ordinary(layout: Layout, to_be_zero: bool) -> Option<Block> {
    let Some(class) = Class::of(layout) else {
        return allocate_large(layout);
    };
    let padding = class.unit() - layout.size();
    match try_cached(class, to_be_zero, padding) {
        Some(block) => Some(block),
        None => allocate_slow(class, padding),
    }
}

/// Takes a unit of a class from the calling thread's cache.
#[allow(
    clippy::inline_always,
    reason = "the hot path is a part of the program's one function that allocates"
)]
#[inline(always)]
fn try_cached(class: Class, to_be_zero: bool, padding: usize) -> Option<Block> {
    let _inside = ReentrancyGuard::enter();
    // SAFETY: `cell` is used in this call alone, on this thread.
    let cell = unsafe { cell(class) };
    cell.take_padded(class.unit(), to_be_zero, padding)
}

/// Gives a block back.
///
/// # Safety
///
/// 1. `first` is a live block that [`allocate`] gave for `layout`.
/// 2. Nothing uses it any more.
#[allow(
    clippy::inline_always,
    reason = "the hot path is a part of the program's one function that allocates"
)]
#[inline(always)]
unsafe fn release(first: NonNull<u8>, layout: Layout) {
    annotate::take_back(first, layout.size());
    let Some(class) = Class::of(layout) else {
        sampled::end_large(first, layout.size());
        // SAFETY: requirements 1 and 2 are those of `release_without_cell`: `allocate_large` took a row of so many
        // bytes from `LARGE`.
        unsafe { LARGE.heap.release_without_cell(first, layout.size()) };
        return flow::account(Flow::released(layout.size()));
    };
    if sampled::is_sampled(first) {
        // SAFETY: requirements 1 and 2 are those of `sampled::release`, whose block `is_sampled` found.
        return unsafe { sampled::release(first, class, layout) };
    }
    let _inside = ReentrancyGuard::enter();
    // SAFETY: `cell` is used in this call alone, on this thread.
    let cell = unsafe { cell(class) };
    let padding = class.unit() - layout.size();
    // SAFETY: by requirements 1 and 2 this is a live block of one unit of the family of `class`, which `cell` is of, and
    // nothing uses it.
    if !unsafe { cell.put_padded(first, class.unit(), padding) } {
        // SAFETY: requirements 1 and 2 are those of `release_slow`: `put_padded` did not take the block.
        unsafe { release_slow(class, first, padding) };
    }
}

/// Gives a block another size, in place, by a move or by a copy; `None`, with nothing changed, if there is no memory.
///
/// # Safety
///
/// 1. `first` is a live block that [`allocate`] gave for `old`.
/// 2. Only the caller uses it. Once this returned another block, nothing uses the old one.
/// 3. `new` has the alignment of `old`.
unsafe fn resize(first: NonNull<u8>, old: Layout, new: Layout) -> Option<NonNull<u8>> {
    let same = match (Class::of(old), Class::of(new)) {
        (Some(from), Some(to)) if from == to && !annotate::is_on() => {
            account_resized(from, old.size(), new.size());
            if sampled::is_sampled(first) {
                sampled::account_resized(first, [old.size(), new.size()]);
            }
            Some(first)
        }
        // SAFETY: by requirements 1 and 2 this is a live block of `old.size()` units of `LARGE`, which nothing else
        // releases, resizes or uses.
        (None, None) => unsafe { resize_large(first, old.size(), new.size()) },
        _ => None,
    };
    if same.is_some() {
        return same;
    }
    let moved = allocate(new, false)?.unspecified(new.size());
    // SAFETY: by requirement 1 and `unspecified` both blocks have so many bytes; they are two, as both are live.
    unsafe { moved.copy_from_nonoverlapping(first, old.size().min(new.size())) };
    // SAFETY: requirements 1 and 2 are those of `release`.
    unsafe { release(first, old) };
    Some(moved)
}

/// Changes the size of a large block in place or by a move without a copy. Returns its start; `None`, with nothing
/// changed, if neither is possible.
///
/// # Safety
///
/// 1. `first` is a live block of `old` units of `LARGE`.
/// 2. Nothing else uses, releases or resizes the block meanwhile, and nothing uses units from `new` on any more. If this
///    returns another block, nothing uses the old one afterwards.
unsafe fn resize_large(first: NonNull<u8>, old: usize, new: usize) -> Option<NonNull<u8>> {
    // SAFETY: requirements 1 and 2 are those of `resize_in_place`.
    let start = if unsafe { LARGE.heap.resize_in_place(first, old, new) } {
        flow::account(Flow::resized(old, new));
        first
    } else {
        // SAFETY: requirements 1 and 2 are those of `relocate`.
        let moved = unsafe { LARGE.heap.relocate(first, old, new) }?;
        flow::account(Flow::allocated(new));
        flow::account(Flow::released(old));
        moved
    };
    sampled::account_large_resized(start, [old, new]);
    Some(start)
}

/// Counts that a block of a class that was requested with `old` bytes has `new` bytes now.
fn account_resized(class: Class, old: usize, new: usize) {
    // SAFETY: `cell` is used in this call alone, on this thread.
    let cell = unsafe { cell(class) };
    let _inside = ReentrancyGuard::enter();
    let heap = &family(class).heap;
    // A block that grows has less padding, and one that shrinks released what it lost.
    if new > old {
        heap.account_padding(Some(cell), ((new - old) as u64).wrapping_neg());
    } else {
        heap.account_padding_released(Some(cell), ((old - new) as u64).wrapping_neg());
    }
    if !cell.has_cache() {
        flow::account(Flow::resized(old, new));
    }
}

#[cold]
#[inline(never)]
fn allocate_slow(class: Class, padding: usize) -> Option<Block> {
    idle::look_if_due();
    // SAFETY: `cell` is used in this call alone, on this thread.
    let cell = unsafe { cell(class) };
    let family = family(class);
    let bytes = class.unit() - padding;
    let change = Flow::allocated(bytes);
    let report = |error: &AllocError| shortage::report(error, bytes);
    let work = || {
        family
            .alloc_slow(cell, 1, &Unknown)
            .inspect_err(report)
            .ok()
    };
    let (block, is_cached) = flow::account_slow(cell, change, work)?;
    let _inside = ReentrancyGuard::enter();
    let cache = is_cached.then_some(cell);
    family.heap.account_padding(cache, padding as u64);
    Some(block)
}

/// Takes a row of bytes that is longer than a VM page.
#[cold]
#[inline(never)]
fn allocate_large(layout: Layout) -> Option<Block> {
    if layout.align() > class::LARGEST {
        return None;
    }
    idle::look_if_due();
    // The address space of a large block starts at a multiple of `LARGEST`.
    let report = |error: &AllocError| shortage::report(error, layout.size());
    let block = LARGE.alloc_block(layout.size(), &Unknown);
    let block = block.inspect_err(report).ok()?;
    flow::account(Flow::allocated(layout.size()));
    Some(block)
}

/// # Safety
///
/// 1. `first` is a live block of one unit of the family of `class`.
/// 2. Nothing uses it any more.
#[cold]
#[inline(never)]
unsafe fn release_slow(class: Class, first: NonNull<u8>, padding: usize) {
    // SAFETY: `cell` is used in this call alone, on this thread.
    let cell = unsafe { cell(class) };
    let heap = &family(class).heap;
    let change = Flow::released(class.unit() - padding);
    let work = || {
        // SAFETY: by requirements 1 and 2 this is a live unit that nothing uses. Units of classes lie in VM pages,
        // and `cell` is the calling thread's of this family.
        unsafe { heap.release_unit(cell, first) };
        Some(())
    };
    let is_cached = flow::account_slow(cell, change, work).is_some_and(|((), is_cached)| is_cached);
    heap.account_padding_released(is_cached.then_some(cell), padding as u64);
}
