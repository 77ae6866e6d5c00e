//! Allocates and releases units of types that have a cache cell on every thread.
//!
//! This is the hot path of mm. It knows neither the owner of a block nor the values in it.

use core::alloc::Layout;
use core::panic::Location;
use core::ptr::NonNull;

use crate::error::AllocError;
use crate::family::{self, PageFamily};
use crate::heap::{self, Block, CacheCell, Heap};
use crate::holders::Holders;
use crate::os::{ReentrancyGuard, annotate, process};

/// A type that has a family and, on every thread, one cache cell of it at an address that the compiler
/// knows.
///
/// # Safety
///
/// 1. [`family`](Self::family) always returns the same family, whose layout is that of `Self` and which no
///    other type shares.
/// 2. [`with_cell`](Self::with_cell) always passes the calling thread's only cell of that family. The cell
///    is a thread-local without a destructor, so it exists for as long as the thread runs.
/// 3. [`MANY_FAMILIES`](Self::MANY_FAMILIES) is true if a subtype or a supertype of `Self` has another
///    family.
pub(crate) unsafe trait StaticFamily: Sized {
    /// Whether a block that is owned as one of this type may belong to the family of a subtype or a
    /// supertype.
    const MANY_FAMILIES: bool;

    /// Returns the one family of this type.
    fn family() -> &'static PageFamily;

    /// Lends the calling thread's cell of this type's family to `f`.
    fn with_cell<R>(f: impl FnOnce(&CacheCell) -> R) -> R;
}

/// Allocates `units` units of `T`'s family; their bytes are unspecified.
#[inline]
#[track_caller]
pub(crate) fn try_alloc_units<T: StaticFamily>(units: usize) -> Result<NonNull<T>, AllocError> {
    Ok(match try_cached::<T>(units, false) {
        Some(block) => block.unspecified(units * size_of::<T>()).cast(),
        None => try_alloc_unspecified_slow(units)?,
    })
}

/// Allocates `units` units of `T`'s family, and panics or calls `handle_alloc_error` on failure.
#[inline]
#[track_caller]
pub(crate) fn alloc_units<T: StaticFamily>(units: usize) -> NonNull<T> {
    match try_cached::<T>(units, false) {
        Some(block) => block.unspecified(units * size_of::<T>()).cast(),
        None => alloc_slow(units),
    }
}

/// Allocates `units` units of `T`'s family, all bytes zero.
#[inline]
#[track_caller]
pub(crate) fn try_alloc_units_zeroed<T: StaticFamily>(
    units: usize,
) -> Result<NonNull<T>, AllocError> {
    Ok(match try_cached::<T>(units, true) {
        Some(block) => block.zeroed(units * size_of::<T>()).cast(),
        None => try_alloc_zeroed_slow(units)?,
    })
}

/// Allocates `units` units of `T`'s family, all bytes zero, and panics or calls `handle_alloc_error` on
/// failure.
#[inline]
#[track_caller]
pub(crate) fn alloc_units_zeroed<T: StaticFamily>(units: usize) -> NonNull<T> {
    match try_cached::<T>(units, true) {
        Some(block) => block.zeroed(units * size_of::<T>()).cast(),
        None => alloc_zeroed_slow(units),
    }
}

/// Releases a block to `T`'s family; runs no destructor.
///
/// # Safety
///
/// 1. `first` is the start of a live block of exactly `units` units. The block is of `T`'s family or, if
///    [`MANY_FAMILIES`](StaticFamily::MANY_FAMILIES) is true, of the family of a subtype or a supertype.
/// 2. No thread uses the block any more.
#[allow(
    clippy::inline_always,
    reason = "the hot path must be inlined into the caller, whatever its size"
)]
#[inline(always)]
pub(crate) unsafe fn release_units<T: StaticFamily>(first: NonNull<T>, units: usize) {
    let first = first.cast();
    let _inside = ReentrancyGuard::enter();
    annotate::take_back(first, units * size_of::<T>());
    // SAFETY: `cell` is used in this call alone, on this thread.
    let cell = unsafe { cell_for::<T>(first) };
    let is_cached = match units {
        // SAFETY: by requirements 1 and 2 the block is live, of one unit, and not used any more. `cell_for`
        // gave the cell of the block's family, or one that refuses every block.
        1 => unsafe { cell.put(first, size_of::<T>()) },
        // SAFETY: by requirements 1 and 2 the block is live, of `units` units, and not used any more.
        // `cell_for` gave the cell of the block's family, or one that refuses every block.
        _ => unsafe { cell.put_row(first, units) },
    };
    if !is_cached {
        // SAFETY: requirements 1 and 2 are those of `release_slow`. The block is still live, since `is_cached`
        // is false.
        unsafe { release_slow::<T>(first, units) };
    }
}

/// Takes a block from the calling thread's cell; `None` if no block of this length is cached.
///
/// With `wants_zero` the cell checks whether a single unit is known to be zero, which saves the caller from
/// zeroing it. A row says in any case whether it is known to be zero.
#[inline]
fn try_cached<T: StaticFamily>(units: usize, wants_zero: bool) -> Option<Block> {
    let _inside = ReentrancyGuard::enter();
    // SAFETY: `cell` is used in this call alone, on this thread.
    let cell = unsafe { cell::<T>() };
    match units {
        1 => cell.take(size_of::<T>(), wants_zero),
        _ => cell.take_row(units),
    }
}

// A thread-local without a destructor exists until its thread ends.
const _: () = assert!(!core::mem::needs_drop::<CacheCell>());

/// The calling thread's cell of `T`'s family.
///
/// It is returned, not passed to a closure: rustc would not inline that closure.
///
/// # Safety
///
/// 1. The caller uses the reference only on this thread, and only until it returns.
#[allow(
    clippy::inline_always,
    reason = "it only computes an address, at the start of the hot path"
)]
#[inline(always)]
unsafe fn cell<'a, T: StaticFamily>() -> &'a CacheCell {
    let cell = T::with_cell(core::ptr::from_ref);
    // SAFETY: by requirement 2 of `StaticFamily` the cell is this thread's, and is there for as long as the
    // thread runs; by requirement 1 only this thread uses it.
    unsafe { &*cell }
}

/// The calling thread's cell of `T`'s family if the block at `first` is of that family; otherwise a cell
/// that refuses every block. The block has at least one unit.
///
/// # Safety
///
/// 1. The caller uses the reference only on this thread, and only until it returns.
#[allow(
    clippy::inline_always,
    reason = "it adds one comparison to `cell`, on the hot path"
)]
#[inline(always)]
unsafe fn cell_for<'a, T: StaticFamily>(first: NonNull<u8>) -> &'a CacheCell {
    if T::MANY_FAMILIES && !is_own::<T>(first) {
        return &CLOSED_CELL;
    }
    // SAFETY: requirement 1 is that of `cell`.
    unsafe { cell::<T>() }
}

/// A cell without a cache, which refuses every block.
static CLOSED_CELL: CacheCell = CacheCell::new();

// The slow paths below look the cell up again: keeping its address for them would cost the fast path a
// register and an instruction.

#[cold]
#[inline(never)]
#[track_caller]
fn try_alloc_slow<T: StaticFamily>(units: usize) -> Result<Block, AllocError> {
    let location = Location::caller();
    T::with_cell(|cell| T::family().alloc_slow(cell, units, &location))
}

#[cold]
#[inline(never)]
#[track_caller]
fn try_alloc_unspecified_slow<T: StaticFamily>(units: usize) -> Result<NonNull<T>, AllocError> {
    let block = try_alloc_slow::<T>(units)?;
    Ok(block.unspecified(units * size_of::<T>()).cast())
}

#[cold]
#[inline(never)]
#[track_caller]
fn alloc_slow<T: StaticFamily>(units: usize) -> NonNull<T> {
    match try_alloc_unspecified_slow(units) {
        Ok(first) => first,
        Err(error) => allocation_failed(error, align_of::<T>()),
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn try_alloc_zeroed_slow<T: StaticFamily>(units: usize) -> Result<NonNull<T>, AllocError> {
    let block = try_alloc_slow::<T>(units)?;
    Ok(block.zeroed(units * size_of::<T>()).cast())
}

#[cold]
#[inline(never)]
#[track_caller]
fn alloc_zeroed_slow<T: StaticFamily>(units: usize) -> NonNull<T> {
    match try_alloc_zeroed_slow(units) {
        Ok(first) => first,
        Err(error) => allocation_failed(error, align_of::<T>()),
    }
}

/// Releases a block that the calling thread's cell refused.
///
/// # Safety
///
/// 1. `first` is the start of a live block of exactly `units` units. The block is of `T`'s family or, if
///    [`MANY_FAMILIES`](StaticFamily::MANY_FAMILIES) is true, of the family of a subtype or a supertype.
/// 2. No thread uses the block any more.
#[cold]
#[inline(never)]
unsafe fn release_slow<T: StaticFamily>(first: NonNull<u8>, units: usize) {
    if T::MANY_FAMILIES && !is_own::<T>(first) {
        // SAFETY: requirements 1 and 2 are those of `release_to_other_family`, and `is_own` says that the
        // block is another family's.
        return unsafe { release_to_other_family::<T>(first, units) };
    }
    let heap = &T::family().heap;
    let is_unit = units == 1 && const { heap::is_paged(size_of::<T>()) };
    T::with_cell(|cell| {
        if is_unit {
            // SAFETY: by requirements 1 and 2 this is a live unit that is not used any more, and by
            // `is_own` or requirement 3 of `StaticFamily` it is this heap's. `is_paged` says that units of
            // this size lie in VM pages, and `with_cell` lends this thread's cell of that family.
            return unsafe { heap.release_unit(cell, first) };
        }
        // SAFETY: by requirements 1 and 2 this is a live block that is not used any more, and by `is_own`
        // or requirement 3 of `StaticFamily` it is this heap's. `with_cell` lends this thread's cell of
        // that family.
        unsafe { heap.release(cell, first, units) }
    });
}

/// Returns the heap that the block at `first` belongs to. The block has at least one unit, and is owned as a
/// block of `T`.
pub(crate) fn owner<T: StaticFamily>(first: NonNull<u8>) -> &'static Heap {
    let own = &T::family().heap;
    if !T::MANY_FAMILIES || is_own::<T>(first) {
        return own;
    }
    let found = match size_of::<T>() {
        0 => family::of_zero_sized(first, align_of::<T>()).map(|family| &family.heap),
        _ => Heap::at(first.addr().get()),
    };
    found.unwrap_or(own)
}

/// Whether the block at `first`, which has at least one unit, is of `T`'s family.
#[inline]
fn is_own<T: StaticFamily>(first: NonNull<u8>) -> bool {
    let own = &T::family().heap;
    match size_of::<T>() {
        0 => Heap::number_of_no_size(first.addr(), align_of::<T>()) == Some(own.number()),
        _ => own.owns(first.addr().get()),
    }
}

/// Releases a block to the family that its address belongs to.
///
/// # Safety
///
/// 1. `first` is the start of a live block of exactly `units` units. The block is of `T`'s family or, if
///    [`MANY_FAMILIES`](StaticFamily::MANY_FAMILIES) is true, of the family of a subtype or a supertype.
/// 2. No thread uses the block any more.
#[cold]
#[inline(never)]
unsafe fn release_to_other_family<T: StaticFamily>(first: NonNull<u8>, units: usize) {
    if units > 0 {
        // SAFETY: by requirements 1 and 2 the block is live, of `units` units, and not used any more. `owner`
        // finds its heap by its address. Subtypes and supertypes have the same size and alignment.
        unsafe { owner::<T>(first).release_without_cell(first, units) };
    }
}

/// Panics or calls `handle_alloc_error`, for a function that cannot return `error`. `align` is the family's,
/// in bytes.
#[cold]
#[inline(never)]
#[track_caller]
fn allocation_failed(error: AllocError, align: usize) -> ! {
    if let AllocError::OutOfMemory {
        units, unit_size, ..
    } = error
        && let Ok(layout) = Layout::from_size_align(units.saturating_mul(unit_size), align)
    {
        process::write_last_line(format_args!("{error}; most is held by:{}", Holders::now()));
        std::alloc::handle_alloc_error(layout);
    }
    panic!("{error}");
}
