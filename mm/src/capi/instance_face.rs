//! The face whose functions take an instance first: what `uapi_mm_instance.h` maps the names to.
//!
//! Of all functions is true what is said of those without instance. A null instance is the global one.

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

/// Makes an instance: a set of families of its own, which stays. `NULL`, and a line on standard error,
/// without memory for it.
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

/// Registers a family of structs of `struct_size` bytes.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_instantiate_new_page_family(
    instance: *mut mm_instance_,
    struct_name: *const c_char,
    struct_size: u32,
) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    let place = Place::Function("mm_instantiate_new_page_family");
    // SAFETY: by requirement 2 `struct_name` is null or a string of C.
    unsafe { named::register(instance, struct_name, struct_size as usize, place) };
}

/// As `mm_instantiate_new_page_family`, for `MM_REG_STRUCT`, which knows its place in the source.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a string of C.
/// 3. `file` is null or a string of C.
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
    // SAFETY: by requirement 3 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 2 `struct_name` is null or a string of C.
    unsafe { named::register(instance, struct_name, struct_size, place) };
}

/// Allocates a block of `units` zeroed units of the instance's family of this name.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_xcalloc(
    instance: *mut mm_instance_,
    struct_name: *const c_char,
    units: c_int,
) -> *mut c_void {
    let place = Place::Function("xcalloc");
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 2 `struct_name` is null or a string of C.
    let family = unsafe { named::family_named(instance, struct_name, place) };
    family.map_or(ptr::null_mut(), |family| {
        allocate::xcalloc(family, units.into(), place)
    })
}

/// As `xcalloc`, for `XCALLOC`: the name is looked up the first time only.
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
    // SAFETY: by requirement 2 `XCALLOC` made `site`, and `false` says that its calls may name any
    // instance.
    unsafe { allocate::xcalloc_at(site, units, instance, false) }
}

/// As `xcalloc`, for `XCALLOC` where compilers know no sites: it knows its place in the source, and how
/// many bytes the struct has there; 0 is not known.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a string of C.
/// 3. `file` is null or a string of C.
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
    // SAFETY: by requirement 3 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: by requirement 2 `struct_name` is null or a string of C.
    unsafe { allocate::xcalloc_sized(instance, struct_name, size, units, place) }
}

/// Allocates a zeroed buffer of `bytes` bytes, aligned to 16, of the instance's family of plain bytes.
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

/// As `xcalloc_buff`, for `XCALLOC_BUFF`, which knows its place in the source.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `file` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_xcalloc_buff_at(
    instance: *mut mm_instance_,
    bytes: usize,
    file: *const c_char,
    line: u32,
) -> *mut c_void {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 2 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    allocate::xcalloc_buff(instance, bytes, place)
}

/// Returns the instance's family of exactly this name, or `NULL`.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_lookup_page_family_by_name(
    instance: *mut mm_instance_,
    struct_name: *const c_char,
) -> *mut vm_page_family_ {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 2 `struct_name` is null or a string of C.
    unsafe { named::look_up_by_name(instance, struct_name) }
}

/// Prints each family that is registered in the instance to `stdout`.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_print_registered_page_families(instance: *mut mm_instance_) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    report::print_page_families(unsafe { mm_instance_::named(instance) });
}

/// Prints each VM page and each block of the instance's family of exactly this name, or of all for
/// `NULL`, to `stdout`.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. `struct_name` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_print_memory_usage(
    instance: *mut mm_instance_,
    struct_name: *const c_char,
) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 2 `struct_name` is null or a string of C.
    unsafe { report::print_memory_usage(instance, struct_name) };
}

/// Prints one line for each family of the instance to `stdout`.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_print_block_usage(instance: *mut mm_instance_) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    report::print_block_usage(unsafe { mm_instance_::named(instance) });
}

/// Prints the same for the instance's buffers.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_print_variable_buffers(instance: *mut mm_instance_) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    report::print_buffers(unsafe { mm_instance_::named(instance) });
}

/// Releases a block or a buffer, if it is of this instance; else it gets a line on standard error, and
/// nothing changes.
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

/// As `xfree_inst`, for `XFREE_INST`, which knows its place in the source.
///
/// # Safety
///
/// 1. `instance` is null, or `mm_init_new_instance` returned it.
/// 2. The program does not use the block any more.
/// 3. No other thread releases the block at the same time.
/// 4. `file` is null or a string of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_inst_xfree_at(
    instance: *mut mm_instance_,
    block: *mut c_void,
    file: *const c_char,
    line: u32,
) {
    // SAFETY: by requirement 1 `instance` is null, or `mm_init_new_instance` returned it.
    let instance = unsafe { mm_instance_::named(instance) };
    // SAFETY: by requirement 4 `file` is null or a string of C, which outlives `place`: that ends with this
    // call.
    let place = unsafe { Place::line(file, line) };
    // SAFETY: requirements 2 and 3 are those of `xfree_of`.
    unsafe { release::xfree_of(instance, block, place) };
}
