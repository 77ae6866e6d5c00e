//! Families by name, for the original interface: look-up and registration.

use core::ffi::{CStr, c_char};

use super::families::mm_instance_;
use super::families::{Family, vm_page_family_};
use super::place::{Place, location, text};
use super::site::mm_site;
use super::struct_size::{OtherSize, StructSize};
use crate::error::RegisterError;
use crate::shown::Shown;

/// Returns the family of a name. If there is none, prints a line.
///
/// # Safety
///
/// 1. `name` is null or a C string.
pub(super) unsafe fn family_named(
    instance: &'static mm_instance_,
    name: *const c_char,
    place: Place<'_>,
) -> Option<&'static Family> {
    // SAFETY: by requirement 1 `name` is null or a C string.
    let name = unsafe { text(name) };
    let known = instance.find(name);
    if known.is_none() {
        place.report_misuse(unknown(name));
    }
    known
}

/// Returns the family of a site, and looks it up the first time.
///
/// # Safety
///
/// 1. A macro of the headers made the site.
pub(super) unsafe fn family_at(
    instance: &'static mm_instance_,
    site: *const mm_site,
) -> Option<&'static Family> {
    // SAFETY: by requirement 1 a macro of the headers made `site`.
    let known = unsafe { mm_site::family(site) };
    if let Some(family) = known.filter(|family| family.is_of(instance)) {
        return Some(family);
    }
    // SAFETY: by requirement 1 a macro of the headers made `site`.
    let name = unsafe { mm_site::name(site) };
    // SAFETY: by requirement 1 a macro of the headers made `site`; its texts stay until this call
    // returns.
    let place = unsafe { mm_site::place(site) };
    // SAFETY: by requirement 1 a macro of the headers made `site`.
    let size = unsafe { mm_site::struct_size(site) };
    // SAFETY: by requirement 1 a macro of the headers made the site, and its `name` is a C string.
    let family = unsafe { family_of_size(instance, name, size, place) }?;
    // SAFETY: by requirement 1 a macro of the headers made `site`.
    unsafe { mm_site::remember(site, family) };
    Some(family)
}

/// Returns the family of a name if its units have this size. Otherwise prints a line.
///
/// # Safety
///
/// 1. `name` is null or a C string.
pub(super) unsafe fn family_of_size(
    instance: &'static mm_instance_,
    name: *const c_char,
    size: StructSize,
    place: Place<'_>,
) -> Option<&'static Family> {
    // SAFETY: by requirement 1 `name` is null or a C string.
    let family = unsafe { family_named(instance, name, place) }?;
    let other = OtherSize::of(family, size);
    if let Some(other) = &other {
        place.report_misuse(other);
    }
    other.is_none().then_some(family)
}

/// Registers a family. On failure prints a line.
///
/// # Safety
///
/// 1. `name` is null or a C string.
pub(super) unsafe fn register(
    instance: &'static mm_instance_,
    name: *const c_char,
    size: usize,
    place: Place<'_>,
) {
    // SAFETY: by requirement 1 `name` is null or a C string.
    let name = unsafe { text(name) };
    if name.is_empty() {
        return place.report_misuse("a page family needs a name");
    }
    let registered = instance.register(name, size, location(place));
    if let Err(refused) = registered {
        report_misuse(instance, name, size, refused, place);
    }
}

/// Prints why a family was not registered, and both sizes if another struct has its name.
#[cold]
fn report_misuse(
    instance: &'static mm_instance_,
    name: &CStr,
    size: usize,
    refused: RegisterError,
    place: Place<'_>,
) {
    let is_taken = matches!(refused, RegisterError::DuplicateName { .. });
    let known = instance.find(name).filter(|_| is_taken);
    match known.and_then(|known| OtherSize::of(known, StructSize::of(size))) {
        Some(other) => place.report_misuse(other),
        None => place.report_misuse(refused),
    }
}

/// Returns the family of a name as C programs get it; null if there is none.
///
/// # Safety
///
/// 1. `name` is null or a C string.
pub(super) unsafe fn look_up_by_name(
    instance: &'static mm_instance_,
    name: *const c_char,
) -> *mut vm_page_family_ {
    // SAFETY: by requirement 1 `name` is null or a C string.
    let known = instance.find(unsafe { text(name) });
    known.map_or(core::ptr::null_mut(), Family::head)
}

/// Returns the message that no family has the name.
pub(super) fn unknown(name: &CStr) -> String {
    format!(
        "no page family `{}` is registered",
        Shown(&name.to_string_lossy())
    )
}
