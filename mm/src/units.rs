//! Units of a family that the program has a static cell for: how they are taken and given back.
//!
//! The hot path of mm. Nothing here knows what owns the units, or what is in them.

use core::alloc::Layout;
use core::panic::Location;
use core::ptr::NonNull;

use crate::error::AllocError;
use crate::family::{self, PageFamily};
use crate::heap::{self, Block, CacheCell, Heap};
use crate::holders::Holders;
use crate::os::{ReentrancyGuard, annotate, process};

/// A type with a family, and with cells of that family that the compiler knows the places of.
///
/// # Safety
///
/// 1. [`family`](Self::family) always returns the same family, whose layout is that of `Self` and which no
///    other type shares.
/// 2. [`with_cell`](Self::with_cell) always passes the calling thread's one cell of that family: a
///    thread-local without a destructor, which exists for as long as the thread runs.
/// 3. [`MANY_FAMILIES`](Self::MANY_FAMILIES) is true where a subtype of `Self`, or a type that `Self` is a
///    subtype of, has another family.
pub(crate) unsafe trait StaticFamily: Sized {
    /// Whether a block that is owned as one of this type may belong to another family.
    const MANY_FAMILIES: bool;

    /// Returns the one family of this type.
    fn family() -> &'static PageFamily;

    /// Lends the calling thread's cell of this type's family to `f`.
    fn with_cell<R>(f: impl FnOnce(&CacheCell) -> R) -> R;
}

/// Allocates `units` units of `T`'s family, contents unspecified.
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

/// Does what [`try_alloc_units`] does, with all bytes zero.
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

/// Does what [`alloc_units`] does, with all bytes zero.
#[inline]
#[track_caller]
pub(crate) fn alloc_units_zeroed<T: StaticFamily>(units: usize) -> NonNull<T> {
    match try_cached::<T>(units, true) {
        Some(block) => block.zeroed(units * size_of::<T>()).cast(),
        None => alloc_zeroed_slow(units),
    }
}

/// Gives the units of a block back to `T`'s family; runs no destructor.
///
/// # Safety
///
/// 1. `first` is the start of a live block of exactly `units` units of `T`'s family, or of a family that
///    [`MANY_FAMILIES`](StaticFamily::MANY_FAMILIES) speaks of.
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
    let is_put = match units {
        // SAFETY: by requirements 1 and 2 the block is live, of one unit, and not used any more. `cell_for`
        // gave the cell of its family, or one that takes no block.
        1 => unsafe { cell.put(first, size_of::<T>()) },
        // SAFETY: by requirements 1 and 2 the block is live, of `units` units, and not used any more.
        // `cell_for` gave the cell of its family, or one that takes no block.
        _ => unsafe { cell.put_row(first, units) },
    };
    if !is_put {
        // SAFETY: requirements 1 and 2 are those of `release_slow`: the cell did not take the block.
        unsafe { release_slow::<T>(first, units) };
    }
}

/// What the calling thread's cell can hand out at once.
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
/// 1. The reference goes to no other thread, and is not kept beyond the caller's own call.
#[allow(
    clippy::inline_always,
    reason = "an address, and the start of the hot path"
)]
#[inline(always)]
unsafe fn cell<'a, T: StaticFamily>() -> &'a CacheCell {
    let cell = T::with_cell(core::ptr::from_ref);
    // SAFETY: by requirement 2 of `StaticFamily` the cell is this thread's, and is there for as long as the
    // thread runs; by requirement 1 only this thread uses it.
    unsafe { &*cell }
}

/// The calling thread's cell of `T`'s family if the block at `first`, of one or more units, is of that
/// family; otherwise a cell that accepts no block.
///
/// # Safety
///
/// 1. The reference goes to no other thread, and is not kept beyond the caller's own call.
#[allow(clippy::inline_always, reason = "as above")]
#[inline(always)]
unsafe fn cell_for<'a, T: StaticFamily>(first: NonNull<u8>) -> &'a CacheCell {
    if T::MANY_FAMILIES && !is_own::<T>(first) {
        return &CLOSED_CELL;
    }
    // SAFETY: requirement 1 is that of `cell`.
    unsafe { cell::<T>() }
}

/// A cell that never gets a cache.
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
        Err(refused) => allocation_failed(refused, align_of::<T>()),
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
        Err(refused) => allocation_failed(refused, align_of::<T>()),
    }
}

/// # Safety
///
/// 1. `first` is the start of a live block of exactly `units` units of `T`'s family, or of a family that
///    [`MANY_FAMILIES`](StaticFamily::MANY_FAMILIES) speaks of.
/// 2. No thread uses the block any more.
#[cold]
#[inline(never)]
unsafe fn release_slow<T: StaticFamily>(first: NonNull<u8>, units: usize) {
    if T::MANY_FAMILIES && !is_own::<T>(first) {
        // SAFETY: requirements 1 and 2 are those of `release_of_other`, and `is_own` says that the block is
        // another family's.
        return unsafe { release_of_other::<T>(first, units) };
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

/// The heap of the block at `first`, of one or more units, which is owned as a block of `T`.
pub(crate) fn owner<T: StaticFamily>(first: NonNull<u8>) -> &'static Heap {
    let own = &T::family().heap;
    if !T::MANY_FAMILIES || is_own::<T>(first) {
        return own;
    }
    let found = match size_of::<T>() {
        0 => family::of_no_size(first, align_of::<T>()).map(|family| &family.heap),
        _ => Heap::at(first.addr().get()),
    };
    found.unwrap_or(own)
}

/// Whether the block at `first`, of one or more units, is of `T`'s family.
#[inline]
fn is_own<T: StaticFamily>(first: NonNull<u8>) -> bool {
    let own = &T::family().heap;
    match size_of::<T>() {
        0 => Heap::number_of_no_size(first.addr(), align_of::<T>()) == Some(own.number()),
        _ => own.owns(first.addr().get()),
    }
}

/// # Safety
///
/// 1. `first` is the start of a live block of exactly `units` units of `T`'s family, or of a family that
///    [`MANY_FAMILIES`](StaticFamily::MANY_FAMILIES) speaks of.
/// 2. No thread uses the block any more.
#[cold]
#[inline(never)]
unsafe fn release_of_other<T: StaticFamily>(first: NonNull<u8>, units: usize) {
    if units > 0 {
        // SAFETY: by requirements 1 and 2 the block is live, of so many units, and not used any more.
        // `owner` finds its heap by its address. Units of a subtype have the same size and alignment.
        unsafe { owner::<T>(first).release_without_cell(first, units) };
    }
}

/// Reports an allocation error that the caller cannot return; `align` is the family's, in bytes.
#[cold]
#[inline(never)]
#[track_caller]
fn allocation_failed(refused: AllocError, align: usize) -> ! {
    if let AllocError::OutOfMemory {
        units, unit_size, ..
    } = refused
        && let Ok(layout) = Layout::from_size_align(units.saturating_mul(unit_size), align)
    {
        process::write_last_line(format_args!(
            "{refused}; most is held by:{}",
            Holders::now()
        ));
        std::alloc::handle_alloc_error(layout);
    }
    panic!("{refused}");
}
