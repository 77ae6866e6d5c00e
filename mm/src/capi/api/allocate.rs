//! Allocation of blocks by handle.

use core::ffi::{c_char, c_void};
use core::ptr::NonNull;

use super::super::place::Place;
use super::family::{family_at, mm_family};
use super::last_error::{Answer, pointer, refuse};
use super::refused::Refused;
use crate::error::AllocError;
use crate::family::PageFamily;

/// Allocates a block of `units` units. Its contents are unspecified.
///
/// Returns `NULL` on failure: `MM_SIZE_OVERFLOW`, `MM_OUT_OF_MEMORY`, `MM_OVER_LIMIT`, or
/// `MM_BAD_ARGUMENT` if `family` is `NULL`. A block of 0 units is not `NULL`; it has no memory and may
/// be released.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc(family: *mut mm_family, units: usize) -> *mut c_void {
    let place = Place::Function("mm_family_alloc");
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    unspecified(unsafe { family_at(family) }, units, place)
}

/// Allocates a block of `units` units whose bytes are all zero. It fails as `mm_family_alloc` does.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc_zeroed(
    family: *mut mm_family,
    units: usize,
) -> *mut c_void {
    let place = Place::Function("mm_family_alloc_zeroed");
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    zeroed(unsafe { family_at(family) }, units, place)
}

/// Does what `mm_family_alloc` does. `MM_ALLOC` calls it with its file and line, which reports of leaks
/// then name.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
/// 2. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc_at(
    family: *mut mm_family,
    units: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 2 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    unspecified(unsafe { family_at(family) }, units, place)
}

/// Does what `mm_family_alloc_zeroed` does. `MM_ALLOC_ZEROED` calls it with its file and line.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
/// 2. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc_zeroed_at(
    family: *mut mm_family,
    units: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 2 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    zeroed(unsafe { family_at(family) }, units, place)
}

/// Does what `mm_family_alloc_at` does, after a comparison of layouts. `MM_ALLOC_OF` calls it with the
/// size and alignment of its type.
///
/// Fails with `MM_BAD_LAYOUT` unless the family's units have `size` bytes and are aligned to at least
/// `align` bytes. An `align` of 0 is not compared.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
/// 2. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc_of_at(
    family: *mut mm_family,
    units: usize,
    size: usize,
    align: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 2 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    let family = unsafe { family_of(family, size, align) };
    unspecified(family, units, place)
}

/// Does what `mm_family_alloc_of_at` does and returns a block whose bytes are all zero.
/// `MM_ALLOC_ZEROED_OF` calls it.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
/// 2. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc_zeroed_of_at(
    family: *mut mm_family,
    units: usize,
    size: usize,
    align: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 2 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    let family = unsafe { family_of(family, size, align) };
    zeroed(family, units, place)
}

/// Returns the family if its units have this size and at least this alignment.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
unsafe fn family_of(
    family: *mut mm_family,
    size: usize,
    align: usize,
) -> Answer<&'static PageFamily> {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    let family = unsafe { family_at(family) };
    family.and_then(|family| fits(family, size, align))
}

/// Returns the family if its units have `size` bytes and are aligned to at least `align` bytes.
#[inline]
fn fits(family: &'static PageFamily, size: usize, align: usize) -> Answer<&'static PageFamily> {
    let units = family.layout();
    if units.size() == size && align <= units.align() {
        return Ok(family);
    }
    Err(refuse(Refused::OtherType {
        family: family.name(),
        units,
        size,
        align,
    }))
}

#[inline]
fn unspecified(family: Answer<&'static PageFamily>, units: usize, place: Place<'_>) -> *mut c_void {
    block_of(family, |family| {
        // No tool is told of blocks of fast families.
        if family.heap.is_fast()
            && let Some(block) = family.heap.try_cached(units)
        {
            // SAFETY: `try_cached` gave the block, of `units` units, which is handed out only after this.
            unsafe { family.heap.clear_canaries(block) };
            return Ok(block.first);
        }
        family.alloc_for(units, &place)
    })
}

#[inline]
fn zeroed(family: Answer<&'static PageFamily>, units: usize, place: Place<'_>) -> *mut c_void {
    block_of(family, |family| {
        family.alloc_zeroed_try_cached(units, &place)
    })
}

#[inline]
fn block_of(
    family: Answer<&'static PageFamily>,
    alloc: impl FnOnce(&'static PageFamily) -> Result<NonNull<u8>, AllocError>,
) -> *mut c_void {
    let block = family.and_then(|family| alloc(family).map_err(refuse));
    pointer(block.map(|block| block.as_ptr().cast()))
}
