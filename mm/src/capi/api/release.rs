//! What a block's address is good for.

use core::ffi::c_void;
use core::ptr::{self, NonNull};

use super::family::{family_at, handle, mm_family};
use super::last::{Answer, pointer, refuse, status};
use super::status::mm_status;
use crate::error::FreeError;
use crate::family::{self, PageFamily};
use crate::heap::Heap;
use crate::release::free_error;

/// Releases a block of whatever family. `NULL` is none.
///
/// Refused with `MM_FOREIGN`, `MM_INTERIOR` or `MM_NOT_LIVE`, and then nothing changes. A block that
/// was released is recognised until its memory is handed out again, unless the program wrote to it
/// meanwhile.
///
/// # Safety
///
/// Nobody uses the block, it is owned by no value of Rust, and no other thread releases it at the same
/// time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_release(block: *mut c_void) -> mm_status {
    // SAFETY: the caller promises it.
    status(unsafe { release(block, None) })
}

/// Releases a block of this family; one of another is refused with `MM_WRONG_FAMILY`. Else as
/// `mm_release`.
///
/// # Safety
///
/// As for `mm_release`; `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_release(
    family: *mut mm_family,
    block: *mut c_void,
) -> mm_status {
    // SAFETY: the caller promises it.
    let family = unsafe { family_at(family) };
    // SAFETY: the caller promises it.
    status(family.and_then(|family| unsafe { release(block, Some(family)) }))
}

/// Returns the bytes of the live block that starts at `block`; 0 for one of 0 units, and for `NULL`.
/// Where no live block starts it is refused as `mm_release` is, and returns 0.
#[unsafe(no_mangle)]
pub extern "C" fn mm_block_bytes(block: *const c_void) -> usize {
    let first = NonNull::new(block.cast_mut().cast());
    match first.filter(|first| !Heap::is_empty_block(*first)) {
        Some(first) => look(first).map_or(0, |(family, units)| units * family.layout().size()),
        None => 0,
    }
}

/// Returns the family of the live block that starts at `block`; `NULL` for one of 0 units, and for
/// `NULL`. Where no live block starts it is refused as `mm_release` is, and returns `NULL`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_block_family(block: *const c_void) -> *mut mm_family {
    let first = NonNull::new(block.cast_mut().cast());
    match first.filter(|first| !Heap::is_empty_block(*first)) {
        Some(first) => pointer(look(first).map(|(family, _)| handle(family))),
        None => ptr::null_mut(),
    }
}

/// # Safety
///
/// As for [`mm_release`].
#[inline]
unsafe fn release(block: *mut c_void, asked: Option<&'static PageFamily>) -> Answer<()> {
    let Some(first) = NonNull::new(block.cast()) else {
        return Ok(());
    };
    let heap = asked.map(|asked| &asked.heap);
    // SAFETY: the caller promises the same. Blocks of C are released here and by the other faces.
    let answer = unsafe { Heap::release_by_address_of(first, heap) };
    answer.map_err(|(refusal, owner)| refuse(free_error(first, refusal, owner, asked)))
}

fn look(first: NonNull<u8>) -> Answer<(&'static PageFamily, usize)> {
    let found = Heap::block_at(first);
    let (heap, units) =
        found.map_err(|(refusal, owner)| refuse(free_error(first, refusal, owner, None)))?;
    // Memory is handed out only after its family was listed.
    let address = first.addr().get();
    let family = family::of_heap(heap).ok_or_else(|| refuse(FreeError::Foreign { address }))?;
    Ok((family, units))
}
