//! From a type to its static family.

use core::ptr::NonNull;

use crate::error::AllocError;
use crate::family::PageFamily;
use crate::handle::{Block, MmBox};
use crate::heap::CacheCell;

/// A type whose values live in a page family of their own.
///
/// The derive macro of the same name implements it; one `use mm::MmManaged` brings both.
///
/// # Safety
///
/// Only the derive implements this trait. [`page_family`](Self::page_family) must always return
/// the same family, whose layout is that of `Self` and which no other type shares, and
/// `__with_cache` must always pass the calling thread's one cell of that family.
///
/// # Examples
///
/// ```
/// use mm::{MmBox, MmManaged};
///
/// #[derive(MmManaged)]
/// struct Emp {
///     name: [u8; 32],
///     emp_id: u32,
/// }
///
/// let emps: MmBox<[Emp]> = Emp::xcalloc(3);
/// assert_eq!(emps[2].emp_id, 0);
/// assert_eq!(Emp::page_family().name(), "Emp");
/// Emp::xfree(emps);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no page family",
    label = "not managed by mm",
    note = "put `#[derive(mm::MmManaged)]` on the type; for an instance of another crate's generic type, use `mm::family!`"
)]
pub unsafe trait MmManaged: Sized {
    /// Returns the one page family of this type.
    fn page_family() -> &'static PageFamily;

    /// Lends the calling thread's cell of this type's family to `f`.
    #[doc(hidden)]
    fn __with_cache<R>(f: impl FnOnce(&CacheCell) -> R) -> R;

    /// Allocates one block of `units` zeroed units.
    ///
    /// # Panics
    ///
    /// When `units * size_of::<Self>()` overflows the size of a block. Without memory it calls
    /// [`handle_alloc_error`](std::alloc::handle_alloc_error).
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::MmManaged;
    /// #[derive(MmManaged)]
    /// struct Point(i32, i32);
    ///
    /// let points = Point::xcalloc(1_000);
    /// assert!(points.iter().all(|point| point.0 == 0 && point.1 == 0));
    /// ```
    #[inline]
    #[track_caller]
    #[must_use]
    fn xcalloc(units: usize) -> MmBox<[Self]>
    where
        Self: ZeroInit,
    {
        match Self::try_xcalloc(units) {
            Ok(block) => block,
            Err(refused) => allocation_failed::<Self>(refused),
        }
    }

    /// Allocates one block of `units` zeroed units, or says why it cannot.
    ///
    /// # Errors
    ///
    /// [`AllocError::SizeOverflow`] when the block would be larger than any block can be,
    /// [`AllocError::OutOfMemory`] when the kernel gives no memory. Neither changes a figure.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::{AllocError, MmManaged};
    /// #[derive(MmManaged)]
    /// struct Point(i32, i32);
    ///
    /// assert_eq!(Point::try_xcalloc(3)?.len(), 3);
    /// assert!(matches!(
    ///     Point::try_xcalloc(usize::MAX),
    ///     Err(AllocError::SizeOverflow { .. })
    /// ));
    /// # Ok::<(), AllocError>(())
    /// ```
    #[inline]
    #[track_caller]
    fn try_xcalloc(units: usize) -> Result<MmBox<[Self]>, AllocError>
    where
        Self: ZeroInit,
    {
        let first = try_alloc_units_zeroed::<Self>(units)?;
        let block = NonNull::slice_from_raw_parts(first, units);
        // SAFETY: the block is new, holds `units` units of this type's family, and is zeroed,
        // which `ZeroInit` says is a value of the type.
        Ok(unsafe { MmBox::from_raw(block.as_ptr()) })
    }

    /// Drops the values of a block and releases it. The same as dropping the block.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::{MmBox, MmManaged};
    /// #[derive(MmManaged)]
    /// struct Point(i32, i32);
    ///
    /// let one = MmBox::new(Point(1, 2));
    /// Point::xfree(one);
    /// let family = mm::snapshot();
    /// # let path = Point::page_family().path();
    /// assert_eq!(family.family(path).unwrap().live_blocks, 0);
    /// ```
    #[inline]
    fn xfree<B: Block<Unit = Self> + ?Sized>(block: MmBox<B>) {
        drop(block);
    }
}

/// Types of which all-zero bytes are a valid value, so that [`MmManaged::xcalloc`] can make them.
///
/// It holds for everything that is [`bytemuck::Zeroable`]. The derive implements that trait for
/// structs and unions whose fields have it, and for enums with a fixed representation whose
/// variant of discriminant 0 has it.
///
/// # Safety
///
/// `size_of::<Self>()` zero bytes must be a valid value of the type.
///
/// # Examples
///
/// ```
/// fn zeroed<T: mm::ZeroInit>() -> T {
///     // SAFETY: `ZeroInit` says that all-zero bytes are a value.
///     unsafe { std::mem::zeroed() }
/// }
/// assert_eq!(zeroed::<[u32; 4]>(), [0; 4]);
/// ```
#[diagnostic::on_unimplemented(
    message = "all-zero bytes are no value of `{Self}`",
    label = "cannot be zeroed",
    note = "make the values instead: `mm::MmBox::from_fn(units, |index| ...)`"
)]
pub unsafe trait ZeroInit {}

// Not marked as one that errors should pass over: they could then not name the field that is to
// blame, since the derive's own implementation is of `Zeroable`.
// SAFETY: `Zeroable` promises the same.
unsafe impl<T: bytemuck::Zeroable> ZeroInit for T {}

/// Allocates `units` units of `T`'s family, contents unspecified.
#[inline]
#[track_caller]
pub(crate) fn try_alloc_units<T: MmManaged>(units: usize) -> Result<NonNull<T>, AllocError> {
    let family = T::page_family();
    T::__with_cache(|cell| family.alloc_in(cell, units)).map(NonNull::cast)
}

/// Allocates `units` units of `T`'s family, all bytes zero.
#[inline]
#[track_caller]
pub(crate) fn try_alloc_units_zeroed<T: MmManaged>(units: usize) -> Result<NonNull<T>, AllocError> {
    let family = T::page_family();
    T::__with_cache(|cell| family.alloc_zeroed_in(cell, units)).map(NonNull::cast)
}

/// Gives the units of a block back to `T`'s family; runs no destructor.
///
/// # Safety
///
/// `first` is the start of a live block of exactly `units` units of `T`'s family, which nobody
/// uses any more.
#[inline]
pub(crate) unsafe fn release_units<T: MmManaged>(first: NonNull<T>, units: usize) {
    let family = T::page_family();
    // SAFETY: the caller's promise is the same.
    T::__with_cache(|cell| unsafe { family.release_in(cell, first.cast(), units) });
}

/// Ends an allocation that has no way to return its error.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn allocation_failed<T: MmManaged>(refused: AllocError) -> ! {
    if let AllocError::OutOfMemory {
        units, unit_size, ..
    } = refused
        && let Ok(layout) =
            core::alloc::Layout::from_size_align(units.saturating_mul(unit_size), align_of::<T>())
    {
        std::alloc::handle_alloc_error(layout);
    }
    panic!("{refused}");
}
