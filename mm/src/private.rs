//! What the derive's output names; exported as `mm::__private` and for nobody else.

pub use bytemuck::Zeroable;
pub use core::any::type_name;
pub use inventory;
pub use std::thread_local;

pub use crate::heap::CacheCell;
pub use crate::snapshot::Location;

use core::marker::PhantomData;

use crate::family::PageFamily;

/// What a type puts into the registry at link time.
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

/// Field types of which all-zero bytes are a value, as a tree of [`Field`] and [`Both`].
///
/// The derive writes one bound on the tree, because bounds on the fields one by one would be
/// ambiguous to rustc wherever two fields differ in lifetimes alone.
///
/// # Safety
///
/// All-zero bytes are a valid value of every type in the tree.
pub unsafe trait ZeroFields {}

/// A leaf of the tree: one field's type.
#[derive(Debug)]
pub struct Field<T: ?Sized>(PhantomData<T>);

/// A branch of the tree.
#[derive(Debug)]
pub struct Both<A, B>(PhantomData<A>, PhantomData<B>);

// SAFETY: they are of the only type in it.
unsafe impl<T: ZeroField + ?Sized> ZeroFields for Field<T> {}

// SAFETY: they are of every type in both halves.
unsafe impl<A: ZeroFields, B: ZeroFields> ZeroFields for Both<A, B> {}

/// The same as [`Zeroable`], with an error message of its own: it stops where the derived type's
/// field is, and not at the part of the field that is to blame.
///
/// # Safety
///
/// All-zero bytes are a valid value of the type.
#[diagnostic::on_unimplemented(
    message = "all-zero bytes are no value of `{Self}`",
    label = "cannot be zeroed, because it contains a `{Self}`",
    note = "make the values instead: `mm::MmBox::from_fn(units, |index| ...)`"
)]
pub unsafe trait ZeroField {}

// SAFETY: `Zeroable` promises the same.
#[diagnostic::do_not_recommend]
unsafe impl<T: Zeroable> ZeroField for T {}

/// What the derive asks to be a [`ZeroVariant`] of an enum that it cannot zero. It never is.
#[derive(Debug)]
pub struct NoVariant;

/// Implemented by nothing, for the sake of its error message.
///
/// # Safety
///
/// All-zero bytes are a valid value of `T`.
#[diagnostic::on_unimplemented(
    message = "all-zero bytes are no value of `{T}`, as far as its source says",
    label = "cannot be zeroed",
    note = "an enum needs `repr(C)` or an integer `repr`, and a variant whose discriminant is plainly 0",
    note = "or make the values instead: `mm::MmBox::from_fn(units, |index| ...)`"
)]
pub unsafe trait ZeroVariant<T> {}

/// Makes the family of `T`, for the one static that the derive puts beside the type.
#[must_use]
pub const fn page_family<T>(
    name: &'static str,
    path: fn() -> &'static str,
    location: Location,
) -> PageFamily {
    PageFamily::derived(name, path, core::alloc::Layout::new::<T>(), location)
}

/// Turns what `option_env!` saw into a version: rustc without cargo gives none.
#[must_use]
pub const fn crate_version(seen: Option<&'static str>) -> &'static str {
    match seen {
        Some(version) => version,
        None => "",
    }
}
