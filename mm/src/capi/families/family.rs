//! A family of the original interface.

use core::alloc::Layout;
use core::ffi::{CStr, c_char};
use core::ptr;
use std::borrow::Cow;

use super::instance::mm_instance_;
use crate::error::RegisterError;
use crate::family::PageFamily;
use crate::family::by_name::Named;
use crate::heap::{Link, RECORDS};
use crate::os::Refused;
use crate::snapshot::Location;

/// The largest alignment, in bytes, that mm assumes for a C struct.
const MOST_ALIGN: usize = 4_096;

/// The part of a page family that a program can read.
#[derive(Debug)]
#[repr(C)]
pub struct vm_page_family_ {
    /// The whole name, which may have any length.
    pub struct_name: *const c_char,
    /// Size of one unit in bytes, at most `UINT32_MAX`.
    pub struct_size: u32,
}

/// A family of an instance.
///
/// # Invariants
///
/// 1. `head` comes first: the struct is `repr(C)`.
/// 2. `head.struct_name` is the start of `name`. The text ends with a zero byte and never changes.
#[derive(Debug)]
#[repr(C)]
pub(in crate::capi) struct Family {
    head: vm_page_family_,
    name: &'static CStr,
    pub(in crate::capi) instance: &'static mm_instance_,
    next_of_bucket: Link<Family>,
    /// The family of this instance that was registered next.
    pub(in crate::capi) next: Link<Family>,
    pub(in crate::capi) heap: PageFamily,
}

// SAFETY: the only field that is not `Sync` is the pointer in `head`. By invariant 2 its text never
// changes.
unsafe impl Sync for Family {}

impl Family {
    /// Makes a family. The caller puts it into the table and on the lists.
    pub(in crate::capi) fn make(
        names: &Names<'_>,
        layout: Layout,
        location: Location,
        instance: &'static mm_instance_,
    ) -> Result<&'static Self, Refused> {
        let name = kept(names.name)?;
        let shown = match name.to_str() {
            Ok(text) => text,
            Err(_) => RECORDS.text(&names.shown)?,
        };
        let path = RECORDS.text(&names.path)?;
        RECORDS.place(Self {
            head: vm_page_family_ {
                struct_name: name.as_ptr(),
                struct_size: u32::try_from(layout.size()).unwrap_or(u32::MAX),
            },
            name,
            instance,
            next_of_bucket: Link::none(),
            next: Link::none(),
            heap: PageFamily::of_c(shown, path, layout, location),
        })
    }

    /// Returns whether the family is in this instance. One site of a program may serve several
    /// instances.
    #[inline]
    pub(in crate::capi) fn is_of(&self, instance: &'static mm_instance_) -> bool {
        ptr::eq(self.instance, instance)
    }

    /// Size of one unit in bytes.
    #[inline]
    pub(in crate::capi) fn unit(&self) -> usize {
        self.heap.layout().size()
    }

    /// Returns the pointer that C programs get.
    pub(in crate::capi) fn head(&'static self) -> *mut vm_page_family_ {
        ptr::from_ref(self).cast_mut().cast()
    }

    /// Returns the family that contains `head`.
    ///
    /// # Safety
    ///
    /// 1. `head` is null, or [`head`](Self::head) made it.
    #[inline]
    pub(in crate::capi) unsafe fn of_head(head: *const vm_page_family_) -> Option<&'static Self> {
        #[allow(
            clippy::cast_ptr_alignment,
            reason = "it was made from a reference, and so is aligned"
        )]
        let family = head.cast::<Self>();
        // SAFETY: by requirement 1 `family` is null, or was made from a `&'static Family`.
        unsafe { family.as_ref() }
    }
}

impl Named for Family {
    fn name_bytes(&self) -> &[u8] {
        self.name.to_bytes()
    }

    fn next_of_bucket(&self) -> &Link<Self> {
        &self.next_of_bucket
    }
}

/// Returns the layout of a struct of `size` bytes.
///
/// In C the size of a struct is a multiple of its alignment. So the largest power of two that divides
/// the size, up to `MOST_ALIGN`, suits each struct of that size, and adjacent units keep it.
pub(in crate::capi) fn layout_of(size: usize) -> Result<Layout, RegisterError> {
    let align = (1 << size.trailing_zeros().min(usize::BITS - 1)).min(MOST_ALIGN);
    let layout = Layout::from_size_align(size, align);
    layout
        .ok()
        .filter(|layout| layout.size() > 0)
        .ok_or(RegisterError::BadLayout {
            unit_size: size,
            unit_align: align,
        })
}

/// Returns a copy of a name that is never freed.
fn kept(name: &CStr) -> Result<&'static CStr, Refused> {
    let bytes = RECORDS.copied(name.to_bytes_with_nul())?;
    CStr::from_bytes_with_nul(bytes).map_err(|_| Refused)
}

/// The names of a new family. They are built before any lock is taken: building them allocates, and the
/// program's global allocator may use mm and cross a soft limit.
pub(in crate::capi) struct Names<'a> {
    name: &'a CStr,
    /// The name in reports.
    shown: Cow<'a, str>,
    path: String,
}

impl<'a> Names<'a> {
    /// Returns the names of a struct's family in an instance.
    pub(in crate::capi) fn of_struct(name: &'a CStr, instance: &mm_instance_) -> Self {
        let shown = match name.to_str() {
            Ok(text) => Cow::Borrowed(text),
            // Escaped, names that differ are shown differently.
            Err(_) => Cow::Owned(name.to_bytes().escape_ascii().to_string()),
        };
        let path = instance.path_of(&shown);
        Self { name, shown, path }
    }

    /// Returns the names of an instance's buffers. The path differs from that of a struct of any name.
    pub(in crate::capi) fn of_buffers(name: &'a CStr, instance: &mm_instance_) -> Self {
        Self {
            path: instance.path_of("(buffers)"),
            ..Self::of_struct(name, instance)
        }
    }
}
