//! The record that the headers' macros keep for each place in the source that allocates.

use core::ffi::c_char;
use core::mem::offset_of;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Acquire, Ordering::Release};

use super::families::{Family, vm_page_family_};
use super::place::Place;
use super::struct_size::StructSize;

/// One place of a program that allocates: made by `XCALLOC`, and used by nobody else.
///
/// It remembers the family that was found there by its name, so that a call that is made again needs
/// no look-up.
#[derive(Debug)]
#[repr(C)]
pub struct mm_site {
    /// The family, once it was found, if calls take few steps with it. Starts as null.
    pub near: *mut vm_page_family_,
    /// The family, once it was found. Starts as null.
    pub family: *mut vm_page_family_,
    /// Name of the struct.
    pub name: *const c_char,
    /// File of the source.
    pub file: *const c_char,
    /// Line in it, from 1.
    pub line: u32,
    /// Bytes of the struct as the place knows it; `UINT32_MAX` if they are more, 0 if it does not say.
    pub struct_size: u32,
}

// Objects of older headers end with `line`. The program's loader made what lay behind it zero.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(
    size_of::<mm_site>() == offset_of!(mm_site, line).next_multiple_of(size_of::<usize>()) + 8
);

impl mm_site {
    /// The family that was found before, if it is near.
    ///
    /// # Safety
    ///
    /// 1. A macro of the headers made the site.
    #[inline]
    pub(super) unsafe fn near(site: *const Self) -> Option<&'static Family> {
        // SAFETY: by requirement 1 a macro of the headers made `site`, and `offset_of` gives the place of a
        // field for a family.
        unsafe { known(site, offset_of!(Self, near)) }
    }

    /// The family that was found before.
    ///
    /// # Safety
    ///
    /// 1. A macro of the headers made the site.
    pub(super) unsafe fn family(site: *const Self) -> Option<&'static Family> {
        // SAFETY: by requirement 1 a macro of the headers made `site`, and `offset_of` gives the place of a
        // field for a family.
        unsafe { known(site, offset_of!(Self, family)) }
    }

    /// Keeps the family that was found.
    ///
    /// # Safety
    ///
    /// 1. A macro of the headers made the site.
    pub(super) unsafe fn remember(site: *const Self, family: &'static Family) {
        // SAFETY: by requirement 1 a macro of the headers made `site`, and `offset_of` gives the place of a
        // field for a family.
        unsafe { field(site, offset_of!(Self, family)) }.store(family.head(), Release);
        let near = if family.heap.heap.is_fast() {
            family.head()
        } else {
            ptr::null_mut()
        };
        // SAFETY: by requirement 1 a macro of the headers made `site`, and `offset_of` gives the place of a
        // field for a family.
        unsafe { field(site, offset_of!(Self, near)) }.store(near, Release);
    }

    /// # Safety
    ///
    /// 1. A macro of the headers made the site.
    pub(super) unsafe fn name(site: *const Self) -> *const c_char {
        // SAFETY: by requirement 1 a macro of the headers made `site`. The program does not change its
        // `name`.
        unsafe { (*site).name }
    }

    /// Bytes of the struct as the place knows it, if it says them.
    ///
    /// # Safety
    ///
    /// 1. A macro of the headers made the site.
    pub(super) unsafe fn struct_size(site: *const Self) -> StructSize {
        // SAFETY: by requirement 1 a macro of the headers made `site`. The program does not change its
        // `struct_size`; objects of older headers have padding there, which is zero.
        StructSize(unsafe { (*site).struct_size })
    }

    /// # Safety
    ///
    /// 1. A macro of the headers made the site.
    /// 2. The texts of the program stay as they are for `'a`.
    #[inline]
    pub(super) unsafe fn place<'a>(site: *const Self) -> Place<'a> {
        // SAFETY: by requirement 1 a macro of the headers made `site`. The program does not change its
        // `file`.
        let file = unsafe { (*site).file };
        // SAFETY: by requirement 1 a macro of the headers made `site`. The program does not change its
        // `line`.
        let line = unsafe { (*site).line };
        // SAFETY: a macro of the headers put a string of C into `file`, which by requirement 2 stays for
        // `'a`.
        unsafe { Place::line(file, line) }
    }
}

/// The family in a field of a site.
///
/// # Safety
///
/// 1. A macro of the headers made the site.
/// 2. `offset` is that of a field for a family.
#[inline]
unsafe fn known(site: *const mm_site, offset: usize) -> Option<&'static Family> {
    // SAFETY: requirements 1 and 2 are those of `field`.
    let known = unsafe { field(site, offset) }.load(Acquire);
    // SAFETY: by requirement 2 only `remember` stores to the field, what `Family::head` made; before, the
    // macro made it null.
    unsafe { Family::of_head(known) }
}

/// The field, as all threads use it.
///
/// # Safety
///
/// 1. A macro of the headers made the site.
/// 2. `offset` is that of a field for a family.
#[inline]
unsafe fn field<'a>(site: *const mm_site, offset: usize) -> &'a AtomicPtr<vm_page_family_> {
    let field = site.wrapping_byte_add(offset).cast_mut().cast();
    // SAFETY: by requirements 1 and 2 a pointer is there, aligned and for as long as the program, and
    // `AtomicPtr` is the only way to it.
    unsafe { AtomicPtr::from_ptr(field) }
}
