//! The functions that `uapi_mm.h` maps the names of the original library to.

use core::ffi::{c_char, c_int, c_void};

use super::allocate;
use super::families::mm_instance_;
use super::families::vm_page_family_;
use super::named;
use super::place::Place;
use super::release;
use super::report;
use super::site::mm_site;
use super::struct_size::StructSize;

/// Does nothing: mm needs no initialisation. Programs may call it any number of times, or never.
#[unsafe(no_mangle)]
pub extern "C" fn mm_uapi_init() {}

/// Registers a page family for structs of `struct_size` bytes.
///
/// If the name is taken or empty, or the size is 0, it prints a line on standard error and changes
/// nothing.
///
/// # Safety
///
/// 1. `struct_name` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_instantiate_new_page_family(
    struct_name: *const c_char,
    struct_size: u32,
) {
    let instance = mm_instance_::global();
    let place = Place::Function("mm_instantiate_new_page_family");
    // SAFETY: by requirement 1 `struct_name` is null or a C string.
    unsafe { named::register(instance, struct_name, struct_size as usize, place) };
}

/// Does what `mm_instantiate_new_page_family` does. `MM_REG_STRUCT` calls it with its file and line.
///
/// # Safety
///
/// 1. `struct_name` is null or a C string.
/// 2. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_register_at(
    struct_name: *const c_char,
    struct_size: usize,
    file: *const c_char,
    line: u32,
) {
    // SAFETY: by requirement 2 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `struct_name` is null or a C string.
    unsafe { named::register(mm_instance_::global(), struct_name, struct_size, place) };
}

/// Allocates a block of `units` zeroed units of the family with this name.
///
/// Returns `NULL` and prints a line on standard error if there is no such family, `units` is negative,
/// or there is no memory. A block of 0 units is not `NULL`; it has no memory and may be released.
///
/// It gets no size, so it cannot detect that two source files have different structs of this name.
/// `XCALLOC` can.
///
/// # Safety
///
/// 1. `struct_name` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xcalloc(struct_name: *const c_char, units: c_int) -> *mut c_void {
    let place = Place::Function("xcalloc");
    // SAFETY: by requirement 1 `struct_name` is null or a C string.
    let family = unsafe { named::family_named(mm_instance_::global(), struct_name, place) };
    family.map_or(core::ptr::null_mut(), |family| {
        allocate::xcalloc(family, units.into(), place)
    })
}

/// Does what `xcalloc` does. `XCALLOC` calls it, and only the first call of a line looks up the name.
///
/// # Safety
///
/// 1. `XCALLOC` made the site.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xcalloc_at(site: *mut mm_site, units: i64) -> *mut c_void {
    // SAFETY: by requirement 1 `XCALLOC` made `site`. With the header without instances, all calls name
    // the `global` one.
    unsafe { allocate::xcalloc_at(site, units, mm_instance_::global(), true) }
}

/// Does what `xcalloc` does. `XCALLOC` calls it with its file and line if the compiler cannot make
/// sites.
///
/// `struct_size` is the size of the struct in bytes as the caller knows it; 0 if it is unknown.
///
/// # Safety
///
/// 1. `struct_name` is null or a C string.
/// 2. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xcalloc_sized(
    struct_name: *const c_char,
    struct_size: usize,
    units: i64,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    let (instance, size) = (mm_instance_::global(), StructSize::of(struct_size));
    // SAFETY: by requirement 2 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `struct_name` is null or a C string.
    unsafe { allocate::xcalloc_sized(instance, struct_name, size, units, place) }
}

/// Allocates a zeroed buffer of `bytes` bytes, aligned to 16 bytes. Buffers have a family of their own.
///
/// Returns `NULL` and prints a line on standard error if there is no memory.
#[unsafe(no_mangle)]
pub extern "C" fn mm_uapi_xcalloc_buff(bytes: u32) -> *mut c_void {
    let place = Place::Function("xcalloc_buff");
    allocate::xcalloc_buff(mm_instance_::global(), bytes as usize, place)
}

/// Does what `xcalloc_buff` does. `XCALLOC_BUFF` calls it with its file and line.
///
/// # Safety
///
/// 1. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xcalloc_buff_at(
    bytes: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 1 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    allocate::xcalloc_buff(mm_instance_::global(), bytes, place)
}

/// Releases a block or a buffer of any instance. For `NULL` it does nothing.
///
/// For a pointer that is not mm's, or that points into a block, it prints a line on standard error and
/// changes nothing. After a second release it prints a line and calls `abort`.
///
/// # Safety
///
/// 1. The program does not use the block any more.
/// 2. No other thread releases the block at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xfree(block: *mut c_void) {
    // SAFETY: requirements 1 and 2 are those of `release::xfree`.
    unsafe { release::xfree(block, Place::Function("xfree")) };
}

/// Does what `xfree` does. `XFREE` calls it with its file and line.
///
/// # Safety
///
/// 1. The program does not use the block any more.
/// 2. No other thread releases the block at the same time.
/// 3. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xfree_at(block: *mut c_void, file: *const c_char, line: u32) {
    // SAFETY: requirements 1 to 3 are those of `release::xfree_at`.
    unsafe { release::xfree_at(block, file, line) };
}

/// Resizes a block to `bytes` bytes, rounded up to whole units of its family. The contents are kept,
/// and new bytes are zero.
///
/// For `NULL` and for a block of 0 units, which belongs to no family, it allocates a buffer of the
/// global instance. If `bytes` is 0, it releases the block and returns `NULL`. If there is no memory,
/// it returns `NULL`, prints a line on standard error, and the block stays as it is.
///
/// # Safety
///
/// 1. The program does not use the old block any more, unless the call fails. It may use the returned
///    one.
/// 2. No other thread releases the block at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xrealloc(block: *mut c_void, bytes: usize) -> *mut c_void {
    // SAFETY: requirements 1 and 2 are those of `release::xrealloc`.
    unsafe { release::xrealloc(block, bytes, Place::Function("xrealloc")) }
}

/// Returns the family with exactly this name, or `NULL`.
///
/// # Safety
///
/// 1. `struct_name` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_lookup_page_family_by_name(
    struct_name: *const c_char,
) -> *mut vm_page_family_ {
    // SAFETY: by requirement 1 `struct_name` is null or a C string.
    unsafe { named::look_up_by_name(mm_instance_::global(), struct_name) }
}

/// Prints each registered family and the size of its struct in bytes to `stdout`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_uapi_print_registered_page_families() {
    report::print_page_families(mm_instance_::global());
}

/// Prints each VM page and each block of the family with exactly this name to `stdout`; for `NULL`,
/// those of all families.
///
/// # Safety
///
/// 1. `struct_name` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_print_memory_usage(struct_name: *const c_char) {
    // SAFETY: by requirement 1 `struct_name` is null or a C string.
    unsafe { report::print_memory_usage(mm_instance_::global(), struct_name) };
}

/// Prints one line for each family to `stdout`: the number of all blocks (`TBC`), free blocks (`FBC`)
/// and live blocks (`OBC`), and the bytes of the live blocks (`AppMemUsage`).
#[unsafe(no_mangle)]
pub extern "C" fn mm_uapi_print_block_usage() {
    report::print_block_usage(mm_instance_::global());
}

/// Prints the line of `mm_print_block_usage` for buffers.
#[unsafe(no_mangle)]
pub extern "C" fn mm_uapi_print_variable_buffers() {
    report::print_buffers(mm_instance_::global());
}
