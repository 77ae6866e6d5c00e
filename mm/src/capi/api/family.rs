//! Page families by handle: registration, look-up, names and layout.

use core::alloc::Layout;
use core::ffi::{CStr, c_char};
use core::ptr;

use super::super::families::layout_of;
use super::super::place::{Place, location};
use super::last_error::{Answer, pointer, refuse};
use super::names::names_of;
use super::refused::{Excerpt, Refused};
use super::status::mm_status;
use crate::entry::families;
use crate::error::RegisterError;
use crate::family::{CNames, PageFamily};
use crate::registry::{linked_and_listed, register_of_c};
use crate::snapshot::{FamilyKey, Wanted, one_of};
use crate::startup;

/// A page family: the memory and the figures of one type. Each managed type of Rust has one, and so has
/// each struct that a C program registers, through this interface or another.
///
/// A family stays until the process ends.
#[derive(Debug)]
pub struct mm_family {
    _of_rust: [u8; 0],
}

/// Registers a page family whose units have `size` bytes and are aligned to `align` bytes. If `align`
/// is 0, mm uses the largest alignment that a struct of this size can have.
///
/// Returns `NULL` on failure:
/// - `MM_BAD_ARGUMENT`: the name is `NULL`, empty or not UTF-8.
/// - `MM_DUPLICATE_NAME`: another family has the name.
/// - `MM_BAD_LAYOUT`: the size is 0, or the alignment is no power of 2.
/// - `MM_OUT_OF_MEMORY`.
///
/// # Safety
///
/// 1. `name` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_register(
    name: *const c_char,
    size: usize,
    align: usize,
) -> *mut mm_family {
    let place = Place::Function("mm_family_register");
    // SAFETY: by requirement 1 `name` is null or a C string.
    pointer(unsafe { register(name, size, align, place) })
}

/// Does what `mm_family_register` does. `MM_REGISTER` calls it with its file and line, which become the
/// family's place of definition.
///
/// # Safety
///
/// 1. `name` is null or a C string.
/// 2. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_register_at(
    name: *const c_char,
    size: usize,
    align: usize,
    file: *const c_char,
    line: u32,
) -> *mut mm_family {
    // SAFETY: by requirement 2 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `name` is null or a C string.
    pointer(unsafe { register(name, size, align, place) })
}

/// Returns the family with this key, this path or this name, whichever is found first in that order.
///
/// If no family has it, the text may be the end of one family's path, in whole parts: `b::Node` finds
/// `a::b::Node`.
///
/// Returns `NULL` on failure:
/// - `MM_UNKNOWN_NAME`: no family matches.
/// - `MM_AMBIGUOUS_NAME`: several families match, such as types of the same name in several modules.
/// - `MM_BAD_ARGUMENT`: the text is `NULL`, empty or not UTF-8.
///
/// # Safety
///
/// 1. `name_or_path` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_find(name_or_path: *const c_char) -> *mut mm_family {
    // SAFETY: by requirement 1 `name_or_path` is null or a C string, which stays until this call
    // returns.
    let name = unsafe { name_at(name_or_path) };
    pointer(name.and_then(find).map(handle))
}

/// Writes the handles of all families to the array `out` of `room` entries, sorted by path, and returns
/// the number of families.
///
/// If there are more families than entries, the rest is left out. If `out` is `NULL`, nothing is
/// written.
///
/// # Safety
///
/// 1. `out` is null, or `room` handles can be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_families(out: *mut *mut mm_family, room: usize) -> usize {
    let room = if out.is_null() { 0 } else { room };
    let mut count = 0;
    for family in families() {
        if count < room {
            // SAFETY: `count` is below `room`, so `out` is not null, and by requirement 1 a handle can
            // be written at this index.
            unsafe { out.wrapping_add(count).write(handle(family)) };
        }
        count += 1;
    }
    count
}

/// Returns the family's short name. The text stays valid for ever.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_name(family: *const mm_family) -> *const c_char {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    unsafe { name_of(family, |names| names.name) }
}

/// Returns the full path of the family's type. The text stays valid for ever.
///
/// A family that was registered at run time has its name as path. In an instance of
/// `uapi_mm_instance.h`, the path also says which instance it is in.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_path(family: *const mm_family) -> *const c_char {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    unsafe { name_of(family, |names| names.path) }
}

/// Returns the family's key, which no other family has: its path and the place of its definition, as in
/// `struct emp (emp.c:17)`. The text stays valid for ever, and `mm_family_find` finds the family by it.
///
/// If families share path and place, the key of the second that mm met ends with ` #2`, and so on.
/// Invisible and control characters are escaped. A `~` precedes text in a path or file name that would
/// look like the next part of the key.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_key(family: *const mm_family) -> *const c_char {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    unsafe { name_of(family, |names| names.key) }
}

/// Returns the size of one unit in bytes, rounded up to the alignment; 0 if `family` is `NULL`.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_unit_size(family: *const mm_family) -> usize {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    let family = unsafe { family_at(family) };
    family.map_or(0, |family| family.layout().size())
}

/// Returns the alignment of a unit in bytes; 0 if `family` is `NULL`.
///
/// # Safety
///
/// 1. `family` is null or a handle from mm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_unit_align(family: *const mm_family) -> usize {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    let family = unsafe { family_at(family) };
    family.map_or(0, |family| family.layout().align())
}

/// Returns the handle of a family.
pub(super) fn handle(family: &'static PageFamily) -> *mut mm_family {
    ptr::from_ref(family).cast_mut().cast()
}

/// Returns the family of a handle.
///
/// # Safety
///
/// 1. `family` is null, or [`handle`] made it.
#[inline]
pub(super) unsafe fn family_at(family: *const mm_family) -> Answer<&'static PageFamily> {
    // SAFETY: by requirement 1 `family` is null, or was made from a `&'static PageFamily`.
    let family = unsafe { family.cast::<PageFamily>().as_ref() };
    family.ok_or_else(|| refuse(Refused::Argument("the family is NULL")))
}

/// # Safety
///
/// 1. `name` is null or a C string.
unsafe fn register(
    name: *const c_char,
    size: usize,
    align: usize,
    place: Place<'_>,
) -> Answer<*mut mm_family> {
    // SAFETY: by requirement 1 `name` is null or a C string, which stays until this call returns.
    let name = unsafe { name_at(name) }?;
    startup::begin();
    let registered =
        layout(size, align).and_then(|layout| register_of_c(name, layout, location(place)));
    registered.map(handle).map_err(refuse)
}

fn layout(size: usize, align: usize) -> Result<Layout, RegisterError> {
    if align == 0 {
        return layout_of(size);
    }
    Layout::from_size_align(size, align).map_err(|_| RegisterError::BadLayout {
        unit_size: size,
        unit_align: align,
    })
}

fn find(name: &str) -> Answer<&'static PageFamily> {
    startup::begin();
    let all: Vec<_> = linked_and_listed().collect();
    one_of(&all, name, names)
        .copied()
        .ok_or_else(|| not_found(&all, name))
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a look-up passes references"
)]
fn names(family: &&'static PageFamily) -> (&'static str, &'static str, FamilyKey) {
    (family.name(), family.path(), family.key())
}

#[cold]
fn not_found(all: &[&'static PageFamily], name: &str) -> mm_status {
    let excerpt = Excerpt::of(name.as_bytes());
    let wanted = Wanted::of(name, all, names);
    if all.iter().any(|family| wanted.includes(names(family))) {
        refuse(Refused::Ambiguous(excerpt))
    } else {
        refuse(Refused::Unknown(excerpt))
    }
}

/// Returns a name that C code passed.
///
/// # Safety
///
/// 1. `name` is null, or ends with a zero byte and stays as it is for `'a`.
unsafe fn name_at<'a>(name: *const c_char) -> Answer<&'a str> {
    if name.is_null() {
        return Err(refuse(Refused::Argument("the name is NULL")));
    }
    // SAFETY: `is_null` ruled null out. So by requirement 1 `name` ends with a zero byte and stays as
    // it is for `'a`.
    let name = unsafe { CStr::from_ptr(name) };
    match name.to_str() {
        Ok("") => Err(refuse(Refused::Argument("the name is empty"))),
        Ok(name) => Ok(name),
        Err(_) => Err(refuse(Refused::Argument("the name is not UTF-8"))),
    }
}

/// # Safety
///
/// 1. `family` is null or a handle from mm.
unsafe fn name_of(
    family: *const mm_family,
    which: impl FnOnce(&CNames) -> &'static CStr,
) -> *const c_char {
    // SAFETY: by requirement 1 `family` is null or a handle from mm.
    let names = unsafe { family_at(family) }.and_then(names_of);
    pointer(names.map(|names| which(names).as_ptr().cast_mut()))
}
