//! Items that the derive's output names; exported as `mm::__private`, for no other use.

pub use bytemuck::Zeroable;
/// mm's own dependency: a program may depend on another crate of that name.
pub use core;
pub use core::alloc::Layout;
pub use core::any::type_name;
pub use inventory;
pub use std::thread_local;

pub use crate::heap::CacheCell;
pub use crate::snapshot::Location;

use core::fmt;
use core::marker::PhantomData;
use core::mem::{self, ManuallyDrop};

use crate::family::PageFamily;

/// The entry that a type puts into the registry at link time.
#[derive(Debug)]
pub struct Entry(pub(crate) &'static PageFamily);

impl Entry {
    /// Makes the entry of one family.
    #[must_use]
    pub const fn new(family: &'static PageFamily) -> Self {
        Self(family)
    }
}

inventory::collect!(Entry);

/// Field types for which all-zero bytes are a value, as a tree of [`Field`] and [`Both`].
///
/// The derive writes one bound on the tree, because bounds on the fields one by one would be
/// ambiguous to rustc wherever two fields differ in lifetimes alone.
///
/// # Safety
///
/// 1. All-zero bytes are a valid value of every type in the tree.
pub unsafe trait ZeroFields {}

/// A leaf of the tree: exactly one field's type, and no subtype of it.
#[derive(Debug)]
pub struct Field<T: ?Sized>(PhantomData<*mut T>);

/// A branch of the tree.
#[derive(Debug)]
pub struct Both<A, B>(PhantomData<(A, B)>);

/// The empty tree, for a type without fields.
#[derive(Debug)]
pub struct NoField;

/// The leaf for an existing field.
#[must_use]
pub fn field<T: ?Sized>(_: *mut T) -> Field<T> {
    Field(PhantomData)
}

/// Joins two halves of a tree.
#[must_use]
pub fn both<A, B>(_: A, _: B) -> Both<A, B> {
    Both(PhantomData)
}

// SAFETY: `NoField` is a tree without types.
unsafe impl ZeroFields for NoField {}

// SAFETY: by requirement 1 of `ZeroField` they are a value of `T`, the only type in the tree.
unsafe impl<T: ZeroField + ?Sized> ZeroFields for Field<T> {}

// SAFETY: by requirement 1 of `ZeroFields` they are a value of every type in either half.
unsafe impl<A: ZeroFields, B: ZeroFields> ZeroFields for Both<A, B> {}

/// [`Zeroable`] with an error message of its own, which points at the derived type's field, and not at the
/// part of the field that cannot be zeroed.
///
/// # Safety
///
/// 1. All-zero bytes are a valid value of the type.
#[diagnostic::on_unimplemented(
    message = "all-zero bytes are no value of `{Self}`",
    label = "cannot be zeroed, because it contains a `{Self}`",
    note = "make the values instead: `mm::MmBox::from_fn(units, |index| ...)`"
)]
pub unsafe trait ZeroField {}

// SAFETY: `Zeroable` requires of its types that all-zero bytes are a valid value.
#[diagnostic::do_not_recommend]
unsafe impl<T: Zeroable> ZeroField for T {}

/// The type for which the derive requires [`ZeroVariant`] if it cannot zero an enum; it never has it.
#[derive(Debug)]
pub struct NoVariant;

/// Implemented by nothing, for the sake of its error message.
///
/// # Safety
///
/// 1. All-zero bytes are a valid value of `T`.
#[diagnostic::on_unimplemented(
    message = "all-zero bytes are no value of `{T}`, as far as its source says",
    label = "cannot be zeroed",
    note = "an enum needs `repr(C)` or an integer `repr`, and a variant whose discriminant is plainly 0",
    note = "or make the values instead: `mm::MmBox::from_fn(units, |index| ...)`"
)]
pub unsafe trait ZeroVariant<T> {}

/// Returns whether rustc can evaluate a constant of this type at little cost.
#[must_use]
pub const fn is_small<T>() -> bool {
    size_of::<T>() <= 4_096
}

/// Zero bytes for the tag of a `T` that is an enum with a fixed `repr`, aligned as the whole `T` is.
pub union ZeroTag<T> {
    zeros: [u8; 16],
    _aligned: ManuallyDrop<[T; 0]>,
}

impl<T> ZeroTag<T> {
    /// Makes the zero bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self { zeros: [0; 16] }
    }

    /// Returns the address at which the `T` would begin.
    #[must_use]
    pub const fn as_ptr(&self) -> *const T {
        core::ptr::from_ref(self).cast()
    }
}

impl<T> fmt::Debug for ZeroTag<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ZeroTag")
    }
}

impl<T> Default for ZeroTag<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads the tag of an enum. rustc refuses that if no variant has the tag, or if the variant has no value.
///
/// # Safety
///
/// 1. Only rustc calls it, when it evaluates a constant. What lies behind the pointer need be neither a
///    value nor as large as one.
pub const unsafe fn require_tag<T>(zeros: *const T) {
    // SAFETY: by requirement 1 rustc evaluates this in a constant: where the bytes at `zeros` are no value,
    // it finds that and refuses the program.
    let of_zeros = unsafe { &*zeros };
    let _ = mem::discriminant(of_zeros);
}

/// Makes the family for the one static that the derive puts beside the type.
#[must_use]
pub const fn page_family(
    name: &'static str,
    layout: Layout,
    path: fn() -> &'static str,
    location: Location,
) -> PageFamily {
    PageFamily::derived(name, path, layout, location)
}

/// Makes the samples of the calling thread follow from a seed, for tests of [`heap_profile`](crate::heap_profile()).
pub fn seed_samples(seed: u64) {
    crate::sampling::begin_with_seed(seed);
}

/// Rejects a type whose family has another layout. Both are written as one type, or by one alias; if the
/// derive missed a macro that writes a different type each time, this check would still find it.
pub const fn require_layout<T>(of_family: Layout) {
    let same_size = size_of::<T>() == of_family.size();
    let same_align = align_of::<T>() == of_family.align();
    assert!(
        same_size && same_align,
        "a macro in `instances` writes another type each time"
    );
}

/// Turns the value of `option_env!` into a version; rustc without cargo has none.
#[must_use]
pub const fn crate_version(seen: Option<&'static str>) -> &'static str {
    match seen {
        Some(version) => version,
        None => "",
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_layout_of_the_same_size_and_alignment_is_taken() {
        require_layout::<u64>(Layout::new::<u64>());
        require_layout::<[u8; 3]>(Layout::new::<(u8, [u8; 2])>());
    }

    #[test]
    #[should_panic(expected = "writes another type each time")]
    fn another_size_is_refused() {
        require_layout::<[u8; 2]>(Layout::new::<u8>());
    }

    #[test]
    #[should_panic(expected = "writes another type each time")]
    fn another_alignment_is_refused() {
        require_layout::<[u8; 2]>(Layout::new::<u16>());
    }
}
