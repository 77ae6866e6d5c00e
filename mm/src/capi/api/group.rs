//! Limits that families share.

use core::ptr;

use super::family::{family_at, mm_family};
use super::last_error::{Answer, Refused, pointer, refuse, status};
use super::status::mm_status;
use crate::error::RegisterError;
use crate::heap::RECORDS;
use crate::limit::LimitGroup;
use crate::startup;

/// Families that share a limit: what they hold together may not rise above it.
#[derive(Debug)]
pub struct mm_limit_group {
    _of_rust: [u8; 0],
}

/// Makes a group without families that may hold `bytes` bytes of live units. It stays for as long as
/// the process. Refused with `MM_OUT_OF_MEMORY`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_limit_group_new(bytes: u64) -> *mut mm_limit_group {
    // As before the first family.
    startup::begin();
    let new = RECORDS.place(LimitGroup::new(bytes));
    let new = new.map_err(|_| refuse(RegisterError::OutOfMemory));
    pointer(new.map(|new| ptr::from_ref(new).cast_mut().cast()))
}

/// Puts a family into the group, with what it holds, and out of the one that it was in.
///
/// # Safety
///
/// 1. `group` is null or a group.
/// 2. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_limit_group_add(
    group: *mut mm_limit_group,
    family: *mut mm_family,
) -> mm_status {
    // SAFETY: by requirement 1 `group` is null or a group.
    let group = unsafe { group_at(group) };
    // SAFETY: by requirement 2 `family` is null or a family.
    let family = unsafe { family_at(family) };
    status(group.and_then(|group| family.map(|family| group.add(family))))
}

/// Takes a family out of the group, if it is in it.
///
/// # Safety
///
/// 1. `group` is null or a group.
/// 2. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_limit_group_remove(
    group: *mut mm_limit_group,
    family: *mut mm_family,
) -> mm_status {
    // SAFETY: by requirement 1 `group` is null or a group.
    let group = unsafe { group_at(group) };
    // SAFETY: by requirement 2 `family` is null or a family.
    let family = unsafe { family_at(family) };
    status(group.and_then(|group| family.map(|family| group.remove(family))))
}

/// Sets the limit of the group, for every call that begins after this one returns.
///
/// # Safety
///
/// 1. `group` is null or a group.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_limit_group_set_bytes(
    group: *mut mm_limit_group,
    bytes: u64,
) -> mm_status {
    // SAFETY: by requirement 1 `group` is null or a group.
    status(unsafe { group_at(group) }.map(|group| group.set_limit(bytes)))
}

/// Returns what the families of the group hold together, in bytes of live units.
///
/// # Safety
///
/// 1. `group` is null or a group.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_limit_group_live_bytes(group: *const mm_limit_group) -> u64 {
    // SAFETY: by requirement 1 `group` is null or a group.
    unsafe { group_at(group) }.map_or(0, LimitGroup::live_bytes)
}

/// # Safety
///
/// 1. `group` is null, or [`mm_limit_group_new`] returned it.
unsafe fn group_at(group: *const mm_limit_group) -> Answer<&'static LimitGroup> {
    // SAFETY: by requirement 1 `group` is null, or was made from a `&'static LimitGroup`.
    let group = unsafe { group.cast::<LimitGroup>().as_ref() };
    group.ok_or_else(|| refuse(Refused::Argument("the group is NULL")))
}
