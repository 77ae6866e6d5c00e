//! Blocks of units.

use core::ffi::{c_char, c_void};
use core::ptr::NonNull;

use super::super::place::Place;
use super::family::{family_at, mm_family};
use super::last_error::{Answer, Refused, pointer, refuse};
use crate::error::AllocError;
use crate::family::PageFamily;

/// Allocates a block of `units` units. What is in it is unspecified.
///
/// Refused with `MM_SIZE_OVERFLOW`, `MM_OUT_OF_MEMORY` or `MM_OVER_LIMIT`. A block of 0 units is no
/// `NULL`, has no memory, and may be released.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc(family: *mut mm_family, units: usize) -> *mut c_void {
    let place = Place::Function("mm_family_alloc");
    // SAFETY: by requirement 1 `family` is null or a family.
    unspecified(unsafe { family_at(family) }, units, place)
}

/// Allocates a block of `units` units, all bytes zero; else as `mm_family_alloc`.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc_zeroed(
    family: *mut mm_family,
    units: usize,
) -> *mut c_void {
    let place = Place::Function("mm_family_alloc_zeroed");
    // SAFETY: by requirement 1 `family` is null or a family.
    zeroed(unsafe { family_at(family) }, units, place)
}

/// As `mm_family_alloc`, for `MM_ALLOC`, which knows its place in the source: reports of leaks name it.
///
/// # Safety
///
/// 1. `family` is null or a family.
/// 2. `file` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc_at(
    family: *mut mm_family,
    units: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 2 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `family` is null or a family.
    unspecified(unsafe { family_at(family) }, units, place)
}

/// As `mm_family_alloc_zeroed`, for `MM_ALLOC_ZEROED`, which knows its place in the source.
///
/// # Safety
///
/// 1. `family` is null or a family.
/// 2. `file` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc_zeroed_at(
    family: *mut mm_family,
    units: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 2 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `family` is null or a family.
    zeroed(unsafe { family_at(family) }, units, place)
}

/// As `mm_family_alloc_at`, for `MM_ALLOC_OF`: only if the family's units have `size` bytes and are
/// aligned to `align`, or to more. An `align` of 0 is not compared.
///
/// Else it is refused with `MM_BAD_LAYOUT`.
///
/// # Safety
///
/// 1. `family` is null or a family.
/// 2. `file` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc_of_at(
    family: *mut mm_family,
    units: usize,
    size: usize,
    align: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 2 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `family` is null or a family.
    let family = unsafe { family_of(family, size, align) };
    unspecified(family, units, place)
}

/// As `mm_family_alloc_of_at`, for `MM_ALLOC_ZEROED_OF`: all bytes are zero.
///
/// # Safety
///
/// 1. `family` is null or a family.
/// 2. `file` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_alloc_zeroed_of_at(
    family: *mut mm_family,
    units: usize,
    size: usize,
    align: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 2 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `family` is null or a family.
    let family = unsafe { family_of(family, size, align) };
    zeroed(family, units, place)
}

/// The family, if its units are structs of this size and alignment.
///
/// # Safety
///
/// 1. `family` is null or a family.
unsafe fn family_of(
    family: *mut mm_family,
    size: usize,
    align: usize,
) -> Answer<&'static PageFamily> {
    // SAFETY: by requirement 1 `family` is null or a family.
    let family = unsafe { family_at(family) };
    family.and_then(|family| fits(family, size, align))
}

/// The family, if its units are those of a type of `size` bytes, aligned to `align`.
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
    block_of(family, |family| match family.heap.try_cached(units) {
        Some(block) => {
            family.heap.clear_canaries(block);
            Ok(block.first)
        }
        None => family.alloc_for(units, &place),
    })
}

#[inline]
fn zeroed(family: Answer<&'static PageFamily>, units: usize, place: Place<'_>) -> *mut c_void {
    block_of(family, |family| family.alloc_zeroed_at_hand(units, &place))
}

#[inline]
fn block_of(
    family: Answer<&'static PageFamily>,
    alloc: impl FnOnce(&'static PageFamily) -> Result<NonNull<u8>, AllocError>,
) -> *mut c_void {
    let block = family.and_then(|family| alloc(family).map_err(refuse));
    pointer(block.map(|block| block.as_ptr().cast()))
}
