//! Limit groups: families that share a limit.

use core::ptr;

use super::family::{family_at, mm_family};
use super::last_error::{Answer, pointer, refuse, status};
use super::refused::Refused;
use super::status::mm_status;
use crate::error::RegisterError;
use crate::heap::RECORDS;
use crate::limit::LimitGroup;
use crate::startup;

/// A group of families that share a limit on the sum of their live memory.
#[derive(Debug)]
pub struct mm_limit_group {
    _of_rust: [u8; 0],
}

/// Makes an empty group with a limit of `bytes` bytes of live units. It stays until the process ends.
///
/// Returns `NULL` on failure: `MM_OUT_OF_MEMORY`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_limit_group_new(bytes: u64) -> *mut mm_limit_group {
    // The call may be the program's first of mm.
    startup::begin();
    let new = RECORDS.place(LimitGroup::new(bytes));
    let new = new.map_err(|_| refuse(RegisterError::OutOfMemory));
    pointer(new.map(|new| ptr::from_ref(new).cast_mut().cast()))
}

/// Moves a family and its live units into the group, out of the group that it was in.
///
/// # Safety
///
/// 1. `group` is null or a handle from mm.
/// 2. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_limit_group_add(
    group: *mut mm_limit_group,
    family: *mut mm_family,
) -> mm_status {
    // SAFETY: by requirement 1 `group` is null or a handle from mm.
    let group = unsafe { group_at(group) };
    // SAFETY: by requirement 2 `family` is null or a handle from mm.
    let family = unsafe { family_at(family) };
    status(group.and_then(|group| family.map(|family| group.add(family))))
}

/// Takes a family out of the group. Does nothing if the family is not in it.
///
/// # Safety
///
/// 1. `group` is null or a handle from mm.
/// 2. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_limit_group_remove(
    group: *mut mm_limit_group,
    family: *mut mm_family,
) -> mm_status {
    // SAFETY: by requirement 1 `group` is null or a handle from mm.
    let group = unsafe { group_at(group) };
    // SAFETY: by requirement 2 `family` is null or a handle from mm.
    let family = unsafe { family_at(family) };
    status(group.and_then(|group| family.map(|family| group.remove(family))))
}

/// Sets the limit of the group in bytes. It applies to each call that begins after this one returns.
///
/// # Safety
///
/// 1. `group` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_limit_group_set_bytes(
    group: *mut mm_limit_group,
    bytes: u64,
) -> mm_status {
    // SAFETY: by requirement 1 `group` is null or a handle from mm.
    status(unsafe { group_at(group) }.map(|group| group.set_limit(bytes)))
}

/// Returns the live bytes of all families in the group; 0 if `group` is `NULL`.
///
/// # Safety
///
/// 1. `group` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_limit_group_live_bytes(group: *const mm_limit_group) -> u64 {
    // SAFETY: by requirement 1 `group` is null or a handle from mm.
    unsafe { group_at(group) }.map_or(0, LimitGroup::live_bytes)
}

/// Returns the group of a handle.
///
/// # Safety
///
/// 1. `group` is null, or [`mm_limit_group_new`] returned it.
unsafe fn group_at(group: *const mm_limit_group) -> Answer<&'static LimitGroup> {
    // SAFETY: by requirement 1 `group` is null, or was made from a `&'static LimitGroup`.
    let group = unsafe { group.cast::<LimitGroup>().as_ref() };
    group.ok_or_else(|| refuse(Refused::Argument("the group is NULL")))
}
