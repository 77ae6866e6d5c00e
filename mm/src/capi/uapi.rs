//! The one-argument face: what `uapi_mm.h` maps the original's names to.

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

/// Does nothing: mm needs no start. Programs may call it any number of times, or never.
#[unsafe(no_mangle)]
pub extern "C" fn mm_uapi_init() {}

/// Registers a family of structs of `struct_size` bytes.
///
/// A name that is taken, an empty one, or a size of 0 get a line on standard error, and change nothing.
///
/// # Safety
///
/// 1. `struct_name` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_instantiate_new_page_family(
    struct_name: *const c_char,
    struct_size: u32,
) {
    let instance = mm_instance_::global();
    let place = Place::Function("mm_instantiate_new_page_family");
    // SAFETY: by requirement 1 `struct_name` is null or a string of C.
    unsafe { named::register(instance, struct_name, struct_size as usize, place) };
}

/// As `mm_instantiate_new_page_family`, for `MM_REG_STRUCT`, which knows its place in the source.
///
/// # Safety
///
/// 1. `struct_name` is null or a string of C.
/// 2. `file` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_register_at(
    struct_name: *const c_char,
    struct_size: usize,
    file: *const c_char,
    line: u32,
) {
    // SAFETY: by requirement 2 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `struct_name` is null or a string of C.
    unsafe { named::register(mm_instance_::global(), struct_name, struct_size, place) };
}

/// Allocates a block of `units` zeroed units of the family of this name.
///
/// `NULL`, and a line on standard error, if there is no such family, `units` is negative, or there is
/// no memory. A block of 0 units has no memory, and may be released.
///
/// It gets no size, so it cannot tell that another source has another struct of this name: `XCALLOC`
/// can.
///
/// # Safety
///
/// 1. `struct_name` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xcalloc(struct_name: *const c_char, units: c_int) -> *mut c_void {
    let place = Place::Function("xcalloc");
    // SAFETY: by requirement 1 `struct_name` is null or a string of C.
    let family = unsafe { named::family_named(mm_instance_::global(), struct_name, place) };
    family.map_or(core::ptr::null_mut(), |family| {
        allocate::xcalloc(family, units.into(), place)
    })
}

/// As `xcalloc`, for `XCALLOC`: the name is looked up the first time only.
///
/// # Safety
///
/// 1. `XCALLOC` made the site.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xcalloc_at(site: *mut mm_site, units: i64) -> *mut c_void {
    // SAFETY: by requirement 1 `XCALLOC` made `site`; that of the header without instances has calls of the
    // `global` one alone.
    unsafe { allocate::xcalloc_at(site, units, mm_instance_::global(), true) }
}

/// As `xcalloc`, for `XCALLOC` where compilers know no sites: it knows its place in the source, and how
/// many bytes the struct has there; 0 is not known.
///
/// # Safety
///
/// 1. `struct_name` is null or a string of C.
/// 2. `file` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xcalloc_sized(
    struct_name: *const c_char,
    struct_size: usize,
    units: i64,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    let (instance, size) = (mm_instance_::global(), StructSize::of(struct_size));
    // SAFETY: by requirement 2 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 1 `struct_name` is null or a string of C.
    unsafe { allocate::xcalloc_sized(instance, struct_name, size, units, place) }
}

/// Allocates a zeroed buffer of `bytes` bytes, aligned to 16, of the family of plain bytes.
///
/// `NULL`, and a line on standard error, if there is no memory.
#[unsafe(no_mangle)]
pub extern "C" fn mm_uapi_xcalloc_buff(bytes: u32) -> *mut c_void {
    let place = Place::Function("xcalloc_buff");
    allocate::xcalloc_buff(mm_instance_::global(), bytes as usize, place)
}

/// As `xcalloc_buff`, for `XCALLOC_BUFF`, which knows its place in the source.
///
/// # Safety
///
/// 1. `file` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xcalloc_buff_at(
    bytes: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 1 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    allocate::xcalloc_buff(mm_instance_::global(), bytes, place)
}

/// Releases a block or a buffer, of any instance. `NULL` is none.
///
/// A pointer that is no block of mm, or does not point to its start, gets a line on standard error,
/// and nothing changes. A second release gets a line, and ends the process by `abort`.
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

/// As `xfree`, for `XFREE`, which knows its place in the source.
///
/// # Safety
///
/// 1. The program does not use the block any more.
/// 2. No other thread releases the block at the same time.
/// 3. `file` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xfree_at(block: *mut c_void, file: *const c_char, line: u32) {
    // SAFETY: requirements 1 to 3 are those of `release::xfree_at`.
    unsafe { release::xfree_at(block, file, line) };
}

/// Makes a block longer or shorter: to `bytes` bytes, rounded up to whole units of its family. Its
/// contents move along, and what is new is zeroed.
///
/// Of `NULL`, and of a block of 0 units, which is nobody's, it makes a buffer of the global instance; with 0
/// bytes it releases the block and returns `NULL`. Without memory
/// it returns `NULL`, with a line on standard error, and the block stays as it is.
///
/// # Safety
///
/// 1. The program does not use the block any more. It may use the one that is returned.
/// 2. No other thread releases the block at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_xrealloc(block: *mut c_void, bytes: usize) -> *mut c_void {
    // SAFETY: requirements 1 and 2 are those of `release::xrealloc`.
    unsafe { release::xrealloc(block, bytes, Place::Function("xrealloc")) }
}

/// Returns the family of exactly this name, or `NULL`.
///
/// # Safety
///
/// 1. `struct_name` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_lookup_page_family_by_name(
    struct_name: *const c_char,
) -> *mut vm_page_family_ {
    // SAFETY: by requirement 1 `struct_name` is null or a string of C.
    unsafe { named::look_up_by_name(mm_instance_::global(), struct_name) }
}

/// Prints each registered family, with the bytes of its struct, to `stdout`.
#[unsafe(no_mangle)]
pub extern "C" fn mm_uapi_print_registered_page_families() {
    report::print_page_families(mm_instance_::global());
}

/// Prints each VM page and each block of the family of exactly this name, or of all for `NULL`, to
/// `stdout`.
///
/// # Safety
///
/// 1. `struct_name` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_uapi_print_memory_usage(struct_name: *const c_char) {
    // SAFETY: by requirement 1 `struct_name` is null or a string of C.
    unsafe { report::print_memory_usage(mm_instance_::global(), struct_name) };
}

/// Prints one line for each family to `stdout`: its blocks in all (`TBC`), free ones (`FBC`), live ones
/// (`OBC`), and bytes of the live ones.
#[unsafe(no_mangle)]
pub extern "C" fn mm_uapi_print_block_usage() {
    report::print_block_usage(mm_instance_::global());
}

/// Prints the same for buffers.
#[unsafe(no_mangle)]
pub extern "C" fn mm_uapi_print_variable_buffers() {
    report::print_buffers(mm_instance_::global());
}
