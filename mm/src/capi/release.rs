//! Release and reallocation for C programs.

use core::ffi::{c_char, c_void};
use core::ptr::{self, NonNull};

use super::allocate::xcalloc_buff;
use super::families::mm_instance_;
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
/// 1. The program does not use the block any more, if it is one.
/// 2. No other thread releases the block at the same time.
pub(super) unsafe fn xfree(block: *mut c_void, place: Place<'_>) {
    let Some(block) = NonNull::new(block.cast()) else {
        return;
    };
    // SAFETY: by requirements 1 and 2 nothing uses the block, and no other thread releases it. `release_by_address`
    // finds the marks of an earlier release as that left them: by requirement 1, then, the program does not write.
    if let Err((refusal, owner)) = unsafe { Heap::release_by_address(block) } {
        refused(free_error(block, refusal, owner, None), place);
    }
}

/// The same for a place in the source.
///
/// # Safety
///
/// 1. The program does not use the block any more, if it is one.
/// 2. No other thread releases the block at the same time.
/// 3. `file` is null or a string of C.
#[inline]
pub(super) unsafe fn xfree_at(block: *mut c_void, file: *const c_char, line: u32) {
    // SAFETY: requirements 1 and 2 are those of `put_unit`. A block that was released before has the marks
    // of that release: by its requirement 1 the program did not write to it.
    match unsafe { Heap::put_unit(block.cast()) } {
        Put::Done => {}
        // SAFETY: requirements 1 to 3 are those of `xfree_short`: nothing was changed. `put_unit` found the
        // unit at the block.
        Put::NotYet(unit) => unsafe { xfree_short(block, file, line, unit) },
        // SAFETY: requirements 1 to 3 are those of `xfree_slow`: `put_unit` changed nothing.
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
/// 1. The program does not use the block any more, if it is one.
/// 2. No other thread releases the block at the same time.
/// 3. `file` is null or a string of C.
/// 4. `put_unit` found `unit` at the block.
#[allow(improper_ctypes_definitions, reason = "called from here alone")]
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

/// # Safety
///
/// 1. The program does not use the block any more, if it is one.
/// 2. No other thread releases the block at the same time.
/// 3. `file` is null or a string of C.
#[cold]
#[inline(never)]
unsafe extern "C" fn xfree_slow(block: *mut c_void, file: *const c_char, line: u32) {
    // SAFETY: by requirement 3 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: requirements 1 and 2 are those of `xfree`.
    unsafe { xfree(block, place) };
}

/// The same, if the block is of this instance.
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

/// Changes the length of a block to `bytes` bytes, rounded up to whole units; what is new is zeroed.
///
/// # Safety
///
/// 1. The program does not use the block any more, if it is one. It may use the one that is returned.
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
/// 1. The program does not use the block any more, if it is one. It may use the one that is returned.
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
    if wanted == had {
        return Some(old);
    }
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
