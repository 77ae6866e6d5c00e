//! The functions that `uapi_mm_instance.h` maps the names of the original library to. They take an
//! instance first.
//!
//! They fail as the functions without an instance do (`uapi.rs`). A null instance is the global one.

use core::ffi::{c_char, c_int, c_void};
use core::ptr;

use super::allocate;
use super::families::mm_instance_;
use super::families::vm_page_family_;
use super::named;
use super::place::Place;
use super::release;
use super::report;
use super::site::mm_site;
use super::struct_size::StructSize;

/// Makes an instance: an empty set of families, which stays until the process ends.
///
/// Returns `NULL` and prints a line on standard error if there is no memory.
#[unsafe(no_mangle)]
pub extern "C" fn mm_inst_init_new_instance() -> *mut mm_instance_ {
    match mm_instance_::make() {
        Ok(new) => ptr::from_ref(new).cast_mut(),
        Err(_) => {
            Place::Function("mm_init_new_instance").report_misuse("out of memory for an instance");
            ptr::null_mut()
        }
    }
}

/// Registers a page family for structs of `struct_size` bytes in the instance. `NULL` is the global
/// instance.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_instantiate_new_page_family(
    instance: *mut mm_instance_,
    struct_name: *const c_char,
    struct_size: u32,
) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    let place = Place::Function("mm_instantiate_new_page_family");
    // SAFETY: by requirement 2 `struct_name` is null or a C string.
    unsafe { named::register(instance, struct_name, struct_size as usize, place) };
}

/// Does what `mm_instantiate_new_page_family` does. `MM_REG_STRUCT` calls it with its file and line.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a C string.
/// 3. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_register_at(
    instance: *mut mm_instance_,
    struct_name: *const c_char,
    struct_size: usize,
    file: *const c_char,
    line: u32,
) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 3 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 2 `struct_name` is null or a C string.
    unsafe { named::register(instance, struct_name, struct_size, place) };
}

/// Allocates a block of `units` zeroed units of the instance's family with this name.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_xcalloc(
    instance: *mut mm_instance_,
    struct_name: *const c_char,
    units: c_int,
) -> *mut c_void {
    let place = Place::Function("xcalloc");
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 2 `struct_name` is null or a C string.
    let family = unsafe { named::family_named(instance, struct_name, place) };
    family.map_or(ptr::null_mut(), |family| {
        allocate::xcalloc(family, units.into(), place)
    })
}

/// Does what `xcalloc` does. `XCALLOC` calls it, and only the first call of a line looks up the name.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `XCALLOC` made the site.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_xcalloc_at(
    instance: *mut mm_instance_,
    site: *mut mm_site,
    units: i64,
) -> *mut c_void {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 2 `XCALLOC` made `site`. The argument `false` says that its calls may name
    // any instance.
    unsafe { allocate::xcalloc_at(site, units, instance, false) }
}

/// Does what `xcalloc` does. `XCALLOC` calls it with its file and line if the compiler cannot make
/// sites.
///
/// `struct_size` is the size of the struct in bytes as the caller knows it; 0 if it is unknown.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a C string.
/// 3. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_xcalloc_sized(
    instance: *mut mm_instance_,
    struct_name: *const c_char,
    struct_size: usize,
    units: i64,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    let size = StructSize::of(struct_size);
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 3 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 2 `struct_name` is null or a C string.
    unsafe { allocate::xcalloc_sized(instance, struct_name, size, units, place) }
}

/// Allocates a zeroed buffer of `bytes` bytes, aligned to 16 bytes, in the instance. Buffers have a
/// family of their own.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_xcalloc_buff(
    instance: *mut mm_instance_,
    bytes: u32,
) -> *mut c_void {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    let place = Place::Function("xcalloc_buff");
    allocate::xcalloc_buff(instance, bytes as usize, place)
}

/// Does what `xcalloc_buff` does. `XCALLOC_BUFF` calls it with its file and line.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_xcalloc_buff_at(
    instance: *mut mm_instance_,
    bytes: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 2 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    allocate::xcalloc_buff(instance, bytes, place)
}

/// Returns the instance's family with exactly this name, or `NULL`.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_lookup_page_family_by_name(
    instance: *mut mm_instance_,
    struct_name: *const c_char,
) -> *mut vm_page_family_ {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 2 `struct_name` is null or a C string.
    unsafe { named::look_up_by_name(instance, struct_name) }
}

/// Prints each family of the instance and the size of its struct in bytes to `stdout`.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_print_registered_page_families(instance: *mut mm_instance_) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    report::print_page_families(unsafe { mm_instance_::named(instance) });
}

/// Prints each VM page and each block of the instance's family with exactly this name to `stdout`; for
/// `NULL`, those of all its families.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_print_memory_usage(
    instance: *mut mm_instance_,
    struct_name: *const c_char,
) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 2 `struct_name` is null or a C string.
    unsafe { report::print_memory_usage(instance, struct_name) };
}

/// Prints one line for each family of the instance to `stdout`: the number of all blocks (`TBC`), free
/// blocks (`FBC`) and live blocks (`OBC`), and the bytes of the live blocks (`AppMemUsage`).
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_print_block_usage(instance: *mut mm_instance_) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    report::print_block_usage(unsafe { mm_instance_::named(instance) });
}

/// Prints the line of `mm_print_block_usage` for the instance's buffers.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_print_variable_buffers(instance: *mut mm_instance_) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    report::print_buffers(unsafe { mm_instance_::named(instance) });
}

/// Releases a block or a buffer of this instance. For one of another instance it prints a line on
/// standard error and changes nothing.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. The program does not use the block any more.
/// 3. No other thread releases the block at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_xfree(instance: *mut mm_instance_, block: *mut c_void) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: requirements 2 and 3 are those of `xfree_of`.
    unsafe { release::xfree_of(instance, block, Place::Function("xfree_inst")) };
}

/// Does what `xfree_inst` does. `XFREE_INST` calls it with its file and line.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. The program does not use the block any more.
/// 3. No other thread releases the block at the same time.
/// 4. `file` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_xfree_at(
    instance: *mut mm_instance_,
    block: *mut c_void,
    file: *const c_char,
    line: u32,
) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 4 `file` is null or a C string that stays as it is until this call
    // returns. `place` is not used after that.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: requirements 2 and 3 are those of `xfree_of`.
    unsafe { release::xfree_of(instance, block, place) };
}
