//! Sites: the records that the macros of the headers keep for each line that allocates.

use core::ffi::c_char;
use core::mem::offset_of;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Acquire, Ordering::Release};

use super::families::{Family, vm_page_family_};
use super::place::Place;
use super::struct_size::StructSize;

/// One line of a program that allocates. The macro `XCALLOC` makes it; programs do not use it
/// themselves.
///
/// It remembers the family, so that only the first call looks up the name.
#[derive(Debug)]
#[repr(C)]
pub struct mm_site {
    /// The family if it was found and has a fast path; null at the start.
    pub fast_family: *mut vm_page_family_,
    /// The family if it was found; null at the start.
    pub family: *mut vm_page_family_,
    /// Name of the struct.
    pub name: *const c_char,
    /// Name of the source file.
    pub file: *const c_char,
    /// Line in the source file, from 1.
    pub line: u32,
    /// Size of the struct in bytes as this line knows it, at most `UINT32_MAX`; 0 if it is unknown.
    pub struct_size: u32,
}

// Sites from older headers end with `line`, and padding follows. The compiler of the program zeroed it:
// sites are static.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(
    size_of::<mm_site>() == offset_of!(mm_site, line).next_multiple_of(size_of::<usize>()) + 8
);

impl mm_site {
    /// Returns the family if it was found before and its heap `is_fast`.
    ///
    /// # Safety
    ///
    /// 1. A macro of the headers made the site.
    #[inline]
    pub(super) unsafe fn fast_family(site: *const Self) -> Option<&'static Family> {
        // SAFETY: by requirement 1 a macro of the headers made `site`, and `offset_of` gives the offset
        // of a field for a family.
        unsafe { known(site, offset_of!(Self, fast_family)) }
    }

    /// Returns the family if it was found before.
    ///
    /// # Safety
    ///
    /// 1. A macro of the headers made the site.
    pub(super) unsafe fn family(site: *const Self) -> Option<&'static Family> {
        // SAFETY: by requirement 1 a macro of the headers made `site`, and `offset_of` gives the offset
        // of a field for a family.
        unsafe { known(site, offset_of!(Self, family)) }
    }

    /// Stores the family that a look-up found.
    ///
    /// # Safety
    ///
    /// 1. A macro of the headers made the site.
    pub(super) unsafe fn remember(site: *const Self, family: &'static Family) {
        // SAFETY: by requirement 1 a macro of the headers made `site`, and `offset_of` gives the offset
        // of a field for a family.
        unsafe { field(site, offset_of!(Self, family)) }.store(family.head(), Release);
        let fast_family = if family.heap.heap.is_fast() {
            family.head()
        } else {
            ptr::null_mut()
        };
        // SAFETY: by requirement 1 a macro of the headers made `site`, and `offset_of` gives the offset
        // of a field for a family.
        unsafe { field(site, offset_of!(Self, fast_family)) }.store(fast_family, Release);
    }

    /// # Safety
    ///
    /// 1. A macro of the headers made the site.
    pub(super) unsafe fn name(site: *const Self) -> *const c_char {
        // SAFETY: by requirement 1 a macro of the headers made `site`. The program does not change its
        // `name`.
        unsafe { (*site).name }
    }

    /// Returns the size of the struct as this line knows it.
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
        // SAFETY: a macro of the headers put a C string into `file`, and by requirement 2 it stays for
        // `'a`.
        unsafe { Place::line(file, line) }
    }
}

/// Returns the family in a field of a site.
///
/// # Safety
///
/// 1. A macro of the headers made the site.
/// 2. `offset` is that of a field for a family.
#[inline]
unsafe fn known(site: *const mm_site, offset: usize) -> Option<&'static Family> {
    // SAFETY: requirements 1 and 2 are those of `field`.
    let known = unsafe { field(site, offset) }.load(Acquire);
    // SAFETY: by requirement 2 the field is for a family. The macro made it null, and only `remember`
    // stores to it, a pointer that `Family::head` made.
    unsafe { Family::of_head(known) }
}

/// Returns a field that several threads use.
///
/// # Safety
///
/// 1. A macro of the headers made the site.
/// 2. `offset` is that of a field for a family.
#[inline]
unsafe fn field<'a>(site: *const mm_site, offset: usize) -> &'a AtomicPtr<vm_page_family_> {
    let field = site.wrapping_byte_add(offset).cast_mut().cast();
    // SAFETY: by requirements 1 and 2 an aligned pointer is there, in a static of the program, and it
    // is read and written only through `AtomicPtr`.
    unsafe { AtomicPtr::from_ptr(field) }
}
