//! Allocation for the original interface. Failures print a line and return null.

use core::ffi::{c_char, c_void};
use core::fmt::Display;
use core::ptr;

use super::families::Family;
use super::families::mm_instance_;
use super::named::{family_at, family_of_size};
use super::place::Place;
use super::site::mm_site;
use super::struct_size::StructSize;
use crate::shown::Shown;

/// Allocates a block of `units` zeroed units. On failure prints a line and returns null.
pub(super) fn xcalloc(family: &'static Family, units: i64, place: Place<'_>) -> *mut c_void {
    match usize::try_from(units) {
        Ok(units) => allocate(family, units, place),
        Err(_) => negative(family, units, place),
    }
}

/// Does the same for the family of a name, for a call that knows the struct's size.
///
/// # Safety
///
/// 1. `name` is null or a C string.
pub(super) unsafe fn xcalloc_sized(
    instance: &'static mm_instance_,
    name: *const c_char,
    size: StructSize,
    units: i64,
    place: Place<'_>,
) -> *mut c_void {
    // SAFETY: by requirement 1 `name` is null or a C string.
    let family = unsafe { family_of_size(instance, name, size, place) };
    family.map_or(ptr::null_mut(), |family| xcalloc(family, units, place))
}

/// Does the same for a site, which remembers its family.
///
/// # Safety
///
/// 1. A macro of the headers made the site.
/// 2. If `is_for_one`, all calls with the site name this instance.
#[inline]
pub(super) unsafe fn xcalloc_at(
    site: *const mm_site,
    units: i64,
    instance: &'static mm_instance_,
    is_for_one: bool,
) -> *mut c_void {
    // SAFETY: by requirement 1 a macro of the headers made `site`.
    if let Some(family) = unsafe { mm_site::fast_family(site) }
        && units == 1
        && (is_for_one || family.is_of(instance))
        // SAFETY: `mm_site::fast_family` returns only families whose heap `is_fast`, which `take_unit`
        // requires.
        && let Some(unit) = unsafe { family.heap.heap.take_unit() }
    {
        return unit.zeroed_unwatched(family.unit()).as_ptr().cast();
    }
    // SAFETY: requirement 1 is that of `xcalloc_row`.
    unsafe { xcalloc_row(site, units, instance) }
}

/// The second step, for rows. It has the C ABI for the same reason as `xfree_short`.
///
/// # Safety
///
/// 1. A macro of the headers made the site.
#[allow(improper_ctypes_definitions, reason = "only this file calls it")]
#[inline(never)]
unsafe extern "C" fn xcalloc_row(
    site: *const mm_site,
    units: i64,
    instance: &'static mm_instance_,
) -> *mut c_void {
    // SAFETY: by requirement 1 a macro of the headers made `site`.
    if let Some(family) = unsafe { mm_site::fast_family(site) }
        && family.is_of(instance)
        && let Some(units) = usize::try_from(units).ok().filter(|units| *units > 1)
        // SAFETY: `mm_site::fast_family` returns only families whose heap `is_fast`, which `take_row`
        // requires.
        && let Some(row) = unsafe { family.heap.heap.take_row(units) }
    {
        return row.zeroed_unwatched(units * family.unit()).as_ptr().cast();
    }
    // SAFETY: requirement 1 is that of `xcalloc_slow`.
    unsafe { xcalloc_slow(site, units, instance) }
}

/// The last step: looks up the family, and prints a line if there is no block.
///
/// # Safety
///
/// 1. A macro of the headers made the site.
#[allow(improper_ctypes_definitions, reason = "only this file calls it")]
#[cold]
#[inline(never)]
unsafe extern "C" fn xcalloc_slow(
    site: *const mm_site,
    units: i64,
    instance: &'static mm_instance_,
) -> *mut c_void {
    // SAFETY: by requirement 1 a macro of the headers made `site`.
    let family = unsafe { family_at(instance, site) };
    // SAFETY: by requirement 1 a macro of the headers made `site`; its texts stay until this call
    // returns.
    let place = unsafe { mm_site::place(site) };
    family.map_or(ptr::null_mut(), |family| xcalloc(family, units, place))
}

/// Allocates a zeroed buffer of `bytes` bytes. On failure prints a line and returns null.
pub(super) fn xcalloc_buff(
    instance: &'static mm_instance_,
    bytes: usize,
    place: Place<'_>,
) -> *mut c_void {
    match instance.make_buffers() {
        Ok(buffers) => allocate(buffers, mm_instance_::buffer_units(bytes), place),
        Err(refused) => report_misuse(place, refused),
    }
}

fn allocate(family: &'static Family, units: usize, place: Place<'_>) -> *mut c_void {
    match family.heap.alloc_zeroed_try_cached(units, &place) {
        Ok(block) => block.as_ptr().cast(),
        Err(refused) => report_misuse(place, refused),
    }
}

#[cold]
fn negative(family: &'static Family, units: i64, place: Place<'_>) -> *mut c_void {
    let label = Shown(family.heap.label());
    report_misuse(
        place,
        format_args!("{units} units of page family `{label}`"),
    )
}

#[cold]
fn report_misuse(place: Place<'_>, what: impl Display) -> *mut c_void {
    place.report_misuse(what);
    ptr::null_mut()
}
