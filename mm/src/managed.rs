//! `MmManaged`: what connects a type to its static family.

use core::ptr::NonNull;

use crate::error::AllocError;
use crate::family::PageFamily;
use crate::handle::{self, MmBox};
use crate::heap::CacheCell;
use crate::units::{StaticFamily, alloc_units_zeroed, try_alloc_units_zeroed};

/// A type whose values live in a page family of their own.
///
/// The derive macro of the same name implements it; one `use mm::MmManaged` brings both.
///
/// # Safety
///
/// Only the derive implements this trait.
///
/// 1. [`page_family`](Self::page_family) always returns the same family, whose layout is that of `Self` and
///    which no other type shares.
/// 2. `__with_cache` always passes the calling thread's only cell of that family. The cell is a thread-local
///    without a destructor, so it exists for as long as the thread runs.
/// 3. `__MANY_FAMILIES` is true if a subtype or a supertype of `Self` has another family.
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

    /// Whether a block that is owned as one of this type may belong to another family.
    ///
    /// Subtypes differ in lifetimes only. A family serves all lifetimes that are the type's own
    /// parameters, so the remaining case is `for<'a>` inside a type argument:
    /// `Node<for<'a> fn(&'a u8)>` is a subtype of `Node<fn(&'static u8)>`, and safe code turns a box
    /// of the first into a box of the second. An alias or another type's associated type may name
    /// either type. No macro can see through those, and rustc's overlap check misses them. So this is
    /// true for every type with several families, one for each instance: its blocks are released, and
    /// marked as kept, by their address.
    ///
    /// It is false where no such pair can exist. If one type is a subtype of another, both are the same
    /// `struct`, `enum` or `union` with different arguments. The derive is attached to the definition,
    /// so one expansion writes all its families. If the expansion writes only one, for a type without
    /// type parameters (as [`family!`](crate::family) also does) or for one instance, then any other
    /// instance has no family, and no box of it can exist. If attribute macros replace two definitions
    /// with aliases of one type, each derive adds a method of the same name, so rustc rejects both.
    #[doc(hidden)]
    const __MANY_FAMILIES: bool = false;

    /// Lends the calling thread's cell of this type's family to `f`.
    #[doc(hidden)]
    fn __with_cache<R>(f: impl FnOnce(&CacheCell) -> R) -> R;

    /// Allocates one block of `units` zeroed units.
    ///
    /// # Panics
    ///
    /// Panics if `units * size_of::<Self>()` overflows the size of a block, or if the family would
    /// exceed its limit. Out of memory, it calls
    /// [`handle_alloc_error`](std::alloc::handle_alloc_error) instead.
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
        // SAFETY: `alloc_units_zeroed` gave a block of `units` zeroed units just now, which nothing else
        // owns.
        unsafe { zeroed_block(alloc_units_zeroed(units), units) }
    }

    /// Allocates one block of `units` zeroed units, or returns an error.
    ///
    /// # Errors
    ///
    /// Returns [`AllocError::SizeOverflow`] if the block would exceed the largest block size,
    /// [`AllocError::OutOfMemory`] if the kernel gives no memory, and [`AllocError::QuotaExceeded`] if the
    /// family would exceed its limit. A failed call changes no figure.
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
        // SAFETY: `try_alloc_units_zeroed` gave a block of `units` zeroed units just now, which nothing
        // else owns.
        Ok(unsafe { zeroed_block(try_alloc_units_zeroed(units)?, units) })
    }

    /// Drops the values of a block and releases it, as dropping the block does.
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
    fn xfree<B: handle::Block<Unit = Self> + ?Sized>(block: MmBox<B>) {
        drop(block);
    }

    /// Calls `f` with every live unit of this type's family, each unit of a longer block by itself,
    /// in no particular order.
    ///
    /// A figure says how many values there are; a visit shows what they are. No lock is held while `f`
    /// runs. `f` may allocate, from this family too; the visit may or may not include the new blocks. A
    /// visit takes time in proportion to the family's VM pages and live units. For a type of size zero,
    /// `f` gets the same dangling address once for each live unit.
    ///
    /// A live unit need not hold a value: it has none while [`MmBox::from_fn`] calls the closure that
    /// makes the value, none after its destructor ran while a neighbour is dropped, and none before the
    /// caller of [`PageFamily::alloc`] writes one. It may also hold a value of a supertype of `Self`: a
    /// `MmBox<Node<'static>>` can become a `MmBox<Node<'a>>`, to which the program then writes a value
    /// that borrows.
    ///
    /// # Safety
    ///
    /// From the call to its return:
    ///
    /// 1. No other thread allocates, releases or touches a value of this type in its family.
    /// 2. No `&mut` to such a value is alive, except those that `f` makes and gives up before it returns.
    /// 3. `f` releases only blocks that the same call of `f` allocated, and blocks whose units were all
    ///    passed to `f`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use mm::{MmBox, MmManaged};
    /// use std::collections::BTreeMap;
    ///
    /// #[derive(MmManaged)]
    /// struct Text(String);
    ///
    /// let texts = ["to", "be", "or", "not", "to", "be"];
    /// let texts = texts.map(|text| MmBox::new(Text(text.to_owned())));
    ///
    /// let mut by_length = BTreeMap::new();
    /// let count = |text: *const Text| {
    ///     // SAFETY: `texts` were all written, and nothing changes them.
    ///     let Text(text) = unsafe { &*text };
    ///     *by_length.entry(text.len()).or_insert(0) += 1;
    /// };
    /// // SAFETY: `texts` are this thread's alone. None is borrowed, and `count` releases none.
    /// unsafe { Text::for_each_live(count) };
    /// assert_eq!(by_length, BTreeMap::from([(2, 5), (3, 1)]));
    /// # drop(texts);
    /// ```
    unsafe fn for_each_live(mut f: impl FnMut(*const Self)) {
        let visit = |unit: NonNull<u8>| f(unit.as_ptr().cast_const().cast());
        // SAFETY: requirements 1 to 3 are those of `PageFamily::for_each_live`: `visit` does nothing but
        // call `f`.
        unsafe { Self::page_family().for_each_live(visit) };
    }
}

/// A type for which all-zero bytes are a valid value, so that [`MmManaged::xcalloc`] can make one.
///
/// Every type that is [`bytemuck::Zeroable`] implements it. The derive implements that trait for
/// structs and unions whose fields have it, and for enums with a fixed representation whose
/// variant of discriminant 0 has it.
///
/// # Safety
///
/// 1. `size_of::<Self>()` zero bytes are a valid value of the type.
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

// Not marked `do_not_recommend`: errors could then not name the field at fault, since the derive's own
// implementation is of `Zeroable`.
// SAFETY: `bytemuck::Zeroable` requires of its types that all-zero bytes are a valid value.
unsafe impl<T: bytemuck::Zeroable> ZeroInit for T {}

/// Makes the owner of a new block.
///
/// # Safety
///
/// 1. `first` is the start of a live block of exactly `units` units of `T`'s family.
/// 2. All bytes of the block are zero.
/// 3. Nothing else owns the block.
#[inline]
unsafe fn zeroed_block<T: MmManaged + ZeroInit>(first: NonNull<T>, units: usize) -> MmBox<[T]> {
    let block = NonNull::slice_from_raw_parts(first, units);
    // SAFETY: by requirements 1 and 3 this is a live block of `units` units that nothing else owns. By
    // requirement 2 its bytes are zero, which by requirement 1 of `ZeroInit` are values.
    unsafe { MmBox::from_raw(block.as_ptr()) }
}

// SAFETY: requirements 1 to 3 of `MmManaged` are those of `StaticFamily`, by the same numbers.
unsafe impl<T: MmManaged> StaticFamily for T {
    const MANY_FAMILIES: bool = T::__MANY_FAMILIES;

    #[inline]
    fn family() -> &'static PageFamily {
        T::page_family()
    }

    #[inline]
    fn with_cell<R>(f: impl FnOnce(&CacheCell) -> R) -> R {
        T::__with_cache(f)
    }
}
