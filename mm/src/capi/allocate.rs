//! How C programs get blocks: a family, a number of units, and `NULL` if that cannot be.

use core::ffi::c_void;
use core::fmt::Display;
use core::ptr;

use super::family::Family;
use super::instance::mm_instance_;
use super::named::family_at;
use super::place::Place;
use super::site::mm_site;

/// A block of `units` zeroed units; null, and a line, if there is none.
pub(super) fn xcalloc(family: &'static Family, units: i64, place: Place<'_>) -> *mut c_void {
    match usize::try_from(units) {
        Ok(units) => allocate(family, units, place),
        Err(_) => negative(family, units, place),
    }
}

/// The same for a place in the source, which remembers its family.
///
/// # Safety
///
/// A macro of the headers made the site.
#[inline]
pub(super) unsafe fn xcalloc_at(
    instance: &'static mm_instance_,
    site: *const mm_site,
    units: i64,
) -> *mut c_void {
    // SAFETY: the caller promises it.
    if let Some(family) = unsafe { near_at(instance, site) }
        && units == 1
        // SAFETY: the family is near.
        && let Some(unit) = unsafe { family.heap.heap.take_unit() }
    {
        return unit.zeroed_unwatched(family.unit()).as_ptr().cast();
    }
    // SAFETY: the caller promises it.
    unsafe { xcalloc_row(instance, site, units) }
}

/// # Safety
///
/// As for [`xcalloc_at`].
#[inline(never)]
unsafe fn xcalloc_row(
    instance: &'static mm_instance_,
    site: *const mm_site,
    units: i64,
) -> *mut c_void {
    // SAFETY: the caller promises it.
    if let Some(family) = unsafe { near_at(instance, site) }
        && let Some(units) = usize::try_from(units).ok().filter(|units| *units > 1)
        // SAFETY: the family is near.
        && let Some(row) = unsafe { family.heap.heap.take_row(units) }
    {
        return row.zeroed_unwatched(units * family.unit()).as_ptr().cast();
    }
    // SAFETY: the caller promises it.
    unsafe { xcalloc_slow(instance, site, units) }
}

/// The family that was found before for the place, if it is near.
///
/// # Safety
///
/// As for [`xcalloc_at`].
#[inline]
unsafe fn near_at(
    instance: &'static mm_instance_,
    site: *const mm_site,
) -> Option<&'static Family> {
    // SAFETY: the caller promises it.
    unsafe { mm_site::near(site) }.filter(|family| family.is_of(instance))
}

/// # Safety
///
/// As for [`xcalloc_at`].
#[cold]
#[inline(never)]
unsafe fn xcalloc_slow(
    instance: &'static mm_instance_,
    site: *const mm_site,
    units: i64,
) -> *mut c_void {
    // SAFETY: the caller promises it.
    let family = unsafe { family_at(instance, site) };
    // SAFETY: the caller promises it.
    let place = unsafe { mm_site::place(site) };
    family.map_or(ptr::null_mut(), |family| xcalloc(family, units, place))
}

/// A zeroed buffer of `bytes` bytes.
pub(super) fn xcalloc_buff(
    instance: &'static mm_instance_,
    bytes: usize,
    place: Place<'_>,
) -> *mut c_void {
    match instance.make_buffers() {
        Ok(buffers) => allocate(buffers, mm_instance_::buffer_units(bytes), place),
        Err(refused) => complain(place, refused),
    }
}

fn allocate(family: &'static Family, units: usize, place: Place<'_>) -> *mut c_void {
    match family.heap.alloc_zeroed_for(units, &place) {
        Ok(block) => block.as_ptr().cast(),
        Err(refused) => complain(place, refused),
    }
}

#[cold]
fn negative(family: &'static Family, units: i64, place: Place<'_>) -> *mut c_void {
    let name = family.heap.name();
    complain(place, format_args!("{units} units of page family `{name}`"))
}

#[cold]
fn complain(place: Place<'_>, what: impl Display) -> *mut c_void {
    place.complain(what);
    ptr::null_mut()
}
