//! How C programs give blocks back, and get longer ones for them.

use core::ffi::{c_char, c_void};
use core::ptr::{self, NonNull};

use super::allocate::xcalloc_buff;
use super::instance::mm_instance_;
use super::place::Place;
use crate::error::FreeError;
use crate::family;
use crate::heap::{Heap, Put, TakenUnit};
use crate::release::free_error;

/// Releases a block. Null is none. What is no block gets a line, and a block that was released before
/// ends the process.
///
/// # Safety
///
/// Nobody uses the block, if it is one, and no other thread releases it at the same time.
pub(super) unsafe fn xfree(block: *mut c_void, place: Place<'_>) {
    let Some(block) = NonNull::new(block.cast()) else {
        return;
    };
    // SAFETY: the caller promises the same. Programs release C's blocks by address, here, alone.
    if let Err((refusal, owner)) = unsafe { Heap::release_by_address(block) } {
        refused(free_error(block, refusal, owner, None), place);
    }
}

/// The same for a place in the source.
///
/// # Safety
///
/// As for [`xfree`], and `file` is null or a string of C.
#[inline]
pub(super) unsafe fn xfree_at(block: *mut c_void, file: *const c_char, line: u32) {
    // SAFETY: the caller promises it.
    match unsafe { Heap::put_unit(block.cast()) } {
        Put::Done => {}
        // SAFETY: the caller promises it, and nothing was changed.
        Put::NotYet(unit) => unsafe { xfree_short(block, file, line, unit) },
        // SAFETY: as above.
        Put::Not => unsafe { xfree_slow(block, file, line) },
    }
}

/// Releases a block that may have many units, the first of them `unit`.
///
/// Of C's kind, and so are the others that a function of C ends with: it can go on to them without a
/// frame of its own, since they never unwind.
///
/// # Safety
///
/// As for [`xfree_at`].
#[allow(improper_ctypes_definitions, reason = "called from here alone")]
#[inline(never)]
unsafe extern "C" fn xfree_short(
    block: *mut c_void,
    file: *const c_char,
    line: u32,
    unit: TakenUnit,
) {
    // SAFETY: a unit is there.
    let first = unsafe { NonNull::new_unchecked(block.cast()) };
    // SAFETY: the caller promises it.
    if unsafe { Heap::put_short_block(first, unit) } {
        return;
    }
    // SAFETY: the caller promises it, and nothing was changed.
    unsafe { xfree_slow(block, file, line) };
}

/// # Safety
///
/// As for [`xfree_at`].
#[cold]
#[inline(never)]
unsafe extern "C" fn xfree_slow(block: *mut c_void, file: *const c_char, line: u32) {
    // SAFETY: the caller promises it.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: the caller promises it.
    unsafe { xfree(block, place) };
}

/// The same, if the block is of this instance.
///
/// # Safety
///
/// As for [`xfree`].
pub(super) unsafe fn xfree_of(
    instance: &'static mm_instance_,
    block: *mut c_void,
    place: Place<'_>,
) {
    let owner = NonNull::new(block.cast()).and_then(|block| Heap::block_at(block).ok());
    match owner {
        Some((heap, _)) if !instance.has(heap) => {
            place.complain(format_args!("block {block:p} is of another instance"));
        }
        // SAFETY: the caller promises it.
        _ => unsafe { xfree(block, place) },
    }
}

/// Changes the length of a block to `bytes` bytes, rounded up to whole units; what is new is zeroed.
///
/// # Safety
///
/// As for [`xfree`].
pub(super) unsafe fn xrealloc(block: *mut c_void, bytes: usize, place: Place<'_>) -> *mut c_void {
    let old = NonNull::new(block.cast()).filter(|old| !Heap::is_empty_block(*old));
    let Some(old) = old else {
        return xcalloc_buff(mm_instance_::global(), bytes, place);
    };
    if bytes == 0 {
        // SAFETY: the caller promises it.
        unsafe { xfree(block, place) };
        return ptr::null_mut();
    }
    // SAFETY: the caller promises it.
    unsafe { resized(old, bytes, place) }.map_or(ptr::null_mut(), |new| new.as_ptr().cast())
}

/// # Safety
///
/// As for [`xfree`].
unsafe fn resized(old: NonNull<u8>, bytes: usize, place: Place<'_>) -> Option<NonNull<u8>> {
    let (heap, had) = match Heap::block_at(old) {
        Ok(found) => found,
        Err((refusal, owner)) => {
            refused(free_error(old, refusal, owner, None), place);
            return None;
        }
    };
    let family = family::of_heap(heap)?;
    let unit = family.layout().size();
    let wanted = bytes.div_ceil(unit);
    if wanted == had {
        return Some(old);
    }
    let new = family.alloc_zeroed_at_hand(wanted, &place);
    let new = new.map_err(|refused| place.complain(refused)).ok()?;
    // SAFETY: both blocks are live and of at least so many units, and the new one is nobody else's.
    unsafe { new.copy_from_nonoverlapping(old, had.min(wanted) * unit) };
    // SAFETY: the caller gives the old block up.
    unsafe { xfree(old.as_ptr().cast(), place) };
    Some(new)
}

#[cold]
fn refused(error: FreeError, place: Place<'_>) {
    place.complain(error);
    if matches!(error, FreeError::NotLive { .. }) {
        std::process::abort();
    }
}
