//! Page families by their handles.

use core::alloc::Layout;
use core::ffi::{CStr, c_char};
use core::ptr;

use super::super::families::layout_of;
use super::super::place::{Place, location};
use super::last_error::{Answer, Excerpt, Refused, pointer, refuse};
use super::names::names_of;
use super::status::mm_status;
use crate::entry::families;
use crate::error::RegisterError;
use crate::family::{CNames, PageFamily};
use crate::registry::{linked_and_listed, register_of_c};
use crate::snapshot::{FamilyKey, Wanted, one_of};
use crate::startup;

/// A page family: the memory, and the figures, of one type. Types of Rust have one each, and so have
/// the structs that C programs register, by this interface or by the others.
///
/// A family stays for as long as the process.
#[derive(Debug)]
pub struct mm_family {
    _of_rust: [u8; 0],
}

/// Registers a page family of units of `size` bytes, each aligned to `align`; an `align` of 0 is the
/// largest that a struct of this size can have.
///
/// The name is UTF-8, not empty, and no other family's. Refused with `MM_DUPLICATE_NAME`,
/// `MM_BAD_LAYOUT` if the size is 0 or the alignment no power of 2, or `MM_OUT_OF_MEMORY`.
///
/// # Safety
///
/// 1. `name` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_register(
    name: *const c_char,
    size: usize,
    align: usize,
) -> *mut mm_family {
    let place = Place::Function("mm_family_register");
    // SAFETY: by requirement 1 `name` is null or a string of C.
    pointer(unsafe { register(name, size, align, place) })
}

/// As `mm_family_register`, for `MM_REGISTER`, which knows its place in the source.
///
/// # Safety
///
/// 1. `name` is null or a string of C.
/// 2. `file` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_register_at(
    name: *const c_char,
    size: usize,
    align: usize,
    file: *const c_char,
    line: u32,
) -> *mut mm_family {
    // SAFETY: by requirement 2 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `name` is null or a string of C.
    pointer(unsafe { register(name, size, align, place) })
}

/// Returns the family of exactly this key or path, or else the only one of exactly this name.
///
/// Where no path and no name is this text, the only one of whose path it is the end, in whole parts:
/// `b::Node` of `a::b::Node`.
///
/// Refused with `MM_UNKNOWN_NAME`, or with `MM_AMBIGUOUS_NAME` if several families have the name, as
/// types of several modules may.
///
/// # Safety
///
/// 1. `name_or_path` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_find(name_or_path: *const c_char) -> *mut mm_family {
    // SAFETY: by requirement 1 `name_or_path` is null or a string of C, which stays until this call
    // returns.
    let name = unsafe { name_at(name_or_path) };
    pointer(name.and_then(find).map(handle))
}

/// Writes handles of families to the `room` places at `out`, as many as there is room for, in the order
/// of their paths; returns how many families there are.
///
/// `out` may be `NULL` if `room` is 0.
///
/// # Safety
///
/// 1. `out` is null, or `room` handles may be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_families(out: *mut *mut mm_family, room: usize) -> usize {
    let room = if out.is_null() { 0 } else { room };
    let mut count = 0;
    for family in families() {
        if count < room {
            // SAFETY: `count` is below `room`, so that `out` is not null, and by requirement 1 a handle may
            // be written there.
            unsafe { out.wrapping_add(count).write(handle(family)) };
        }
        count += 1;
    }
    count
}

/// Returns the family's short name, which stays for ever.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_name(family: *const mm_family) -> *const c_char {
    // SAFETY: by requirement 1 `family` is null or a family.
    unsafe { name_of(family, |names| names.name) }
}

/// Returns the full path of the family's type, which stays for ever; of a family that was registered
/// while the program runs, its name, and in an instance of `uapi_mm_instance.h` which one that is.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_path(family: *const mm_family) -> *const c_char {
    // SAFETY: by requirement 1 `family` is null or a family.
    unsafe { name_of(family, |names| names.path) }
}

/// Returns what tells the family from every other one, which stays for ever: path and place, as in
/// `struct emp (emp.c:17)`. Of families that share both, the second that mm met ends with ` #2`, and so
/// on. What would act on a terminal, or cannot be seen, is escaped, and a `~` stands before what in a
/// path or file would look like the next part. `mm_family_find` finds the family by it.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_key(family: *const mm_family) -> *const c_char {
    // SAFETY: by requirement 1 `family` is null or a family.
    unsafe { name_of(family, |names| names.key) }
}

/// Returns the bytes of one unit: the size rounded up to the alignment.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_unit_size(family: *const mm_family) -> usize {
    // SAFETY: by requirement 1 `family` is null or a family.
    let family = unsafe { family_at(family) };
    family.map_or(0, |family| family.layout().size())
}

/// Returns what a unit is aligned to, in bytes.
///
/// # Safety
///
/// 1. `family` is null or a family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_family_unit_align(family: *const mm_family) -> usize {
    // SAFETY: by requirement 1 `family` is null or a family.
    let family = unsafe { family_at(family) };
    family.map_or(0, |family| family.layout().align())
}

/// The family as C has it.
pub(super) fn handle(family: &'static PageFamily) -> *mut mm_family {
    ptr::from_ref(family).cast_mut().cast()
}

/// The family that a handle means.
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
/// 1. `name` is null or a string of C.
unsafe fn register(
    name: *const c_char,
    size: usize,
    align: usize,
    place: Place<'_>,
) -> Answer<*mut mm_family> {
    // SAFETY: by requirement 1 `name` is null or a string of C, which stays until this call returns.
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as a look-up calls it")]
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

/// A name that C gave.
///
/// # Safety
///
/// 1. `name` is null or a string of C that stays as it is for `'a`.
unsafe fn name_at<'a>(name: *const c_char) -> Answer<&'a str> {
    if name.is_null() {
        return Err(refuse(Refused::Argument("the name is NULL")));
    }
    // SAFETY: by requirement 1 `name`, which is not null here, is a string of C that stays as it is for
    // `'a`.
    let name = unsafe { CStr::from_ptr(name) };
    match name.to_str() {
        Ok("") => Err(refuse(Refused::Argument("the name is empty"))),
        Ok(name) => Ok(name),
        Err(_) => Err(refuse(Refused::Argument("the name is not UTF-8"))),
    }
}

/// # Safety
///
/// 1. `family` is null or a family.
unsafe fn name_of(
    family: *const mm_family,
    which: impl FnOnce(&CNames) -> &'static CStr,
) -> *const c_char {
    // SAFETY: by requirement 1 `family` is null or a family.
    let names = unsafe { family_at(family) }.and_then(names_of);
    pointer(names.map(|names| which(names).as_ptr().cast_mut()))
}
