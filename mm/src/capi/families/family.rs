//! A family as C sees it.

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

/// Structs of C are aligned to no more than an OS page, as mm has it.
const MOST_ALIGN: usize = 4_096;

/// What a program may know of a page family.
#[derive(Debug)]
#[repr(C)]
pub struct vm_page_family_ {
    /// The whole name, of any length.
    pub struct_name: *const c_char,
    /// Bytes of one unit; `UINT32_MAX` if they are more.
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
    /// The one that was registered after this.
    pub(in crate::capi) next: Link<Family>,
    pub(in crate::capi) heap: PageFamily,
}

// SAFETY: by invariant 2 the only field that is not `Sync`, the pointer in `head`, leads to a text that
// never changes.
unsafe impl Sync for Family {}

impl Family {
    /// Makes a family, which is in no table and on no list yet.
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

    /// Whether the family is of this instance. One place of a program may allocate for several.
    #[inline]
    pub(in crate::capi) fn is_of(&self, instance: &'static mm_instance_) -> bool {
        ptr::eq(self.instance, instance)
    }

    /// Bytes of one unit.
    #[inline]
    pub(in crate::capi) fn unit(&self) -> usize {
        self.heap.layout().size()
    }

    /// The family as C programs have it.
    pub(in crate::capi) fn head(&'static self) -> *mut vm_page_family_ {
        ptr::from_ref(self).cast_mut().cast()
    }

    /// The family that contains `head`.
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

/// The layout of a struct of `size` bytes.
///
/// In C a struct's size is a multiple of its alignment. So the largest power of two that divides the
/// size is an alignment that suits, and units side by side keep it.
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

/// A copy of a name that stays.
fn kept(name: &CStr) -> Result<&'static CStr, Refused> {
    let bytes = RECORDS.copied(name.to_bytes_with_nul())?;
    CStr::from_bytes_with_nul(bytes).map_err(|_| Refused)
}

/// The names of a family that is to be made. They are put together under no lock: the global allocator
/// may be made of mm, and somebody may want to be told of what it holds.
pub(in crate::capi) struct Names<'a> {
    name: &'a CStr,
    /// As reports show it.
    shown: Cow<'a, str>,
    path: String,
}

impl<'a> Names<'a> {
    /// Those of a struct, in an instance.
    pub(in crate::capi) fn of_struct(name: &'a CStr, instance: &mm_instance_) -> Self {
        let shown = match name.to_str() {
            Ok(text) => Cow::Borrowed(text),
            // Two names that differ are shown as two.
            Err(_) => Cow::Owned(name.to_bytes().escape_ascii().to_string()),
        };
        let path = instance.path_of(&shown);
        Self { name, shown, path }
    }

    /// Those of an instance's buffers, which no struct has, whatever its name.
    pub(in crate::capi) fn of_buffers(name: &'a CStr, instance: &mm_instance_) -> Self {
        Self {
            path: instance.path_of("(buffers)"),
            ..Self::of_struct(name, instance)
        }
    }
}
