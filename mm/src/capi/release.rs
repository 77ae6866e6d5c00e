//! Release and reallocation for the original interface.

use core::ffi::{c_char, c_void};
use core::ptr::{self, NonNull};

use super::allocate::xcalloc_buff;
use super::families::mm_instance_;
use super::place::Place;
use crate::error::FreeError;
use crate::family;
use crate::heap::{Heap, Put, TakenUnit};
use crate::release::free_error;

/// Releases a block. Does nothing for null. For a pointer that is no block it prints a line; after a
/// second release it prints a line and ends the process.
///
/// # Safety
///
/// 1. The program does not use the block any more, if it is one.
/// 2. No other thread releases the block at the same time.
pub(super) unsafe fn xfree(block: *mut c_void, place: Place<'_>) {
    let Some(block) = NonNull::new(block.cast()) else {
        return;
    };
    // SAFETY: by requirements 1 and 2 nothing uses the block, and no other thread releases it, as
    // `release_by_address` requires. If the block was released before, its canaries are unchanged: by
    // requirement 1 of that release the program did not write to it.
    if let Err((refusal, owner)) = unsafe { Heap::release_by_address(block) } {
        refused(free_error(block, refusal, owner, None), place);
    }
}

/// Does the same for a call with file and line. A block of one unit takes the fast path.
///
/// # Safety
///
/// 1. The program does not use the block any more, if it is one.
/// 2. No other thread releases the block at the same time.
/// 3. `file` is null or a C string.
#[inline]
pub(super) unsafe fn xfree_at(block: *mut c_void, file: *const c_char, line: u32) {
    // SAFETY: requirements 1 and 2 are those of `put_unit`. If the block was released before, its
    // canaries are unchanged: by requirement 1 of that release the program did not write to it.
    match unsafe { Heap::put_unit(block.cast()) } {
        Put::Done => {}
        // SAFETY: requirements 1 to 3 are those of `xfree_short`: `put_unit` changed nothing. It found
        // the unit at the block.
        Put::NotYet(unit) => unsafe { xfree_short(block, file, line, unit) },
        // SAFETY: requirements 1 to 3 are those of `xfree_slow`: `put_unit` changed nothing.
        Put::Not => unsafe { xfree_slow(block, file, line) },
    }
}

/// Releases a block that may have many units, with `unit` as the first.
///
/// It has the C ABI, as have the other functions that an exported function ends with. They never
/// unwind, so the compiler turns the call into a jump, and the exported function needs no stack frame.
///
/// # Safety
///
/// 1. The program does not use the block any more, if it is one.
/// 2. No other thread releases the block at the same time.
/// 3. `file` is null or a C string.
/// 4. `put_unit` found `unit` at the block.
#[allow(improper_ctypes_definitions, reason = "only this file calls it")]
#[inline(never)]
unsafe extern "C" fn xfree_short(
    block: *mut c_void,
    file: *const c_char,
    line: u32,
    unit: TakenUnit,
) {
    // SAFETY: by requirement 4 `put_unit` found a unit at `block`, and there is none at null.
    let first = unsafe { NonNull::new_unchecked(block.cast()) };
    // SAFETY: requirements 1, 2 and 4 are those of `put_short_block`.
    if unsafe { Heap::put_short_block(first, unit) } {
        return;
    }
    // SAFETY: requirements 1 to 3 are those of `xfree_slow`: `put_short_block` changed nothing.
    unsafe { xfree_slow(block, file, line) };
}

/// The last step of [`xfree_at`], which can print a line.
///
/// # Safety
///
/// 1. The program does not use the block any more, if it is one.
/// 2. No other thread releases the block at the same time.
/// 3. `file` is null or a C string.
#[cold]
#[inline(never)]
unsafe extern "C" fn xfree_slow(block: *mut c_void, file: *const c_char, line: u32) {
    // SAFETY: by requirement 3 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: requirements 1 and 2 are those of `xfree`.
    unsafe { xfree(block, place) };
}

/// Releases a block of this instance. For a block of another one it prints a line.
///
/// # Safety
///
/// 1. The program does not use the block any more, if it is one.
/// 2. No other thread releases the block at the same time.
pub(super) unsafe fn xfree_of(
    instance: &'static mm_instance_,
    block: *mut c_void,
    place: Place<'_>,
) {
    let owner = NonNull::new(block.cast()).and_then(|block| Heap::block_at(block).ok());
    match owner {
        Some((heap, _)) if !instance.has(heap) => {
            place.report_misuse(format_args!("block {block:p} is of another instance"));
        }
        // SAFETY: requirements 1 and 2 are those of `xfree`.
        _ => unsafe { xfree(block, place) },
    }
}

/// Resizes a block to `bytes` bytes, rounded up to whole units. New bytes are zero.
///
/// # Safety
///
/// 1. If there is a block, the program does not use it any more, unless the call fails. It may use the
///    returned one.
/// 2. No other thread releases the block at the same time.
pub(super) unsafe fn xrealloc(block: *mut c_void, bytes: usize, place: Place<'_>) -> *mut c_void {
    let old = NonNull::new(block.cast()).filter(|old| !Heap::is_empty_block(*old));
    let Some(old) = old else {
        return xcalloc_buff(mm_instance_::global(), bytes, place);
    };
    if bytes == 0 {
        // SAFETY: requirements 1 and 2 are those of `xfree`.
        unsafe { xfree(block, place) };
        return ptr::null_mut();
    }
    // SAFETY: requirements 1 and 2 are those of `resized`.
    unsafe { resized(old, bytes, place) }.map_or(ptr::null_mut(), |new| new.as_ptr().cast())
}

/// # Safety
///
/// 1. If there is a block, the program does not use it any more, unless the call fails. It may use the
///    returned one.
/// 2. No other thread releases the block at the same time.
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
    // SAFETY: `block_at` found `had` live units of this family at `old`. By requirements 1 and 2 nothing uses it
    // but what this returns, and no `MmBox` owns blocks of C's.
    let new = unsafe { family.resize_for(old, had, wanted, &place) };
    let new = new.map_err(|refused| place.report_misuse(refused)).ok()?;
    if wanted > had {
        let added = new.as_ptr().wrapping_add(had * unit);
        // SAFETY: `resize_for` gave a block of `wanted` units, which is returned only after this.
        unsafe { added.write_bytes(0, (wanted - had) * unit) };
    }
    Some(new)
}

#[cold]
fn refused(error: FreeError, place: Place<'_>) {
    place.report_misuse(error);
    if matches!(error, FreeError::NotLive { .. }) {
        std::process::abort();
    }
}
